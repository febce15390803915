package flow

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/themes"
)

// Left is the visit that somebody left to get back in, and goes on with afterwards: the one they
// came from, where it lasts and is this browser's, and else one of its own to their account.
type Left struct {
	v     *visit
	began bool // false: one of its own, nowhere yet
}

// Left finds the visit of an id, which may be anybody's or none.
func (h *Handler) Left(c echo.Context, id uuid.UUID) (Left, error) {
	var v *visit
	err := error(ErrExpired)
	if id != uuid.Nil {
		v, err = h.visitAt(c, id, h.Shared.Reads, find)
	}
	began := err == nil
	if errors.Is(err, ErrExpired) {
		v, err = &visit{Interaction: h.fresh(c, Request{ReturnTo: "/conta"}), lang: h.Pages.Language(c, "")}, nil
	}
	if err == nil {
		v.known, err = h.Sessions.Current(c.Request().Context(), c.Request(), v.ClientID, v.sector())
	}
	return Left{v, began}, err
}

// ID is what [Handler.Left] finds it by; zero for one of its own.
func (l Left) ID() uuid.UUID {
	if !l.began {
		return uuid.Nil
	}
	return l.v.ID
}

// CPF is the one typed in the visit, or of who is signed in; "" without.
func (l Left) CPF(box registry.Sealer) brdoc.CPF { return l.v.typedCPF(box) }

// PasswordURL leads back to the password; "" where no CPF waits for one.
func (l Left) PasswordURL() string {
	if !l.began || l.v.CPF == nil {
		return ""
	}
	return l.v.url(pathPassword)
}

// Browser is the hash of the browser's own cookie.
func (l Left) Browser() []byte { return l.v.BrowserHash }

// Try is one attempt of this browser at something that a CPF opens.
func (h *Handler) Try(c echo.Context, l Left, cpf brdoc.CPF) factor.Try { return h.try(c, l.v, cpf) }

// ShowLeft renders a page beside a visit, with the service that the citizen is on the way to.
//
//	path  of the page that the form is on, for the language links
func (h *Handler) ShowLeft(c echo.Context, l Left, path string, p *themes.Problem, view themes.View) error {
	return h.showAt(c, l.v, path, p, view)
}

// Back is somebody who is back, and how.
type Back struct {
	Person uuid.UUID
	Hold   factor.Hold
	Proofs []factor.Proof
}

// Return lets somebody back in and goes on with their visit, all in one transaction: prove says who
// they are, the session opens under what a recovery holds back, and the browser is known from now on.
func (h *Handler) Return(c echo.Context, l Left, prove func(ctx context.Context, tx pg.Tx) (Back, error)) error {
	ctx := c.Request().Context()
	var in entered
	err := pg.InTx(ctx, h.DB, func(tx pg.Tx) error {
		back, err := prove(ctx, tx)
		if err != nil {
			return err
		}
		if !l.began {
			if err := begin(ctx, tx, l.v.Interaction); err != nil {
				return err
			}
		}
		e := entry{person: back.Person, hold: back.Hold, proofs: back.Proofs, browser: family(c)}
		if in, err = h.open(ctx, tx, l.v, e); err != nil {
			return err
		}
		try := h.try(c, l.v, l.v.known.Person.CPF)
		try.Unlocked = true // no try of this browser was counted for the CPF
		return h.Throttle.Succeeded(ctx, tx, try, factor.Account{PersonID: back.Person})
	})
	if err != nil {
		return err
	}
	return h.enter(c, l.v, in)
}
