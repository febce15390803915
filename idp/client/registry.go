package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/yamlform"
)

var (
	// ErrServiceNotFound says that no service has this id.
	ErrServiceNotFound = fail.New(fail.NotFound, "service_not_found")
	// ErrNoSharedSecret says that the service's auth method knows no shared secret.
	ErrNoSharedSecret = fail.New(fail.Invalid, "service_without_secret")
)

// Client is one service as it stands now. It is shared: never change one.
type Client struct {
	Manifest
	Version    int       // 1, 2, … : counts changes of the manifest
	SecretHash []byte    // SHA-256; nil: no shared secret
	AppliedAt  time.Time // of this version
	Inside     []string  // of Resources, those that are internal services
}

// Registry holds every service in memory. Reads take no lock and no statement. What another process
// changes arrives by Load: the caller hears NOTIFY loginunico, payload "service", and calls it.
type Registry struct {
	db   *pg.Pool
	now  func() time.Time
	load sync.Mutex // one Load at a time, so that an older reading never replaces a newer one
	all  atomic.Pointer[snapshot]
}

type snapshot struct {
	list       []*Client // by id
	byID       map[string]*Client
	byResource map[string]*Client
}

// NewRegistry returns an empty registry; call Load before the first request.
func NewRegistry(db *pg.Pool, now func() time.Time) *Registry {
	r := &Registry{db: db, now: now}
	r.all.Store(newSnapshot(nil))
	return r
}

// Load reads all services. One that does not parse (a rule became stricter since it was applied) is
// left out and named in the error; the others serve. After any other error all stays as it was.
func (r *Registry) Load(ctx context.Context) error {
	r.load.Lock()
	defer r.load.Unlock()
	rows, err := services(ctx, r.db)
	if err != nil {
		return fmt.Errorf("load services: %w", err)
	}
	var clients []*Client
	var broken []error
	for _, row := range rows {
		c, err := row.client()
		if err != nil {
			broken = append(broken, fmt.Errorf("service %s: %w", row.ID, err))
			continue
		}
		clients = append(clients, c)
	}
	r.all.Store(newSnapshot(clients))
	return errors.Join(broken...)
}

func (s serviceRow) client() (*Client, error) {
	m, err := Parse(s.ID, []byte(s.Manifest))
	if err != nil {
		return nil, err
	}
	return &Client{Manifest: *m, Version: s.Version, SecretHash: s.SecretHash, AppliedAt: s.AppliedAt}, nil
}

func newSnapshot(clients []*Client) *snapshot {
	s := &snapshot{list: clients, byID: map[string]*Client{}, byResource: map[string]*Client{}}
	for _, c := range clients {
		s.byID[c.ID] = c
		if c.ResourceURI != "" {
			s.byResource[c.ResourceURI] = c
		}
	}
	for _, c := range clients {
		for _, uri := range c.Resources {
			if api, ok := s.byResource[uri]; ok && api.Internal {
				c.Inside = append(c.Inside, uri)
			}
		}
	}
	return s
}

// Get is the service with this id.
func (r *Registry) Get(id string) (*Client, bool) {
	c, ok := r.all.Load().byID[id]
	return c, ok
}

// ByResource is the service that is the resource server of this identifier (RFC 8707).
func (r *Registry) ByResource(uri string) (*Client, bool) {
	c, ok := r.all.Load().byResource[uri]
	return c, ok
}

// All lists the services by id.
func (r *Registry) All() []*Client { return slices.Clone(r.all.Load().list) }

// AtVersion is a service's manifest as it was at one version, from the database: what a consent
// refers to. Errors: ErrServiceNotFound.
func (r *Registry) AtVersion(ctx context.Context, id string, version int) (*Manifest, error) {
	text, err := versionManifest(ctx, r.db, id, version)
	if err != nil {
		return nil, fmt.Errorf("service %s version %d: %w", id, version, err)
	}
	return Parse(id+" version "+fmt.Sprint(version), []byte(text))
}

// taken faults a resource_uri that another service holds: its tokens would be accepted by both.
func taken(m *Manifest, rows []serviceRow) error {
	if m.ResourceURI == "" {
		return nil
	}
	for _, row := range rows {
		other, err := row.client()
		if err == nil && other.ID != m.ID && strings.EqualFold(other.ResourceURI, m.ResourceURI) {
			return &yamlform.Faults{Name: m.ID, List: []yamlform.Fault{{
				Path: "resource_uri", Code: "taken", Message: "belongs to the service " + other.ID,
			}}}
		}
	}
	return nil
}

// Source is a service's manifest as it was applied, to the byte. Errors: ErrServiceNotFound.
func (r *Registry) Source(ctx context.Context, id string) (string, error) {
	c, ok := r.Get(id)
	if !ok {
		return "", ErrServiceNotFound
	}
	return versionManifest(ctx, r.db, id, c.Version)
}
