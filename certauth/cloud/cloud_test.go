package cloud_test

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/certauth/cloud"
	"github.com/loginunico/loginunico/certauth/cloud/psctest"
	"github.com/loginunico/loginunico/certauth/icptest"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testclock"
	"github.com/loginunico/loginunico/internal/testpg"
)

const (
	maria = "52998224725"
	rita  = "11144477735"
	text  = "Entrar em https://id.example.org 5n0VYgV0m0Wc0WfZ4gQeS6Vd3l3bq2mYxjXyVh9pRzA"
)

// scene is a city with a PSC at which Maria has a certificate.
type scene struct {
	*cloud.Connector
	t       *testing.T
	db      *pg.Pool
	clock   *testclock.Clock
	psc     *psctest.Server
	maria   *icptest.Leaf
	rita    *icptest.Leaf
	visit   uuid.UUID
	browser []byte
}

func stage(t *testing.T, change func(*cloud.Provider)) *scene {
	t.Helper()
	pki := icptest.Must(icptest.New(icptest.Options{}))
	s := &scene{t: t, db: testpg.New(t), clock: testclock.At("2026-11-21T12:00:00Z"), maria: pki.Issue(icptest.CloudECPF("MARIA", maria)),
		rita: pki.Issue(icptest.CloudECPF("RITA", rita)), visit: pg.NewID(), browser: secret.Hash("browser")}
	const back = "http://localhost:9/retorno"
	s.psc = psctest.New("", psctest.Client{ID: "vila", Secret: "segredo", RedirectURI: back}, psctest.Holder{CPF: maria, Name: "Maria", Leaf: s.maria})
	closing, err := s.psc.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closing)
	p := cloud.Provider{ID: "nuvem", Name: "Nuvem", Base: s.psc.Base + "/v0", ClientID: "vila", Secret: "segredo", Hash: cloud.Base64, Format: cloud.RAW}
	if change != nil {
		change(&p)
	}
	if p.Push {
		p.Authentications = s.psc.Base + "/valid/api/v1/trusted-services/authentications"
	}
	box, err := secret.Open(t.Context(), s.db, secret.KEK{})
	if err != nil {
		t.Fatal(err)
	}
	s.Connector = cloud.New([]cloud.Provider{p}, back, box, s.clock.Now)
	return s
}

func (s *scene) begin() string {
	s.t.Helper()
	to, err := s.Begin(s.t.Context(), s.db, "nuvem", s.visit, s.browser, "", text)
	if err != nil {
		s.t.Fatal(err)
	}
	return to
}

// allow goes there and comes back.
func (s *scene) allow() url.Values {
	s.t.Helper()
	back := icptest.Must(s.psc.Allow(s.begin(), maria))
	return icptest.Must(url.Parse(back)).Query()
}

func (s *scene) take(q url.Values) cloud.Trip {
	s.t.Helper()
	trip, err := s.Take(s.t.Context(), s.db, q.Get("state"), s.browser)
	if err != nil {
		s.t.Fatal(err)
	}
	return trip
}

func TestACertificateInTheCloudSignsOurText(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		provider func(*cloud.Provider)
		modes    psctest.Modes
	}{
		"RAW, base64":      {nil, psctest.Modes{}},
		"RAW, hexadecimal": {func(p *cloud.Provider) { p.Hash = cloud.Hex }, psctest.Modes{Hash: "hex"}},
		"CMS":              {func(p *cloud.Provider) { p.Format = cloud.CMS }, psctest.Modes{}},
	} {
		s := stage(t, c.provider)
		s.psc.Set(c.modes)
		q := s.allow()
		trip := s.take(q)
		cert, err := s.Finish(t.Context(), trip, q.Get("code"))
		if err != nil || !cert.Equal(s.maria.Cert) || trip.Interaction != s.visit {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Finish(t.Context(), trip, q.Get("code")); !errors.Is(err, cloud.ErrRefused) {
			t.Errorf("%s: a code twice: %v", name, err)
		}
	}
}

func TestWhatDoesNotHoldSignsNobodyIn(t *testing.T) {
	t.Parallel()

	s := stage(t, nil)
	inCMS := func(p *cloud.Provider) { p.Format = cloud.CMS }
	for name, c := range map[string]struct {
		scene *scene
		modes psctest.Modes
		want  error
	}{
		"another key signs":              {s, psctest.Modes{Other: s.rita}, cloud.ErrRefused},
		"another certificate is shown":   {s, psctest.Modes{Show: s.rita}, cloud.ErrRefused},
		"another text is signed":         {s, psctest.Modes{Wrong: true}, cloud.ErrRefused},
		"another text is signed, in CMS": {stage(t, inCMS), psctest.Modes{Wrong: true}, cloud.ErrRefused},
		"the hash is of another form":    {s, psctest.Modes{Hash: "hex"}, cloud.ErrRefused},
		"token fails":                    {s, psctest.Modes{Fail: map[string]int{"/v0/oauth/token": 500}}, cloud.ErrUnavailable},
		"certificates fail":              {s, psctest.Modes{Fail: map[string]int{"/v0/oauth/certificate-discovery": 503}}, cloud.ErrUnavailable},
		"signature is refused":           {s, psctest.Modes{Fail: map[string]int{"/v0/oauth/signature": 403}}, cloud.ErrRefused},
		"an answer without end":          {s, psctest.Modes{Huge: map[string]bool{"/v0/oauth/signature": true}}, cloud.ErrUnavailable},
	} {
		c.scene.clock.Advance(time.Hour) // past the count of trips
		c.scene.psc.Set(psctest.Modes{})
		q := c.scene.allow()
		c.scene.psc.Set(c.modes)
		if cert, err := c.scene.Finish(t.Context(), c.scene.take(q), q.Get("code")); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v", name, cert != nil, err)
		}
	}
	s.psc.Set(psctest.Modes{Slow: map[string]time.Duration{"/v0/oauth/token": time.Minute}})
	s.clock.Advance(time.Hour)
	q := s.allow()
	gone, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Finish(gone, s.take(q), q.Get("code")); !errors.Is(err, cloud.ErrUnavailable) {
		t.Errorf("a PSC that hangs: %v", err)
	}
}

func TestATripIsItsBrowsersAndIsUsedOnce(t *testing.T) {
	t.Parallel()

	s := stage(t, nil)
	q := s.allow()
	if _, err := s.Take(t.Context(), s.db, q.Get("state"), secret.Hash("another browser")); !errors.Is(err, cloud.ErrTrip) {
		t.Errorf("another browser: %v", err)
	}
	var taken atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := s.Take(t.Context(), s.db, q.Get("state"), s.browser); err == nil {
				taken.Add(1)
			} else if !errors.Is(err, cloud.ErrTrip) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if taken.Load() != 1 {
		t.Errorf("taken %d times", taken.Load())
	}
	q = s.allow()
	s.clock.Advance(cloud.Lifetime)
	if _, err := s.Take(t.Context(), s.db, q.Get("state"), s.browser); !errors.Is(err, cloud.ErrTrip) {
		t.Errorf("too late: %v", err)
	}
	for _, state := range []string{"", "x", secret.Token()} {
		if _, err := s.Take(t.Context(), s.db, state, s.browser); !errors.Is(err, cloud.ErrTrip) {
			t.Errorf("%q: %v", state, err)
		}
	}
	// RFC 7636 §4.6: somebody else's code under one's own state.
	mine, theirs := s.allow(), s.allow()
	if _, err := s.Finish(t.Context(), s.take(mine), theirs.Get("code")); !errors.Is(err, cloud.ErrRefused) {
		t.Errorf("another's code: %v", err)
	}
	back := icptest.Must(url.Parse(icptest.Must(s.psc.Deny(s.begin()))))
	if code := back.Query().Get("error"); !errors.Is(cloud.Refusal(code), cloud.ErrDenied) {
		t.Errorf("refused there: %q", code)
	}
}

func TestATelephoneIsAskedWhereTheProviderPushes(t *testing.T) {
	t.Parallel()

	s := stage(t, func(p *cloud.Provider) { p.Push = true })
	ctx := t.Context()
	begin := func(cpf brdoc.CPF) error {
		to, err := s.Begin(ctx, s.db, "nuvem", s.visit, s.browser, cpf, text)
		if to != "" {
			t.Errorf("a browser is sent to %s", to)
		}
		return err
	}
	if err := begin(""); !errors.Is(err, cloud.ErrRefused) {
		t.Errorf("nobody's telephone: %v", err)
	}
	if err := begin(rita); !errors.Is(err, cloud.ErrRefused) {
		t.Errorf("who has no certificate there: %v", err)
	}
	if err := begin(maria); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Ready(ctx, s.db, s.visit, s.browser); !errors.Is(err, cloud.ErrWaiting) {
		t.Errorf("before it is answered: %v", err)
	}
	if _, _, err := s.Ready(ctx, s.db, s.visit, secret.Hash("another browser")); !errors.Is(err, cloud.ErrTrip) {
		t.Errorf("another browser: %v", err)
	}
	if err := s.psc.Answer(maria); err != nil {
		t.Fatal(err)
	}
	trip, code, err := s.Ready(ctx, s.db, s.visit, s.browser)
	if err != nil {
		t.Fatal(err)
	}
	if cert, err := s.Finish(ctx, trip, code); err != nil || !cert.Equal(s.maria.Cert) {
		t.Error(err)
	}
	if _, _, err := s.Ready(ctx, s.db, s.visit, s.browser); !errors.Is(err, cloud.ErrTrip) {
		t.Errorf("twice: %v", err)
	}
	if err := begin(maria); err != nil {
		t.Fatal(err)
	}
	if err := s.psc.Answer(""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Ready(ctx, s.db, s.visit, s.browser); !errors.Is(err, cloud.ErrDenied) {
		t.Errorf("refused on the telephone: %v", err)
	}
	for err = nil; err == nil; err = begin(maria) {
	}
	if !errors.Is(err, cloud.ErrOften) {
		t.Errorf("it rings on and on: %v", err)
	}
}

func TestWhoeverPressesOnAndOnHoldsFewConnectionsAtTheProvider(t *testing.T) {
	t.Parallel()

	s := stage(t, func(p *cloud.Provider) { p.Push = true })
	if _, err := s.Begin(t.Context(), s.db, "nuvem", s.visit, s.browser, maria, text); err != nil {
		t.Fatal(err)
	}
	s.psc.Set(psctest.Modes{Slow: map[string]time.Duration{"/valid/api/v1/trusted-services/authentications": time.Minute}})
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second) // less than one call may take
	defer cancel()
	const presses, most = 80, 64
	answers := make(chan error, presses)
	for range presses {
		go func() {
			_, _, err := s.Ready(ctx, s.db, s.visit, s.browser)
			answers <- err
		}()
	}
	for range presses - most {
		if err := <-answers; !errors.Is(err, cloud.ErrUnavailable) || ctx.Err() != nil {
			t.Fatalf("all of them wait for the provider: %v, %v", err, ctx.Err())
		}
	}
	cancel()
	for range most {
		<-answers
	}
}

func TestProvidersAreReadAndEveryFaultIsNamed(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	write := func(name, body string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("segredo", "s3cr3t\n")
	good := write("good.yaml", `providers:
  - {id: birdid, name: BirdID, base: https://api.birdid.com.br/v0/, client_id: c0ffee, client_secret_file: segredo}
  - id: vidaas
    name: VIDaaS
    base: https://certificado.vidaas.com.br/v0
    client_id: c0ffee
    client_secret_file: segredo
    hash: hex
    format: CMS
    push: true
    authentications: https://certificado.vidaas.com.br/valid/api/v1/trusted-services/authentications
`)
	all, err := cloud.ReadProviders(good)
	if err != nil || len(all) != 2 || all[0].Secret != "s3cr3t" || all[0].Hash != cloud.Base64 || all[0].Base != "https://api.birdid.com.br/v0" || !all[1].Push || all[1].Format != cloud.CMS {
		t.Fatalf("%+v, %v", all, err)
	}
	bad := write("bad.yaml", `providers:
  - {id: Bird, name: x, base: http://example.org, client_id: "a b", client_secret_file: nowhere, hash: md5, format: PDF, push: true}
  - {id: um, name: Um, base: https://x/, client_id: c, client_secret_file: segredo, colour: red}
  - {id: um, name: Um, base: https://x/, client_id: c}
`)
	_, err = cloud.ReadProviders(bad)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"id", "base", "client_id", "nowhere", "hash", "format", "push", "colour", "twice", "client_secret_file"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named in:\n%v", want, err)
		}
	}
}
