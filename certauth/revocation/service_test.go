package revocation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testclock"
	"github.com/loginunico/loginunico/internal/testpg"
)

// repository is a CA's web server, whose answers a test changes.
type repository struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string][]byte
	asked map[string]int
	slow  chan struct{} // not nil: answers wait for it
}

func newRepository(t testing.TB) *repository {
	r := &repository{files: map[string][]byte{}, asked: map[string]int{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		body, slow := r.files[q.URL.Path], r.slow
		r.asked[q.URL.Path]++
		r.mu.Unlock()
		if slow != nil {
			<-slow
		}
		if body == nil {
			http.Error(w, "gone", http.StatusNotFound)
			return
		}
		tag := fmt.Sprintf(`"%x"`, sha256.Sum256(body))
		if w.Header().Set("ETag", tag); q.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *repository) put(path string, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files[path] = body
}

func (r *repository) times(path string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked[path]
}

// scene is a service with a CA and its repository: root, AC, and what they publish.
type scene struct {
	*Service
	t        *testing.T
	db       *pg.Pool
	clock    *testclock.Clock
	web      *repository
	reg      *prometheus.Registry
	root, ac authority
}

func stage(t *testing.T, stale time.Duration) *scene {
	s := &scene{t: t, db: testpg.New(t), clock: testclock.At("2026-11-21T12:30:00Z"), web: newRepository(t), root: newRoot(t, "AC RAIZ"), reg: prometheus.NewRegistry()}
	s.ac = s.root.sub(t, func() *x509.Certificate {
		c := caTemplate("AC DE BAIXO", 2)
		c.CRLDistributionPoints = []string{s.web.URL + "/raiz.crl"}
		return c
	}())
	s.Service = s.another(stale)
	s.web.put("/raiz.crl", s.root.crl(t, nil))
	s.web.put("/ac.crl", s.ac.crl(t, revokedEntries(666)))
	q := jobs.New(s.db, slog.New(slog.DiscardHandler))
	jobs.Add(q, time.Minute, func(context.Context, Changed, int) error { return nil })
	s.Schedule(q)
	if err := q.Open(); err != nil {
		t.Fatal(err)
	}
	return s
}

// another is the service of another process.
func (s *scene) another(stale time.Duration) *Service {
	svc := must[*Service](s.t)(New(Settings{DB: s.db, Dir: s.t.TempDir(), Stale: stale, Private: true, Now: s.clock.Now, Metrics: NewMetrics(prometheus.WrapRegistererWith(prometheus.Labels{"n": fmt.Sprint(s.clock.Now().UnixNano(), s.t.TempDir())}, s.reg))}))
	if err := svc.Load(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	return svc
}

func (s *scene) chain(serial int64, change ...func(*x509.Certificate)) []*x509.Certificate {
	point := func(c *x509.Certificate) { c.CRLDistributionPoints = []string{s.web.URL + "/ac.crl"} }
	return []*x509.Certificate{s.ac.leaf(s.t, serial, append([]func(*x509.Certificate){point}, change...)...), s.ac.cert, s.root.cert}
}

func (s *scene) refresh() {
	s.t.Helper()
	if err := s.Refresh(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	if err := s.Load(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) expect(chain []*x509.Certificate, want error) {
	s.t.Helper()
	if err := s.Check(s.t.Context(), chain); !errors.Is(err, want) {
		s.t.Errorf("%v, want %v", err, want)
	}
}

func (s *scene) statusOf(ca string) Status {
	s.t.Helper()
	for _, st := range must[[]Status](s.t)(s.Status(s.t.Context())) {
		if st.CA == ca {
			return st
		}
	}
	s.t.Fatalf("no point of %s", ca)
	return Status{}
}

func TestAChainIsAskedAboutAsAWholeAndTheFirstOfACAWaitsForItsList(t *testing.T) {
	t.Parallel()

	s := stage(t, 0)
	s.expect(s.chain(5), nil)
	s.expect(s.chain(666), certauth.Revoked)
	s.expect(s.chain(5), nil)
	if n := s.web.times("/ac.crl"); n != 1 {
		t.Errorf("the list was fetched %d times", n)
	}
	s.expect(s.chain(5)[:1], certauth.Unchecked)
	s.expect(s.chain(5, func(c *x509.Certificate) { c.CRLDistributionPoints = nil }), certauth.Unchecked)
	s.expect(s.chain(5, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"ldap://x/", "file:///etc/passwd"} }), certauth.Unchecked)

	// A CA is revoked: whatever it has signed falls.
	s.web.put("/raiz.crl", s.root.crl(t, revokedEntries(2), later))
	s.clock.Advance(2 * time.Hour)
	s.refresh()
	s.expect(s.chain(5), certauth.Revoked)
}

// later is number 8, issued an hour after noon.
func later(l *x509.RevocationList) {
	l.Number, l.ThisUpdate, l.NextUpdate = big.NewInt(8), noon.Add(time.Hour), noon.Add(12*time.Hour)
}

func TestEveryProcessAsksTheSameListAndALostDirectoryCostsNothing(t *testing.T) {
	t.Parallel()

	s := stage(t, 0)
	s.expect(s.chain(666), certauth.Revoked)
	s.web.Close() // from now on nobody can fetch
	other := s.another(0)
	if err := other.Check(t.Context(), s.chain(666)); !errors.Is(err, certauth.Revoked) {
		t.Error(err)
	}
	if err := other.Check(t.Context(), s.chain(5)); err != nil {
		t.Error(err)
	}
	// Its copy is lost, and another's is spoilt: they are read again.
	files := must[[]string](t)(filepath.Glob(filepath.Join(other.dir, "*.crl")))
	if len(files) != 2 {
		t.Fatal(files)
	}
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[1], []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	again := must[*Service](t)(New(Settings{DB: s.db, Dir: filepath.Dir(other.dir), Now: s.clock.Now}))
	if err := again.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := again.Check(t.Context(), s.chain(666)); !errors.Is(err, certauth.Revoked) {
		t.Error(err)
	}
}

func TestAListIsFetchedBeforeItsSuccessorIsDueAndNeverGoesBack(t *testing.T) {
	t.Parallel()

	s := stage(t, 0)
	s.expect(s.chain(5), nil)
	first := s.web.times("/ac.crl")
	s.refresh() // nothing is due
	if n := s.web.times("/ac.crl"); n != first {
		t.Errorf("fetched %d times", n)
	}
	s.clock.Advance(time.Hour)
	s.refresh() // 304: the same
	if st := s.statusOf("AC DE BAIXO"); s.web.times("/ac.crl") != first+1 || st.Failures != 0 || *st.Entries != 1 || !st.FetchedAt.Equal(s.clock.Now()) {
		t.Errorf("%d times, %+v", s.web.times("/ac.crl"), st)
	}
	for _, c := range []struct {
		fault string
		der   []byte
	}{
		{"older", s.ac.crl(t, revokedEntries(1, 2, 3), func(l *x509.RevocationList) { l.Number = big.NewInt(6) })},
		{"older", s.ac.crl(t, revokedEntries(1, 2), func(l *x509.RevocationList) { later(l); l.ThisUpdate = noon.Add(-time.Hour) })},
		{"signature", newRoot(t, "AC DE BAIXO").crl(t, nil, later)},
		{"time", s.ac.crl(t, nil, func(l *x509.RevocationList) { later(l); l.NextUpdate = noon.Add(90 * time.Minute) })},
		{"time", s.ac.crl(t, nil, func(l *x509.RevocationList) {
			later(l)
			l.ThisUpdate = noon.Add(20 * time.Hour)
			l.NextUpdate = noon.Add(40 * time.Hour)
		})},
		{"format", []byte("<html>we moved</html>")},
		{"format", s.ac.crl(t, revokedEntries(1, 2, 3, 4))[:200]},
		{"unreachable", nil},
	} {
		s.web.put("/ac.crl", c.der)
		s.clock.Advance(time.Minute + time.Hour/8)
		if _, err := s.db.Exec(t.Context(), "UPDATE crl SET due_at = $1", s.clock.Now()); err != nil {
			t.Fatal(err)
		}
		s.refresh()
		if st := s.statusOf("AC DE BAIXO"); st.Fault == nil || *st.Fault != c.fault || *st.Entries != 1 {
			t.Errorf("%s: %+v", c.fault, st)
		}
		s.expect(s.chain(5), nil)
		s.expect(s.chain(666), certauth.Revoked)
	}
	s.web.put("/ac.crl", s.ac.crl(t, revokedEntries(5), later))
	s.clock.Advance(2 * time.Hour)
	s.refresh()
	s.expect(s.chain(5), certauth.Revoked)
	s.expect(s.chain(666), nil)
	if st := s.statusOf("AC DE BAIXO"); st.Fault != nil || st.Failures != 0 {
		t.Errorf("%+v", st)
	}
}

func TestAListPastItsTimeCountsOnlyAsLongAsTheCitySays(t *testing.T) {
	t.Parallel()

	s := stage(t, 3*time.Hour)
	s.web.put("/raiz.crl", s.root.crl(t, nil, func(l *x509.RevocationList) { l.NextUpdate = noon.AddDate(0, 3, 0) }))
	strict := s.another(0)
	s.expect(s.chain(5), nil)
	if err := strict.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.web.Close()
	s.clock.Advance(6 * time.Hour) // half an hour past
	s.expect(s.chain(5), nil)
	s.expect(s.chain(666), certauth.Revoked)
	if err := strict.Check(t.Context(), s.chain(5)); !errors.Is(err, certauth.Unchecked) {
		t.Error(err)
	}
	s.clock.Advance(3 * time.Hour)
	s.expect(s.chain(5), certauth.Unchecked)
	s.expect(s.chain(666), certauth.Revoked) // an old list still says so
	var text strings.Builder
	families, err := s.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range families {
		text.WriteString(m.String())
	}
	for _, name := range []string{"loginunico_crl_age_seconds", "loginunico_crl_left_seconds", `"stale"`, "loginunico_crl_failures", `"unreachable"`} {
		if !strings.Contains(text.String(), name) {
			t.Errorf("metrics lack %s", name)
		}
	}
	if problems, err := testutil.GatherAndLint(s.reg); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

func TestManyWhoWaitFetchAListOnceAndAServerThatHangsHoldsNobodyForLong(t *testing.T) {
	t.Parallel()

	s := stage(t, 0)
	s.expect(s.chain(5), nil) // the root's list, and this one
	s.web.slow = make(chan struct{})
	one := s.chain(5, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{s.web.URL + "/outra.crl"} })
	s.web.put("/outra.crl", s.ac.crl(t, revokedEntries(7)))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { s.expect(one, nil) })
	}
	for s.web.times("/outra.crl") == 0 {
		time.Sleep(time.Millisecond)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Check(gone, one); err == nil {
		t.Error("who has gone gets an answer")
	}
	close(s.web.slow)
	all.Wait()
	if n := s.web.times("/outra.crl"); n != 1 {
		t.Errorf("fetched %d times", n)
	}
}

func TestTwoProcessesThatRefreshAtOnceFetchEachListOnce(t *testing.T) {
	t.Parallel()

	s := stage(t, 0)
	if err := s.Learn(t.Context(), s.chain(5)); err != nil {
		t.Fatal(err)
	}
	others := []*Service{s.Service, s.another(0), s.another(0)}
	var all sync.WaitGroup
	for _, one := range others {
		all.Go(func() {
			if err := one.Refresh(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if a, b := s.web.times("/ac.crl"), s.web.times("/raiz.crl"); a != 1 || b != 1 {
		t.Errorf("fetched %d and %d times", a, b)
	}
	var n int
	if err := s.db.QueryRow(t.Context(), "SELECT count(*) FROM river_job WHERE kind = 'crl_changed'").Scan(&n); err != nil || n > 2 {
		t.Errorf("%d jobs, %v", n, err)
	}
}

func TestAMirrorIsAskedWhereTheFirstAddressFails(t *testing.T) {
	t.Parallel()

	s := stage(t, 0)
	s.web.put("/b/lista.crl", s.ac.crl(t, revokedEntries(9), later))
	both := func(c *x509.Certificate) {
		c.CRLDistributionPoints = []string{s.web.URL + "/a/lista.crl", s.web.URL + "/b/lista.crl"}
	}
	s.clock.Advance(time.Hour)
	s.expect(s.chain(9, both), certauth.Revoked)
	s.expect(s.chain(10, both), nil)
}

func TestRevokedNamesTheSerialsOfAList(t *testing.T) {
	t.Parallel()

	s := stage(t, 0)
	s.expect(s.chain(5), nil)
	var args struct{ Point string }
	err := s.db.QueryRow(t.Context(), "SELECT args->>'point' FROM river_job WHERE kind = 'crl_changed' AND args->>'issuer_key' = $1",
		fmt.Sprintf("%x", IssuerKey(s.ac.cert))).Scan(&args.Point)
	if err != nil {
		t.Fatal(err)
	}
	serial := func(n int64) string { return string(big.NewInt(n).Bytes()) }
	found, err := s.Revoked(t.Context(), args.Point, []string{serial(5), serial(666), serial(7)})
	if err != nil || len(found) != 1 || !found[serial(666)].At.Equal(noon.Add(-time.Hour)) {
		t.Errorf("%v, %v", found, err)
	}
}

// published is a set of authorities.
type published struct{ set *certauth.Authorities }

func (p published) Authorities() *certauth.Authorities { return p.set }

func TestTheListsOfAuthoritiesAreFetchedBeforeAnybodyComes(t *testing.T) {
	t.Parallel()

	s := stage(t, 0)
	set, _ := certauth.NewAuthorities([]certauth.Pin{sha256.Sum256(s.root.cert.Raw)}, []certauth.Candidate{{Name: "raiz", Cert: s.root.cert}, {Name: "ac", Cert: s.ac.cert}}, s.clock.Now())
	s.Service.from = published{set}
	s.refresh()
	if n := s.web.times("/raiz.crl"); n != 1 || *s.statusOf("AC RAIZ").Entries != 0 {
		t.Errorf("fetched %d times", n)
	}
	s.web.put("/raiz.crl", nil)
	s.expect(s.chain(5), nil)
}

func TestAListWithoutEndIsCutOff(t *testing.T) {
	t.Parallel()

	s := stage(t, 0)
	_, err := s.spool(io.MultiReader(bytes.NewReader([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}), endless{}), s.ac.cert, nil)
	if !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }
