package flow

import (
	"context"
	"errors"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/notice"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/trust"
	"github.com/loginunico/loginunico/themes"
)

// asker is who makes messages go out from this page.
func (h *Handler) asker(c echo.Context, v *visit) notice.Asker {
	return notice.Asker{Lang: v.lang, Address: h.try(c, v, "").Address}
}

// family is the coarse name of the browser, for its owner to recognise.
func family(c echo.Context) string { return factor.BrowserFamily(c.Request().UserAgent()) }

// getSecond asks for what follows a right password in an account that wants two steps.
func (h *Handler) getSecond(c echo.Context) error {
	v, here, err := h.at(c, SecondStep)
	if err != nil || !here {
		return err
	}
	return h.showSecond(c, v, nil)
}

func (h *Handler) showSecond(c echo.Context, v *visit, p *themes.Problem) error {
	e, err := factor.EnrolledOf(c.Request().Context(), h.DB, h.Box, *v.HalfPerson)
	if err != nil {
		return err
	}
	return h.show(c, v, p, themes.SecondStep{Action: v.url(pathSecond), Code: true, Passkey: v.passkeyOf(e),
		Recovered: e.Hold.Live(), RecoverURL: v.url(PathRecover), ChangeURL: v.url(pathIdentify)})
}

func (v *visit) passkey() themes.PasskeyForm {
	return themes.PasskeyForm{Action: v.url(pathPasskey), OptionsURL: v.url(pathOptions)}
}

func (v *visit) passkeyOf(e factor.Enrolled) *themes.PasskeyForm {
	if len(e.Passkeys) == 0 {
		return nil
	}
	form := v.passkey()
	return &form
}

// postSecond opens the session by a code. Where a recovery is held, the citizen may go on without
// one: what the session is worth then is what recovery alone gives.
func (h *Handler) postSecond(c echo.Context) error {
	v, here, err := h.at(c, SecondStep)
	if err != nil || !here {
		return err
	}
	e, stands, err := h.halfDone(c, v)
	if err != nil {
		return err
	}
	if !stands {
		return h.goOn(c, v)
	}
	if c.FormValue("without") != "" && e.hold.Live() {
		return h.openBy(c, v, e)
	}
	proof, p, err := h.typedCode(c, v, e)
	switch {
	case errors.Is(err, errUnlock):
		return h.unlock(c, v, h.try(c, v, v.typedCPF(h.Box)))
	case err != nil:
		return err
	case p != nil:
		return h.showSecond(c, v, p)
	}
	e.proofs = append(e.proofs, proof)
	return h.openBy(c, v, e)
}

// halfDone is what the right password has shown. It does not stand where the password has changed
// since, by whoever recovered the account, denied a change, or proved the CPF: then it is forgotten,
// and the next step asks for the one of now.
func (h *Handler) halfDone(c echo.Context, v *visit) (e entry, stands bool, err error) {
	ctx := c.Request().Context()
	has, err := factor.EnrolledOf(ctx, h.DB, h.Box, *v.HalfPerson)
	if err != nil {
		return e, false, err
	}
	if stands = has.Password && !has.PasswordAt.After(*v.HalfAt); !stands {
		v.HalfPerson, v.HalfAt = nil, nil
		return e, false, unhalved(ctx, h.DB, v.ID, h.Now())
	}
	return entry{person: *v.HalfPerson, hold: has.Hold, proofs: []factor.Proof{factor.PasswordProof()}, browser: family(c)}, true, nil
}

// errUnlock: this account's codes were guessed at too often; a mail code comes first.
var errUnlock = errors.New("a mail code first")

// typedCode tries what was typed as a code of the app, or as one of the recovery codes, which are
// longer. A right code is used up, whatever follows.
func (h *Handler) typedCode(c echo.Context, v *visit, e entry) (factor.Proof, *themes.Problem, error) {
	ctx, typed := c.Request().Context(), strings.TrimSpace(c.FormValue("code"))
	wrong := problem("second_code", "code", "second_code", nil)
	switch {
	case typed == "":
		return factor.Proof{}, problem("code_required", "code", "code_required", nil), nil
	case len(typed) > 100:
		return factor.Proof{}, wrong, nil
	case len(factor.Digits(typed)) > 8:
		proof, ok, err := h.recoveryCode(ctx, e, typed, h.asker(c, v))
		if err != nil || ok {
			return proof, nil, err
		}
		return proof, wrong, nil
	}
	guess := factor.Guess{Person: e.person, Browser: v.BrowserHash, Unlocked: v.UnlockedAt != nil}
	proof, ok, verdict, err := h.Apps.Check(ctx, h.DB, guess, typed)
	switch {
	case err != nil:
		return proof, nil, err
	case verdict == factor.Unlock && v.HalfPerson != nil:
		return proof, nil, errUnlock
	case verdict != factor.Go:
		return proof, h.waitProblem(), nil
	case !ok:
		return proof, wrong, nil
	}
	return proof, nil, nil
}

func (h *Handler) recoveryCode(ctx context.Context, e entry, typed string, asker notice.Asker) (proof factor.Proof, ok bool, err error) {
	err = pg.InTx(ctx, h.DB, func(tx pg.Tx) error {
		proof, ok, _, err = factor.UseCode(ctx, tx, e.person, typed, h.Now())
		if err != nil || !ok {
			return err
		}
		return h.Announce(ctx, tx, asker, factor.Event{Person: e.person, At: h.Now(), Kind: factor.CodeUsed, Browser: e.browser})
	})
	return proof, ok, err
}

// openBy opens the session of a sign-in that did not end with its password, and goes on.
func (h *Handler) openBy(c echo.Context, v *visit, e entry) error {
	ctx := c.Request().Context()
	cpf := v.typedCPF(h.Box)
	var in entered
	err := pg.InTx(ctx, h.DB, func(tx pg.Tx) (err error) {
		try := h.try(c, v, cpf)
		if in, err = h.open(ctx, tx, v, e); err != nil || cpf == "" || cpf != v.known.Person.CPF {
			return err // a device of somebody else's says nothing of the tries at the CPF that was typed
		}
		return h.Throttle.Succeeded(ctx, tx, try, factor.Account{PersonID: e.person})
	})
	if err != nil {
		return err
	}
	return h.enter(c, v, in)
}

// getStronger asks who is signed in for a stronger proof than the session began with.
func (h *Handler) getStronger(c echo.Context) error {
	v, here, err := h.at(c, Strengthen, LevelTooLow)
	if err != nil || !here {
		return err
	}
	return h.showStronger(c, v, nil)
}

func (h *Handler) showStronger(c echo.Context, v *visit, p *themes.Problem) error {
	e, err := factor.EnrolledOf(c.Request().Context(), h.DB, h.Box, v.known.PersonID)
	if err != nil {
		return err
	}
	view := themes.SecondStep{Action: v.url(pathStronger), Code: len(e.Authenticators) > 0, Passkey: v.passkeyOf(e),
		Stronger: true, ChangeURL: v.url(pathLevel), GovBRURL: h.govbrReaches(v, trust.GovBR.Level(), max(v.Request.Strength, 2)),
		CertificateURL: h.certificateURL(v)}
	if v.client == nil {
		view.ChangeURL = "/conta"
	}
	return h.show(c, v, p, view)
}

func (h *Handler) postStronger(c echo.Context) error {
	v, here, err := h.at(c, Strengthen, LevelTooLow)
	if err != nil || !here {
		return err
	}
	e, err := h.strengthening(c, v)
	if err != nil {
		return err
	}
	proof, p, err := h.typedCode(c, v, e)
	if err != nil || p != nil {
		return orShow(err, func() error { return h.showStronger(c, v, p) })
	}
	e.proofs = []factor.Proof{proof}
	return h.openBy(c, v, e)
}

// strengthening is the session that goes on with one more proof.
func (h *Handler) strengthening(c echo.Context, v *visit) (entry, error) {
	hold, err := factor.HoldOf(c.Request().Context(), h.DB, v.known.PersonID)
	return entry{person: v.known.PersonID, hold: hold, before: &v.known.Session, browser: family(c)}, err
}
