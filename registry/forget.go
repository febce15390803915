package registry

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
	"github.com/loginunico/loginunico/registry/trust"
)

// ForgetDeclared takes back all that the holder of an account has said of themselves, or brought from
// gov.br, with the
// evidence of level 3 that rested on it, in the caller's transaction: what the bases, a desk or an
// operator said stays, and the values are computed from that. Values that somebody approved are the
// holder's words too, and go.
//
// A number that nobody but the holder brought stays, because it leads to the person whoever holds
// the account. Nothing is deleted: each word gets a void version, so that the past is shown as it
// was. Where nothing was said, nothing is written. Error: ErrNotFound.
func (s *Store) ForgetDeclared(ctx context.Context, tx pg.Tx, person PersonID, now time.Time) error {
	cluster, err := lock(ctx, tx, person)
	if err != nil {
		return err
	}
	before, err := s.ByID(ctx, tx, cluster[0])
	if err != nil {
		return err
	}
	byPerson, err := s.recordsOf(ctx, tx, cluster, uuid.Nil)
	if err != nil {
		return err
	}
	now = afterAll(byPerson, now)
	some := false
	for _, id := range cluster {
		said, others := standingWords(byPerson[id])
		if len(said) == 0 {
			continue
		}
		some = true
		if err := s.takeBack(ctx, tx, id, said, others, now); err != nil {
			return err
		}
	}
	if !some {
		return nil
	}
	if _, err := s.recompute(ctx, tx, cluster[0], now); err != nil {
		return err
	}
	if err := revokeMatches(ctx, tx, cluster, now); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, audit.Event{At: now, Actor: audit.Actor{Kind: audit.System, ID: "registry"}, Action: "registry.forget",
		Person: cluster[0], Fields: slices.Sorted(maps.Keys(before.Declared))})
}

// afterAll is now, or just after the last record where a process with a faster clock filed it: a
// void version ends what came before it.
func afterAll(byPerson map[PersonID][]pmcc.Record, now time.Time) time.Time {
	for _, records := range byPerson {
		for _, r := range records {
			if last := r.Received(); !now.After(last) {
				now = last.Add(time.Microsecond)
			}
		}
	}
	return now
}

// standingWords parts one person's records, oldest first, into what the citizen said that still
// counts and what others did.
func standingWords(records []pmcc.Record) (said, others []pmcc.Record) {
	taken := map[int64]bool{}
	for _, r := range slices.Backward(records) {
		switch {
		case r.Source != SourceSelf && r.Source != SourceGovBR:
			others = append(others, r)
		case r.Content.IsVoid():
			taken[r.Key] = true
		case !taken[r.Key]:
			said = append(said, r)
		}
	}
	return said, others
}

// takeBack files what ends the words of one person, many in a row of source_record, and the numbers
// that must stay.
func (s *Store) takeBack(ctx context.Context, tx pg.Tx, id PersonID, said, others []pmcc.Record, now time.Time) error {
	var rows []filed
	for left := said; len(left) > 0; {
		row, plain, n := rowID(s.ids.At(now)), []byte(nil), 0
		for ; n < len(left) && n < rowRecords && len(plain) < rowBytes; n++ {
			plain = appendRecord(plain, left[n].Source, left[n].Key, record.Void(now))
		}
		rows = append(rows, filed{pmcc.Record{ID: row}, s.box.Class(recordPurpose).Seal(plain, recordAAD(id, row))})
		left = left[n:]
	}
	if err := insertRecords(ctx, tx, id, rows); err != nil {
		return err
	}
	kept, err := s.numbersOnlySaid(ctx, tx, said, others, now)
	for _, c := range kept {
		if err := s.say(ctx, tx, id, c, now); err != nil {
			return err
		}
	}
	return err
}

// numbersOnlySaid are the CPF and CNPJ that others do not vouch for, as records of nothing else.
func (s *Store) numbersOnlySaid(ctx context.Context, tx pg.Tx, said, others []pmcc.Record, now time.Time) (kept []record.Content, err error) {
	policy, err := s.Policy(ctx, tx, now)
	if err != nil {
		return nil, err
	}
	golden, err := pmcc.NewComputer(policy).Compute(others, nil)
	if err != nil {
		return nil, err
	}
	cpf, cnpj := documentsOf(golden)
	known := map[string]bool{cpf.Digits(): true, cnpj.Text(): true}
	for _, r := range said {
		head, values, err := r.Content.Open()
		if err != nil {
			return nil, err
		}
		for v, ok := values.Next(); ok; v, ok = values.Next() {
			if number := string(v.Text); (v.Field == record.CPF || v.Field == record.CNPJ) && !known[number] {
				known[number] = true
				kept = append(kept, record.Begin(nil, head.Level, time.Unix(head.Effective, 0)).Append(v))
			}
		}
	}
	return kept, nil
}

// revokeMatches ends the evidence that the words agreed with what the bases know.
func revokeMatches(ctx context.Context, tx pg.Tx, cluster []PersonID, now time.Time) error {
	for _, id := range cluster {
		all, err := trust.Of(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, e := range all {
			if !matchOfWords(e) || !e.LiveAt(now) {
				continue
			}
			if _, err := trust.Revoke(ctx, tx, id, e.ID, "forgotten", "registry", now); err != nil {
				return err
			}
		}
	}
	return nil
}
