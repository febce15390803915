package company

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/brdoc"
)

// Lasts is how long at most somebody's word of a representation counts.
const Lasts = 12 * time.Hour

// Without is the choice to act for nobody but oneself.
const Without = "-"

const (
	most     = 100 // companies in a set
	mostName = 200 // bytes
)

// Role is what the person is in the company, as the claim company_role says it.
type Role string

// The roles. Message company.role.<Role> names each.
const (
	Partner             Role = "partner"
	LegalRepresentative Role = "legal_representative"
	Accountant          Role = "accountant"
	Collaborator        Role = "collaborator"       // added by somebody who represents the company
	CertificateHolder   Role = "certificate_holder" // named in the company's own certificate, an e-CNPJ
)

// Source is who says that the person represents the company.
type Source string

// The sources.
const (
	GovBR       Source = "govbr" // its register of companies, or a company's certificate that it has seen
	Certificate Source = "icp"   // a company's certificate that we have seen, and checked
)

// Company is a company that a person may act for.
type Company struct {
	CNPJ   brdoc.CNPJ
	Name   string // as registered
	Role   Role
	Source Source
	Until  time.Time // when the representation ends; zero: nobody says. In a [Set] it is never zero
}

// Live says whether the representation counts; nil never does.
func (c *Company) Live(now time.Time) bool { return c != nil && now.Before(c.Until) }

// Claims are the names of the claims that come from here, in the contract's order.
var Claims = []string{"cnpj", "company_name", "company_role"}

// Claim is the value of one of [Claims]; ok is false for every other name, and where it is unknown.
func (c *Company) Claim(name string) (value string, ok bool) {
	if c == nil {
		return "", false
	}
	switch name {
	case "cnpj":
		value = c.CNPJ.Text()
	case "company_name":
		value = c.Name
	case "company_role":
		value = string(c.Role)
	}
	return value, value != ""
}

// Shown is the value of a claim on a page: what is public in full, and the number as its owner
// recognises it.
func (c *Company) Shown(name string) string {
	value, ok := c.Claim(name)
	if ok && name == "cnpj" {
		return c.CNPJ.Formatted()
	}
	return value
}

// Said is what one sign-in says of companies. The zero value says nothing, and changes nothing.
//
//	Said{From: company.Certificate, Companies: []company.Company{{CNPJ: …, Name: …, Role: company.CertificateHolder, Until: notAfter}}}
type Said struct {
	From      Source // replaces what this source said before in the session
	Companies []Company
	Asked     bool // gov.br was asked for them,
	Silent    bool // and did not answer,
	More      bool // or has more than it told
}

// Nothing says whether the sign-in told nothing of companies.
func (s Said) Nothing() bool { return s.From == "" }

// Set is what a session knows of companies.
type Set struct {
	Companies []Company
	Choice    string // the CNPJ the citizen chose last, or [Without]; "": none
	Asked     bool   // as gov.br's last [Said]
	Silent    bool
	More      bool
}

// With is the set after a sign-in. A choice stays, and counts while its company does.
func (s Set) With(said Said, now time.Time) Set {
	kept := []Company{}
	for _, c := range s.Companies {
		if c.Source != said.From && c.Live(now) {
			kept = append(kept, c)
		}
	}
	for _, c := range said.Companies {
		c.Source, c.Name = said.From, clip(c.Name)
		if end := now.Add(Lasts); c.Until.IsZero() || end.Before(c.Until) {
			c.Until = end
		}
		if c.CNPJ != "" && c.Live(now) && len(kept) < most {
			kept = append(kept, c)
		}
	}
	slices.SortStableFunc(kept, func(a, b Company) int { return strings.Compare(a.Name, b.Name) })
	s.Companies = slices.CompactFunc(kept, func(a, b Company) bool { return a.CNPJ == b.CNPJ })
	if said.From == GovBR {
		s.Asked, s.Silent, s.More = said.Asked, said.Silent, said.More
	}
	return s
}

// Live are the companies that count now.
func (s Set) Live(now time.Time) []Company {
	return slices.DeleteFunc(slices.Clone(s.Companies), func(c Company) bool { return !c.Live(now) })
}

// Acting is the company that a choice names among those that count now, and without a choice the only
// one there is; nil when there is none, or none is chosen of several. Whoever chose a company that
// counts no more acts for no other in its place, before they are asked.
func (s Set) Acting(choice string, now time.Time) *Company {
	live := s.Live(now)
	if i := slices.IndexFunc(live, func(c Company) bool { return c.CNPJ.Text() == choice }); i >= 0 {
		return &live[i]
	}
	if len(live) == 1 && choice == "" {
		return &live[0]
	}
	return nil
}

// Sealer seals what is stored; *secret.Box is the one there is.
type Sealer interface {
	Seal(plain, aad []byte) []byte
	Open(sealed, aad []byte) ([]byte, error)
}

// stored is a company in JSON: a CNPJ does not marshal itself.
type stored struct {
	CNPJ   string    `json:"cnpj"`
	Name   string    `json:"name"`
	Role   Role      `json:"role"`
	Source Source    `json:"source"`
	Until  time.Time `json:"until"`
}

func (c Company) stored() stored { return stored{c.CNPJ.Text(), c.Name, c.Role, c.Source, c.Until} }

func (s stored) company() Company {
	return Company{brdoc.CNPJ(s.CNPJ), s.Name, s.Role, s.Source, s.Until}
}

type storedSet struct {
	Companies []stored `json:"companies"`
	Choice    string   `json:"choice,omitempty"`
	Asked     bool     `json:"asked,omitempty"`
	Silent    bool     `json:"silent,omitempty"`
	More      bool     `json:"more,omitempty"`
}

// Seal seals a set for its session.
func (s Set) Seal(box Sealer, session uuid.UUID) []byte {
	set := storedSet{Choice: s.Choice, Asked: s.Asked, Silent: s.Silent, More: s.More}
	for _, c := range s.Companies {
		set.Companies = append(set.Companies, c.stored())
	}
	return seal(box, set, "session", session)
}

// OpenSet opens the set of a session; nil is the empty one. Error: the sealer's.
func OpenSet(box Sealer, sealed []byte, session uuid.UUID) (s Set, err error) {
	if sealed == nil {
		return s, nil
	}
	var set storedSet
	if err := open(box, sealed, &set, "session", session); err != nil {
		return s, err
	}
	s = Set{Choice: set.Choice, Asked: set.Asked, Silent: set.Silent, More: set.More}
	for _, one := range set.Companies {
		s.Companies = append(s.Companies, one.company())
	}
	return s, nil
}

// Seal seals a company for its grant; nil is nil.
func (c *Company) Seal(box Sealer, grant uuid.UUID) []byte {
	if c == nil {
		return nil
	}
	return seal(box, c.stored(), "grant", grant)
}

// Open opens the company of a grant; nil is nil. Error: the sealer's.
func Open(box Sealer, sealed []byte, grant uuid.UUID) (*Company, error) {
	if sealed == nil {
		return nil, nil
	}
	var one stored
	if err := open(box, sealed, &one, "grant", grant); err != nil {
		return nil, err
	}
	c := one.company()
	return &c, nil
}

// sealedFor binds what is sealed to its row.
func sealedFor(what string, id uuid.UUID) []byte {
	return append([]byte("company/"+what+"/"), id[:]...)
}

func seal(box Sealer, v any, what string, id uuid.UUID) []byte {
	plain, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and times after the year 0
	}
	return box.Seal(plain, sealedFor(what, id))
}

func open(box Sealer, sealed []byte, v any, what string, id uuid.UUID) error {
	plain, err := box.Open(sealed, sealedFor(what, id))
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, v)
}

func clip(text string) string {
	if len(text) <= mostName {
		return text
	}
	return strings.ToValidUTF8(text[:mostName], "")
}
