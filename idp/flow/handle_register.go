package flow

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/themes"
)

func (h *Handler) getRegister(c echo.Context) error {
	v, here, err := h.at(c, beforeSignIn...)
	if err != nil || !here {
		return err
	}
	view := v.register("", "")
	if v.known == nil && v.CPF != nil {
		view.CPF = v.typedCPF(h.Box).Formatted()
	}
	if r, ok := v.registration(h.Box); ok {
		view.Email = r.Email
	}
	return h.show(c, v, nil, view)
}

func (v *visit) register(cpf, email string) themes.Register {
	return themes.Register{Action: v.url(pathRegister), CPF: cpf, Email: email, SignInURL: v.url(pathIdentify)}
}

// postRegister takes the account's essentials. Whether the CPF has an account already, the page,
// the statements and the hash are the same; only the mail differs, and it goes to the owner.
func (h *Handler) postRegister(c echo.Context) error {
	v, here, err := h.at(c, beforeSignIn...)
	if err != nil || !here {
		return err
	}
	typedCPF, typedEmail := c.FormValue("cpf"), c.FormValue("email")
	cpf, email, p, err := h.checkRegistration(typedCPF, typedEmail, c.FormValue("password"))
	if err != nil || p != nil {
		return orShow(err, func() error { return h.show(c, v, p, v.register(clip(typedCPF), clip(typedEmail))) })
	}
	err = h.startRegistration(c.Request().Context(), v, h.try(c, v, cpf), email, c.FormValue("password"))
	if errors.Is(err, errTooManyMails) || busyHasher(err) {
		return h.show(c, v, h.waitProblem(), v.register(clip(typedCPF), clip(typedEmail)))
	}
	if err != nil {
		return err
	}
	return c.Redirect(seeOther, v.url(pathConfirm))
}

// checkRegistration names every fault at once. The error is the list's of leaked passwords.
func (h *Handler) checkRegistration(typedCPF, typedEmail, password string) (brdoc.CPF, brdoc.Email, *themes.Problem, error) {
	p := &themes.Problem{Code: "form"}
	fault := func(field, code string) { p.Fields = append(p.Fields, themes.FieldProblem{Field: field, Code: code}) }
	cpf, err := brdoc.ParseCPF(typedCPF)
	if err != nil {
		fault("cpf", cpfFault(typedCPF))
	}
	email, err := brdoc.ParseEmail(typedEmail)
	if err != nil {
		fault("email", "email")
	}
	var policy *factor.PolicyError
	switch err := h.Breached.CheckPassword(password, cpf.Digits(), email.Address()); {
	case password == "":
		fault("password", "password_required")
	case errors.As(err, &policy):
		fault("password", policy.Code)
	case err != nil:
		return cpf, email, nil, err
	}
	if len(p.Fields) == 0 {
		return cpf, email, nil, nil
	}
	return cpf, email, p, nil
}

var errTooManyMails = errors.New("too many mails")

func (h *Handler) startRegistration(ctx context.Context, v *visit, try factor.Try, email brdoc.Email, password string) error {
	may, err := h.Throttle.Mail(ctx, try.CPF, try.Address, "register/"+strings.ToLower(email.Address()))
	if err != nil || !may {
		return orElse(err, errTooManyMails)
	}
	hash, err := h.Hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	owner, exists, err := factor.Find(ctx, h.DB, h.Box, try.CPF, h.Now())
	if err != nil {
		return err
	}
	r := factor.Registration{CPF: try.CPF.Digits(), Email: email.Address(), Hash: hash, Exists: exists}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	to, _ := brdoc.ParseEmail(owner.Fields["email"].Text) // "" without one: nobody is told
	return pg.InTx(ctx, h.DB, func(tx pg.Tx) error {
		if err := v.settle(ctx, tx); err != nil {
			return err
		}
		sealedCPF := h.Box.Seal([]byte(r.CPF), v.ID[:])
		if err := registering(ctx, tx, v.ID, sealedCPF, h.Box.Seal(body, v.ID[:]), h.Now()); err != nil {
			return err
		}
		return h.Codes.Send(ctx, tx, v.ID, factor.ForRegister, aboutRegistration(r), exists, func(code string) factor.Letter {
			if exists {
				return h.letter(v.lang, "exists", to, "", h.Issuer+"/conta")
			}
			return h.letter(v.lang, "register", email, code, "")
		})
	})
}

// letter writes one of the mails in the citizen's language.
func (h *Handler) letter(lang, kind string, to brdoc.Email, code, url string) factor.Letter {
	args := map[string]any{"Code": code, "Minutes": int(factor.CodeLifetime.Minutes()), "City": h.Pages.Themes.City().Name, "URL": url}
	return factor.Letter{To: to, Subject: h.Pages.Themes.Text(lang, "mail."+kind+".subject", args),
		Text: h.Pages.Themes.Text(lang, "mail."+kind+".body", args)}
}

func (h *Handler) getConfirm(c echo.Context) error {
	v, here, err := h.at(c, ConfirmChannel)
	if err != nil || !here {
		return err
	}
	return h.show(c, v, nil, h.confirmView(v))
}

func (h *Handler) confirmView(v *visit) themes.Code {
	view := themes.Code{Action: v.url(pathConfirm), ResendURL: v.url(pathConfirm + again), Minutes: int(factor.CodeLifetime.Minutes()),
		Purpose: "register", ChangeURL: v.url(pathRegister)}
	if r, ok := v.registration(h.Box); ok {
		if email, err := brdoc.ParseEmail(r.Email); err == nil {
			view.Destination = email.Masked()
		}
	}
	return view
}

func (h *Handler) postConfirm(c echo.Context) error {
	v, here, err := h.at(c, ConfirmChannel)
	if err != nil || !here {
		return err
	}
	r, _ := v.registration(h.Box)
	p, err := h.checkCode(c, v, factor.ForRegister, aboutRegistration(r))
	if err != nil || p != nil {
		return orShow(err, func() error { return h.show(c, v, p, h.confirmView(v)) })
	}
	in, err := h.openAccount(c.Request().Context(), v, family(c))
	if errors.Is(err, factor.ErrHasAccount) || errors.Is(err, factor.ErrProven) { // since the form
		if err := unregistered(c.Request().Context(), h.DB, v.ID, h.Now()); err != nil {
			return err
		}
		return c.Redirect(seeOther, v.url(pathPassword))
	}
	if err != nil {
		return err
	}
	return h.enter(c, v, in)
}

// openAccount makes the person, password, evidence and session in one transaction.
func (h *Handler) openAccount(ctx context.Context, v *visit, browser string) (in entered, err error) {
	r, ok := v.registration(h.Box)
	if !ok || r.Exists {
		return in, ErrExpired
	}
	err = pg.InTx(ctx, h.DB, func(tx pg.Tx) error {
		person, err := factor.Register(ctx, tx, h.People, r, h.Now())
		if err != nil {
			return err
		}
		try := factor.Try{CPF: brdoc.CPF(r.CPF), Browser: v.BrowserHash}
		if err := h.Throttle.Succeeded(ctx, tx, try, factor.Account{PersonID: person}); err != nil {
			return err
		}
		in, err = h.open(ctx, tx, v, entry{person: person, proofs: []factor.Proof{factor.PasswordProof()}, browser: browser})
		return err
	})
	return in, err
}

func (h *Handler) postConfirmAgain(c echo.Context) error {
	v, here, err := h.at(c, ConfirmChannel)
	if err != nil || !here {
		return err
	}
	r, ok := v.registration(h.Box)
	if !ok {
		return ErrExpired
	}
	email, err := brdoc.ParseEmail(r.Email)
	if err != nil {
		return ErrExpired
	}
	ctx, try := c.Request().Context(), h.try(c, v, brdoc.CPF(r.CPF))
	may, err := h.Throttle.Mail(ctx, try.CPF, try.Address, "register/"+strings.ToLower(email.Address()))
	if err != nil || !may {
		return orShow(err, func() error { return h.show(c, v, h.waitProblem(), h.confirmView(v)) })
	}
	err = pg.InTx(ctx, h.DB, func(tx pg.Tx) error {
		return h.Codes.Send(ctx, tx, v.ID, factor.ForRegister, aboutRegistration(r), r.Exists, func(code string) factor.Letter {
			if r.Exists {
				return factor.Letter{} // the owner was told once
			}
			return h.letter(v.lang, "register", email, code, "")
		})
	})
	return orShow(err, func() error { return c.Redirect(seeOther, v.url(pathConfirm)) })
}

// aboutRegistration is what its code proves: this address, for this CPF.
func aboutRegistration(r factor.Registration) string { return r.CPF + " " + r.Email }

// checkCode reads and tries a typed code; a problem means it was wrong.
func (h *Handler) checkCode(c echo.Context, v *visit, purpose factor.Purpose, about string) (*themes.Problem, error) {
	typed := factor.Digits(c.FormValue("code"))
	if typed == "" {
		return problem("code_required", "code", "code_required", nil), nil
	}
	ok, left, err := h.Codes.Check(c.Request().Context(), h.DB, v.ID, purpose, about, typed)
	if err != nil || ok {
		return nil, err
	}
	return wrongCode(left), nil
}

func wrongCode(left int) *themes.Problem {
	if left <= 0 {
		return problem("code_spent", "code", "code_spent", nil)
	}
	return problem("code", "code", "code", map[string]any{"Left": left})
}

func orShow(err error, show func() error) error {
	if err != nil {
		return err
	}
	return show()
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
