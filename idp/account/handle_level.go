package account

import (
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/flow"
	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/httpx"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/record"
	"github.com/loginunico/loginunico/registry/trust"
	"github.com/loginunico/loginunico/themes"
)

// compared are the fields that level 3 compares with the city's bases ([registry.Matched]).
var compared = []string{"name", "birthdate", "mother_name"}

// shownLevel is what a request adds to the page about the level.
type shownLevel struct {
	typed map[string]string // a form that has a problem
	day   string            // as typed; "" none
	then  *themes.Then
}

// waiting is the visit that ?i= names: a service wants a higher level, and the citizen came to see how to
// reach it. Whether it is this browser's is looked at when it goes on.
func waiting(c echo.Context) (visit uuid.UUID, ok bool) {
	visit, err := httpx.ParamUUID(c, "i")
	return visit, err == nil
}

// again is this page's address, with the visit that waits.
func again(c echo.Context) string {
	if visit, ok := waiting(c); ok {
		return pathLevel + "?i=" + visit.String()
	}
	return pathLevel
}

// getLevel says why the level is what it is, every way up, and where ?day= names one, what it was then.
func (h *Handler) getLevel(c echo.Context, known *session.Known, f themes.Frame) error {
	typed := c.QueryParam("day")
	s := shownLevel{day: clip(typed)}
	evidence, err := trust.Of(c.Request().Context(), h.DB, known.PersonID)
	if err != nil {
		return err
	}
	if typed != "" {
		now := h.Now()
		if day, ok := parseDay(s.day, now, h.Pages.Themes.City().Location()); ok {
			s.then, s.day = levelOn(evidence, day, now), day.Format(time.DateOnly)
		} else {
			f.Problem = problem("day", "day", nil)
		}
	}
	return h.showLevel(c, known, f, evidence, s)
}

// parseDay reads a day of the city that has come, as a date picker or a person writes it.
func parseDay(typed string, now time.Time, zone *time.Location) (day time.Time, ok bool) {
	for _, layout := range []string{time.DateOnly, "02/01/2006"} {
		if day, err := time.ParseInLocation(layout, typed, zone); err == nil {
			return day, !day.After(now) && day.Year() >= 1900
		}
	}
	return day, false
}

// levelOn is the level at the end of a day, and for today as it is now.
func levelOn(evidence []trust.Evidence, day, now time.Time) *themes.Then {
	at := day.AddDate(0, 0, 1).Add(-time.Microsecond)
	if at.After(now) {
		at = now
	}
	x := trust.Explain(evidence, at)
	then := &themes.Then{Day: day, Level: x.Level, Because: newestOfEach(x.Because)}
	for i := range then.Because {
		then.Because[i].Ended = time.Time{} // nobody knew of it then
	}
	return then
}

func (h *Handler) showLevel(c echo.Context, known *session.Known, f themes.Frame, evidence []trust.Evidence, s shownLevel) error {
	now := h.Now()
	x := trust.Explain(evidence, now)
	view := themes.Level{Level: x.Level, Until: x.Until, Because: newestOfEach(x.Because), Beside: newestOfEach(x.Beside), Past: over(x),
		Action: again(c), Day: s.day, Then: s.then, AccountURL: Path}
	if visit, ok := waiting(c); ok {
		f.Visit, view.Visit, view.VisitURL = visit.String(), visit.String(), flow.VisitURL(visit)
	}
	for _, name := range unsaid(known, now) {
		value := s.typed[name]
		if name == "name" {
			name = "legal_name" // the input's label: bases know no social names
		}
		view.Fields = append(view.Fields, themes.Field{Name: name, Value: value, Required: true})
	}
	view.Unequal = x.Level < trust.RegistryMatch.Level() && known.Person.CPF != "" && len(view.Fields) == 0
	for _, kind := range x.Raise {
		way := h.wayTo(kind, known, f.Lang)
		if view.Visit != "" && way.URL != "" {
			way.URL += "&i=" + view.Visit
		}
		view.Raise = append(view.Raise, way)
	}
	status := http.StatusOK
	if f.Problem != nil {
		status = http.StatusUnprocessableEntity
	}
	return h.Pages.Show(c, status, f, view)
}

// wayTo is how somebody reaches the level of a kind of evidence here: a button where they bring the
// proof by themselves, the desks where somebody else sees it.
func (h *Handler) wayTo(kind trust.Kind, known *session.Known, lang string) themes.Way {
	way := themes.Way{Level: kind.Level()}
	if what, attended := attendedAt[kind]; attended {
		address := record.ParseLocation(known.Person.Fields["address"].Text).Line()
		way.Desks = h.Pages.Themes.City().DesksFor(what, address, lang)
		way.Off = kind == trust.BiometricEnrollment && len(way.Desks) == 0
		return way
	}
	_, offered := h.Flow.Ways()[kind]
	way.Off = !offered && kind != trust.SelfDeclared
	if offered && known.Person.CPF != "" { // a visitor signs in by CPF first
		way.URL = pathProve + "?kind=" + string(kind)
	}
	return way
}

// attendedAt is what a desk does for a kind of evidence.
var attendedAt = map[trust.Kind]string{trust.RegistryMatch: themes.DeskRegistry, trust.BiometricEnrollment: themes.DeskBiometrics}

// getProve takes a citizen away to prove who they are, and back to the page about the level.
func (h *Handler) getProve(c echo.Context, known *session.Known, _ themes.Frame) error {
	kind := trust.Kind(c.QueryParam("kind"))
	if _, ok := h.Flow.Ways()[kind]; !ok || known.Person.CPF == "" || known.Level(h.Now()) >= kind.Level() {
		return c.Redirect(http.StatusSeeOther, again(c))
	}
	httpx.NoStore(c)
	return h.Flow.Prove(c, known, kind, again(c))
}

// unsaid are the compared fields that this person may still state. Each is stated once: whoever tries
// the mother's name until the level rises would learn it.
func unsaid(known *session.Known, now time.Time) (all []string) {
	if known.Person.CPF == "" || known.Level(now) >= trust.RegistryMatch.Level() {
		return nil
	}
	for _, name := range compared {
		if !known.Person.Has(name) {
			all = append(all, name)
		}
	}
	return all
}

// postLevel takes what was not said yet, all of it or nothing; where it agrees with the city's bases
// the level rises at once.
func (h *Handler) postLevel(c echo.Context, known *session.Known, f themes.Frame) error {
	fields, typed, now := registry.Fields{}, map[string]string{}, h.Now()
	p := &themes.Problem{Code: "form"}
	for _, name := range unsaid(known, now) {
		typed[name] = clip(c.FormValue(name))
		text, err := registry.ParseDeclared(name, c.FormValue(name), now)
		if err != nil {
			p.Fields = append(p.Fields, themes.FieldProblem{Field: name, Code: fail.CodeOf(err)})
			continue
		}
		fields[name] = registry.Value{Text: text, Source: registry.SourceSelf, At: now}
	}
	ctx := c.Request().Context()
	if len(p.Fields) > 0 {
		f.Problem, f.Path = p, pathLevel
		evidence, err := trust.Of(ctx, h.DB, known.PersonID)
		if err != nil {
			return err
		}
		return h.showLevel(c, known, f, evidence, shownLevel{typed: typed})
	}
	if len(fields) > 0 {
		err := pg.InTx(ctx, h.DB, func(tx pg.Tx) error {
			return h.Declare(ctx, tx, known, fields)
		})
		if err != nil {
			return err
		}
	}
	return c.Redirect(http.StatusSeeOther, again(c))
}

// newestOfEach shows one proof of each kind: gov.br is written down again every month.
func newestOfEach(all []trust.Evidence) (out []themes.Proof) {
	seen := map[trust.Kind]bool{}
	for _, e := range all {
		if !seen[e.Kind] {
			seen[e.Kind] = true
			out = append(out, proofOf(e))
		}
	}
	return out
}

const mostPast = 20 // proofs that are over, on the page

// over are the proofs that count no more and that nothing has replaced, each kind's newest, and all
// that were taken away.
func over(x trust.Explanation) (out []themes.Proof) {
	seen := map[trust.Kind]bool{}
	for _, e := range slices.Concat(x.Because, x.Beside) {
		seen[e.Kind] = true
	}
	for _, e := range x.Past {
		if e.RevokedAt.IsZero() && seen[e.Kind] || len(out) == mostPast {
			continue
		}
		seen[e.Kind] = true
		out = append(out, proofOf(e))
	}
	return out
}

func proofOf(e trust.Evidence) themes.Proof {
	return themes.Proof{Level: e.Kind.Level(), Since: e.VerifiedAt, Until: e.ExpiresAt, Ended: e.RevokedAt}
}
