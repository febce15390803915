package flow

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/visitor"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/themes"
)

// The number has been used here, and it is not certain by whom: long ago, by somebody who has a CPF
// by now, or who answers it says that it is new to them. Nothing of that person is shown.

func (h *Handler) getVisitorWho(c echo.Context) error {
	v, here, err := h.visitorAt(c, ConfirmVisitor)
	if err != nil || !here {
		return err
	}
	return h.showWho(c, v, nil, "", "")
}

func (h *Handler) showWho(c echo.Context, v *visit, p *themes.Problem, name, birthdate string) error {
	var holder visitor.Holder
	err := pg.InTx(c.Request().Context(), h.DB, func(tx pg.Tx) (err error) {
		holder, err = h.Visitors.Holder(c.Request().Context(), tx, v.number(h.Box))
		return err
	})
	return orShow(err, func() error {
		return h.show(c, v, p, themes.VisitorWho{Action: v.url(pathVisitorWho), Number: v.number(h.Box).International(), HasCPF: holder.CPF,
			Ask: !holder.CPF && holder.Left > 0, Name: name, Birthdate: birthdate, SignInURL: v.url(pathIdentify), ChangeURL: v.url(pathVisitor)})
	})
}

func (h *Handler) postVisitorWho(c echo.Context) error {
	v, here, err := h.visitorAt(c, ConfirmVisitor)
	if err != nil || !here {
		return err
	}
	if c.FormValue("who") == "new" {
		in, err := h.anew(c.Request().Context(), v, h.comer(c, v))
		return orShow(err, func() error { return h.enterVisitor(c, v, in) })
	}
	typedName, typedDate := clip(c.FormValue("name")), clip(c.FormValue("birthdate"))
	name, birthdate, p := h.typedIdentity(typedName, typedDate)
	if p != nil {
		return h.showWho(c, v, p, typedName, typedDate)
	}
	in, left, err := h.same(c.Request().Context(), v, h.comer(c, v), name, birthdate)
	if errors.Is(err, errOther) {
		return h.showWho(c, v, wrongPerson(left), typedName, typedDate)
	}
	return orShow(err, func() error { return h.enterVisitor(c, v, in) })
}

func wrongPerson(left int) *themes.Problem {
	if left == 0 {
		return &themes.Problem{Code: "visitor_spent"}
	}
	return &themes.Problem{Code: "visitor_other", Args: map[string]any{"Left": left}}
}

// typedIdentity checks the form of name and birth date, as of somebody who declares them.
func (h *Handler) typedIdentity(typedName, typedDate string) (name, birthdate string, p *themes.Problem) {
	p = &themes.Problem{Code: "form"}
	for _, f := range []struct {
		field, typed string
		into         *string
	}{{"name", typedName, &name}, {"birthdate", typedDate, &birthdate}} {
		text, err := registry.ParseDeclared(f.field, f.typed, h.Now())
		if err != nil {
			p.Fields = append(p.Fields, themes.FieldProblem{Field: f.field, Code: fail.CodeOf(err)})
		}
		*f.into = text
	}
	if len(p.Fields) == 0 {
		return name, birthdate, nil
	}
	return name, birthdate, p
}

// anew makes a new person of who answered a number that was somebody else's.
func (d *Dependencies) anew(ctx context.Context, v *visit, who comer) (in entered, err error) {
	err = pg.InTx(ctx, d.DB, func(tx pg.Tx) error {
		if err := stillProven(ctx, tx, v.ID, v.Visitor, d.Now()); err != nil {
			return err
		}
		holder, err := d.Visitors.Holder(ctx, tx, who.number)
		if err != nil {
			return err
		}
		in, err = d.welcome(ctx, tx, v, who, holder)
		return err
	})
	return in, err
}

var errOther = errors.New("name or birth date is another")

// same lets in who tells the name and the birth date of their number's holder. A wrong try counts
// although nothing else happens.
func (d *Dependencies) same(ctx context.Context, v *visit, who comer, name, birthdate string) (in entered, left int, err error) {
	wrong := false
	err = pg.InTx(ctx, d.DB, func(tx pg.Tx) error {
		if err := stillProven(ctx, tx, v.ID, v.Visitor, d.Now()); err != nil {
			return err
		}
		holder, err := d.Visitors.Holder(ctx, tx, who.number)
		if err != nil {
			return err
		}
		if wrong = holder.CPF || holder.PersonID == uuid.Nil; wrong {
			return nil
		}
		var ok bool
		if ok, left, err = d.Visitors.Confirm(ctx, tx, who.number, holder, name, birthdate); err != nil || !ok {
			wrong = !ok
			return err
		}
		in, err = d.welcomeBack(ctx, tx, v, who, holder)
		return err
	})
	if err == nil && wrong {
		err = errOther
	}
	return in, left, err
}
