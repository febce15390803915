package audit_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/audit"
)

// past is a chain of three days: batches 1–3, 4–6 and 7–8, of three events each, the first two days
// sealed. It returns the roots as somebody else keeps them.
func past(h *house) (kept []string) {
	h.Helper()
	for n := range 8 {
		if n == 3 || n == 6 {
			h.clock.Advance(24 * time.Hour)
		}
		h.must(h.w.Record(h.Context(), read(3*n), read(3*n+1), read(3*n+2)))
	}
	sealed, err := audit.Seal(h.Context(), h.db, h.box, h.clock.Now())
	h.must(err)
	for _, r := range sealed {
		kept = append(kept, r.JWS)
	}
	return kept
}

// forge runs statements as somebody who may do everything with the database.
func (h *house) forge(statements ...string) {
	h.Helper()
	tables := []string{"audit_event", "audit_event_202611", "audit_batch", "audit_root", "audit_key", "audit_pending"}
	for _, table := range tables {
		h.exec(`ALTER TABLE ` + table + ` DISABLE TRIGGER USER`)
	}
	for _, sql := range statements {
		h.exec(sql)
	}
	for _, table := range tables {
		h.exec(`ALTER TABLE ` + table + ` ENABLE TRIGGER USER`)
	}
}

// caught verifies, wants the fault, and returns it.
func (h *house) caught(o audit.Options, want string) {
	h.Helper()
	_, err := h.verify(o)
	fault, ok := errors.AsType[*audit.Fault](err)
	if !ok {
		h.Fatalf("not caught: %v; want %s", err, want)
	}
	got := fault.Error()
	if i := strings.Index(got, " ("); i > 0 { // the event's ID
		got = got[:i] + got[strings.Index(got, ")")+1:]
	}
	if got != want {
		h.Errorf("got  %s\nwant %s", fault, want)
	}
}

func TestTamperingIsFoundAndNamed(t *testing.T) {
	t.Parallel()

	for _, c := range []struct{ name, forged, want string }{
		{"a changed text", `UPDATE audit_event SET purpose = 'nothing' WHERE (batch, place) = (4, 1)`, "batch 4, event 1: is not what was written"},
		{"another person", `UPDATE audit_event SET person_id = gen_random_uuid() WHERE (batch, place) = (8, 2)`, "batch 8, event 2: is not what was written"},
		{"a field less", `UPDATE audit_event SET fields = '{name}' WHERE (batch, place) = (1, 0)`, "batch 1, event 0: is not what was written"},
		{"a detail more", `UPDATE audit_event SET detail = '{"a":"b"}' WHERE (batch, place) = (2, 2)`, "batch 2, event 2: is not what was written"},
		{"a microsecond", `UPDATE audit_event SET at = at + interval '1 microsecond' WHERE (batch, place) = (2, 2)`, "batch 2, event 2: is not what was written"},
		{"an event deleted", `DELETE FROM audit_event WHERE (batch, place) = (5, 0)`, "batch 5, event 0: is missing"},
		{"a last event deleted", `DELETE FROM audit_event WHERE (batch, place) = (5, 2)`, "batch 5, event 2: is missing"},
		{"the very last event deleted", `DELETE FROM audit_event WHERE (batch, place) = (8, 2)`, "batch 8, event 2: is missing"},
		{"a batch's events deleted", `DELETE FROM audit_event WHERE batch = 6`, "batch 6, event 0: is missing"},
		{"an event and its count", `DELETE FROM audit_event WHERE (batch, place) = (5, 2); UPDATE audit_batch SET events = 2, marks = substr(marks, 1, 16) WHERE seq = 5`, "batch 5: is not what was written"},
		{"an event added", `INSERT INTO audit_event SELECT batch, at, person_id, id, 3, actor_kind, actor_id, action, fields, purpose, legal_basis, request_id, detail FROM audit_event WHERE (batch, place) = (5, 2)`, "batch 5, event 3: was added later"},
		{"an event doubled", `INSERT INTO audit_event SELECT batch, at + interval '1 s', person_id, id, place, actor_kind, actor_id, action, fields, purpose, legal_basis, request_id, detail FROM audit_event WHERE (batch, place) = (5, 1)`, "batch 5, event 1: was added later"},
		{"an event beyond the end", `INSERT INTO audit_event SELECT 99, at, person_id, id, place, actor_kind, actor_id, action, fields, purpose, legal_basis, request_id, detail FROM audit_event WHERE (batch, place) = (5, 1)`, "batch 99, event 1: belongs to no batch"},
		{"an event before the beginning", `INSERT INTO audit_event SELECT 0, at, person_id, id, place, actor_kind, actor_id, action, fields, purpose, legal_basis, request_id, detail FROM audit_event WHERE (batch, place) = (5, 1)`, "batch 0, event 1: belongs to no batch"},
		{"events in another order", `UPDATE audit_event SET place = 9 WHERE (batch, place) = (3, 0); UPDATE audit_event SET place = 0 WHERE (batch, place) = (3, 1); UPDATE audit_event SET place = 1 WHERE (batch, place) = (3, 9)`, "batch 3, event 0: is not what was written"},
		{"an event in another batch", `UPDATE audit_event SET batch = 2, place = 3 WHERE (batch, place) = (4, 2)`, "batch 2, event 3: was added later"},
		{"a batch deleted", `DELETE FROM audit_batch WHERE seq = 5`, "batch 5: is missing"},
		{"a batch and its events deleted", `DELETE FROM audit_batch WHERE seq = 5; DELETE FROM audit_event WHERE batch = 5`, "batch 5: is missing"},
		{"a batch deleted and the later ones moved up", `DELETE FROM audit_batch WHERE seq = 5; DELETE FROM audit_event WHERE batch = 5;
			UPDATE audit_batch SET seq = 5 WHERE seq = 6; UPDATE audit_event SET batch = 5 WHERE batch = 6; UPDATE audit_batch SET seq = 6 WHERE seq = 7;
			UPDATE audit_event SET batch = 6 WHERE batch = 7; UPDATE audit_batch SET seq = 7 WHERE seq = 8; UPDATE audit_event SET batch = 7 WHERE batch = 8`, "batch 5: does not follow batch 4"},
		{"the first batch deleted", `DELETE FROM audit_batch WHERE seq = 1; DELETE FROM audit_event WHERE batch = 1`, "batch 1: is missing"},
		{"batches in another order", `UPDATE audit_batch SET seq = 99 WHERE seq = 2; UPDATE audit_batch SET seq = 2 WHERE seq = 3; UPDATE audit_batch SET seq = 3 WHERE seq = 99`, "batch 2: does not follow batch 1"},
		{"a batch's time", `UPDATE audit_batch SET at = at + interval '1 microsecond' WHERE seq = 3`, "batch 3: is not what was written"},
		{"a batch's root", `UPDATE audit_batch SET root = sha256('') WHERE seq = 3`, "batch 3: is not what was written"},
		{"a batch's hash", `UPDATE audit_batch SET hash = sha256('') WHERE seq = 8`, "batch 8: is not what was written"},
		{"the tail cut off below a root", `DELETE FROM audit_batch WHERE seq > 5; DELETE FROM audit_event WHERE batch > 5`, "root of 2026-11-22: the chain does not reach batch 6 any more, the last of that day"},
		{"a root deleted", `DELETE FROM audit_root WHERE day = '2026-11-22'`, "root of 2026-11-22: is not the one in the database"},
		{"roots exchanged", `UPDATE audit_root SET jws = (SELECT jws FROM audit_root WHERE day = '2026-11-21') WHERE day = '2026-11-22'`, "root of 2026-11-22: is that of 2026-11-21"},
		{"a root's signature", `UPDATE audit_root SET jws = left(jws, -43) || repeat('A', 43) WHERE day = '2026-11-22'`, "root of 2026-11-22: its signature does not hold"},
		{"the key exchanged", `UPDATE audit_key SET kid = 'mine'`, "root of 2026-11-21: was signed by the key KID, which is not in the database"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			kept := past(h)
			keys, err := audit.Keys(t.Context(), h.db)
			h.must(err)
			if r, err := h.verify(audit.Options{Roots: kept}); err != nil || r.Events != 24 || r.Last != 8 || r.Roots != 2 || r.Kept != 2 {
				t.Fatal(r, err)
			}
			h.forge(strings.Split(c.forged, ";")...)
			h.caught(audit.Options{Roots: kept}, strings.Replace(c.want, "KID", keys.Keys[0].KeyID, 1))
		})
	}
}

// reforge writes a batch and all behind it anew, as the chain would have had them.
func (h *house) reforge(from int64) {
	h.Helper()
	var prev []byte
	h.must(h.db.QueryRow(h.Context(), `SELECT prev FROM audit_batch WHERE seq = $1`, from).Scan(&prev))
	for seq := from; seq <= 8; seq++ {
		events, _, err := audit.Of(h.Context(), h.db, maria, audit.Page{})
		h.must(err)
		var in []audit.Event
		for i := 3 * (8 - seq); i < 3*(9-seq); i++ {
			in = append([]audit.Event{events[i]}, in...)
		}
		marks, root, hash := audit.Forge(seq, prev, in)
		h.exec(`UPDATE audit_batch SET marks = $2, root = $3, prev = $4, hash = $5, at = $6 WHERE seq = $1`, seq, marks, root, prev, hash, in[0].At)
		prev = hash
	}
}

func TestChainRewrittenFromOneBatchOnIsCaughtByTheRootAfterIt(t *testing.T) {
	t.Parallel()

	h := open(t)
	past(h)
	h.forge(`UPDATE audit_event SET purpose = 'nothing' WHERE (batch, place) = (5, 1)`, `ALTER TABLE audit_batch DISABLE TRIGGER USER`)
	h.exec(`ALTER TABLE audit_batch DISABLE TRIGGER USER`)
	h.reforge(5)
	h.caught(audit.Options{}, "root of 2026-11-22: batch 6 is another one than was signed")
}

func TestWholeChainReplacedIsCaughtByTheRootsKeptElsewhere(t *testing.T) {
	t.Parallel()

	h := open(t)
	kept := past(h)
	h.w.Close()
	h.forge(`DELETE FROM audit_event`, `DELETE FROM audit_batch`, `DELETE FROM audit_root`)
	h.clock.Advance(-48 * time.Hour)
	h.w = h.writer()
	past(h) // a chain and roots in order, signed with the key itself
	if r, err := h.verify(audit.Options{}); err != nil || r.Events != 24 || r.Roots != 2 {
		t.Fatalf("the database alone shows nothing: %v, %v", r, err)
	}
	h.caught(audit.Options{Roots: kept}, "root of 2026-11-21: batch 3 is another one than was signed")
}

func TestTailCutOffBehindTheLastRootIsSeenByWhoWroteIt(t *testing.T) {
	t.Parallel()

	h := open(t)
	past(h)
	h.forge(`DELETE FROM audit_batch WHERE seq > 6`, `DELETE FROM audit_event WHERE batch > 6`)
	if _, err := h.verify(audit.Options{}); err != nil {
		t.Fatalf("before the next batch nothing shows it: %v", err)
	}
	h.must(h.w.Record(t.Context(), read(0)))
	h.caught(audit.Options{}, "batch 7, event 1: says that batches up to 8 stood before it and were cut off")
	if !strings.Contains(h.log.String(), "the chain was cut") {
		t.Errorf("log: %s", h.log)
	}
	h.must(h.w.Record(t.Context(), read(1))) // said once
	if n := h.count(`SELECT count(*) FROM audit_event WHERE action = 'audit.chain_cut'`); n != 1 {
		t.Errorf("said %d times", n)
	}
}

func TestPartOfTheChainIsVerifiedByItsDays(t *testing.T) {
	t.Parallel()

	h := open(t)
	kept := past(h)
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		o           audit.Options
		first, last int64
	}{
		{audit.Options{From: day(22), To: day(23)}, 4, 6},
		{audit.Options{To: day(22)}, 1, 3},
		{audit.Options{From: day(23)}, 7, 8},
		{audit.Options{From: day(24)}, 0, 0},
		{audit.Options{To: day(21)}, 0, 0},
	} {
		c.o.Roots = kept
		if r, err := h.verify(c.o); err != nil || r.First != c.first || r.Last != c.last {
			t.Errorf("%v: %+v, %v", c.o, r, err)
		}
	}
	h.forge(`UPDATE audit_event SET purpose = 'nothing' WHERE batch = 2`)
	if _, err := h.verify(audit.Options{From: day(22)}); err != nil {
		t.Error(err)
	}
}

func TestEmptyChainIsInOrder(t *testing.T) {
	t.Parallel()

	h := open(t)
	if r, err := h.verify(audit.Options{}); err != nil || r.Last != 0 {
		t.Error(r, err)
	}
	if sealed, err := audit.Seal(t.Context(), h.db, h.box, h.clock.Now()); err != nil || len(sealed) != 0 {
		t.Error(sealed, err)
	}
}

func TestEveryFieldOfAnEventIsHashedApart(t *testing.T) {
	t.Parallel()

	e := audit.Event{ID: maria, At: time.Date(2026, 11, 21, 9, 0, 0, 1000, time.UTC), Actor: audit.Actor{Kind: audit.Person, ID: "a"},
		Action: "b", Person: maria, Fields: []string{"c", "d"}, Purpose: "e", LegalBasis: "f", RequestID: "g", Detail: map[string]string{"h": "i", "j": "k"}}
	const golden = "80156549ff56efdf31cdf3110f67f2f329a5c018d3b560910f0de3760c23ab17"
	if got := hex.EncodeToString(audit.HashOf(e)); got != golden {
		t.Errorf("the encoding changed: every chain would break: %s", got)
	}
	seen := map[string]string{golden: "the event itself"}
	for what, change := range map[string]func(e *audit.Event){
		"id": func(e *audit.Event) { e.ID[15]++ }, "person": func(e *audit.Event) { e.Person[15]++ }, "time": func(e *audit.Event) { e.At = e.At.Add(time.Microsecond) },
		"kind": func(e *audit.Event) { e.Actor.Kind = audit.Client }, "actor": func(e *audit.Event) { e.Actor.ID = "ab" },
		"action": func(e *audit.Event) { e.Actor.ID, e.Action = "", "ab" }, "purpose": func(e *audit.Event) { e.Purpose = "" },
		"basis": func(e *audit.Event) { e.Purpose, e.LegalBasis = "ef", "" }, "request": func(e *audit.Event) { e.RequestID = "h" },
		"fields joined": func(e *audit.Event) { e.Fields = []string{"cd"} }, "a field moved": func(e *audit.Event) { e.Fields = []string{"d", "c"} },
		"field to detail": func(e *audit.Event) { e.Fields = nil }, "detail": func(e *audit.Event) { e.Detail = map[string]string{"h": "ij", "k": ""} },
		"no detail": func(e *audit.Event) { e.Detail = nil },
	} {
		changed := e
		change(&changed)
		h := hex.EncodeToString(audit.HashOf(changed))
		if other, twice := seen[h]; twice {
			t.Errorf("%s hashes like %s", what, other)
		}
		seen[h] = what
	}
}

func TestEachDayIsSealedOnceEvenWhenNothingHappened(t *testing.T) {
	t.Parallel()

	h := open(t)
	h.must(h.w.Record(t.Context(), read(1)))
	if sealed, err := audit.Seal(t.Context(), h.db, h.box, h.clock.Now()); err != nil || len(sealed) != 0 {
		t.Fatalf("a day that has not ended: %v, %v", sealed, err)
	}
	h.clock.Advance(72 * time.Hour)
	type outcome struct {
		roots []audit.Root
		err   error
	}
	both := make(chan outcome)
	for range 2 {
		go func() {
			roots, err := audit.Seal(t.Context(), h.db, h.box, h.clock.Now())
			both <- outcome{roots, err}
		}()
	}
	a, b := <-both, <-both
	if a.err != nil || b.err != nil || len(a.roots)+len(b.roots) != 3 {
		t.Fatal(a, b)
	}
	old := append(a.roots, b.roots...)[0].KID
	fresh, err := audit.RotateKey(t.Context(), h.db, h.box, h.clock.Now())
	h.must(err)
	h.clock.Advance(24 * time.Hour)
	last, err := audit.Seal(t.Context(), h.db, h.box, h.clock.Now())
	if err != nil || len(last) != 1 || last[0].KID != fresh || fresh == old {
		t.Fatal(last, err)
	}
	roots, err := audit.Roots(t.Context(), h.db, time.Time{})
	if err != nil || len(roots) != 4 || roots[3].Day != "2026-11-24" || roots[3].Batch != 1 {
		t.Fatal(roots, err)
	}
	if r, err := h.verify(audit.Options{}); err != nil || r.Roots != 4 || r.LastRoot != "2026-11-24" {
		t.Error(r, err)
	}
}

func TestPublicKeysAloneAreShown(t *testing.T) {
	t.Parallel()

	h := open(t)
	past(h)
	set, err := audit.Keys(t.Context(), h.db)
	if err != nil || len(set.Keys) != 1 || !set.Keys[0].IsPublic() || !set.Keys[0].Valid() {
		t.Fatal(set, err)
	}
	var sealed []byte
	h.must(h.db.QueryRow(t.Context(), `SELECT private_key FROM audit_key`).Scan(&sealed))
	if _, err := h.box.Open(sealed, []byte("audit_key.private_key/"+set.Keys[0].KeyID)); err != nil {
		t.Error(err)
	}
}
