package review

import (
	"cmp"
	"context"
	"slices"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/match"
)

// Matcher finds, joins and parts people. It is safe for concurrent use.
type Matcher struct {
	box    registry.Sealer
	store  *registry.Store
	model  *match.Model
	limits match.Limits
}

// New makes a Matcher of what agreement says (match.Default, or learnt from the city's own base) and
// of how sure is sure enough.
func New(box registry.Sealer, store *registry.Store, model *match.Model, limits match.Limits) *Matcher {
	return &Matcher{box: box, store: store, model: model, limits: limits}
}

const (
	// maxBlock is the most people a block may hold for all of them to be candidates. In a larger one
	// each has those most alike, of at most maxCrowd people; one larger still says too little, as a
	// name that tens of thousands bear, and is counted. maxAtOnce is the same while somebody waits.
	maxBlock, maxCrowd, maxAtOnce = 200, 20_000, 2_000

	mostAlike = 20 // candidates of one large block

	// shared is how many keys two people must share to be compared: one error leaves two standing
	// (match.Prepared.Keys). Who has fewer keys must share all.
	shared = 2

	leastPeople = 10_000 // a small base is judged as carefully as this
)

// forBase is the model with the odds of a base as large as this one.
func (m *Matcher) forBase(ctx context.Context, db pg.DB) (*match.Model, error) {
	n, err := population(ctx, db)
	return m.model.For(int(max(n, leastPeople))), err
}

// subject is a person ready to be compared.
type subject struct {
	known
	prepared *match.Prepared
	keys     []int64
	waiting  []registry.PersonID // with whom they wait for a human
	near     []registry.PersonID // whom they are most like in large blocks
}

func prepare(d registry.Digester, k known) *subject {
	s := &subject{known: k, prepared: match.Prepare(SubjectOf(k.Person))}
	s.keys = keysOf(d, s.prepared)
	s.Fields, s.Declared = nil, nil // its memory is many times what is compared
	return s
}

// keysOf are the digests of a subject's blocking keys.
func keysOf(d registry.Digester, p *match.Prepared) []int64 {
	texts := p.Keys()
	keys := make([]int64, len(texts))
	for i, text := range texts {
		keys[i] = d.Block(text)
	}
	return keys
}

// file renews the keys of a page of people. Those who were merged, or are gone, have none.
func (m *Matcher) file(ctx context.Context, db *pg.Pool, d registry.Digester, page []registry.PersonID) error {
	people, err := m.peopleOf(ctx, db, page)
	if err != nil {
		return err
	}
	wanted, alive := map[key]bool{}, map[registry.PersonID]bool{}
	for _, k := range people {
		alive[k.ID] = true
		for _, block := range keysOf(d, match.Prepare(SubjectOf(k.Person))) {
			wanted[key{block, k.ID}] = true
		}
	}
	gone := slices.DeleteFunc(slices.Clone(page), func(id registry.PersonID) bool { return alive[id] })
	return again(func() error {
		return pg.InTx(ctx, db, func(tx pg.Tx) error {
			if err := renewKeys(ctx, tx, page, wanted); err != nil {
				return err
			}
			return keysFiled(ctx, tx, page, gone)
		})
	})
}

// renewKeys makes the keys of some people those wanted.
func renewKeys(ctx context.Context, tx pg.Tx, people []registry.PersonID, wanted map[key]bool) error {
	filed, err := filedKeys(ctx, tx, people)
	if err != nil {
		return err
	}
	if old := missing(filed, wanted); len(old) > 0 {
		if err := deleteKeys(ctx, tx, old); err != nil {
			return err
		}
	}
	if fresh := missing(wanted, filed); len(fresh) > 0 {
		return insertKeys(ctx, tx, fresh)
	}
	return nil
}

// missing are the keys that are in one set and not in another, in the order of the index.
func missing(in, from map[key]bool) (keys []key) {
	for k := range in {
		if !from[k] {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.block, b.block), slices.Compare(a.person[:], b.person[:]))
	})
	return keys
}

// attempts is how often a transaction that meets others is tried.
const attempts = 10

// again tries until no other transaction is in the way.
func again(try func() error) error {
	for n := 1; ; n++ {
		if err := try(); err == nil || !collided(err) || n == attempts {
			return err
		}
	}
}
