package account

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/themes"
)

// getSecurity shows how the person signs in, where they are signed in, and what happened of late.
func (h *Handler) getSecurity(c echo.Context, t *turn, f themes.Frame) error {
	ctx := c.Request().Context()
	if err := h.enrolled(c, t); err != nil {
		return err
	}
	view := h.overview(t)
	var err error
	if view.Held, err = h.Held(ctx, t.known.Session, pathConfirm); err != nil {
		return err
	}
	sessions, err := h.Sessions.Of(ctx, h.DB, t.known.PersonID)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		view.Devices = append(view.Devices, themes.Device{ID: s.ID.String(), Browser: s.Browser, Since: s.CreatedAt, Seen: s.LastSeenAt,
			This: s.ID == t.known.ID})
	}
	events, err := factor.EventsOf(ctx, h.DB, t.known.PersonID, h.Now(), newest)
	if err != nil {
		return err
	}
	view.Events = eventViews(events)
	view.Done = justDone(events, c.QueryParam("feito"), h.Now())
	return h.Pages.Show(c, http.StatusOK, f, view)
}

func (h *Handler) overview(t *turn) themes.Security {
	view := themes.Security{Base: PathSecurity, Visitor: t.known.Person.CPF == "", PasswordAt: t.e.PasswordAt, Spare: t.e.CodesLeft, Texts: h.Notices.Texts(),
		Questions: h.Recoveries.Questions(), Question: t.e.Question, Mails: channelViews(t.e.Mails), Phones: channelViews(t.e.Phones)}
	for _, k := range t.e.Passkeys {
		view.Passkeys = append(view.Passkeys, themes.Factor{ID: k.ID.String(), Name: k.Name, Since: k.CreatedAt, Used: orZero(k.UsedAt), Synced: k.BackedUp})
	}
	for _, a := range t.e.Authenticators {
		view.Apps = append(view.Apps, themes.Factor{ID: a.ID.String(), Name: a.Name, Since: a.ConfirmedAt, Used: orZero(a.UsedAt)})
	}
	return view
}

func channelViews(all []factor.Channel) (views []themes.Factor) {
	for _, c := range all {
		views = append(views, themes.Factor{ID: c.ID.String(), Name: recognisable(c.Address), Since: c.ConfirmedAt, Main: c.Main})
	}
	return views
}

// recognisable is what an owner of several addresses tells them apart by: ma***va@example.org.
func recognisable(a factor.Address) string {
	local, domain, ok := strings.Cut(a.Text(), "@")
	if !ok {
		return a.Masked()
	}
	name := []rune(local)
	if len(name) < 6 {
		return string(name[:1]) + "***@" + domain
	}
	return string(name[:2]) + "***" + string(name[len(name)-2:]) + "@" + domain
}

func eventViews(all []factor.Event) (views []themes.Event) {
	for _, e := range all {
		views = append(views, themes.Event{Kind: string(e.Kind), At: e.At, Browser: e.Browser})
	}
	return views
}

// justDone is the event of an address, when it is the person's own and new: nobody can make the page
// say something by a link.
func justDone(events []factor.Event, id string, now time.Time) *themes.Event {
	for _, e := range events {
		if e.ID.String() == id && now.Sub(e.At) < factor.Fresh {
			return &eventViews([]factor.Event{e})[0]
		}
	}
	return nil
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func (h *Handler) getHistory(c echo.Context, t *turn, f themes.Frame) error {
	events, err := factor.EventsOf(c.Request().Context(), h.DB, t.known.PersonID, h.Now(), history)
	if err != nil {
		return err
	}
	return h.Pages.Show(c, http.StatusOK, f, themes.SecurityHistory{Events: eventViews(events), BackURL: PathSecurity})
}

// postEnd ends one session. It asks for no fresh sign-in: whoever is in may show others out.
func (h *Handler) postEnd(c echo.Context, t *turn, _ themes.Frame) error {
	if t.id == t.known.ID {
		return h.postSignOut(c, t.known, themes.Frame{})
	}
	err := h.ending(c.Request().Context(), t, func(ctx context.Context, tx pg.Tx) error {
		return h.Sessions.EndOf(ctx, tx, t.known.PersonID, t.id)
	})
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, PathSecurity+"#devices")
}

func (h *Handler) postEndOthers(c echo.Context, t *turn, _ themes.Frame) error {
	err := h.ending(c.Request().Context(), t, func(ctx context.Context, tx pg.Tx) error {
		return h.Sessions.EndOthers(ctx, tx, t.known.PersonID, t.known.ID)
	})
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, PathSecurity+"#devices")
}

// ending ends sessions and keeps that it was done.
func (h *Handler) ending(ctx context.Context, t *turn, end func(ctx context.Context, tx pg.Tx) error) error {
	return pg.InTx(ctx, h.DB, func(tx pg.Tx) error {
		if err := end(ctx, tx); err != nil {
			return err
		}
		_, err := factor.Note(ctx, tx, factor.Event{Person: t.known.PersonID, At: h.Now(), Kind: factor.SessionsEnded, Browser: t.family})
		return err
	})
}
