package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/trust"
)

// Adopt files what the release before kept of people, one sealed JSON a person, as records of the
// citizen at the trust level they have, a few hundred at a time. Several processes may do it at once, and a release that finds
// nothing to do spends one look at an empty index.
func (s *Store) Adopt(ctx context.Context, db *pg.Pool, now time.Time) error {
	for {
		n := 0
		err := pg.InTx(ctx, db, func(tx pg.Tx) error {
			old, err := oldForms(ctx, tx, 200)
			if err != nil {
				return err
			}
			n = len(old)
			for _, o := range old {
				if err := s.adopt(ctx, tx, o, now); err != nil {
					return fmt.Errorf("person %s: %w", o.id, err)
				}
			}
			return nil
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

// oldForm is a row of the release before.
type oldForm struct {
	id      PersonID
	fields  []byte
	created time.Time
}

func (s *Store) adopt(ctx context.Context, tx pg.Tx, o oldForm, now time.Time) error {
	plain, err := s.box.Open(o.fields, o.id[:])
	if err != nil {
		return err
	}
	var was struct {
		CPF    string `json:"cpf"`
		Fields map[string]struct {
			Text      string     `json:"v"`
			At        time.Time  `json:"t"`
			Confirmed *time.Time `json:"c"`
		} `json:"f"`
	}
	if err := json.Unmarshal(plain, &was); err != nil {
		return err
	}
	fields := Fields{}
	if was.CPF != "" {
		fields["cpf"] = Value{Text: was.CPF}
	}
	effective := o.created
	for name, v := range was.Fields {
		fields[name] = Value{Text: v.Text, Confirmed: v.Confirmed}
		if v.At.After(effective) {
			effective = v.At
		}
	}
	evidence, err := trust.Of(ctx, tx, o.id)
	if err != nil {
		return err
	}
	c, err := content(fields, max(1, trust.Level(evidence, now)), effective)
	if err != nil {
		return err
	}
	if err := s.say(ctx, tx, o.id, c, now); err != nil {
		return err
	}
	_, err = s.recompute(ctx, tx, o.id, now)
	return err
}
