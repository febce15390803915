package revocation

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/outbound"
	"github.com/loginunico/loginunico/internal/pg"
)

// Settings of a service.
type Settings struct {
	DB      *pg.Pool
	Dir     string          // lists are kept there, in a directory of their own; it is made
	Stale   time.Duration   // how long after nextUpdate a list still counts where nobody answers; 0: not at all
	Private bool            // CAs may be on this machine and in private networks: demo and tests
	From    certauth.Source // whose lists are fetched ahead; nil: those alone that checked certificates name
	Metrics *Metrics        // nil counts nothing
	Now     func() time.Time
}

// Service answers for one process. It is safe for concurrent use.
type Service struct {
	db      *pg.Pool
	dir     string
	stale   time.Duration
	metrics *Metrics
	now     func() time.Time
	slow    *http.Client // for jobs
	quick   *http.Client // while a citizen waits
	queue   *jobs.Queue
	from    certauth.Source
	once    singleflight.Group
	loading sync.Mutex

	mu    sync.Mutex
	lists map[pointID]held
	seen  map[pointID]time.Time
}

// quickly is how long a citizen waits for a list that nobody has fetched yet, or for OCSP.
const quickly = 8 * time.Second

// New prepares a service; [Service.Load] then opens what lists there are.
func New(s Settings) (*Service, error) {
	dir := filepath.Join(s.Dir, "crl")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.part")); err == nil { // of a process that was killed
		for _, path := range left {
			_ = os.Remove(path)
		}
	}
	client := func(timeout time.Duration) *http.Client {
		return outbound.NewClient(outbound.Settings{Timeout: timeout, Redirects: 2, Private: s.Private})
	}
	svc := &Service{db: s.DB, dir: dir, stale: s.Stale, from: s.From, metrics: s.Metrics, now: s.Now, slow: client(wholeList), quick: client(quickly),
		lists: map[pointID]held{}, seen: map[pointID]time.Time{}}
	s.Metrics.watch(svc)
	return svc, nil
}

// Status tells of every distribution point, by CA.
func (s *Service) Status(ctx context.Context) ([]Status, error) { return statuses(ctx, s.db) }

// Check says whether a chain may be taken: nil, certauth.Revoked, or certauth.Unchecked where nobody
// can say; another error is of our own side. Every certificate but the root is asked about, those of
// CAs too.
//
//	chain  leaf first, verified up to a pinned root: addresses in it are followed
//
// RFC 5280 §6.3, RFC 6960
func (s *Service) Check(ctx context.Context, chain []*x509.Certificate) error {
	staple := certauth.Staple(ctx)
	if len(chain) < 2 {
		return certauth.Unchecked
	}
	if err := s.Learn(ctx, chain); err != nil {
		return err
	}
	var open error
	for i := len(chain) - 2; i >= 0; i-- { // of a CA that was revoked nothing else is asked
		var with []byte
		if i == 0 {
			with = staple
		}
		a, err := s.ask(ctx, chain[i], chain[i+1], with)
		if err != nil {
			return err
		}
		s.metrics.checked(a)
		switch a.status {
		case revoked:
			return fmt.Errorf("%w: certificate %d of the chain, reason %d, by %s", certauth.Revoked, i, a.Reason, a.by)
		case unknown:
			open = fmt.Errorf("%w: nobody says of certificate %d of the chain whether it was revoked", certauth.Unchecked, i)
		}
	}
	return open
}

type status string

const (
	good    status = "good"
	revoked status = "revoked"
	unknown status = "unknown"
)

// answer is what was found about one certificate, and where.
type answer struct {
	status status
	by     string // crl, stale, staple, ocsp, none
	Revocation
}

// ask asks in the order of doc.go. What a list past its time names is revoked all the same.
func (s *Service) ask(ctx context.Context, c, ca *x509.Certificate, staple []byte) (answer, error) {
	a, err := s.byList(ctx, c, ca)
	if err != nil || a.status == revoked || a.status == good && a.by == "crl" {
		return a, err
	}
	if found := s.stapled(c, ca, staple); found.status != unknown {
		return found, nil
	}
	if found := s.online(ctx, c, ca); found.status != unknown {
		return found, nil
	}
	return a, nil
}

// byList asks the list of a certificate's distribution point, which is fetched at once where there is
// none that is current.
func (s *Service) byList(ctx context.Context, c, ca *x509.Certificate) (answer, error) {
	none := answer{status: unknown, by: "none"}
	p, ok := pointOf(c, ca)
	if !ok {
		return none, nil
	}
	a, err := s.look(p, c)
	if err != nil || a.by == "crl" || a.status == revoked {
		return a, err
	}
	if err := s.fetchNow(ctx, p); err != nil {
		return none, err
	}
	return s.look(p, c)
}

// look asks the list we have.
func (s *Service) look(p point, c *x509.Certificate) (answer, error) {
	s.mu.Lock()
	h, ok := s.lists[p.id]
	s.mu.Unlock()
	if !ok || !h.Scope.covers(c) {
		return answer{status: unknown, by: "none"}, nil
	}
	found, err := h.Find(c.SerialNumber)
	now := s.now()
	switch {
	case err != nil:
		return answer{}, err
	case found != nil:
		return answer{revoked, "crl", *found}, nil
	case now.Before(h.NextUpdate):
		return answer{status: good, by: "crl"}, nil
	case now.Before(h.NextUpdate.Add(s.stale)):
		return answer{status: good, by: "stale"}, nil
	}
	return answer{status: unknown, by: "none"}, nil
}

// fetchNow fetches a list while somebody waits: once in a process for all who do, and for one point
// at most each minute. That it cannot be had is no error.
func (s *Service) fetchNow(ctx context.Context, p point) error {
	wait, cancel := context.WithTimeout(ctx, quickly)
	defer cancel()
	done := s.once.DoChan(p.id.String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), quickly+2*time.Second) // long enough to write down a failure
		defer cancel()
		now := s.now()
		c, err := claimPoint(ctx, s.db, p.id[:], now, now.Add(holdClaim), now.Add(-time.Minute))
		if err == nil {
			err = s.renew(ctx, c, s.quick)
		}
		if err != nil && !pg.NoRows(err) && !errors.Is(err, context.DeadlineExceeded) {
			return nil, err
		}
		return nil, s.Load(context.WithoutCancel(ctx))
	})
	select {
	case r := <-done:
		return r.Err
	case <-wait.Done():
		return ctx.Err() // nil: it took too long, and goes on
	}
}

// Revoked says which certificates of a point's CA its list names, by their serial numbers (big
// endian, as strings). It is for the job [Changed]; the list is the latest, whichever process fetched it.
func (s *Service) Revoked(ctx context.Context, point string, serials []string) (map[string]Revocation, error) {
	id, err := hex.DecodeString(point)
	if err != nil || len(id) != len(pointID{}) {
		return nil, errList
	}
	if err := s.Load(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	h, ok := s.lists[pointID(id)]
	s.mu.Unlock()
	if !ok {
		return nil, nil
	}
	found := map[string]Revocation{}
	for _, serial := range serials {
		r, err := h.Find(new(big.Int).SetBytes([]byte(serial)))
		if err != nil {
			return nil, err
		}
		if r != nil {
			found[serial] = *r
		}
	}
	return found, nil
}
