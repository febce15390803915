package flow

import (
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/internal/phone"
	"github.com/loginunico/loginunico/registry/record"
	"github.com/loginunico/loginunico/themes"
)

// A visitor's document is a passport or, for those whom Brazil lets in with it, the identity card of
// their country, as the countries of Mercosul have agreed.
var documentKinds = []string{"passport", record.IdentityCard}

func documentView(lang, purpose string, typed map[string]string) *themes.Document {
	return &themes.Document{Kinds: documentKinds, Kind: typed["document_kind"], Country: typed["document_country"], Number: typed["passport"],
		Purpose: purpose, Countries: choices(phone.World().List(lang))}
}

// typedDocument reads kind, country and number as one value, and names what is wrong with them.
func typedDocument(c echo.Context, typed map[string]string) (text string, faults []themes.FieldProblem) {
	for _, name := range []string{"document_kind", "document_country", "passport"} {
		typed[name] = clip(c.FormValue(name))
	}
	kind, country := typed["document_kind"], typed["document_country"]
	number, ok := documentNumber(typed["passport"])
	for _, f := range []struct {
		field, code string
		fine        bool
	}{{"document_kind", "document_kind", contains(documentKinds, kind)}, {"document_country", "document_country", phone.World()[country]},
		{"passport", "document", ok}} {
		if !f.fine {
			faults = append(faults, themes.FieldProblem{Field: f.field, Code: f.code})
		}
	}
	if kind != record.IdentityCard {
		kind = ""
	}
	return record.Document(number, country, kind), faults
}

// documentNumber is a number without what people put between its characters: 5 to 20 letters of A
// to Z and digits, as in the machine-readable zone (ICAO Doc 9303).
func documentNumber(typed string) (number string, ok bool) {
	number = strings.ToUpper(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .-/", r) {
			return -1
		}
		return r
	}, typed))
	odd := strings.ContainsFunc(number, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') })
	return number, !odd && len(number) >= 5 && len(number) <= 20
}
