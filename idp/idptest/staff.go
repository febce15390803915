package idptest

import (
	"cmp"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/staff"
)

// Department of every employee that [City.Employ] is told none for.
const Department = "Secretaria Municipal de Administração"

var byTheTest = staff.Decision{Actor: "test", Reason: "test"}

// Employ makes somebody an employee, or changes what they are.
func (c *City) Employ(a staff.Appointment) staff.Employment {
	c.t.Helper()
	a.Department = cmp.Or(a.Department, Department)
	var e staff.Employment
	err := pg.InTx(c.t.Context(), c.DB, func(tx pg.Tx) (err error) {
		e, err = staff.Appoint(c.t.Context(), tx, a, byTheTest, c.Now())
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return e
}

// Dismiss ends what somebody is.
func (c *City) Dismiss(person uuid.UUID) {
	c.t.Helper()
	err := pg.InTx(c.t.Context(), c.DB, func(tx pg.Tx) error {
		_, err := staff.End(c.t.Context(), tx, person, byTheTest, c.Now())
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
}
