package load

import (
	"context"
	"strconv"
	"strings"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
)

// system is who loads when nobody is named.
var system = audit.Actor{Kind: audit.System, ID: "registry/load"}

// auditBegin and finish leave one event each for a whole load, not one for each record: a record
// names the load it came by.
func (r *run) auditBegin(ctx context.Context, tx pg.Tx, s started) error {
	return audit.RecordTx(ctx, tx, r.event("registry.load.begin", s))
}

func (r *run) finish(ctx context.Context, s started) error {
	return pg.InTx(ctx, r.db, func(tx pg.Tx) error {
		if err := finishLoad(ctx, tx, s.id, r.report, r.Now()); err != nil {
			return err
		}
		e, t := r.event("registry.load.end", s), r.report.Tally
		for name, n := range map[string]int64{"records": t.Records, "new": t.New, "updated": t.Updated, "unchanged": t.Unchanged,
			"moved": t.Moved, "people": t.People, "changed": t.Changed, "matched": t.Matched} {
			e.Detail[name] = strconv.FormatInt(n, 10)
		}
		return audit.RecordTx(ctx, tx, e)
	})
}

func (r *run) event(action string, s started) audit.Event {
	e := audit.Event{At: r.Now(), Actor: r.Actor, Action: action, Detail: map[string]string{"load": s.id.String(),
		"sources": strings.Join(r.names, ","), "policy": strconv.Itoa(r.report.Policy), "again": strconv.FormatBool(s.finished)}}
	if e.Actor == (audit.Actor{}) {
		e.Actor = system
	}
	return e
}
