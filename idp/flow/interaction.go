package flow

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/consent"
	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/staff"
	"github.com/loginunico/loginunico/registry/trust"
)

// InteractionLifetime is how long a citizen may take from the service's request to the code.
const InteractionLifetime = 30 * time.Minute

// Interaction is one authorization request being answered in one browser: what was asked, and
// what has happened since.
type Interaction struct {
	ID           uuid.UUID
	BrowserHash  []byte
	ClientID     string
	Request      Request
	CreatedAt    time.Time
	ExpiresAt    time.Time
	CPF          []byte     // sealed
	SessionID    *uuid.UUID // the session it began with, or opened
	ChosenAt     *time.Time
	BusyAt       *time.Time
	UnlockedAt   *time.Time
	Registration []byte // sealed factor.Registration
	ConsentedAt  *time.Time
	HalfPerson   *uuid.UUID // whose password was right, while the second step is to come
	HalfAt       *time.Time
	Visitor      []byte     // sealed telephone number, E.164
	ProvenAt     *time.Time // the code of the number was answered
	Joining      *uuid.UUID // the visitor who wants to sign in by a CPF
	Company      []byte     // sealed: the CNPJ chosen in this visit, or company.Without
}

// halfLifetime is how long a right password waits for its second step.
const halfLifetime = 10 * time.Minute

// visit is one request within an interaction: the row, the client it is for, and who the browser
// is signed in as.
type visit struct {
	Interaction
	lang   string         // of this page, and of mails it sends
	client *client.Client // nil for our own account pages
	known  *session.Known // nil when nobody is signed in

	choice string // Company, opened

	carried []byte // the request's JSON while the browser carries the visit; nil: it is a row
	settled bool   // it was carried and has become a row
}

func (v *visit) facts(now time.Time) Facts {
	f := Facts{StartedAt: v.CreatedAt, CPFTyped: v.CPF != nil, Registering: v.Registration != nil, Busy: v.BusyAt != nil,
		Unlocked: v.UnlockedAt != nil, Chosen: v.ChosenAt != nil, Decided: v.ConsentedAt != nil,
		NumberTyped: v.Visitor != nil, InDoubt: v.ProvenAt != nil}
	f.Halfway = v.HalfAt != nil && now.Sub(*v.HalfAt) < halfLifetime
	if v.known == nil {
		return f
	}
	f.SignedIn, f.AuthTime, f.Cap, f.Subject = true, v.known.AuthTime, v.known.Cap, v.known.Subject
	f.Level = v.known.Level(now)
	f.Employee, f.Second = v.known.Employee(now), staff.SecondFactor(v.known.AMR)
	f.Visitor, f.Joining = v.visitor(), v.joining()
	// Somebody signed in elsewhere in this browser after this interaction began: perhaps not the
	// person who is typing here.
	f.Switched = v.SessionID == nil || *v.SessionID != v.known.ID
	if v.client != nil {
		f.Company = v.actsForUnknown(now)
		f.Missing = len(v.missing(now)) > 0
		f.Undecided = consent.Compare(v.known.Consent, v.ask(now)).Any()
	}
	return f
}

// authenticated notes the fact of the statement of the same name.
func (v *visit) authenticated(session uuid.UUID, now time.Time) {
	v.SessionID, v.ChosenAt = &session, &now
	v.CPF, v.Registration, v.BusyAt, v.UnlockedAt, v.HalfPerson, v.HalfAt = nil, nil, nil, nil, nil, nil
	v.Visitor, v.ProvenAt, v.Joining = nil, nil, nil
	v.Company, v.choice = nil, ""
}

// visitor says whether who is signed in has no CPF.
func (v *visit) visitor() bool {
	return v.known != nil && v.known.Person.CPF == "" && v.known.Person.CNPJ == ""
}

// joining says whether the visitor who asked to sign in by a CPF is signed in still.
func (v *visit) joining() bool {
	return v.visitor() && v.Joining != nil && *v.Joining == v.known.PersonID
}

// sector is the client's for pairwise subjects; "" without a client.
func (v *visit) sector() string {
	if v.client == nil {
		return ""
	}
	return v.client.Sector
}

// next is the step this visit is at.
func (v *visit) next(now time.Time) Step { return Next(v.Request.Needs(v.client), v.facts(now)) }

// ask is what the citizen decides about: the claims asked for that this level may release, and those
// of an employee where they are one and the session is strong enough to say so.
func (v *visit) ask(now time.Time) consent.Ask {
	ask := consent.Ask{Claims: []string{}, Offline: v.Request.Offline()}
	level, speaks := v.known.Level(now), v.known.Speaks(now)
	for _, name := range v.Request.decides(v.client) {
		if m, ok := v.client.Claim(name); ok && level >= m.MinLevel && (speaks || !client.TellsEmployment(name)) {
			ask.Claims = append(ask.Claims, name)
		}
	}
	return ask
}

// missing lists the claims the manifest requires, the request asks for, the city lacks and the
// person may state. Required data nobody may state about themselves is simply not released.
func (v *visit) missing(now time.Time) []client.Claim {
	var all []client.Claim
	level := trust.Level(v.known.Evidence, now)
	for _, name := range registry.Declarable() {
		if m, ok := v.required(name, level); ok && !v.known.Person.Has(name) {
			all = append(all, m)
		}
	}
	return all
}

// required finds a claim that this service cannot do without. Of visitors we need name and birth
// date ourselves, to know them again when their number has been with somebody else, and nobody may
// ask them for a document that only Brazilians have.
func (v *visit) required(name string, level int) (client.Claim, bool) {
	m, ok := v.client.Claim(name)
	ok = ok && m.Required && level >= m.MinLevel && contains(v.Request.Claims, name)
	switch {
	case !v.visitor():
	case name == "rg", name == "voter_id", name == "nis", name == "cns":
		return m, false
	case !ok && (name == "name" || name == "birthdate"):
		return client.Claim{Name: name, Required: true}, true
	}
	return m, ok
}

// typedCPF is the CPF of this sign-in: the one typed, else the one of the session to be proved
// again; "" when there is none.
func (v *visit) typedCPF(box registry.Sealer) brdoc.CPF {
	if v.CPF != nil {
		if plain, err := box.Open(v.CPF, v.ID[:]); err == nil {
			return brdoc.CPF(plain)
		}
	}
	if v.known != nil {
		return v.known.Person.CPF
	}
	return ""
}

func (v *visit) registration(box registry.Sealer) (r factor.Registration, ok bool) {
	plain, err := box.Open(v.Registration, v.ID[:])
	if err != nil {
		return r, false
	}
	return r, json.Unmarshal(plain, &r) == nil
}
