package flow

import (
	"context"
	"errors"
	"maps"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/themes"
)

func (h *Handler) getProfile(c echo.Context) error {
	v, here, err := h.at(c, Profile)
	if err != nil || !here {
		return err
	}
	return h.show(c, v, nil, h.profileView(v, nil))
}

// profileView asks for what is missing and nothing else; typed values stay after an error.
func (h *Handler) profileView(v *visit, typed map[string]string) themes.Profile {
	view := themes.Profile{Action: v.url(pathProfile), Cancel: v.cancelURL()}
	for _, m := range v.missing(h.Now()) {
		purpose := m.Purpose.Localized(v.lang)
		if purpose == "" {
			purpose = h.Pages.Themes.Text(v.lang, "visitor.purpose", nil) // it is ours, not the service's
		}
		if v.visitor() && m.Name == "passport" {
			view.Document = documentView(v.lang, purpose, typed)
			continue
		}
		view.Fields = append(view.Fields, themes.Field{Name: m.Name, Value: typed[m.Name], Required: m.Required, Purpose: purpose})
	}
	return view
}

// postProfile writes all fields or none. Only what the city lacks can be stated here; what it
// has is never overwritten.
func (h *Handler) postProfile(c echo.Context) error {
	v, here, err := h.at(c, Profile)
	if err != nil || !here {
		return err
	}
	fields, typed, p := h.declared(c, v, v.missing(h.Now()))
	if p != nil {
		return h.show(c, v, p, h.profileView(v, typed))
	}
	ctx := c.Request().Context()
	err = pg.InTx(ctx, h.DB, func(tx pg.Tx) error {
		return h.Declare(ctx, tx, v.known, fields)
	})
	if errors.Is(err, factor.ErrDisplaced) { // the session has ended: sign in
		err = nil
	}
	return orShow(err, func() error { return c.Redirect(seeOther, v.url(pathContinue)) })
}

// Declare writes what a person says of themselves, as far as it is not there yet. It looks under the
// lock: of many that are sent at once one is taken, so that nobody learns what the city has by trying.
// Error: factor.ErrDisplaced.
func (d *Dependencies) Declare(ctx context.Context, tx pg.Tx, known *session.Known, fields registry.Fields) error {
	if err := factor.Guard(ctx, tx, known.PersonID, known.AuthTime); err != nil {
		return err
	}
	p, err := d.People.ByID(ctx, tx, known.PersonID)
	if err != nil {
		return err
	}
	level := known.Level(d.Now())
	p = p.Seen(level) // what they cannot see they may say
	maps.DeleteFunc(fields, func(name string, _ registry.Value) bool { return p.Has(name) })
	if len(fields) == 0 {
		return nil
	}
	return d.People.Update(ctx, tx, known.PersonID, fields, level, d.Now())
}

func (h *Handler) declared(c echo.Context, v *visit, wanted []client.Claim) (registry.Fields, map[string]string, *themes.Problem) {
	fields, typed, p := registry.Fields{}, map[string]string{}, &themes.Problem{Code: "form"}
	now := h.Now()
	for _, m := range wanted {
		if v.visitor() && m.Name == "passport" {
			text, faults := typedDocument(c, typed)
			p.Fields = append(p.Fields, faults...)
			fields[m.Name] = registry.Value{Text: text, Source: registry.SourceSelf, At: now}
			continue
		}
		typed[m.Name] = clip(c.FormValue(m.Name))
		text, err := registry.ParseDeclared(m.Name, c.FormValue(m.Name), now)
		if err != nil {
			p.Fields = append(p.Fields, themes.FieldProblem{Field: m.Name, Code: fail.CodeOf(err)})
			continue
		}
		fields[m.Name] = registry.Value{Text: text, Source: registry.SourceSelf, At: now}
	}
	if len(p.Fields) == 0 {
		return fields, typed, nil
	}
	return nil, typed, p
}
