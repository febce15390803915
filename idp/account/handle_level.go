package account

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
	"github.com/loginunico/loginunico/themes"
)

// compared are the fields that level 3 compares with the city's bases ([registry.Matched]).
var compared = []string{"name", "birthdate", "mother_name"}

// getLevel says why the level is what it is, and every way up.
func (h *Handler) getLevel(c echo.Context, known *session.Known, f themes.Frame) error {
	return h.showLevel(c, known, f, nil)
}

func (h *Handler) showLevel(c echo.Context, known *session.Known, f themes.Frame, typed map[string]string) error {
	now := h.Now()
	evidence, err := trust.Of(c.Request().Context(), h.DB, known.PersonID)
	if err != nil {
		return err
	}
	x := trust.Explain(evidence, now)
	view := themes.Level{Level: x.Level, Until: x.Until, Because: evidences(x.Because), Beside: evidences(x.Beside), Past: evidences(x.Past),
		Action: pathLevel, AccountURL: Path}
	if h.Certificates != nil && known.Person.CPF != "" {
		view.CertificateURL = pathCertificate
	}
	for _, kind := range x.Raise {
		view.Raise = append(view.Raise, kind.Level())
	}
	for _, name := range unsaid(known, now) {
		value := typed[name]
		if name == "name" {
			name = "legal_name" // the input's label: bases know no social names
		}
		view.Fields = append(view.Fields, themes.Field{Name: name, Value: value, Required: true})
	}
	view.Unequal = x.Level < trust.RegistryMatch.Level() && known.Person.CPF != "" && len(view.Fields) == 0
	status := http.StatusOK
	if f.Problem != nil {
		status = http.StatusUnprocessableEntity
	}
	return h.Pages.Show(c, status, f, view)
}

// getCertificate leads to the page that asks for a certificate, and back to the level.
func (h *Handler) getCertificate(c echo.Context, known *session.Known, _ themes.Frame) error {
	return h.Flow.ByCertificate(c, known, pathLevel)
}

// unsaid are the compared fields that this person may still state. Each is stated once: whoever tries
// the mother's name until the level rises would learn it.
func unsaid(known *session.Known, now time.Time) (all []string) {
	if known.Person.CPF == "" || known.Level(now) >= trust.RegistryMatch.Level() {
		return nil
	}
	for _, name := range compared {
		if !known.Person.Has(name) {
			all = append(all, name)
		}
	}
	return all
}

// postLevel takes what was not said yet, all of it or nothing; where it agrees with the city's bases
// the level rises at once.
func (h *Handler) postLevel(c echo.Context, known *session.Known, f themes.Frame) error {
	fields, typed, now := registry.Fields{}, map[string]string{}, h.Now()
	p := &themes.Problem{Code: "form"}
	for _, name := range unsaid(known, now) {
		typed[name] = clip(c.FormValue(name))
		text, err := registry.ParseDeclared(name, c.FormValue(name), now)
		if err != nil {
			p.Fields = append(p.Fields, themes.FieldProblem{Field: name, Code: fail.CodeOf(err)})
			continue
		}
		fields[name] = registry.Value{Text: text, Source: registry.SourceSelf, At: now}
	}
	if len(p.Fields) > 0 {
		f.Problem, f.Path = p, pathLevel
		return h.showLevel(c, known, f, typed)
	}
	if len(fields) > 0 {
		ctx := c.Request().Context()
		err := pg.InTx(ctx, h.DB, func(tx pg.Tx) error {
			return h.Declare(ctx, tx, known, fields)
		})
		if err != nil {
			return err
		}
	}
	return c.Redirect(http.StatusSeeOther, pathLevel)
}

func evidences(all []trust.Evidence) []themes.Proof {
	out := make([]themes.Proof, len(all))
	for i, e := range all {
		out[i] = themes.Proof{Level: e.Kind.Level(), Since: e.VerifiedAt, Until: e.ExpiresAt, Ended: e.RevokedAt}
	}
	return out
}
