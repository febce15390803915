package recovery

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/flow"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/themes"
)

func (h *Handler) getStart(c echo.Context) error {
	left, err := h.left(c)
	if err != nil {
		return err
	}
	return h.Flow.ShowLeft(c, left, "", nil, h.startView(left, left.CPF(h.Box).Formatted(), ""))
}

func (h *Handler) startView(left flow.Left, cpf, way string) themes.Recover {
	return themes.Recover{Action: visitURL(pathStart, left.ID()), CPF: cpf, Ways: h.ways(), Way: way,
		DeskURL: visitURL(pathDesk, left.ID()), SignInURL: left.PasswordURL()}
}

// postStart begins a recovery. Nothing in it depends on whether there is such an account.
func (h *Handler) postStart(c echo.Context) error {
	left, err := h.left(c)
	if err != nil {
		return err
	}
	typed, way := c.FormValue("cpf"), c.FormValue("way")
	cpf, p := h.checkStart(typed, way)
	if p == nil {
		id, may, err := h.start(c, left, cpf, factor.Way(way))
		if err != nil {
			return err
		}
		if may {
			return c.Redirect(http.StatusSeeOther, (&under{id: id}).url(pathCode))
		}
		p = &themes.Problem{Code: "throttled", Args: map[string]any{"Minutes": h.Throttle.MailMinutes()}}
	}
	if len(typed) > 200 {
		typed = "" // a page is not a place to store what was sent
	}
	return h.Flow.ShowLeft(c, left, visitURL(pathStart, left.ID()), p, h.startView(left, typed, way))
}

// checkStart names every fault at once.
func (h *Handler) checkStart(typed, way string) (brdoc.CPF, *themes.Problem) {
	p := &themes.Problem{Code: "form"}
	cpf, err := brdoc.ParseCPF(typed)
	if err != nil {
		code := "cpf"
		if strings.TrimSpace(typed) == "" {
			code = "cpf_required"
		}
		p.Fields = append(p.Fields, themes.FieldProblem{Field: "cpf", Code: code})
	}
	if !h.offers(way) {
		p.Fields = append(p.Fields, themes.FieldProblem{Field: "way", Code: "recovery_way"})
	}
	if len(p.Fields) == 0 {
		return cpf, nil
	}
	return cpf, p
}

// start counts and begins; may is false when this browser has asked too often.
func (h *Handler) start(c echo.Context, left flow.Left, cpf brdoc.CPF, way factor.Way) (id uuid.UUID, may bool, err error) {
	ctx, try := c.Request().Context(), h.Flow.Try(c, left, cpf)
	may, err = h.Throttle.Mail(ctx, cpf, try.Address, "recovery/"+cpf.Digits()+string(try.Browser))
	if err != nil || !may {
		return id, false, err
	}
	asker := h.asker(c, try.Address)
	err = pg.InTx(ctx, h.DB, func(tx pg.Tx) error {
		id, err = h.Recoveries.Start(ctx, tx, cpf, way, try.Browser, left.ID(), func(ctx context.Context, tx pg.Tx, r factor.RecoveryRequest) error {
			return h.request(ctx, tx, r, asker)
		})
		return err
	})
	return id, true, err
}
