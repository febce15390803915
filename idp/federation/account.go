package federation

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/loginunico/loginunico/internal/brdoc"
)

// Level is how surely gov.br knows the holder of an account.
type Level string

// The levels, lowest first.
const (
	Bronze Level = "bronze"
	Silver Level = "silver"
	Gold   Level = "gold"
)

// Seal is one proof that gov.br has of a person, such as 701, the face compared with the voters'
// register.
type Seal struct {
	ID        string    `json:"id"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Account is who came back from gov.br. It has passed every check; Name and the rest are as gov.br
// writes them.
type Account struct {
	CPF        brdoc.CPF `json:"-"`
	Name       string    `json:"name,omitempty"`
	SocialName string    `json:"social_name,omitempty"`
	Email      string    `json:"email,omitempty"` // verified; "" otherwise
	Phone      string    `json:"phone,omitempty"` // as Email
	Level      Level     `json:"level"`
	Seals      []Seal    `json:"seals"`
	Methods    []string  `json:"amr"`                 // gov.br's own words, some of them unknown to us
	AuthTime   time.Time `json:"auth_time"`           // when they signed in at gov.br; zero: it did not say
	CNPJ       string    `json:"cnpj,omitempty"`      // of the certificate that they signed in with, 14 characters
	CNPJName   string    `json:"cnpj_name,omitempty"` // its company
	Companies  []Company `json:"companies,omitempty"`
	Asked      bool      `json:"asked,omitempty"`  // companies were asked for,
	Silent     bool      `json:"silent,omitempty"` // and gov.br did not answer,
	More       bool      `json:"more,omitempty"`   // or named more than were looked at
}

// LogValue hides the person.
func (a Account) LogValue() slog.Value {
	return slog.StringValue("gov.br account of level " + string(a.Level))
}

// AMR is what a session may say of this sign-in: that it was gov.br, and what the caps read.
// gov.br's own words stay outside. Its x509 above all is a certificate that gov.br has seen and we
// have not.
func (a Account) AMR() []string {
	amr := []string{"govbr"}
	if a.Level == Gold {
		amr = append(amr, "gold")
	}
	if slices.Contains(a.Methods, "mfa") {
		amr = append(amr, "mfa")
	}
	return amr
}

const (
	mostSeals = 100
	mostName  = 200 // bytes of any text
)

// account reads who the claims are about.
//
// The CPF is the digits of preferred_username, with right check digits, and sub, whose form varies,
// must have the same: two that differ are a CPF that has changed, and nobody may be signed in by it.
func (claims idClaims) account() (Account, error) {
	cpf, err := brdoc.ParseCPF(claims.Username)
	if err != nil {
		return Account{}, because(ErrCPF, errors.New("preferred_username is no CPF"))
	}
	if digits(claims.Subject) != cpf.Digits() {
		return Account{}, because(ErrCPF, errors.New("sub and preferred_username differ"))
	}
	a := Account{CPF: cpf, Name: clip(claims.Name), SocialName: clip(claims.SocialName), Level: Bronze}
	if cnpj, err := brdoc.ParseCNPJ(claims.CNPJ); err == nil {
		a.CNPJ, a.CNPJName = cnpj.Text(), clip(claims.CNPJName)
	}
	for _, m := range claims.Methods {
		if len(m) <= 40 && len(a.Methods) < 20 {
			a.Methods = append(a.Methods, m)
		}
	}
	if claims.EmailOK {
		a.Email = clip(claims.Email)
	}
	if claims.PhoneOK {
		a.Phone = clip(claims.Phone)
	}
	if claims.AuthTime > 0 {
		a.AuthTime = time.Unix(claims.AuthTime, 0).UTC()
	}
	if claims.Reliability != nil {
		a.Level = level(claims.Reliability.Level)
		for _, s := range claims.Reliability.Seals {
			a.seal(string(s.ID), s.UpdatedAt)
		}
	}
	return a, nil
}

// level is bronze for a word that we do not know: never more than is surely said.
func level(word string) Level {
	switch l := Level(word); l {
	case Silver, Gold:
		return l
	}
	return Bronze
}

// seal adds one with its date; one without is left out.
func (a *Account) seal(id, updated string) {
	at, err := when(updated)
	if id == "" || err != nil || len(a.Seals) == mostSeals {
		return
	}
	a.Seals = append(a.Seals, Seal{id, at})
}

// when reads gov.br's times, whose offset has no colon, and those of RFC 3339.
func when(text string) (t time.Time, err error) {
	for _, layout := range []string{"2006-01-02T15:04:05.999-0700", time.RFC3339} {
		if t, err = time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return t, err
}

// digits drops the marks that a CPF is written with; any other character makes it "".
func digits(text string) string {
	bare := strings.NewReplacer(".", "", "-", "").Replace(text)
	if strings.ContainsFunc(bare, func(r rune) bool { return r < '0' || r > '9' }) || len(bare) > 11 {
		return ""
	}
	return bare
}

func clip(text string) string {
	if len(text) > mostName {
		return ""
	}
	return text
}
