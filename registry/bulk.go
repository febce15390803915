package registry

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

// Incoming is one record of a source on its way in.
type Incoming struct {
	Document uuid.UUID // key of the CPF or CNPJ, see [Bulk.Document]; zero: without
	Legal    bool      // an organization
	Source   string
	Key      int64 // [Digester.Key]
	Digest   int64 // [Digester.Content]
	Line     int64 // where it stood, for the order of two deliveries of one record in one load
	Content  record.Content
}

// Compare orders records as chunks want them: by document, key and line.
func (a *Incoming) Compare(b *Incoming) int {
	return cmp.Or(bytes.Compare(a.Document[:], b.Document[:]), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Line, b.Line))
}

// Chunk is what one transaction files.
type Chunk struct {
	Load    uuid.UUID
	Number  int  // within the load: a chunk that was committed is not filed again
	Fresh   bool // nothing of these sources was ever filed, so that nobody need be looked up by key
	Records []Incoming
}

// Tally counts what became of records. It adds up.
type Tally struct {
	Records   int64            `json:"records"`
	New       int64            `json:"new"`       // records filed for the first time
	Updated   int64            `json:"updated"`   // newer versions of filed ones
	Unchanged int64            `json:"unchanged"` // delivered before, word for word
	Moved     int64            `json:"moved"`     // now about somebody else
	People    int64            `json:"people"`    // new people
	Changed   int64            `json:"changed"`   // people whose values were computed anew
	Documents int64            `json:"documents"` // different CPFs or CNPJs
	Matched   int64            `json:"matched"`   // accounts that reached level 3
	Pending   int64            `json:"pending"`   // values that wait for a human
	Conflicts map[string]int64 `json:"conflicts"` // field → people about whom two sources disagree
	Refused   map[string]int64 `json:"refused"`   // "field: reason" → values
}

// Add adds up.
func (t *Tally) Add(o Tally) {
	t.Records, t.New, t.Updated, t.Unchanged, t.Moved = t.Records+o.Records, t.New+o.New, t.Updated+o.Updated, t.Unchanged+o.Unchanged, t.Moved+o.Moved
	t.People, t.Changed, t.Documents = t.People+o.People, t.Changed+o.Changed, t.Documents+o.Documents
	t.Matched, t.Pending = t.Matched+o.Matched, t.Pending+o.Pending
	for from, into := range map[*map[string]int64]*map[string]int64{&o.Conflicts: &t.Conflicts, &o.Refused: &t.Refused} {
		for k, n := range *from {
			if *into == nil {
				*into = map[string]int64{}
			}
			(*into)[k] += n
		}
	}
}

// Bulk files chunks of records in PostgreSQL by COPY. It serves one goroutine; several Bulks, and
// everybody else who writes people, work at once: a chunk that meets somebody else's row is tried
// again from the start.
type Bulk struct {
	store    *Store
	db       *pg.Pool
	policy   *pmcc.Policy
	computer *pmcc.Computer
	packer   packer
	now      func() time.Time

	people, index, records pg.Copy
	tally                  Tally
	conflicts              [record.Fields]int64
	refused                map[refusalKey]int64
	waiting                []waitingValue
}

type refusalKey struct {
	field record.Field
	code  string
}

// NewBulk applies the policy now in force.
func (s *Store) NewBulk(ctx context.Context, db *pg.Pool, now func() time.Time) (*Bulk, error) {
	policy, err := s.Policy(ctx, db, now())
	if err != nil {
		return nil, err
	}
	if _, err := s.Digester(ctx, db); err != nil {
		return nil, err
	}
	return &Bulk{store: s, db: db, policy: policy, computer: pmcc.NewComputer(policy), now: now, refused: map[refusalKey]int64{}}, nil
}

// attempts is how often a chunk that meets others is tried; each try sees what they committed.
const attempts = 20

// File files a chunk whole or not at all. A chunk the load has committed before gives its tally of
// then and changes nothing.
func (b *Bulk) File(ctx context.Context, c Chunk) (Tally, error) {
	for try := 1; ; try++ {
		b.reset()
		err := pgx.BeginFunc(ctx, b.db, func(tx pgx.Tx) error {
			done, err := b.once(ctx, tx, c)
			if err != nil || done {
				return err
			}
			if err := b.file(ctx, tx, c); err != nil {
				return err
			}
			return insertChunk(ctx, tx, c, b.sum(c), b.now())
		})
		if err == nil || !collided(err) || try == attempts {
			return b.tally, err
		}
	}
}

// collided recognises that another transaction was first: a document found between our look and
// our COPY, a deadlock, a serialization failure.
func collided(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && slices.Contains([]string{"23505", "40001", "40P01"}, e.Code)
}

func (b *Bulk) reset() {
	b.people.Reset()
	b.index.Reset()
	b.records.Reset()
	b.tally, b.conflicts = Tally{}, [record.Fields]int64{}
	clear(b.refused)
	b.waiting = b.waiting[:0]
}

func (b *Bulk) once(ctx context.Context, tx pgx.Tx, c Chunk) (bool, error) {
	tally, done, err := chunkTally(ctx, tx, c)
	if done {
		b.tally = tally
	}
	return done, err
}

func (b *Bulk) sum(c Chunk) Tally {
	b.tally.Records = int64(len(c.Records))
	for f, n := range b.conflicts {
		if n > 0 {
			b.tally.Add(Tally{Conflicts: map[string]int64{record.Field(f).String(): n}})
		}
	}
	for k, n := range b.refused {
		b.tally.Add(Tally{Refused: map[string]int64{k.field.String() + ": " + k.code: n}})
	}
	return b.tally
}

// group is the records of one person in a chunk, before and after it is known who that is.
type group struct {
	records []Incoming
	person  PersonID // zero: new
}

func (b *Bulk) file(ctx context.Context, tx pgx.Tx, c Chunk) error {
	known, err := b.lookUp(ctx, tx, c)
	if err != nil {
		return err
	}
	touched := map[PersonID]bool{}
	for rest := c.Records; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Document == rest[0].Document && (rest[0].Document != uuid.Nil || rest[n].Key == rest[0].Key) {
			n++
		}
		g := group{records: rest[:n]}
		rest = rest[n:]
		if err := b.place(&g, known, touched, c.Load); err != nil {
			return err
		}
	}
	if err := b.send(ctx, tx); err != nil {
		return err
	}
	return b.renew(ctx, tx, touched)
}

// send copies what was gathered, each table in one COPY.
func (b *Bulk) send(ctx context.Context, tx pgx.Tx) error {
	return cmp.Or(
		b.index.Send(ctx, tx, copyIndex),
		b.people.Send(ctx, tx, copyPeople),
		b.records.Send(ctx, tx, copyRecords))
}

// place files the records of a group under their person, a new one where nobody is known.
func (b *Bulk) place(g *group, known *lookUp, touched map[PersonID]bool, load uuid.UUID) error {
	if g.records[0].Document != uuid.Nil {
		g.person = known.byDocument[g.records[0].Document]
		b.tally.Documents++
	}
	adopted := false
	if g.person == uuid.Nil {
		g.person, adopted = known.heir(g)
	}
	fresh := g.person == uuid.Nil
	if fresh {
		g.person = b.store.ids.At(b.now())
	}
	filed := b.fileAll(g, known, touched, load)
	switch {
	case fresh:
		return b.create(g, filed)
	case adopted:
		b.found(g)
		touched[g.person] = true
	case len(filed) > 0:
		touched[g.person] = true
	}
	return nil
}

// fileAll files what is new in a group and returns it as the policy wants it.
func (b *Bulk) fileAll(g *group, known *lookUp, touched map[PersonID]bool, load uuid.UUID) []pmcc.Record {
	var filed []pmcc.Record
	last := map[int64]int64{} // of the versions within this load
	for i := range g.records {
		r := &g.records[i]
		digest := r.Digest
		if was, again := last[r.Key]; again && was == digest {
			b.tally.Unchanged++
			continue
		}
		if old := known.version(r.Key, g.person); old != nil {
			if _, again := last[r.Key]; !again && old.digest == digest {
				b.tally.Unchanged++
				last[r.Key] = digest
				continue
			}
			b.tally.Updated++
		} else {
			b.tally.New++
			b.withdraw(r, g.person, known, touched, load)
		}
		last[r.Key] = digest
		filed = append(filed, b.add(g.person, r.Source, r.Key, digest, r.Content, load))
	}
	return filed
}

// withdraw ends what a record said of somebody else before: its source has corrected the document.
func (b *Bulk) withdraw(r *Incoming, person PersonID, known *lookUp, touched map[PersonID]bool, load uuid.UUID) {
	for _, holder := range known.holders(r.Key) {
		if holder == person {
			continue
		}
		void := record.Void(b.now())
		b.add(holder, r.Source, r.Key, b.store.digester.Content(void), void, load)
		touched[holder] = true
		b.tally.Moved++
	}
}

// add gathers the row of a record.
func (b *Bulk) add(person PersonID, source string, key, digest int64, content record.Content, load uuid.UUID) pmcc.Record {
	id := b.store.ids.At(b.now())
	c := &b.records
	c.Row(8)
	c.UUID(person)
	c.UUID(id)
	c.Text(source)
	c.Int64(key)
	c.Int64(digest)
	c.UUID(load)
	c.Bool(content.IsVoid())
	c.Append(func(dst []byte) []byte {
		return b.store.box.Class(recordPurpose).AppendSeal(dst, content, recordAAD(person, id))
	})
	return pmcc.Record{ID: id, Source: source, Key: key, Content: content}
}

// create computes a new person and gathers the rows.
func (b *Bulk) create(g *group, records []pmcc.Record) error {
	golden, err := b.computer.Compute(records, nil)
	if err != nil {
		return err
	}
	b.count(golden)
	parts := b.packer.pack(golden, records, b.policy.Version)
	first := &g.records[0]
	c, now := &b.people, b.now()
	c.Row(11)
	c.UUID(g.person)
	if first.Legal {
		c.Text("legal")
	} else {
		c.Text("natural")
	}
	for part := range record.Classes {
		b.seal(c, g.person, part, parts[part])
	}
	c.Int32(int32(b.policy.Version))
	c.Bool(first.Document == uuid.Nil)
	c.Time(now)
	c.Time(now)
	if first.Document != uuid.Nil {
		b.found(g)
	}
	b.waiting = append(b.waiting, waiting(g.person, golden, records)...)
	b.tally.People++
	return nil
}

// found gathers the row by which a group's document leads to its person.
func (b *Bulk) found(g *group) {
	b.index.Row(3)
	b.index.UUID(g.records[0].Document)
	b.index.Int16(b.store.box.IndexVersion())
	b.index.UUID(g.person)
}

func (b *Bulk) seal(c *pg.Copy, person PersonID, part int, plain []byte) {
	if plain == nil {
		c.Null()
		return
	}
	c.Append(func(dst []byte) []byte {
		return b.store.box.Class(purposes[part]).AppendSeal(dst, plain, aad(person, part))
	})
}

func (b *Bulk) count(g *pmcc.Golden) {
	b.tally.Pending += int64(len(g.Pending))
	for _, f := range g.Conflicts {
		b.conflicts[f]++
	}
	for _, r := range g.Refused {
		if r.Code != "lost" {
			b.refused[refusalKey{r.Field, r.Code}]++
		}
	}
}
