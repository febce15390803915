package recovery

import (
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/themes"
)

func (h *Handler) getCode(c echo.Context) error {
	u, here, err := h.at(c, pathCode)
	if err != nil || !here {
		return err
	}
	return h.show(c, u, nil, u.codeView())
}

func (u *under) codeView() themes.RecoverCode {
	return themes.RecoverCode{Action: u.url(pathCode), Way: string(u.Way), Minutes: int(factor.RecoveryLifetime.Minutes()),
		AgainURL: visitURL(pathStart, u.left.ID())}
}

func (h *Handler) postCode(c echo.Context) error {
	u, here, err := h.at(c, pathCode)
	if err != nil || !here {
		return err
	}
	typed := c.FormValue("code")
	if strings.TrimSpace(typed) == "" {
		return h.show(c, u, problem("code", "recovery_code_required", nil), u.codeView())
	}
	ok, left, err := h.Recoveries.Prove(c.Request().Context(), h.DB, u.id, u.left.Browser(), typed)
	switch {
	case err != nil:
		return err
	case ok:
		return h.proven(c, u)
	case left <= 0:
		return h.show(c, u, problem("code", "recovery_code_spent", nil), u.codeView())
	}
	return h.show(c, u, problem("code", "code", map[string]any{"Left": left}), u.codeView())
}

// proven goes on after the code or the answer.
func (h *Handler) proven(c echo.Context, u *under) error {
	u.Proven = true
	return c.Redirect(http.StatusSeeOther, u.url(next(u.Stage)))
}

// getLink shows a button and looks at nothing: programs that search mail for viruses open links.
func (h *Handler) getLink(c echo.Context) error {
	token := c.QueryParam("t")
	if len(token) != len(secret.Token()) {
		return h.over(c)
	}
	h.Flow.Browser(c) // the recovery goes on in this one
	return h.Pages.Show(c, http.StatusOK, h.Pages.Frame(c), themes.RecoverLink{Action: pathLink, Token: token})
}

func (h *Handler) postLink(c echo.Context) error {
	id, err := h.Recoveries.ProveLink(c.Request().Context(), h.DB, c.FormValue("t"), h.Flow.Browser(c))
	if errors.Is(err, factor.ErrRecovery) {
		return h.over(c)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, (&under{id: id}).url(pathPassword)) // or the question: that page knows
}

func (h *Handler) getQuestion(c echo.Context) error {
	u, here, err := h.at(c, pathQuestion)
	if err != nil || !here {
		return err
	}
	return h.showQuestion(c, u, nil)
}

func (h *Handler) showQuestion(c echo.Context, u *under, p *themes.Problem) error {
	question, err := h.Recoveries.Question(c.Request().Context(), h.DB, u.id, u.left.Browser())
	if errors.Is(err, factor.ErrRecovery) { // taken away since the code was sent
		return h.over(c)
	}
	if err != nil {
		return err
	}
	return h.show(c, u, p, themes.RecoverQuestion{Action: u.url(pathQuestion), Question: question})
}

func (h *Handler) postQuestion(c echo.Context) error {
	u, here, err := h.at(c, pathQuestion)
	if err != nil || !here {
		return err
	}
	typed := c.FormValue("answer")
	if strings.TrimSpace(typed) == "" {
		return h.showQuestion(c, u, problem("answer", "answer_required", nil))
	}
	ok, left, err := h.Recoveries.Answer(c.Request().Context(), h.DB, u.id, u.left.Browser(), typed)
	switch {
	case errors.Is(err, factor.ErrBusy):
		return h.showQuestion(c, u, h.busy())
	case err != nil:
		return err
	case ok:
		u.Answered = true
		return h.proven(c, u)
	case left <= 0:
		return h.showQuestion(c, u, problem("answer", "answer_spent", nil))
	}
	return h.showQuestion(c, u, problem("answer", "answer", map[string]any{"Left": left}))
}

func (h *Handler) getDesk(c echo.Context) error {
	left, err := h.left(c)
	if err != nil {
		return err
	}
	return h.Flow.ShowLeft(c, left, "", nil, deskView(left.ID()))
}

func deskView(visit uuid.UUID) themes.RecoverDesk {
	return themes.RecoverDesk{Action: visitURL(pathDesk, visit), BackURL: visitURL(pathStart, visit)}
}

// postDesk takes a code of 120 bits, which nobody guesses: its tries need no limit.
func (h *Handler) postDesk(c echo.Context) error {
	left, err := h.left(c)
	if err != nil {
		return err
	}
	id, p := uuid.Nil, problem("code", "desk_code_required", nil)
	if typed := c.FormValue("code"); strings.TrimSpace(typed) != "" {
		ctx := c.Request().Context()
		err = pg.InTx(ctx, h.DB, func(tx pg.Tx) (err error) {
			id, err = h.Desk.Redeem(ctx, tx, typed, left.Browser(), left.ID())
			return err
		})
		p = problem("code", "desk_code", nil)
	}
	switch {
	case id != uuid.Nil && err == nil:
		return c.Redirect(http.StatusSeeOther, (&under{id: id}).url(pathPassword))
	case err == nil || errors.Is(err, factor.ErrRecovery):
		return h.Flow.ShowLeft(c, left, visitURL(pathDesk, left.ID()), p, deskView(left.ID()))
	}
	return err
}
