package flow

import (
	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/themes"
)

func (h *Handler) getCPF(c echo.Context) error {
	v, here, err := h.at(c, CPFRequired)
	if err != nil || !here {
		return err
	}
	view := themes.CPFRequired{Action: v.url(pathCPF), Name: v.known.Person.DisplayName(), CancelURL: v.cancelURL()}
	return h.show(c, v, nil, view)
}

// postCPF takes a visitor to the sign-in by CPF: to join both, or as somebody else.
func (h *Handler) postCPF(c echo.Context) error {
	v, here, err := h.at(c, CPFRequired)
	if err != nil || !here {
		return err
	}
	ctx := c.Request().Context()
	switch c.FormValue("account") {
	case "join":
		err = pg.InTx(ctx, h.DB, func(tx pg.Tx) error {
			if err := v.settle(ctx, tx); err != nil {
				return err
			}
			return joining(ctx, tx, v.ID, v.known.PersonID, h.Now())
		})
	case "other":
		if err = h.signOut(ctx, v); err == nil {
			c.SetCookie(h.Sessions.Cookie(""))
		}
	default:
		return errRequest
	}
	return orShow(err, func() error { return c.Redirect(seeOther, v.url(pathIdentify)) })
}

// BeginJoin takes a visitor from the account pages to the sign-in by the CPF they have by now.
func (h *Handler) BeginJoin(c echo.Context, known *session.Known, returnTo string) error {
	v := &visit{Interaction: h.fresh(c, Request{ReturnTo: returnTo, CPF: true}), known: known}
	v.SessionID = &known.ID
	return h.begin(c.Request().Context(), c, v)
}
