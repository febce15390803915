package token

import (
	"slices"
	"time"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/registry/staff"
)

// speaks says whether a grant may tell what its person is to the city: to an internal service, that
// was granted it, in a session of level 4 with two factors, and only as long as that session. A grant
// that outlives it is for a service that looks while nobody is there, and nobody acts then.
func (h *holder) speaks(c *client.Client, level int) bool {
	return c.Internal && !h.Offline && slices.ContainsFunc(h.Claims, client.TellsEmployment) && staff.Speaks(level, h.Cap, h.AMR)
}

// employment is one claim of the appointment that holds now; none where there is no such.
func (h *holder) employment(c *client.Client, name string, level int, now time.Time) (any, bool) {
	a := staff.Assess(h.Employed, now)
	if !a.Live || !h.speaks(c, level) {
		return nil, false
	}
	if name == "roles" {
		return a.Now.Roles, true
	}
	return a.Now.Department, true
}

// office is what an access token and its introspection say of the person's work for the city: what
// userinfo would, where everybody whom the token is for is of the city's own. The zero value says
// nothing.
//
// RFC 9068 §2.2.3.1: roles, by the name of RFC 7643 §4.1.2; department is of §4.3.
func (h *holder) office(c *client.Client, issuer, scope string, aud []string, level int, now time.Time) (o staff.Employment) {
	for _, a := range aud {
		if a != issuer && !slices.Contains(c.Inside, a) {
			return o
		}
	}
	names := slices.DeleteFunc(slices.Clone(h.within(scope)), func(name string) bool { return !client.TellsEmployment(name) })
	if len(names) == 0 {
		return o
	}
	told := h.release(c, names, level, now)
	o.Roles, _ = told["roles"].([]staff.Role)
	o.Department, _ = told["department"].(string)
	return o
}
