package visitor

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/phone"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/record"
	"github.com/loginunico/loginunico/registry/trust"
)

const (
	// Memory is how long after its last use a number is taken for the same person's. Carriers give
	// a number that nobody pays for to somebody else after some months.
	Memory = 365 * 24 * time.Hour
	// Tries is how often name and birth date may be told, from one use of the number to the next.
	Tries = 5
)

// Holder is whom a number leads to.
type Holder struct {
	PersonID uuid.UUID // zero: nobody yet
	CPF      bool      // they have one by now, and come in by it
	Fresh    bool      // the number was used within Memory
	Left     int       // tries to tell name and birth date
}

// Known says whether the number alone tells who it is.
func (h Holder) Known() bool { return h.PersonID != uuid.Nil && h.Fresh && !h.CPF }

// Visitors keeps whose number is whose.
type Visitors struct {
	box    registry.Sealer
	people *registry.Store
	now    func() time.Time
}

// New keeps numbers under box and people in people.
func New(box registry.Sealer, people *registry.Store, now func() time.Time) *Visitors {
	return &Visitors{box: box, people: people, now: now}
}

// Holder says whom a proven number leads to. It holds until the transaction ends: of two browsers
// that prove one number at once, the second finds whom the first has made.
func (s *Visitors) Holder(ctx context.Context, tx pg.Tx, n phone.Number) (Holder, error) {
	if err := pg.Lock(ctx, tx, "visitor", hex.EncodeToString(s.box.IndexAt(s.lockVersion(), indexDomain, []byte(n)))); err != nil {
		return Holder{}, err
	}
	row, err := find(ctx, tx, s.keys(n))
	if err != nil || row.person == uuid.Nil {
		return Holder{}, err
	}
	p, err := s.people.ByID(ctx, tx, row.person)
	return Holder{PersonID: row.person, CPF: p.CPF != "", Fresh: s.now().Sub(row.usedAt) < Memory, Left: max(0, Tries-row.tries)}, err
}

// lockVersion is one that all processes agree on while the index key changes: the oldest.
func (s *Visitors) lockVersion() int16 { return slices.Min(s.box.IndexVersions()) }

// Return notes that the holder of a number has used it, and keeps the language they have chosen
// since; "" leaves the one they had.
func (s *Visitors) Return(ctx context.Context, tx pg.Tx, n phone.Number, h Holder, lang string) error {
	p, err := s.people.ByID(ctx, tx, h.PersonID)
	if err != nil {
		return err
	}
	if lang != "" && lang != p.Fields["locale"].Text {
		now := s.now()
		locale := registry.Fields{"locale": {Text: lang, Source: registry.SourceSelf, At: now}}
		if err := s.people.Update(ctx, tx, h.PersonID, locale, trust.SelfDeclared.Level(), now); err != nil {
			return err
		}
	}
	return s.take(ctx, tx, n, h.PersonID)
}

// Welcome makes a new person of whoever has proven a number, in the language they read. Somebody
// whose number it was before keeps everything else.
func (s *Visitors) Welcome(ctx context.Context, tx pg.Tx, n phone.Number, lang string, before Holder) (uuid.UUID, error) {
	now := s.now()
	if before.PersonID != uuid.Nil {
		if err := s.release(ctx, tx, n, before); err != nil {
			return uuid.Nil, err
		}
	}
	p, err := s.people.Create(ctx, tx, registry.Person{Fields: registry.Fields{
		"phone_number": {Text: n.E164(), Source: registry.SourceSelf, At: now, Confirmed: &now},
		"locale":       {Text: lang, Source: registry.SourceSelf, At: now}}}, now)
	if err != nil {
		return uuid.Nil, err
	}
	if err := s.take(ctx, tx, n, p.ID); err != nil {
		return uuid.Nil, err
	}
	return p.ID, s.people.Lifetimes.Record(ctx, tx, p.ID, trust.Evidence{Kind: trust.SelfDeclared, Source: registry.SourceSelf, Method: "sms_code",
		Verifier: "loginunico", VerifiedAt: now})
}

// release parts a person from a number: it is no longer known to be theirs. Who has a CPF by now
// says for themselves which addresses are theirs.
func (s *Visitors) release(ctx context.Context, tx pg.Tx, n phone.Number, h Holder) error {
	p, err := s.people.ByID(ctx, tx, h.PersonID)
	if err != nil {
		return err
	}
	if !h.CPF && p.Declared["phone_number"].Text == n.E164() {
		if err := s.people.Unconfirm(ctx, tx, h.PersonID, "phone_number", s.now()); err != nil {
			return err
		}
	}
	return audit.RecordTx(ctx, tx, audit.Event{At: s.now(), Actor: audit.Actor{Kind: audit.System, ID: "visitor"},
		Action: "visitor.release", Person: h.PersonID, Fields: []string{"phone_number"}})
}

// Confirm compares what somebody tells with what the holder of their number told once. A try is
// counted before; of tries at once none slips past [Tries].
func (s *Visitors) Confirm(ctx context.Context, tx pg.Tx, n phone.Number, h Holder, name, birthdate string) (ok bool, left int, err error) {
	tries, err := try(ctx, tx, s.keys(n), Tries)
	if err != nil || tries == 0 {
		return false, 0, err
	}
	p, err := s.people.ByID(ctx, tx, h.PersonID)
	if err != nil {
		return false, 0, err
	}
	return same(p, name, birthdate), Tries - tries, nil
}

// same compares without case, accents and the signs between words; both are always looked at.
func same(p registry.Person, name, birthdate string) bool {
	names := record.SameText([]byte(words(p.Fields["name"].Text)), []byte(words(name)))
	dates := p.Fields["birthdate"].Text == birthdate
	return names && dates && birthdate != "" && words(name) != ""
}

func words(name string) string {
	return strings.Join(strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(" \t.,-'’", r) }), " ")
}

// Follow leads the numbers of a person to another, who is the same.
func (s *Visitors) Follow(ctx context.Context, tx pg.Tx, from, to uuid.UUID) error {
	return follow(ctx, tx, from, to)
}

const indexDomain = "visitor/number"

func (s *Visitors) keys(n phone.Number) (keys [][]byte) {
	for _, version := range s.box.IndexVersions() {
		keys = append(keys, s.box.IndexAt(version, indexDomain, []byte(n)))
	}
	return keys
}

// take makes a number a person's as of now, under the index key of today. Only whom a number led to
// already keeps the time since when.
func (s *Visitors) take(ctx context.Context, tx pg.Tx, n phone.Number, person uuid.UUID) error {
	return take(ctx, tx, s.keys(n), s.row(n, person, s.box.IndexVersion()), s.now())
}

// row is what is stored of a number under one index key.
func (s *Visitors) row(n phone.Number, person uuid.UUID, version int16) row {
	index := s.box.IndexAt(version, indexDomain, []byte(n))
	return row{index: index, version: version, person: person, sealed: s.box.Class(secret.Contact).Seal([]byte(n.E164()), aad(index))}
}

// aad binds a sealed number to its row.
func aad(index []byte) []byte { return append([]byte("visitor/"), index...) }
