package account

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/internal/httpx"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/themes"
)

// Paths of the security page; those of the forms follow it, see [forms].
const (
	PathSecurity  = "/conta/seguranca"
	pathHistory   = PathSecurity + "/historico"
	pathAgain     = PathSecurity + "/confirmar"
	pathEnd       = PathSecurity + "/sair"
	pathEndOthers = PathSecurity + "/sair-dos-outros"
)

// How many events are shown.
const (
	newest  = 10
	history = 1000
)

func (h *Handler) mountSecurity(e *echo.Echo) {
	e.GET(PathSecurity, h.turn(h.getSecurity))
	e.GET(pathHistory, h.turn(h.getHistory))
	e.POST(pathAgain, h.turn(h.postAgain))
	e.POST(pathEnd, h.turn(h.postEnd))
	e.POST(pathEndOthers, h.turn(h.postEndOthers))
	e.POST(PathSecurity+pathOptions, h.turn(h.postOptions))
	for _, f := range forms {
		e.GET(PathSecurity+f.path, h.turn(h.getForm(f)))
		e.POST(PathSecurity+f.path, h.turn(h.postForm(f)))
	}
	h.mountNotMe(e)
}

type turnHandler func(c echo.Context, t *turn, f themes.Frame) error

// turn reads what every page about factors needs of the request.
func (h *Handler) turn(next turnHandler) echo.HandlerFunc {
	return h.signedIn(func(c echo.Context, known *session.Known, f themes.Frame) error {
		id, _ := uuid.Parse(c.QueryParam("id")) // what is none is about nothing of theirs
		return next(c, &turn{known: known, lang: f.Lang, address: addressOf(c), cookie: h.Flow.Browser(c), id: id,
			family: factor.BrowserFamily(c.Request().UserAgent()), value: c.FormValue}, f)
	})
}

func addressOf(c echo.Context) netip.Addr {
	address, err := netip.ParseAddr(c.RealIP())
	if err != nil {
		return netip.IPv4Unspecified()
	}
	return address
}

// changing reads what a person has who may have factors: a visitor without a CPF could not sign in by
// them. Error: factor.ErrFactorNotFound.
func (h *Handler) changing(c echo.Context, t *turn) error {
	if t.known.Person.CPF == "" {
		return factor.ErrFactorNotFound
	}
	return h.enrolled(c, t)
}

// enrolled reads what the person has.
func (h *Handler) enrolled(c echo.Context, t *turn) (err error) {
	t.e, err = factor.EnrolledOf(c.Request().Context(), h.DB, h.Box, t.known.PersonID)
	return err
}

func (h *Handler) getForm(f form) turnHandler {
	return func(c echo.Context, t *turn, frame themes.Frame) error {
		if err := h.changing(c, t); err != nil {
			return err
		}
		view, err := f.view(h, c.Request().Context(), t)
		if err != nil {
			return err
		}
		if !h.mayChange(t, f.begun) {
			return h.again(c, t, frame, http.StatusOK)
		}
		return h.Pages.Show(c, http.StatusOK, frame, placed(view, c.Request().URL.RequestURI()))
	}
}

func (h *Handler) postForm(f form) turnHandler {
	return func(c echo.Context, t *turn, frame themes.Frame) error {
		d, err := h.submit(c, t, f)
		if err != nil && !errors.Is(err, errStale) {
			if d.problem = h.fault(err); d.problem == nil {
				return err
			}
			err = nil
		}
		switch {
		case err != nil:
			return h.again(c, t, frame, http.StatusForbidden)
		case d.problem != nil:
			return h.showAgain(c, t, f, frame, d.problem)
		case d.page != nil:
			return h.Pages.Show(c, http.StatusOK, frame, placed(d.page, c.Request().URL.RequestURI()))
		case d.next != "":
			return c.Redirect(http.StatusSeeOther, PathSecurity+d.next)
		case d.event.ID == uuid.Nil:
			return c.Redirect(http.StatusSeeOther, PathSecurity)
		}
		return c.Redirect(http.StatusSeeOther, PathSecurity+"?feito="+d.event.ID.String())
	}
}

// submit does what a form asks for. The view says whether the form is there at all for this person;
// whether they may change anything is looked at twice: before passwords are hashed and letters
// counted, and under the lock.
func (h *Handler) submit(c echo.Context, t *turn, f form) (d done, err error) {
	ctx := c.Request().Context()
	if err := h.changing(c, t); err != nil {
		return d, err
	}
	if _, err := f.view(h, ctx, t); err != nil {
		return d, err
	}
	if !h.mayChange(t, f.begun) {
		return d, errStale
	}
	if f.check != nil {
		if d.problem, err = f.check(h, ctx, t); err != nil || d.problem != nil {
			return d, err
		}
	}
	return h.change(ctx, t, f.begun, func(tx pg.Tx) (done, error) { return f.do(h, ctx, tx, t) })
}

// showAgain shows a form with its fault and what was typed.
func (h *Handler) showAgain(c echo.Context, t *turn, f form, frame themes.Frame, p *themes.Problem) error {
	view, err := f.view(h, c.Request().Context(), t)
	if err != nil {
		return err
	}
	if change, ok := view.(themes.Change); ok {
		change.Name, change.Email, change.Country, change.Phone, change.Question = clip(t.value("name")), clip(t.value("email")),
			clip(t.value("country")), clip(t.value("phone")), clip(t.value("question"))
		view = change
	}
	frame.Problem = p
	return h.Pages.Show(c, http.StatusUnprocessableEntity, frame, placed(view, c.Request().URL.RequestURI()))
}

// clip keeps an echoed value short: a page is not a place to store what was sent.
func clip(s string) string {
	if len(s) > 200 {
		return ""
	}
	return s
}

// placed gives a form its address, which is that of its page.
func placed(view themes.View, at string) themes.View {
	switch v := view.(type) {
	case themes.Change:
		v.Action, v.BackURL = at, PathSecurity
		return v
	case themes.AppSetup:
		v.Action, v.BackURL = at, PathSecurity
		return v
	}
	return view
}

// again says that a change wants a fresh sign-in, and where it leads back to.
func (h *Handler) again(c echo.Context, t *turn, frame themes.Frame, status int) error {
	view := themes.SignInAgain{Action: pathAgain, Back: c.Request().URL.RequestURI(), BackURL: PathSecurity}
	for _, way := range t.e.Strongest().Ways {
		view.Ways = append(view.Ways, string(way))
	}
	return h.Pages.Show(c, status, frame, view)
}

// postAgain signs in anew, as strongly as the account can, and comes back to the form.
func (h *Handler) postAgain(c echo.Context, t *turn, _ themes.Frame) error {
	if err := h.changing(c, t); err != nil {
		return err
	}
	return h.Flow.Again(c, t.known, formOf(c.FormValue("back")), t.e.Strongest().Cap)
}

// formOf is the address of a form of ours; of anything else, the security page.
func formOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return PathSecurity
	}
	path, _ := strings.CutPrefix(u.Path, PathSecurity)
	if !slices.ContainsFunc(forms, func(f form) bool { return f.path == path }) {
		return PathSecurity
	}
	if id, err := uuid.Parse(u.Query().Get("id")); err == nil {
		path += "?id=" + id.String()
	}
	return PathSecurity + path
}

// postOptions answers the script of the passkey form; what is not JSON it takes for a refusal.
func (h *Handler) postOptions(c echo.Context, t *turn, _ themes.Frame) error {
	if err := h.changing(c, t); err != nil {
		return err
	}
	options, err := h.passkeyOptions(c.Request().Context(), t)
	if err != nil {
		return err
	}
	httpx.NoStore(c)
	return c.JSONBlob(http.StatusOK, options)
}
