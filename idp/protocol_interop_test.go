package idp_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/loginunico/loginunico/idp/idptest"
)

// visit plays the citizen for a client of somebody else's: it opens a URL, does what the pages
// ask, and returns where the browser was sent.
func visit(b *idptest.Browser, target string) idptest.Page {
	p := b.Get(target)
	if p.Location == nil && strings.HasPrefix(p.URL.Path, "/entrar") {
		p = b.SignIn(p, maria, idptest.Password)
	}
	if p.Location == nil && p.URL.Path == "/consentimento" {
		p = b.Allow(p)
	}
	if p.Location == nil && p.URL.Path == "/sair" {
		p = b.Form(p, merged(hidden(p.Body), with("decision", "logout")))
	}
	return p
}

func TestGoOIDCAndOAuth2SignACitizenIn(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	for client, c := range map[string]struct {
		redirect, alg string
		style         oauth2.AuthStyle
	}{
		"agenda": {"https://agenda.example.org/callback", "ES256", oauth2.AuthStyleInHeader},
		"vacina": {"https://agenda.example.org/vacina/callback", "ES256", oauth2.AuthStyleAutoDetect}, // by post, found out
		"legado": {"https://legado.example.org/callback", "RS256", oauth2.AuthStyleInHeader},          // signed userinfo too
		"painel": {"https://painel.example.org/callback", "ES256", oauth2.AuthStyleAutoDetect},
		"mapa":   {"http://127.0.0.1:4711/callback", "ES256", oauth2.AuthStyleInParams}, // public, native
	} {
		t.Run(client, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			provider, err := oidc.NewProvider(ctx, city.Issuer)
			if err != nil {
				t.Fatal(err)
			}
			endpoint := provider.Endpoint()
			endpoint.AuthStyle = c.style
			config := oauth2.Config{ClientID: client, ClientSecret: idptest.Secret(client), Endpoint: endpoint, RedirectURL: c.redirect,
				Scopes: []string{oidc.ScopeOpenID, "profile"}}
			if client == "mapa" {
				config.ClientSecret = ""
			}
			proof := oauth2.GenerateVerifier()
			p := visit(city.Browser(t), config.AuthCodeURL("estado", oidc.Nonce("uma-vez"), oauth2.S256ChallengeOption(proof)))
			if p.Params().Get("state") != "estado" || p.Params().Get("iss") != city.Issuer {
				t.Fatalf("%d %v", p.Status, p.Location)
			}
			tokens, err := config.Exchange(ctx, p.Params().Get("code"), oauth2.VerifierOption(proof))
			if err != nil {
				t.Fatal(err)
			}
			verifier := provider.Verifier(&oidc.Config{ClientID: client, SupportedSigningAlgs: []string{c.alg}})
			id := idToken(t, verifier, tokens)
			if id.Nonce != "uma-vez" || id.VerifyAccessToken(tokens.AccessToken) != nil {
				t.Errorf("%+v", id)
			}
			isMaria(t, provider, tokens, id.Subject)

			tokens.Expiry = time.Now().Add(-time.Minute) // makes the library refresh
			refreshed, err := config.TokenSource(ctx, tokens).Token()
			if err != nil {
				t.Fatal(err)
			}
			if again := idToken(t, verifier, refreshed); again.Subject != id.Subject || again.Nonce != "" || refreshed.RefreshToken == tokens.RefreshToken {
				t.Errorf("%+v", again)
			}
			isMaria(t, provider, refreshed, id.Subject)
		})
	}
	t.Run("client_credentials", func(t *testing.T) {
		config := clientcredentials.Config{ClientID: "agenda", ClientSecret: idptest.Secret("agenda"), TokenURL: city.Issuer + "/oauth/token",
			Scopes: []string{"agenda.read"}, EndpointParams: url.Values{"resource": {"https://api.example.org/a", "https://api.example.org/b"}}}
		token, err := config.Token(t.Context())
		if err != nil || token.TokenType != "Bearer" || !active(city, "recurso", token.AccessToken) {
			t.Errorf("%+v %v", token, err)
		}
	})
}

func idToken(t *testing.T, v *oidc.IDTokenVerifier, tokens *oauth2.Token) *oidc.IDToken {
	t.Helper()
	raw, _ := tokens.Extra("id_token").(string)
	id, err := v.Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func isMaria(t *testing.T, provider *oidc.Provider, tokens *oauth2.Token, subject string) {
	t.Helper()
	info, err := provider.UserInfo(t.Context(), oauth2.StaticTokenSource(tokens))
	if err != nil {
		t.Fatal(err)
	}
	var claims struct{ Name string }
	if err := info.Claims(&claims); err != nil || info.Subject != subject || claims.Name != "Maria Aparecida da Silva" {
		t.Errorf("userinfo %+v %+v %v", info, claims, err)
	}
}

// openidClient is npm's openid-client running idp/testdata/openid-client/flow.mjs.
type openidClient struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// startOpenIDClient installs it as its lock file says and starts it; without Node.js the test is
// skipped, and fails where REQUIRE_ALL says that nothing may be missing.
func startOpenIDClient(t *testing.T) *openidClient {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "openid-client"))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	install := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		missing(t, "npm cannot install openid-client", string(out), err)
	}
	run := exec.CommandContext(ctx, "node", "flow.mjs")
	run.Dir, run.Stderr = dir, &strings.Builder{}
	in, err := run.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		missing(t, "node does not start", "", err)
	}
	return &openidClient{run, in, bufio.NewScanner(out)}
}

// end waits for the program, which must have had nothing to complain about.
func (c *openidClient) end(t *testing.T) {
	t.Helper()
	_ = c.in.Close()
	if err := c.Wait(); err != nil {
		t.Fatalf("openid-client: %v\n%s", err, c.Stderr)
	}
}

func missing(t *testing.T, what, output string, err error) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") != "" {
		t.Fatalf("%s: %v\n%s", what, err, output)
	}
	t.Skipf("*** SKIPPED: the independent JavaScript client is NOT tested: %s: %v\n%s ***", what, err, output)
}

func (c *openidClient) send(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(c.in, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

func TestOpenIDClientOfNPMSignsACitizenIn(t *testing.T) {
	t.Parallel()
	key, manifest := roboKey(t)
	city := protocolCity(t, manifest)
	private, err := json.Marshal(map[string]any{"issuer": city.Issuer, "redirectURI": "https://agenda.example.org/callback", "secret": idptest.Secret("agenda"),
		"legacyRedirectURI": "https://legado.example.org/callback", "legacySecret": idptest.Secret("legado"), "key": key})
	if err != nil {
		t.Fatal(err)
	}
	c := startOpenIDClient(t)
	c.send(t, string(private))
	b := city.Browser(t)
	var done map[string]any
	for c.out.Scan() {
		message := decoded[struct {
			Open string
			Done map[string]any
		}](t, c.out.Text())
		if done = message.Done; done != nil {
			break
		}
		p := visit(b, message.Open)
		if p.Location == nil {
			t.Fatalf("the browser stays at %s: %d\n%s", p.URL, p.Status, c.Stderr)
		}
		c.send(t, p.Location.String())
	}
	c.end(t)
	want := map[string]any{"name": "Maria Aparecida da Silva", "signedName": "Maria Aparecida da Silva", "level": 3.0, "scope": "agenda.read", "sub": done["sub"]}
	if !maps.Equal(done, want) || done["sub"] == nil {
		t.Errorf("done: %v (members %v)", done, slices.Sorted(maps.Keys(done)))
	}
}
