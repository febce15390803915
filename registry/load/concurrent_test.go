package load_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/load"
)

// atOnce runs every function in a goroutine of its own and returns when all have.
func (w *town) atOnce(fns ...func(ctx context.Context) error) {
	w.t.Helper()
	done := make(chan error)
	for _, fn := range fns {
		go func() { done <- fn(w.t.Context()) }()
	}
	for range fns {
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	}
}

func (w *town) loading(d ...delivery) func(context.Context) error {
	job := w.delivered(d...)
	return func(ctx context.Context) error {
		_, err := load.Run(ctx, w.db, w.box, w.store, job)
		return err
	}
}

// citizen is somebody at the door: they register, or find that the city knows them, and say more.
func (w *town) citizen(cpf brdoc.CPF, at time.Time) func(context.Context) error {
	mail := registry.Fields{"email": {Text: cpf.Digits() + "@example.org", Source: registry.SourceSelf}}
	said := registry.Fields{"email": mail["email"], "cpf": {Text: cpf.Digits()}} // the same words for a record that is there
	return func(ctx context.Context) error {
		p, err := w.store.Create(ctx, w.db, registry.Person{CPF: cpf, Fields: mail}, at)
		if errors.Is(err, registry.ErrCPFTaken) {
			if p, err = w.store.ByCPF(ctx, w.db, cpf); err == nil {
				err = pg.InTx(ctx, w.db, func(tx pg.Tx) error { return w.store.Update(ctx, tx, p.ID, said, 1, at) })
			}
		}
		if err != nil {
			return err
		}
		return pg.InTx(ctx, w.db, func(tx pg.Tx) error {
			return w.store.Update(ctx, tx, p.ID, registry.Fields{"passport": {Text: "X" + cpf.Digits()}}, 1, at.Add(time.Second))
		})
	}
}

func TestLoadsAtOnceAndCitizensAtTheDoorGiveWhatOneAfterAnotherDoes(t *testing.T) {
	t.Parallel()

	for seed := range uint64(2) {
		r := rand.New(rand.NewPCG(seed, 19))
		const people = 120
		all := deliveries(r, 3, people)
		for i, source := range []string{"saude", "fazenda", "assistencia"} {
			all[i].source = source
		}
		again := delivery{all[0].source, strings.ReplaceAll(all[0].text, ";20", ";19")} // the same source once more, older
		cpfs := map[brdoc.CPF]bool{}
		for _, line := range strings.Split(all[1].text, "\n")[1:] {
			if columns := strings.Split(line, ";"); len(columns) > 1 && columns[1] != "" {
				cpf, err := brdoc.ParseCPF(columns[1])
				if err != nil {
					t.Fatal(err)
				}
				cpfs[cpf] = true
			}
		}
		door := time.Now().UTC().Truncate(time.Second)

		serial := base(t)
		for _, d := range append(all, again) {
			serial.run(serial.delivered(d))
		}
		w := base(t)
		work := []func(context.Context) error{w.loading(all[0]), w.loading(all[0]), w.loading(all[1]), w.loading(all[2]), w.loading(again)}
		for cpf := range cpfs {
			serial.must(serial.citizen(cpf, door)(t.Context()))
			work = append(work, w.citizen(cpf, door))
		}
		r.Shuffle(len(work), func(i, j int) { work[i], work[j] = work[j], work[i] })
		w.atOnce(work...)
		serial.whole()
		w.whole()
		alike(t, fmt.Sprintf("seed %d, at once", seed), serial.picture(), w.picture())
		if got, want := w.count(`SELECT count(*) FROM registry_load`), 4; got != want {
			t.Errorf("%d loads, want %d: one file twice is one", got, want)
		}
		if got, want := w.count(`SELECT count(*) FROM cpf_index`), serial.count(`SELECT count(*) FROM cpf_index`); got != want {
			t.Errorf("%d documents, want %d", got, want)
		}
		got, want := w.recordsBy(), serial.recordsBy()
		for _, source := range []string{"fazenda", "self"} {
			if got[source] != want[source] {
				t.Errorf("%d records of %s, want %d", got[source], source, want[source])
			}
		}
	}
}
