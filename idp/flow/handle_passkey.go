package flow

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/httpx"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/themes"
)

// passkeySteps are those at which a passkey may be shown.
var passkeySteps = []Step{Identify, Authenticate, SecondStep, Strengthen, LevelTooLow}

// postOptions begins a ceremony: the JSON that navigator.credentials.get wants. It is a POST because
// it writes the challenge, and the page's script asks for it when the citizen does.
//
// WebAuthn Level 3 §7.2.
func (h *Handler) postOptions(c echo.Context) error {
	v, here, err := h.at(c, passkeySteps...)
	if err != nil || !here {
		return err
	}
	ctx := c.Request().Context()
	expected, err := h.expected(ctx, v)
	if err != nil {
		return err
	}
	options, err := h.Passkeys.BeginLogin(ctx, h.DB, v.BrowserHash, expected)
	if err != nil {
		return err
	}
	httpx.NoStore(c)
	return c.JSONBlob(http.StatusOK, options)
}

// expected is whose passkey it must be; nil before anybody said who they are.
func (h *Handler) expected(ctx context.Context, v *visit) (*uuid.UUID, error) {
	switch cpf := v.typedCPF(h.Box); {
	case v.next(h.Now()) == SecondStep:
		return v.HalfPerson, nil
	case v.known != nil && v.CPF == nil && !v.joining():
		return &v.known.PersonID, nil
	case cpf == "":
		return nil, nil
	default:
		person, err := factor.PersonOf(ctx, h.DB, h.Box, cpf)
		return &person, err
	}
}

// postPasskey takes what the device answered.
func (h *Handler) postPasskey(c echo.Context) error {
	v, here, err := h.at(c, passkeySteps...)
	if err != nil || !here {
		return err
	}
	ctx, step := c.Request().Context(), v.next(h.Now())
	person, proof, err := h.Passkeys.FinishLogin(ctx, h.DB, v.BrowserHash, []byte(c.FormValue("credential")))
	if errors.Is(err, factor.ErrCloned) {
		if err := h.cloned(c, v, person, proof.Factor); err != nil {
			return err
		}
	}
	if err != nil {
		return h.passkeyRefused(c, v, step, err)
	}
	e, err := h.shown(c, v, step, person, proof)
	if err != nil {
		return err
	}
	return h.openBy(c, v, e)
}

// shown puts a passkey beside what this visit has shown already. The challenge of a later step
// expects the person of that step, but one that was begun at an earlier step of the same browser
// may have expected anybody.
func (h *Handler) shown(c echo.Context, v *visit, step Step, person uuid.UUID, proof factor.Proof) (e entry, err error) {
	switch {
	case step == SecondStep && person == *v.HalfPerson:
		if e, _, err = h.halfDone(c, v); err != nil { // the device alone opens a session too
			return e, err
		}
	case step == Strengthen || step == LevelTooLow:
		if person != v.known.PersonID {
			return e, factor.ErrCeremony
		}
		if e, err = h.strengthening(c, v); err != nil {
			return e, err
		}
	}
	e.person, e.browser, e.proofs = person, family(c), append(e.proofs, proof)
	e.hold, err = factor.HoldOf(c.Request().Context(), h.DB, person)
	return e, err
}

// cloned tells the owner that there may be two of a key.
func (h *Handler) cloned(c echo.Context, v *visit, person, key uuid.UUID) error {
	ctx := c.Request().Context()
	return pg.InTx(ctx, h.DB, func(tx pg.Tx) error {
		return h.Announce(ctx, tx, h.asker(c, v), factor.Event{Person: person, At: h.Now(), Kind: factor.PasskeyCloned, Factor: key, Browser: family(c)})
	})
}

// passkeyRefused shows the page again, with what went wrong.
func (h *Handler) passkeyRefused(c echo.Context, v *visit, step Step, err error) error {
	if !errors.Is(err, factor.ErrCeremony) && !errors.Is(err, factor.ErrChallenge) && !errors.Is(err, factor.ErrCloned) {
		return err
	}
	p := &themes.Problem{Code: fail.CodeOf(err)}
	switch step {
	case Identify:
		return h.show(c, v, p, h.identify(v, ""))
	case SecondStep:
		return h.showSecond(c, v, p)
	case Strengthen, LevelTooLow:
		return h.showStronger(c, v, p)
	}
	return h.show(c, v, p, h.passwordView(v))
}
