package recovery

import (
	"context"
	"errors"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/flow"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/themes"
)

func (h *Handler) getPassword(c echo.Context) error {
	u, here, err := h.at(c, pathPassword)
	if err != nil || !here {
		return err
	}
	return h.show(c, u, nil, h.passwordView(u, true))
}

func (h *Handler) passwordView(u *under, others bool) themes.NewPassword {
	return themes.NewPassword{Action: u.url(pathPassword), Others: others, Held: u.Way != factor.WayDesk,
		Minutes: max(1, int(u.ExpiresAt.Sub(h.Now()).Round(time.Minute)/time.Minute))}
}

func (h *Handler) postPassword(c echo.Context) error {
	u, here, err := h.at(c, pathPassword)
	if err != nil || !here {
		return err
	}
	password, others := c.FormValue("password"), c.FormValue("others") != ""
	p, err := h.checkPassword(c.Request().Context(), u, password)
	if err != nil {
		return err
	}
	if p == nil {
		err = h.finish(c, u, password, others)
		switch {
		case errors.Is(err, factor.ErrRecovery):
			return h.over(c)
		case !errors.Is(err, factor.ErrBusy):
			return err
		}
		p = h.busy()
	}
	return h.show(c, u, p, h.passwordView(u, others))
}

func (h *Handler) busy() *themes.Problem {
	return &themes.Problem{Code: "throttled", Args: map[string]any{"Minutes": 1}}
}

// checkPassword says what is wrong with a new password of this person; nil when nothing is.
func (h *Handler) checkPassword(ctx context.Context, u *under, password string) (*themes.Problem, error) {
	if password == "" {
		return problem("password", "password_required", nil), nil
	}
	person, err := h.People.ByID(ctx, h.DB, u.Person)
	if err != nil {
		return nil, err
	}
	var policy *factor.PolicyError
	err = h.Breached.CheckPassword(password, person.CPF.Digits(), person.Fields["email"].Text)
	if errors.As(err, &policy) {
		return problem("password", policy.Code, nil), nil
	}
	return nil, err
}

// finish sets the password, opens the session, and tells every address of the owner, in one
// transaction. Errors: factor.ErrBusy, factor.ErrRecovery.
func (h *Handler) finish(c echo.Context, u *under, password string, others bool) error {
	hash, err := h.Hasher.Hash(c.Request().Context(), password)
	if err != nil {
		return err
	}
	return h.Flow.Return(c, u.left, func(ctx context.Context, tx pg.Tx) (flow.Back, error) {
		o, err := h.Recoveries.Finish(ctx, tx, u.id, u.left.Browser(), hash)
		if err != nil {
			return flow.Back{}, err
		}
		if others {
			if err := h.Sessions.EndSessions(ctx, tx, o.Person); err != nil {
				return flow.Back{}, err
			}
		}
		return flow.Back{Person: o.Person, Hold: o.Hold, Proofs: o.Proofs}, h.announce(ctx, tx, c, u, o)
	})
}

func (h *Handler) announce(ctx context.Context, tx pg.Tx, c echo.Context, u *under, o factor.Outcome) error {
	has, err := factor.EnrolledOf(ctx, tx, h.Box, o.Person)
	if err != nil {
		return err
	}
	e := factor.Event{Person: o.Person, At: h.Now(), Kind: factor.Recovered, Browser: factor.BrowserFamily(c.Request().UserAgent())}
	if o.Way == factor.WaySMS && len(has.Phones) > 0 {
		h.Notices.Answered(has.Phones[len(has.Phones)-1].Address) // the newest: Deliver's choice
	}
	if o.Way == factor.WayDesk {
		e.Kind = factor.DeskRecovered
	}
	asker := h.asker(c, h.Flow.Try(c, u.left, "").Address)
	_, err = h.Recoveries.Announce(ctx, tx, e, append(has.Mails, has.Phones...), h.Notices.Announcer(asker))
	return err
}
