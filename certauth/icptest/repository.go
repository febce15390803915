package icptest

import (
	"crypto/x509"
	"encoding/hex"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"time"
)

// ListValidity is how long a list of a [Repository] is good.
const ListValidity = 6 * time.Hour

// short names an authority in addresses.
func short(ca *x509.Certificate) string { return hex.EncodeToString(ca.SubjectKeyId[:8]) }

// Repository is the web server at which authorities publish their lists, where a hierarchy's
// Options.CRL is its address and "/{ca}.crl". Every list is as fresh as its request, and its number
// grows.
type Repository struct {
	now func() time.Time

	mu      sync.Mutex
	of      map[string]*CA
	revoked map[string][]*big.Int
	number  int64
}

// NewRepository publishes the lists of these authorities.
func NewRepository(now func() time.Time, all ...*CA) *Repository {
	r := &Repository{now: now, of: map[string]*CA{}, revoked: map[string][]*big.Int{}}
	for _, ca := range all {
		r.of[short(ca.Cert)] = ca
	}
	return r
}

// Revoke takes a certificate back that this authority has issued.
func (r *Repository) Revoke(by *CA, serial *big.Int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.revoked[short(by.Cert)] = append(r.revoked[short(by.Cert)], serial)
}

// ServeHTTP answers with a list.
func (r *Repository) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := strings.TrimSuffix(strings.TrimPrefix(q.URL.Path, "/"), ".crl")
	ca := r.of[name]
	if ca == nil {
		http.NotFound(w, q)
		return
	}
	now := r.now().Truncate(time.Second)
	r.number = max(r.number+1, now.Unix()) // grows over restarts too
	der, err := ca.CRL(r.number, now, now.Add(ListValidity), r.revoked[name]...)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/pkix-crl")
	_, _ = w.Write(der) // the client may be gone
}
