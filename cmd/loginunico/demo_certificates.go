package main

import (
	"context"
	"crypto/sha512"
	"encoding/json"
	"fmt"
	"html/template"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/certauth/icptest"
)

// p12Password opens the demo's certificate files.
const p12Password = "1234"

// demoICP is the demo's ICP-Brasil: an invented hierarchy, certificates of its people to import, and
// the lists of what was revoked. All of it is kept, so that what a browser has imported still counts
// tomorrow.
type demoICP struct {
	dir  string
	base string // http address of the lists
	pki  *icptest.PKI
	web  *icptest.PKI // the authority of the certificate host's own certificate
}

// demoHolder is a certificate that the demo hands out.
type demoHolder struct {
	File, Says string
	profile    icptest.Profile
	revoked    bool
}

var demoHolders = []demoHolder{
	{"maria-e-cpf", "e-CPF de Maria Aparecida da Silva", icptest.ECPF("MARIA APARECIDA DA SILVA", "52998224725"), false},
	{"joao-e-cnpj", "e-CNPJ da Padaria Vila Esperança, cujo responsável é João Batista Souza",
		icptest.ECNPJ("PADARIA VILA ESPERANCA LTDA", "12ABC34501DE35", "JOAO BATISTA SOUZA", "11144477735"), false},
	{"paulo-revogado", "e-CPF de Paulo Rocha, revogado", icptest.ECPF("PAULO ROCHA", "93541134780"), true},
	{"padaria-selo", "selo eletrônico da Padaria, que não é de uma pessoa", icptest.Seal("PADARIA VILA ESPERANCA LTDA", "12ABC34501DE35", icptest.SES), false},
}

// demoCertificates opens the demo's ICP-Brasil and has the city trust it.
func (s *stack) demoCertificates(ctx context.Context) (*demoICP, error) {
	d := &demoICP{dir: filepath.Join(s.cfg.DataDir, "icp"), base: local(s.cfg.DemoICPListen)}
	var err error
	list := func(issuer string) []string { return []string{d.base + "/" + listName(issuer)} }
	if d.pki, err = icptest.Open(d.dir, icptest.Options{Name: " da Demonstração", AuthorityBits: 2048, PersonBits: 2048, CRLOf: list}); err != nil {
		return nil, err
	}
	if d.web, err = icptest.Open(filepath.Join(d.dir, "web"), icptest.Options{Name: " da Web da Demonstração"}); err != nil {
		return nil, err
	}
	own := d.web.Issue(icptest.SSL("localhost")).TLS(true)
	s.cfg.Certificates.Own = &own
	s.cfg.Certificates.Pins = append(s.cfg.Certificates.Pins, d.pki.Pin())
	if err := d.hand(); err != nil {
		return nil, err
	}
	return d, s.trustDemo(ctx, d)
}

// trustDemo publishes the demo's authorities beside those that are there.
func (s *stack) trustDemo(ctx context.Context, d *demoICP) error {
	store := s.authorities()
	if err := store.Reload(ctx); err != nil {
		return err
	}
	if store.Authorities().Path(d.pki.Issuing.Cert) != nil {
		return nil
	}
	var all []certauth.Candidate
	for _, ca := range append(store.Authorities().All(), d.pki.Authorities()...) {
		all = append(all, certauth.Candidate{Name: ca.Subject.CommonName, Cert: ca})
	}
	digest := sha512.Sum512(d.pki.Issuing.Cert.Raw)
	_, err := store.Update(ctx, "demo", digest[:], all, true)
	return err
}

// hand writes each holder's certificate: for browsers a .p12, for curl a .pem.
func (d *demoICP) hand() error {
	if err := os.WriteFile(filepath.Join(d.dir, "web-ca.pem"), icptest.PEM(d.web.Root.Cert), 0o600); err != nil {
		return err
	}
	for _, h := range demoHolders {
		p12 := filepath.Join(d.dir, h.File+".p12")
		if info, err := os.Stat(p12); err == nil && time.Since(info.ModTime()) < 300*24*time.Hour {
			continue // it counts for eleven months
		}
		leaf := d.pki.Issue(h.profile)
		if h.revoked {
			if err := d.revoke(leaf.Cert.SerialNumber); err != nil {
				return err
			}
		}
		bundle, err := leaf.PKCS12(p12Password)
		if err != nil {
			return err
		}
		cert, key, err := leaf.PEM()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(d.dir, h.File+".pem"), append(cert, key...), 0o600); err != nil {
			return err
		}
		if err := os.WriteFile(p12, bundle, 0o600); err != nil { // last: it says that all is there
			return err
		}
	}
	return nil
}

func (d *demoICP) revokedFile() string { return filepath.Join(d.dir, "revoked.json") }

// revoked are the serial numbers that the lists name.
func (d *demoICP) revoked() (all []*big.Int, err error) {
	body, err := os.ReadFile(d.revokedFile())
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(body, &all)
}

func (d *demoICP) revoke(serial *big.Int) error {
	all, err := d.revoked()
	if err != nil {
		return err
	}
	body, err := json.Marshal(append(all, serial))
	if err != nil {
		return err
	}
	return os.WriteFile(d.revokedFile(), body, 0o600)
}

// listName is the file of an authority's list.
func listName(issuer string) string {
	sum := sha512.Sum512_256([]byte(issuer))
	return fmt.Sprintf("%x.crl", sum[:8])
}

// handler serves the lists, and a page to take the certificates from.
func (d *demoICP) handler() http.Handler {
	mux := http.NewServeMux()
	for _, ca := range []*icptest.CA{d.pki.Root, d.pki.Level1, d.pki.Issuing} {
		mux.HandleFunc("GET /"+listName(ca.Cert.Subject.CommonName), func(w http.ResponseWriter, _ *http.Request) { d.list(w, ca) })
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = demoICPPage.Execute(w, map[string]any{"Holders": demoHolders, "Password": p12Password, "Dir": d.dir})
	})
	for _, h := range demoHolders {
		mux.HandleFunc("GET /"+h.File+".p12", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/x-pkcs12")
			http.ServeFile(w, r, filepath.Join(d.dir, h.File+".p12"))
		})
	}
	mux.HandleFunc("GET /web-ca.pem", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, filepath.Join(d.dir, "web-ca.pem")) })
	return mux
}

// list is made anew for who asks: its number is the minute, so that it grows.
func (d *demoICP) list(w http.ResponseWriter, ca *icptest.CA) {
	revoked, err := d.revoked()
	if ca != d.pki.Issuing {
		revoked = nil
	}
	now := time.Now()
	var der []byte
	if err == nil {
		der, err = ca.CRL(now.Unix()/60, now.Add(-time.Minute), now.AddDate(0, 0, 1), revoked...)
	}
	if err != nil {
		http.Error(w, "the list cannot be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/pkix-crl")
	_, _ = w.Write(der)
}

var demoICPPage = template.Must(template.New("icp").Parse(`<!doctype html>
<html lang="pt-BR"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>ICP-Brasil da demonstração</title>
<style>body{font:1rem/1.5 system-ui;max-width:42rem;margin:2rem auto;padding:0 1rem}</style>
<h1>ICP-Brasil da demonstração</h1>
<p>Autoridades e pessoas inventadas. A senha de cada arquivo é <b>{{.Password}}</b>.</p>
<ul>{{range .Holders}}<li><a href="/{{.File}}.p12">{{.File}}.p12</a>: {{.Says}}</li>{{end}}</ul>
<p>No Firefox: Configurações, Privacidade e segurança, Ver certificados, Seus certificados, Importar. No Chrome ou Edge: Configurações,
Privacidade e segurança, Segurança, Gerenciar certificados. Importe também <a href="/web-ca.pem">web-ca.pem</a> como autoridade de
sites, ou aceite o aviso na primeira visita.</p>
<p>Os mesmos certificados em PEM, para curl, estão em {{.Dir}}.</p>
</html>`))
