package certauth_test

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/certauth/icptest"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
)

func TestASetIsPublishedWholeAndOnlyBelowThePins(t *testing.T) {
	t.Parallel()

	db, ctx := testpg.New(t), t.Context()
	pki, other := icptest.Must(icptest.New(icptest.Options{})), icptest.Must(icptest.New(icptest.Options{}))
	now := func() time.Time { return pki.Now }
	s := certauth.NewStore(db, []certauth.Pin{pki.Pin()}, nil, now)
	beside := certauth.NewStore(db, []certauth.Pin{pki.Pin()}, nil, now) // another process
	heard := make(chan string, 8)
	go pg.Listen(ctx, db, "loginunico", func(table string) { heard <- table })
	<-heard // the first event is the connection's

	extra := icptest.Must(pki.Level1.Sub("AC a mais"))
	digest := make([]byte, sha512.Size)
	c, err := s.Update(ctx, "test", digest, candidates(pki, extra), false)
	if err != nil || c.Authorities != 4 || len(c.Added) != 4 || s.Authorities().Len() != 4 {
		t.Fatalf("%+v, %v", c, err)
	}
	if table := <-heard; table != certauth.Notified {
		t.Errorf("heard of %q", table)
	}
	if err := beside.Reload(ctx); err != nil || beside.Authorities().Len() != 4 {
		t.Errorf("the other process has %d, %v", beside.Authorities().Len(), err)
	}
	for name, from := range map[string][]certauth.Candidate{"another hierarchy": candidates(other), "the root alone": candidates(pki)[:1], "nothing": nil} {
		if _, err := s.Update(ctx, "test", digest, from, true); !errors.Is(err, certauth.ErrNoRoot) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, err = s.Update(ctx, "test", digest, candidates(pki), false)
	if !errors.Is(err, certauth.ErrShrinks) || len(c.Removed) != 1 || c.Removed[0] != "AC a mais" || s.Authorities().Len() != 4 {
		t.Errorf("a shrunken set: %+v, %v, %d left", c, err, s.Authorities().Len())
	}
	if _, err = s.Update(ctx, "test", digest, candidates(pki), true); err != nil || s.Authorities().Len() != 3 {
		t.Errorf("forced: %v, %d", err, s.Authorities().Len())
	}
}

func TestTheRealBundleIsPublishedAndReadAgain(t *testing.T) {
	t.Parallel()

	db, ctx := testpg.New(t), t.Context()
	s := certauth.NewStore(db, must(certauth.ParsePins(certauth.DefaultRoots))(t), nil, func() time.Time { return bundleDay })
	c, err := s.UpdateFrom(ctx, filepath.Join("testdata", "ACcompactado.zip"), false)
	if err != nil || c.Authorities != 167 {
		t.Fatalf("%v, %v", c, err)
	}
	if p, ok, err := s.Published(ctx); err != nil || !ok || p.Authorities != c.Authorities || len(p.Digest) != sha512.Size {
		t.Errorf("%+v %v %v", p, ok, err)
	}
	if n := s.Authorities().Len(); n != c.Authorities {
		t.Errorf("%d read again of %d", n, c.Authorities)
	}
}

// itiServer serves a bundle and its hash as ITI does.
type itiServer struct {
	*httptest.Server
	body, hash []byte
	fetched    int
}

func newITI(t *testing.T) (*itiServer, certauth.Bundle) {
	iti := &itiServer{}
	iti.body = must(os.ReadFile(filepath.Join("testdata", "ACcompactado.zip")))(t)
	sum := sha512.Sum512(iti.body)
	iti.hash = []byte(hex.EncodeToString(sum[:]) + "  ACcompactado.zip\r\n")
	mux := http.NewServeMux()
	mux.HandleFunc("/ACcompactado.zip", func(w http.ResponseWriter, _ *http.Request) { iti.fetched++; _, _ = w.Write(iti.body) })
	mux.HandleFunc("/hashsha512.txt", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(iti.hash) })
	iti.Server = httptest.NewTLSServer(mux)
	t.Cleanup(iti.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, icptest.PEM(iti.Certificate()), 0o600); err != nil {
		t.Fatal(err)
	}
	return iti, certauth.Bundle{URL: iti.URL + "/ACcompactado.zip", HashURL: iti.URL + "/hashsha512.txt", CAFile: ca}
}

func TestTheBundleIsFetchedWhenItsHashIsNew(t *testing.T) {
	t.Parallel()

	db, ctx := testpg.New(t), t.Context()
	iti, bundle := newITI(t)
	day := bundleDay
	s := certauth.NewStore(db, must(certauth.ParsePins(certauth.DefaultRoots))(t), nil, func() time.Time { return day })
	refresh := func(changed bool, ok bool) {
		t.Helper()
		_, got, err := s.Refresh(context.WithoutCancel(ctx), bundle)
		if got != changed || (err == nil) != ok {
			t.Errorf("changed %v, %v", got, err)
		}
	}
	refresh(true, true)
	day = day.Add(24 * time.Hour)
	refresh(false, true)
	if p, _, err := s.Published(ctx); iti.fetched != 1 || err != nil || !p.CheckedAt.Equal(day) {
		t.Errorf("fetched %d times, checked %v, %v", iti.fetched, p.CheckedAt, err)
	}
	iti.hash = []byte(hex.EncodeToString(make([]byte, sha512.Size)))
	refresh(false, false) // the bundle is not what the hash tells of
	iti.hash = []byte("not found")
	refresh(false, false)
	bundle.HashURL = ""
	refresh(false, true)
	iti.body = make([]byte, certauth.MostSource+1)
	refresh(false, false)
	iti.body = []byte("<html>maintenance</html>")
	refresh(false, false)
	if n := s.Authorities().Len(); n != 167 {
		t.Errorf("%d authorities are left", n)
	}
	for _, bad := range []certauth.Bundle{{URL: "http://example.org/a.zip"}, {HashURL: bundle.URL}, {URL: bundle.URL, CAFile: "missing.pem"}} {
		if bad.Check() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
