package certauth

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
)

// Notified is the payload on the channel of caches by which a new set is told.
const Notified = "icp_authority_set"

// Store is the published authorities: in PostgreSQL, so that every process has the same, and in
// memory. It is safe for concurrent use.
type Store struct {
	db      *pg.Pool
	pins    []Pin
	now     func() time.Time
	metrics *Metrics
	load    sync.Mutex // one reading at a time, so that an older one never replaces a newer one
	current atomic.Pointer[Authorities]
}

// NewStore is empty until [Store.Reload].
//
//	metrics  nil counts nothing
func NewStore(db *pg.Pool, pins []Pin, metrics *Metrics, now func() time.Time) *Store {
	s := &Store{db: db, pins: pins, now: now, metrics: metrics}
	s.current.Store(&Authorities{})
	return s
}

// Authorities is the current set; without any before the first was published.
func (s *Store) Authorities() *Authorities { return s.current.Load() }

// Reload reads the published set, at the start and when the database has notified [Notified]. What
// no longer counts by itself, an authority that has expired, falls out.
func (s *Store) Reload(ctx context.Context) error {
	s.load.Lock()
	defer s.load.Unlock()
	rows, err := storedAuthorities(ctx, s.db)
	if err != nil {
		return err
	}
	var all []Candidate
	for _, r := range rows {
		cert, err := x509.ParseCertificate(r.DER)
		if err != nil {
			return fmt.Errorf("authority %s: %w", r.Name, err)
		}
		all = append(all, Candidate{r.Name, cert})
	}
	set, _ := NewAuthorities(s.pins, all, s.now())
	s.current.Store(set)
	s.metrics.authorities(set.Len())
	return nil
}

// Change is what an update did.
type Change struct {
	Added, Removed []string // names of authorities
	Skipped        []Skipped
	Authorities    int // of the new set
}

// Errors of an update; the text of both says what is wrong.
var (
	ErrNoRoot  = errors.New("certauth: the source holds none of the pinned roots, or nothing below them")
	ErrShrinks = errors.New("certauth: authorities that are valid now are missing from the source")
)

// Update publishes what of a source chains to the pins.
//
//	source  for the record
//	digest  SHA-512 of the source
//	force   even where authorities that are valid now are missing from it
//
// Errors: ErrNoRoot; ErrShrinks, with what is missing in the Change. Nothing is published then, and
// nothing half.
func (s *Store) Update(ctx context.Context, source string, digest []byte, from []Candidate, force bool) (Change, error) {
	set, skipped := NewAuthorities(s.pins, from, s.now())
	c := Change{Skipped: skipped, Authorities: set.Len()}
	roots := 0
	for _, a := range set.all {
		if a.parent == nil {
			roots++
		}
	}
	if roots == 0 || set.Len() == roots {
		return c, ErrNoRoot
	}
	err := pg.InTx(ctx, s.db, func(tx pg.Tx) error {
		if err := pg.Lock(ctx, tx, "icp_authority", ""); err != nil {
			return err
		}
		if err := s.compare(ctx, tx, set, &c); err != nil {
			return err
		}
		if len(c.Removed) > 0 && !force {
			return ErrShrinks
		}
		all := make([]Candidate, set.Len())
		for i, a := range set.all {
			all[i] = a.Candidate
		}
		return replaceAuthorities(ctx, tx, all, Published{Source: source, Digest: digest, Authorities: len(all), PublishedAt: s.now()})
	})
	s.metrics.update(err)
	if err != nil {
		return c, err
	}
	return c, s.Reload(ctx)
}

// compare says what is new in a set and what valid authority is missing.
func (s *Store) compare(ctx context.Context, tx pg.Tx, set *Authorities, c *Change) error {
	rows, err := storedAuthorities(ctx, tx)
	if err != nil {
		return err
	}
	had, has := map[Pin]bool{}, map[Pin]bool{}
	for _, a := range set.all {
		has[sha256.Sum256(a.Cert.Raw)] = true
	}
	for _, r := range rows {
		mark := Pin(sha256.Sum256(r.DER))
		had[mark] = true
		cert, err := x509.ParseCertificate(r.DER)
		if err != nil {
			return err
		}
		if !has[mark] && s.now().Before(cert.NotAfter) {
			c.Removed = append(c.Removed, cert.Subject.CommonName)
		}
	}
	for _, a := range set.all {
		if !had[sha256.Sum256(a.Cert.Raw)] {
			c.Added = append(c.Added, a.Cert.Subject.CommonName)
		}
	}
	return nil
}

// UpdateFrom is [Store.Update] from a file or a directory.
func (s *Store) UpdateFrom(ctx context.Context, path string, force bool) (Change, error) {
	from, unread, digest, err := ReadPath(path)
	if err != nil {
		return Change{}, err
	}
	c, err := s.Update(ctx, path, digest, from, force)
	c.Skipped = append(unread, c.Skipped...)
	return c, err
}

// Published says what the current set came from. ok is false before the first.
func (s *Store) Published(ctx context.Context) (p Published, ok bool, err error) {
	p, err = published(ctx, s.db)
	if pg.NoRows(err) {
		return p, false, nil
	}
	return p, err == nil, err
}

// String is a line for the log.
func (c Change) String() string {
	return fmt.Sprintf("%d authorities, added %d, missing %d (%s)", c.Authorities, len(c.Added), len(c.Removed), strings.Join(c.Removed, ", "))
}
