package flow

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/themes"
)

// beforeSignIn are the steps at which a citizen may still say that they are somebody else, or
// that they have no account yet.
var beforeSignIn = []Step{Identify, Authenticate, SecondStep, UnlockByMail, ConfirmChannel, ConfirmNumber, ConfirmVisitor}

func (h *Handler) getIdentify(c echo.Context) error {
	v, here, err := h.at(c, beforeSignIn...)
	if err != nil || !here {
		return err
	}
	return h.show(c, v, nil, h.identify(v, ""))
}

func (h *Handler) identify(v *visit, typed string) themes.Identify {
	view := themes.Identify{Action: v.url(pathIdentify), CPF: typed, RegisterURL: v.url(pathRegister), CancelURL: v.cancelURL(),
		GovBRURL: h.govbrURL(v), CertificateURL: h.certificateURL(v), Passkey: v.passkey()}
	if h.takesVisitors(v) {
		view.VisitorURL, view.VisitorLang = v.url(pathVisitor), v.visitorLang()
	}
	return view
}

// postIdentify records the CPF. Where nobody can be signed in, for want of a cookie, every visit
// that goes on is at a step that may: reading it and recording the CPF are one statement.
func (h *Handler) postIdentify(c echo.Context) error {
	typed := c.FormValue("cpf")
	cpf, fault := brdoc.ParseCPF(typed)
	if fault != nil || h.Sessions.Claimed(c.Request()) {
		v, here, err := h.at(c, beforeSignIn...)
		if err != nil || !here {
			return err
		}
		if fault != nil {
			code := cpfFault(typed)
			return h.show(c, v, problem(code, "cpf", code, nil), h.identify(v, clip(typed)))
		}
	}
	v, err := h.visitOf(c, h.Shared.Writes, func(ctx context.Context, db pg.DB, id uuid.UUID, browser []byte, now time.Time) (Interaction, error) {
		return identified(ctx, db, id, browser, h.Box.Seal([]byte(cpf.Digits()), id[:]), now)
	})
	if err != nil {
		return err
	}
	if v.carried != nil {
		v.CPF = h.Box.Seal([]byte(cpf.Digits()), v.ID[:])
		h.give(c, v)
	}
	return c.Redirect(seeOther, v.url(pathPassword))
}

// cpfFault is the message for what is no CPF.
func cpfFault(typed string) string {
	if strings.TrimSpace(typed) == "" {
		return "cpf_required"
	}
	return "cpf"
}

// clip keeps an echoed value short: a page is not a place to store what was sent.
func clip(s string) string {
	if len(s) > 200 {
		return ""
	}
	return s
}

func (h *Handler) getSelect(c echo.Context) error {
	v, here, err := h.at(c, SelectAccount)
	if err != nil || !here {
		return err
	}
	return h.show(c, v, nil, themes.SelectAccount{Action: v.url(pathSelect), Name: v.known.Person.DisplayName(), CPF: v.known.Person.CPF.Masked()})
}

func (h *Handler) postSelect(c echo.Context) error {
	v, here, err := h.at(c, SelectAccount)
	if err != nil || !here {
		return err
	}
	ctx := c.Request().Context()
	if c.FormValue("account") != "other" {
		err := pg.InTx(ctx, h.DB, func(tx pg.Tx) error {
			if err := v.settle(ctx, tx); err != nil {
				return err
			}
			return chosen(ctx, tx, v.ID, v.known.ID, h.Now())
		})
		if err != nil {
			return err
		}
		return c.Redirect(seeOther, v.url(pathContinue))
	}
	if err := h.signOut(ctx, v); err != nil {
		return err
	}
	c.SetCookie(h.Sessions.Cookie(""))
	return c.Redirect(seeOther, v.url(pathIdentify))
}

func (h *Handler) getLevel(c echo.Context) error {
	v, here, err := h.at(c, LevelTooLow)
	if err != nil || !here {
		return err
	}
	if v.client == nil {
		return h.goOn(c, v)
	}
	f, needed := v.facts(h.Now()), v.Request.Needs(v.client).Level
	view := themes.LevelTooLow{Action: v.url(pathLevel), Needed: needed, Have: min(f.Level, f.Cap), Session: f.Level >= needed,
		Staff: v.client.StaffOnly()}
	if needed == v.client.MinLevel {
		view.Why = v.client.LevelPurpose.Localized(v.lang)
	}
	if view.Session {
		view.StrongerURL = v.url(pathStronger)
	} else {
		view.WaysURL = v.url(PathWays)
	}
	view.GovBRURL, view.CertificateURL = h.govbrReaches(v, f.Level, needed), h.certificateURL(v)
	if view.Held, err = h.Held(c.Request().Context(), v.known.Session, view.StrongerURL); err != nil {
		return err
	}
	return h.show(c, v, nil, view)
}

// postLevel goes back to the service with an honest error, never with a lower token than it asked
// for. OpenID Connect Core Error Code unmet_authentication_requirements 1.0.
func (h *Handler) postLevel(c echo.Context) error {
	v, here, err := h.at(c, LevelTooLow)
	if err != nil || !here {
		return err
	}
	params, err := h.leave(c.Request().Context(), v, "unmet_authentication_requirements", "the level the service needs was not reached")
	return h.over(c, v, params, err)
}
