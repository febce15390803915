package cloud

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/loginunico/loginunico/internal/yamlform"
)

// Provider is one PSC at which the city is registered.
type Provider struct {
	ID              string // ours, in addresses and logs
	Name            string // as citizens know it
	Base            string // https://host[/path] before /oauth/…
	ClientID        string
	Secret          string // of the client
	Hash            string // how it wants a hash: base64, hex
	Format          string // what it is asked for: RAW, CMS
	Push            bool   // asks the citizen's telephone instead of their browser
	Authentications string // where a push is asked about; needed with Push
}

// The ways PSCs differ.
const (
	Base64 = "base64"
	Hex    = "hex"
	RAW    = "RAW"
	CMS    = "CMS"
)

const mostFile = 64 << 10

var (
	idPattern    = regexp.MustCompile(`^[a-z][a-z0-9-]{1,30}$`)
	plainPattern = regexp.MustCompile(`^[!-~]{1,256}$`)
)

// ReadProviders reads the city's list of PSCs. Files of secrets are relative to its own place. The error
// is everything that is wrong, by line.
//
//	providers:
//	  - id: birdid
//	    name: BirdID
//	    base: https://api.birdid.com.br/v0
//	    client_id: c0ffee
//	    client_secret_file: /run/secrets/birdid
//	    hash: base64            # or hex
//	    format: RAW             # or CMS
//	    push: false             # true: the telephone is asked
//	    authentications: https://…   # with push
func ReadProviders(path string) ([]Provider, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all []Provider
	err = yamlform.Read(filepath.Base(path), data, mostFile, func(d *yamlform.Decoder) map[string]yamlform.Field {
		return map[string]yamlform.Field{"providers": d.List(func(n *yaml.Node, at string) {
			p := Provider{Hash: Base64, Format: RAW}
			secret := ""
			d.Object(n, at, map[string]yamlform.Field{
				"id": d.Text(&p.ID, yamlform.Matches(idPattern, "must be 2 to 31 lower-case letters, digits and -")), "name": d.Text(&p.Name, yamlform.AtMost(40)),
				"base": d.Text(&p.Base, httpsURL), "client_id": d.Text(&p.ClientID, yamlform.Matches(plainPattern, "must be 1 to 256 visible characters")),
				"client_secret_file": d.Text(&secret), "hash": d.Text(&p.Hash, yamlform.OneOf(Base64, Hex)),
				"format": d.Text(&p.Format, yamlform.OneOf(RAW, CMS)), "push": d.Boolean(&p.Push), "authentications": d.Text(&p.Authentications, httpsURL)})
			for _, key := range []string{"id", "name", "base", "client_id", "client_secret_file"} {
				d.Require(yamlform.Join(at, key))
			}
			if p.Push != (p.Authentications != "") {
				d.FaultAt(yamlform.Join(at, "push"), "value", "goes with authentications: both or none")
			}
			for _, other := range all {
				if other.ID == p.ID {
					d.FaultAt(yamlform.Join(at, "id"), "value", "%s comes twice", p.ID)
				}
			}
			p.Secret = secretIn(d, at, path, secret)
			p.Base = strings.TrimSuffix(p.Base, "/")
			all = append(all, p)
		})}
	}, func(d *yamlform.Decoder) { d.Require("providers") })
	return all, err
}

func secretIn(d *yamlform.Decoder, at, path, file string) string {
	if file == "" {
		return ""
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(path), file)
	}
	body, err := os.ReadFile(file)
	text := strings.TrimSpace(string(body))
	if err == nil && (text == "" || len(text) > 1024) {
		err = errors.New("is empty, or no secret")
	}
	if err != nil {
		d.FaultAt(yamlform.Join(at, "client_secret_file"), "value", "%v", err)
	}
	return text
}

func httpsURL(text string) string {
	if _, err := address(text); err != nil {
		return err.Error()
	}
	return ""
}

// address reads https://host[/path]. Plain http is for the stand-in on this machine alone.
func address(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, errors.New("must be https://host/path")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, fmt.Errorf("must be https")
	}
	return u, nil
}

func loopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// Local says whether a provider is a stand-in on this machine, which production refuses.
func (p Provider) Local() bool {
	u, err := url.Parse(p.Base)
	return err == nil && loopback(u.Hostname())
}
