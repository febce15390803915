package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testclock"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/internal/yamlform"
)

const noon = "2026-11-21T12:00:00Z"

func newRegistry(t testing.TB) (*client.Registry, *pg.Pool) {
	t.Helper()
	db := testpg.New(t)
	return client.NewRegistry(db, testclock.At(noon).Now), db
}

func apply(t testing.TB, r *client.Registry, manifest, given string) client.Result {
	t.Helper()
	result, err := r.Apply(t.Context(), []byte(manifest), given)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestApplyGeneratesTheSecretOnceAndKeepsItsHash(t *testing.T) {
	t.Parallel()

	r, _ := newRegistry(t)
	first := apply(t, r, minimal, "")
	if first.ID != "portal" || first.Version != 1 || !first.Changed || len(first.Secret) != 43 {
		t.Errorf("%+v", first)
	}
	c, ok := r.Get("portal")
	if !ok || !secret.Equal(c.SecretHash, secret.Hash(first.Secret)) {
		t.Error("the hash is not of the secret")
	}
	second := apply(t, r, minimal+"min_level: 2\n", "")
	if second.Version != 2 || !second.Changed || second.Secret != "" {
		t.Errorf("%+v", second)
	}
	if c, _ := r.Get("portal"); c.MinLevel != 2 || c.Version != 2 || !secret.Equal(c.SecretHash, secret.Hash(first.Secret)) {
		t.Errorf("version 2: %+v", c)
	}
}

func TestApplyingTheSameFileTwiceChangesNothing(t *testing.T) {
	t.Parallel()

	r, _ := newRegistry(t)
	apply(t, r, minimal, "demo-portal")
	before, _ := r.Get("portal")
	if again := apply(t, r, minimal, "demo-portal"); again != (client.Result{ID: "portal", Version: 1}) {
		t.Errorf("%+v", again)
	}
	if after, _ := r.Get("portal"); after != before {
		t.Error("the registry was reloaded")
	}
	if other := apply(t, r, minimal, "another"); !other.Changed || other.Version != 1 {
		t.Errorf("another secret: %+v", other)
	}
	if c, _ := r.Get("portal"); !secret.Equal(c.SecretHash, secret.Hash("another")) {
		t.Error("the given secret was not taken")
	}
}

func TestVersionsStayReadable(t *testing.T) {
	t.Parallel()

	r, _ := newRegistry(t)
	apply(t, r, minimal, "")
	apply(t, r, minimal+"min_level: 4\n", "")
	for version, level := range map[int]int{1: 1, 2: 4} {
		if m, err := r.AtVersion(t.Context(), "portal", version); err != nil || m.MinLevel != level {
			t.Errorf("version %d: %v, %v", version, m, err)
		}
	}
	if _, err := r.AtVersion(t.Context(), "portal", 3); !errors.Is(err, client.ErrServiceNotFound) {
		t.Errorf("error %v", err)
	}
}

func TestSourceIsTheFileAsApplied(t *testing.T) {
	t.Parallel()

	r, _ := newRegistry(t)
	apply(t, r, minimal, "")
	apply(t, r, contractManifest, "")
	if text, err := r.Source(t.Context(), "saude-agenda"); err != nil || text != contractManifest {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := r.Source(t.Context(), "nobody"); !errors.Is(err, client.ErrServiceNotFound) {
		t.Errorf("error %v", err)
	}
}

func TestInvalidManifestLeavesTheServiceAlone(t *testing.T) {
	t.Parallel()

	r, _ := newRegistry(t)
	apply(t, r, minimal, "")
	var faults *yamlform.Faults
	if _, err := r.Apply(t.Context(), []byte(minimal+"min_level: 9\n"), ""); !errors.As(err, &faults) {
		t.Fatalf("error %v", err)
	}
	if err := r.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, _ := r.Get("portal"); c.Version != 1 || c.MinLevel != 1 {
		t.Errorf("%+v", c)
	}
}

func TestServiceThatStopsUsingASecretLosesIt(t *testing.T) {
	t.Parallel()

	r, _ := newRegistry(t)
	old := apply(t, r, minimal, "")
	apply(t, r, minimal+"auth: none\n", "")
	if c, _ := r.Get("portal"); c.SecretHash != nil {
		t.Error("the hash is still there")
	}
	if back := apply(t, r, minimal, ""); back.Version != 3 || back.Secret == "" || back.Secret == old.Secret {
		t.Errorf("%+v", back)
	}
	if _, err := r.Apply(t.Context(), []byte(minimal+"auth: none\n"), "given"); !errors.Is(err, client.ErrNoSharedSecret) {
		t.Errorf("error %v", err)
	}
}

func TestRotatedSecretReplacesTheOldOneAtOnce(t *testing.T) {
	t.Parallel()

	r, _ := newRegistry(t)
	apply(t, r, minimal, "demo-portal")
	apply(t, r, strings.Replace(minimal, "id: portal", "id: app\nauth: none", 1), "")
	fresh, err := r.RotateSecret(t.Context(), "portal")
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := r.Get("portal"); !secret.Equal(c.SecretHash, secret.Hash(fresh)) || c.Version != 1 {
		t.Errorf("%+v", c)
	}
	if _, err := r.RotateSecret(t.Context(), "nobody"); !errors.Is(err, client.ErrServiceNotFound) {
		t.Errorf("unknown: %v", err)
	}
	if _, err := r.RotateSecret(t.Context(), "app"); !errors.Is(err, client.ErrNoSharedSecret) {
		t.Errorf("none: %v", err)
	}
}

func TestResourceIdentifierBelongsToOneService(t *testing.T) {
	t.Parallel()

	r, _ := newRegistry(t)
	const api = "resource_uri: https://api.example.org/\n"
	apply(t, r, minimal+api, "")
	if c, ok := r.ByResource("https://api.example.org/"); !ok || c.ID != "portal" {
		t.Errorf("%+v", c)
	}
	var faults *yamlform.Faults
	_, err := r.Apply(t.Context(), []byte(strings.Replace(minimal, "portal", "thief", 1)+api), "")
	if !errors.As(err, &faults) || faults.List[0].Code != "taken" {
		t.Errorf("error %v", err)
	}
	apply(t, r, minimal+api+"min_level: 2\n", "") // its owner may change
}

func TestAnotherProcessSeesTheServiceAfterLoad(t *testing.T) {
	t.Parallel()

	here, db := newRegistry(t)
	there := client.NewRegistry(db, testclock.At(noon).Now)
	apply(t, here, contractManifest, "")
	apply(t, here, minimal, "")
	if _, ok := there.Get("portal"); ok {
		t.Error("seen before Load")
	}
	if err := there.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all := there.All(); len(all) != 2 || all[0].ID != "portal" || all[1].ID != "saude-agenda" {
		t.Errorf("%v", all)
	}
}

func TestChangeOfAServiceIsNotified(t *testing.T) {
	t.Parallel()

	r, db := newRegistry(t)
	heard, ready := make(chan string, 1), make(chan struct{})
	var once sync.Once
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		pg.Listen(ctx, db, "loginunico", func(payload string) {
			once.Do(func() { close(ready) })
			if payload != "" {
				select {
				case heard <- payload:
				default:
				}
			}
		})
	}()
	<-ready
	apply(t, r, minimal, "")
	if payload := <-heard; payload != "service" {
		t.Errorf("payload %q", payload)
	}
	stop()
	<-done
}

func TestOneServiceThatNoLongerParsesDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()

	r, db := newRegistry(t)
	apply(t, r, minimal, "")
	apply(t, r, contractManifest, "")
	if _, err := db.Exec(t.Context(), `UPDATE service SET manifest = 'id: portal' WHERE id = 'portal'`); err != nil {
		t.Fatal(err)
	}
	if err := r.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "service portal: ") {
		t.Errorf("error %v", err)
	}
	if _, ok := r.Get("portal"); ok {
		t.Error("the broken service serves")
	}
	if _, ok := r.Get("saude-agenda"); !ok {
		t.Error("the other service is gone")
	}
}

func TestConcurrentAppliesNumberVersionsWithoutGaps(t *testing.T) {
	t.Parallel()

	r, _ := newRegistry(t)
	const n = 12
	var wg sync.WaitGroup
	secrets := make([]string, n)
	for i := range n {
		wg.Go(func() {
			result, err := r.Apply(context.Background(), fmt.Appendf(nil, "%sdepartment_: x", minimal), "")
			if err == nil {
				t.Error("an unknown key passed")
			}
			result, err = r.Apply(context.Background(), fmt.Appendf(nil, "%s# %d\n", minimal, i), "")
			if err != nil {
				t.Error(err)
			}
			secrets[i] = result.Secret
		})
	}
	wg.Wait()
	if c, _ := r.Get("portal"); c == nil || c.Version != n {
		t.Errorf("%+v", c)
	}
	if shown := len(strings.Join(secrets, "")); shown != 43 {
		t.Errorf("%d characters of secrets were shown", shown)
	}
}
