package account

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/notice"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/themes"
)

// Where a recovery goes on after "it was not me".
const (
	pathRecovery     = "/recuperar"
	pathRecoveryCode = "/recuperar/codigo"
)

func (h *Handler) mountNotMe(e *echo.Echo) {
	e.GET(notice.PathNotMe+":token", h.getNotMe)
	e.POST(notice.PathNotMe+":token", h.postNotMe)
}

// getNotMe shows a button, whatever the token: programs that look at mail follow links.
func (h *Handler) getNotMe(c echo.Context) error {
	return h.Pages.Show(c, http.StatusOK, h.Pages.Frame(c), themes.NotMe{Action: c.Request().URL.RequestURI()})
}

// postNotMe ends every session and sends a code to the address that the link was sent to.
func (h *Handler) postNotMe(c echo.Context) error {
	ctx, sent := c.Request().Context(), true
	asker := notice.Asker{Lang: h.Pages.Language(c, ""), Address: addressOf(c)}
	var d factor.Disowned
	err := pg.InTx(ctx, h.DB, func(tx pg.Tx) (err error) {
		d, err = h.Recoveries.NotMe(ctx, tx, c.Param("token"), h.Flow.Browser(c), ender{h}, h.courier(asker, &sent))
		if err != nil {
			return err
		}
		if err := factor.Audit(ctx, tx, factor.Event{Person: d.Person, At: h.Now(), Kind: factor.SaidNotMe, Factor: d.Event}); err != nil || d.Undone.Kind == "" {
			return err
		}
		return h.undone(ctx, tx, d, asker, factor.BrowserFamily(c.Request().UserAgent()))
	})
	switch {
	case err != nil:
		return err
	case !sent:
		return c.Redirect(http.StatusSeeOther, pathRecovery)
	}
	return c.Redirect(http.StatusSeeOther, pathRecoveryCode+"?"+url.Values{"r": {d.Recovery.String()}}.Encode())
}

// undone tells every address that is left what the denial has taken back.
func (h *Handler) undone(ctx context.Context, tx pg.Tx, d factor.Disowned, a notice.Asker, family string) error {
	e, err := factor.EnrolledOf(ctx, tx, h.Box, d.Person)
	if err != nil {
		return err
	}
	d.Undone.Person, d.Undone.At, d.Undone.Browser = d.Person, h.Now(), family
	_, err = h.Recoveries.Announce(ctx, tx, d.Undone, slices.Concat(e.Mails, e.Phones), h.Notices.Announcer(a))
	return err
}

// courier sends the code where it can. That a cap or a carrier keeps a text back must not keep the
// sessions alive: then the owner goes on by another way.
func (h *Handler) courier(a notice.Asker, sent *bool) factor.Courier {
	post := h.Notices.Courier(a, notice.Recover)
	return func(ctx context.Context, tx pg.Tx, d factor.Dispatch) error {
		err := post(ctx, tx, d)
		if k := fail.KindOf(err); err != nil && (k == fail.Throttled || k == fail.Invalid) {
			*sent = false
			return nil
		}
		return err
	}
}
