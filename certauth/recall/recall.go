package recall

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/certauth/revocation"
	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/trust"
)

// Lists says what the list of a distribution point names; *revocation.Service is the one there is.
type Lists interface {
	Revoked(ctx context.Context, point string, serials []string) (map[string]revocation.Revocation, error)
}

// Recaller works the job [revocation.Changed].
type Recaller struct {
	DB    *pg.Pool
	Lists Lists
	From  certauth.Source
	Now   func() time.Time
	// Revoke takes one piece of evidence away, with all that rests on it, in the transaction; false:
	// it was gone already.
	Revoke func(ctx context.Context, tx pg.Tx, person, evidence uuid.UUID, reason string) (bool, error)
}

// Schedule makes a queue work the job.
func (r *Recaller) Schedule(q *jobs.Queue) { jobs.Add(q, time.Hour, r.Work) }

// page is how many certificates are looked at in one go.
const page = 1000

// Work follows one list that has changed.
func (r *Recaller) Work(ctx context.Context, c revocation.Changed, _ int) error {
	key, err := hex.DecodeString(c.IssuerKey)
	if err != nil {
		return river.JobCancel(err)
	}
	named := func(used []used) (map[string]revocation.Revocation, error) {
		serials := make([]string, len(used))
		for i, u := range used {
			serials[i] = string(u.Serial)
		}
		return r.Lists.Revoked(ctx, c.Point, serials)
	}
	if err := r.sweep(ctx, key, named); err != nil {
		return err
	}
	fallen, err := r.fallen(ctx, c)
	if err != nil {
		return err
	}
	for key, why := range fallen {
		all := func(used []used) (map[string]revocation.Revocation, error) {
			found := map[string]revocation.Revocation{}
			for _, u := range used {
				found[string(u.Serial)] = why
			}
			return found, nil
		}
		if err := r.sweep(ctx, key[:], all); err != nil {
			return err
		}
	}
	return nil
}

// fallen are the keys of authorities that the list names, and of those below them.
func (r *Recaller) fallen(ctx context.Context, c revocation.Changed) (map[[32]byte]revocation.Revocation, error) {
	set := r.From.Authorities()
	below := map[string][]*x509.Certificate{} // by serial number, those that fall with it
	for _, ca := range set.All() {
		path := set.Path(ca)
		for i := range len(path) - 1 {
			if key := revocation.IssuerKey(path[i+1]); hex.EncodeToString(key[:]) == c.IssuerKey {
				serial := string(path[i].SerialNumber.Bytes())
				below[serial] = append(below[serial], ca)
			}
		}
	}
	if len(below) == 0 {
		return nil, nil
	}
	serials := make([]string, 0, len(below))
	for s := range below {
		serials = append(serials, s)
	}
	found, err := r.Lists.Revoked(ctx, c.Point, serials)
	if err != nil {
		return nil, err
	}
	keys := map[[32]byte]revocation.Revocation{}
	for serial, why := range found {
		for _, ca := range below[serial] {
			keys[revocation.IssuerKey(ca)] = why
		}
		slog.ErrorContext(ctx, "an authority was revoked", "ca", below[serial][0].Subject.CommonName, "below", len(below[serial])-1)
	}
	return keys, nil
}

// sweep goes through the certificates of one CA that people have used.
func (r *Recaller) sweep(ctx context.Context, key []byte, named func([]used) (map[string]revocation.Revocation, error)) error {
	after := used{Serial: []byte{}}
	for {
		all, err := usedOf(ctx, r.DB, key, after, page)
		if err != nil || len(all) == 0 {
			return err
		}
		found, err := named(all)
		if err != nil {
			return err
		}
		for _, u := range all {
			if why, ok := found[string(u.Serial)]; ok {
				if err := r.recall(ctx, key, u, why); err != nil {
					return err
				}
			}
		}
		after = all[len(all)-1]
	}
}

// recall revokes the live evidence of one certificate of a person. The certificate is found by its
// authority and serial number, as the list names it, and not by its fingerprint: who holds one can write
// it in other bytes that verify too.
func (r *Recaller) recall(ctx context.Context, key []byte, u used, why revocation.Revocation) error {
	reason := fmt.Sprintf("certificate revoked by its authority on %s (reason %d)", why.At.Format(time.DateOnly), why.Reason)
	return pg.InTx(ctx, r.DB, func(tx pg.Tx) error {
		all, err := trust.Of(ctx, tx, u.PersonID)
		if err != nil {
			return err
		}
		issuer, serial := hex.EncodeToString(key), hex.EncodeToString(u.Serial)
		all = slices.DeleteFunc(all, func(e trust.Evidence) bool {
			return e.Kind != trust.ICPCertificate || !e.LiveAt(r.Now()) || e.Attributes["issuer_key"] != issuer || e.Attributes["serial"] != serial
		})
		for _, e := range all {
			if _, err := r.Revoke(ctx, tx, u.PersonID, e.ID, reason); err != nil {
				return err
			}
		}
		return nil
	})
}
