package flow

import (
	"context"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/themes"
)

func (h *Handler) getPassword(c echo.Context) error {
	v, here, err := h.at(c, Authenticate)
	if err != nil || !here {
		return err
	}
	return h.show(c, v, nil, h.passwordView(v))
}

func (h *Handler) passwordView(v *visit) themes.Password {
	view := themes.Password{Action: v.url(pathPassword), CPF: v.typedCPF(h.Box).Formatted(), ChangeURL: v.url(pathIdentify), RegisterURL: v.url(pathRegister),
		RecoverURL: v.url(PathRecover), GovBRURL: h.govbrURL(v), CertificateURL: h.certificateURL(v), Passkey: v.passkey()}
	if v.known != nil && !v.visitor() {
		view.Reauth, view.RegisterURL = "login", ""
		if !v.Request.Needs(v.client).asks("login") {
			view.Reauth = "max_age"
		}
	}
	return view
}

func (h *Handler) postPassword(c echo.Context) error {
	v, here, err := h.at(c, Authenticate)
	if err != nil || !here {
		return err
	}
	password := c.FormValue("password")
	if password == "" {
		return h.show(c, v, problem("password_required", "password", "password_required", nil), h.passwordView(v))
	}
	ctx := c.Request().Context()
	try := h.try(c, v, v.typedCPF(h.Box))
	in, ok, verdict, err := h.signIn(ctx, v, try, password, family(c))
	switch {
	case busyHasher(err):
		return h.show(c, v, h.waitProblem(), h.passwordView(v))
	case err != nil:
		return err
	case verdict == factor.Unlock:
		return h.unlock(c, v, try)
	case verdict == factor.Wait:
		return h.show(c, v, h.waitProblem(), h.passwordView(v))
	case !ok:
		return h.show(c, v, problem("credentials", "password", "credentials", nil), h.passwordView(v))
	}
	return h.enter(c, v, in)
}

func (h *Handler) waitProblem() *themes.Problem {
	return &themes.Problem{Code: "throttled", Args: map[string]any{"Minutes": h.Throttle.Minutes()}}
}

// unlock asks for a mail code: this CPF, address or the whole city met too many wrong passwords,
// and the owner must be able to come in all the same. A CPF without account sees the same page.
func (h *Handler) unlock(c echo.Context, v *visit, try factor.Try) error {
	if err := h.sendUnlock(c.Request().Context(), v, try); err != nil {
		return err
	}
	return c.Redirect(seeOther, v.url(pathUnlock))
}

func (h *Handler) sendUnlock(ctx context.Context, v *visit, try factor.Try) error {
	may, err := h.Throttle.Mail(ctx, try.CPF, try.Address, "unlock/"+try.CPF.Digits()+string(try.Browser))
	if err != nil {
		return err
	}
	person, has, err := factor.Find(ctx, h.DB, h.Box, try.CPF, h.Now())
	if err != nil {
		return err
	}
	to, err := brdoc.ParseEmail(person.Fields["email"].Text)
	decoy := !has || err != nil || !may
	return pg.InTx(ctx, h.DB, func(tx pg.Tx) error {
		if err := v.settle(ctx, tx); err != nil {
			return err
		}
		if err := busy(ctx, tx, v.ID, h.Now()); err != nil {
			return err
		}
		return h.Codes.Send(ctx, tx, v.ID, factor.ForUnlock, try.CPF.Digits(), decoy, func(code string) factor.Letter {
			if decoy {
				to = ""
			}
			return h.letter(v.lang, "unlock", to, code, "")
		})
	})
}

func (h *Handler) getUnlock(c echo.Context) error {
	v, here, err := h.at(c, UnlockByMail)
	if err != nil || !here {
		return err
	}
	return h.show(c, v, nil, h.unlockView(v))
}

func (h *Handler) unlockView(v *visit) themes.Code {
	return themes.Code{Action: v.url(pathUnlock), ResendURL: v.url(pathUnlock + again), Minutes: int(factor.CodeLifetime.Minutes()),
		Purpose: "unlock", ChangeURL: v.url(pathIdentify)}
}

func (h *Handler) postUnlock(c echo.Context) error {
	v, here, err := h.at(c, UnlockByMail)
	if err != nil || !here {
		return err
	}
	p, err := h.checkCode(c, v, factor.ForUnlock, v.typedCPF(h.Box).Digits())
	if err != nil || p != nil {
		return orShow(err, func() error { return h.show(c, v, p, h.unlockView(v)) })
	}
	if err := unlocked(c.Request().Context(), h.DB, v.ID, v.CPF, h.Now()); err != nil {
		return err
	}
	return c.Redirect(seeOther, v.url(pathPassword))
}

func (h *Handler) postUnlockAgain(c echo.Context) error {
	v, here, err := h.at(c, UnlockByMail)
	if err != nil || !here {
		return err
	}
	return h.unlock(c, v, h.try(c, v, v.typedCPF(h.Box)))
}
