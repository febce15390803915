package evidence

import (
	"context"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/notice"
	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/trust"
	"github.com/loginunico/loginunico/themes"
)

// teller enqueues one message to one address.
type teller = func(context.Context, pg.Tx, factor.Destination) error

// tell writes to every confirmed address of a person, in their language. What can wait goes to
// phones only where there is no mail: a city pays for each text.
func (k *Keeper) tell(ctx context.Context, tx pg.Tx, person uuid.UUID, canWait bool, by func(notice.Asker) teller) error {
	has, err := factor.EnrolledOf(ctx, tx, k.Box, person)
	if err != nil {
		return err
	}
	to := has.Mails
	if !canWait || len(to) == 0 {
		to = append(to, has.Phones...)
	}
	if len(to) == 0 {
		return nil
	}
	p, err := k.People.ByID(ctx, tx, person)
	if err != nil {
		return err
	}
	send := by(notice.Asker{Lang: themes.Match("", "", p.Fields["locale"].Text, "")})
	for _, c := range to {
		if err := send(ctx, tx, factor.Destination{Way: c.Way(), Address: c.Address}); err != nil {
			return err
		}
	}
	return nil
}

// warn tells a person that their level will fall by itself, and to what.
func (k *Keeper) warn(ctx context.Context, tx pg.Tx, person uuid.UUID, all []trust.Evidence, a trust.Assessment) error {
	l := notice.Level{From: a.Level, To: trust.Level(all, a.Until), At: a.Until, Rested: a.Level}
	if err := k.tell(ctx, tx, person, true, func(asker notice.Asker) teller { return k.Notices.LevelEnds(asker, l) }); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, audit.Event{At: k.Now(), Actor: audit.Actor{Kind: audit.System, ID: "evidence"}, Action: "trust.warning", Person: person})
}
