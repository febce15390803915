package flow

import (
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/registry/staff"
	"github.com/loginunico/loginunico/themes"
)

// getStaff tells somebody who does not work for the city that the service is for those who do.
func (h *Handler) getStaff(c echo.Context) error {
	v, here, err := h.at(c, NotEmployee)
	if err != nil || !here {
		return err
	}
	view := themes.NotEmployee{Action: v.url(pathStaff), Name: v.known.Person.DisplayName()}
	now := h.Now()
	for _, e := range v.known.Employed { // the newest last
		if over := e.Over(); e.From.After(now) && (over.IsZero() || over.After(e.From)) {
			view.Department, view.From, view.Ended = e.Department, e.From, time.Time{}
		} else if over.After(e.From) {
			view.Department, view.From, view.Ended = e.Department, time.Time{}, over.Add(-1) // on its last day
		}
	}
	return h.show(c, v, nil, view)
}

// postStaff goes back to the service with an honest error, or signs in as somebody else.
func (h *Handler) postStaff(c echo.Context) error {
	v, here, err := h.at(c, NotEmployee)
	if err != nil || !here {
		return err
	}
	ctx := c.Request().Context()
	if c.FormValue("account") == "other" {
		if err := h.signOut(ctx, v); err != nil {
			return err
		}
		c.SetCookie(h.Sessions.Cookie(""))
		return c.Redirect(seeOther, v.url(pathIdentify))
	}
	params, err := h.leave(ctx, v, "access_denied", "the person does not work for the city now")
	return h.over(c, v, params, err)
}

// office says what the person is to the city, in the page's language: roles by their names.
func (h *Handler) office(v *visit, claim string, now time.Time) string {
	e := staff.Assess(v.known.Employed, now).Now
	if claim == "department" {
		return e.Department
	}
	names := make([]string, len(e.Roles))
	for i, r := range e.Roles {
		names[i] = h.Pages.Themes.Text(v.lang, "role."+string(r), nil)
	}
	return strings.Join(names, ", ")
}
