package pg_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
)

// RFC 9562 §5.7: 48 bits of milliseconds, version 7, variant 10.
func TestTheFirstIDOfAMomentLiesBetweenTheIDsBeforeAndAfter(t *testing.T) {
	t.Parallel()

	before := pg.NewID()
	sec, nsec := before.Time().UnixTime()
	made := time.Unix(sec, nsec)
	at, next := pg.FirstID(made), pg.FirstID(made.Add(time.Millisecond))
	if bytes.Compare(at[:], before[:]) > 0 || bytes.Compare(before[:], next[:]) >= 0 {
		t.Errorf("%s is not from %s up to %s", before, at, next)
	}
	if at.Version() != 7 || at.Variant().String() != "RFC4122" {
		t.Errorf("%s is of version %d, %s", at, at.Version(), at.Variant())
	}
	if first, dawn := pg.FirstID(time.Time{}), pg.FirstID(time.Unix(0, 0)); first != dawn {
		t.Errorf("before 1970: %s", first)
	}
}
