package recovery

import (
	"errors"
	"net/http"
	"net/netip"
	"slices"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/flow"
	"github.com/loginunico/loginunico/idp/notice"
	"github.com/loginunico/loginunico/idp/page"
	"github.com/loginunico/loginunico/internal/httpx"
	"github.com/loginunico/loginunico/themes"
)

// Paths of the pages. Links in letters lead to pathLink.
const (
	pathStart    = flow.PathRecover
	pathCode     = "/recuperar/codigo"
	pathLink     = notice.PathRecoveryLink
	pathQuestion = "/recuperar/pergunta"
	pathPassword = "/recuperar/senha"
	pathDesk     = "/recuperar/atendimento"
)

// Handler serves the ways back.
type Handler struct {
	*flow.Dependencies
	Flow      *flow.Handler
	Pages     *page.Pages
	Desk      *factor.Desk
	Requests  Enqueuer
	Questions bool // the city offers the secret question
}

// Mount adds the routes.
func (h *Handler) Mount(e *echo.Echo) {
	e.GET(pathStart, h.getStart)
	e.POST(pathStart, h.postStart)
	e.GET(pathCode, h.getCode)
	e.POST(pathCode, h.postCode)
	e.GET(pathLink, h.getLink)
	e.POST(pathLink, h.postLink)
	e.GET(pathQuestion, h.getQuestion)
	e.POST(pathQuestion, h.postQuestion)
	e.GET(pathPassword, h.getPassword)
	e.POST(pathPassword, h.postPassword)
	e.GET(pathDesk, h.getDesk)
	e.POST(pathDesk, h.postDesk)
}

// under is a recovery under way in this browser, with the visit it was begun from.
type under struct {
	factor.Stage
	id   uuid.UUID
	left flow.Left
}

func (u *under) url(path string) string { return path + "?r=" + u.id.String() }

// next is the page that a recovery is at.
func next(s factor.Stage) string {
	switch {
	case !s.Proven:
		return pathCode
	case s.Way == factor.WayQuestion && !s.Answered:
		return pathQuestion
	}
	return pathPassword
}

// at reads the recovery of ?r= and makes sure that it is at this page; here is false when the browser
// was sent to the page it is at, or told that there is no such recovery.
func (h *Handler) at(c echo.Context, path string) (u *under, here bool, err error) {
	id, err := httpx.ParamUUID(c, "r")
	if err != nil {
		return nil, false, h.over(c)
	}
	ctx, browser := c.Request().Context(), h.Flow.Browser(c)
	stage, err := h.Recoveries.Stage(ctx, h.DB, id, browser)
	if errors.Is(err, factor.ErrRecovery) {
		return nil, false, h.over(c)
	}
	if err != nil {
		return nil, false, err
	}
	u = &under{Stage: stage, id: id}
	if to := next(stage); to != path {
		return u, false, c.Redirect(http.StatusSeeOther, u.url(to))
	}
	u.left, err = h.Flow.Left(c, stage.Visit)
	return u, err == nil, err
}

// over says that a code or link does not work any more, and where there is another.
func (h *Handler) over(c echo.Context) error {
	return h.Pages.Show(c, http.StatusGone, h.Pages.Frame(c), themes.Failure{Code: "recovery", Status: http.StatusGone, ReturnURL: pathStart})
}

func (h *Handler) show(c echo.Context, u *under, p *themes.Problem, view themes.View) error {
	path := ""
	if p != nil {
		path = u.url(c.Path())
	}
	return h.Flow.ShowLeft(c, u.left, path, p, view)
}

// ways are those that the city offers, the same for everybody.
func (h *Handler) ways() []string {
	all := []string{string(factor.WayMail), string(factor.WayAlternativeMail)}
	if h.Notices.Texts() {
		all = append(all, string(factor.WaySMS))
	}
	if h.Questions {
		all = append(all, string(factor.WayQuestion))
	}
	return all
}

func (h *Handler) offers(way string) bool { return slices.Contains(h.ways(), way) }

// visitURL carries the visit of ?i= from page to page until a recovery keeps it.
func visitURL(path string, visit uuid.UUID) string {
	if visit == uuid.Nil {
		return path
	}
	return path + "?i=" + visit.String()
}

// left is the visit of ?i=.
func (h *Handler) left(c echo.Context) (flow.Left, error) {
	visit, _ := uuid.Parse(c.QueryParam("i")) // what is no id is no visit
	return h.Flow.Left(c, visit)
}

// asker is whoever makes a message go out.
func (h *Handler) asker(c echo.Context, address netip.Addr) notice.Asker {
	return notice.Asker{Lang: h.Pages.Language(c, ""), Address: address}
}

func problem(field, code string, args map[string]any) *themes.Problem {
	return &themes.Problem{Code: code, Args: args, Fields: []themes.FieldProblem{{Field: field, Code: code, Args: args}}}
}
