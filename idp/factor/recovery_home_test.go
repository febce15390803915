package factor_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
)

// home is a rig whose person is Maria, with an account: a password, a confirmed mail.
type home struct {
	*rig
	*factor.Recoveries
	hasher *factor.Hasher
	sent   []factor.Dispatch
}

const phoneOfMaria = "+5541999990000"

func newHome(t *testing.T) *home { t.Helper(); return newHomeWith(t, true) }

func newHomeWith(t *testing.T, questions bool) *home {
	t.Helper()
	h := &home{rig: newRig(t), hasher: factor.NewHasher(0)}
	h.Recoveries = factor.NewRecoveries(h.box, h.hasher, questions, h.clock.Now)
	h.must(h.inTx(func(tx pg.Tx) (err error) {
		r := factor.Registration{CPF: maria.Digits(), Email: "maria@example.org", Hash: "$argon2id$old"}
		h.person, err = factor.Register(t.Context(), tx, registry.NewStore(h.box), r, h.clock.Now())
		return err
	}))
	return h
}

// post is the courier: it keeps what is sent.
func (h *home) post(_ context.Context, _ pg.Tx, d factor.Dispatch) error {
	h.sent = append(h.sent, d)
	return nil
}

// start begins a recovery and works its job; what was sent is the zero Dispatch where nothing was.
func (h *home) start(cpf brdoc.CPF, way factor.Way) (id uuid.UUID, d factor.Dispatch) {
	h.t.Helper()
	id, job := h.ask(h.t.Context(), cpf, way)
	before := len(h.sent)
	h.must(h.inTx(func(tx pg.Tx) error { return h.Deliver(h.t.Context(), tx, job, h.post) }))
	if len(h.sent) > before {
		d = h.sent[before]
	}
	return id, d
}

// ask begins a recovery.
func (h *home) ask(ctx context.Context, cpf brdoc.CPF, way factor.Way) (id uuid.UUID, job factor.RecoveryRequest) {
	h.t.Helper()
	h.must(pg.InTx(ctx, h.db, func(tx pg.Tx) (err error) {
		id, err = h.Start(ctx, tx, cpf, way, h.browser, uuid.Nil, func(_ context.Context, _ pg.Tx, r factor.RecoveryRequest) error {
			job = r
			return nil
		})
		return err
	}))
	return id, job
}

func (h *home) prove(id uuid.UUID, code string) (bool, int) {
	h.t.Helper()
	ok, left, err := h.Prove(h.t.Context(), h.db, id, h.browser, code)
	h.must(err)
	return ok, left
}

func (h *home) finish(id uuid.UUID) (o factor.Outcome, err error) {
	h.t.Helper()
	err = h.inTx(func(tx pg.Tx) (err error) {
		o, err = h.Finish(h.t.Context(), tx, id, h.browser, "$argon2id$new")
		return err
	})
	return o, err
}

func (h *home) password() (hash string) {
	h.t.Helper()
	h.must(h.db.QueryRow(h.t.Context(), `SELECT hash FROM password WHERE person_id = $1`, h.person).Scan(&hash))
	return hash
}

func (h *home) enrolled() factor.Enrolled {
	h.t.Helper()
	e, err := factor.EnrolledOf(h.t.Context(), h.db, h.box, h.person)
	h.must(err)
	return e
}

// reach adds a confirmed address.
func (h *home) reach(kind factor.ChannelKind, a factor.Address) uuid.UUID {
	h.t.Helper()
	channels := factor.NewChannels(h.box, h.clock.Now)
	var id uuid.UUID
	h.must(h.inTx(func(tx pg.Tx) (err error) {
		id, err = channels.Add(h.t.Context(), tx, h.person, kind, a, h.post)
		return err
	}))
	ok, _, err := channels.Confirm(h.t.Context(), h.db, h.person, id, h.sent[len(h.sent)-1].Code)
	h.must(err)
	if !ok {
		h.t.Fatal("the address's own code does not confirm it")
	}
	return id
}
