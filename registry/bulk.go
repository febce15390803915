package registry

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
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
	sealers  [sealedParts + 1]*secret.Cipher // of the parts, and of records

	people, index, first, records, keys pg.Copy
	at                                  time.Time // of the chunk
	ids                                 record.Series
	tally                               Tally
	conflicts                           [record.Fields]int64
	refused                             map[refusalKey]int64
	waiting                             []waitingValue
	stood                               map[PersonID]PersonID // who stood for those with new records when we looked

	filed  []pmcc.Record // memory of fileAll, addAll, seal
	latest []latest
	row    []byte
	shared shared // the row that new people's records go into
	aad    [32]byte
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
	b := &Bulk{store: s, db: db, policy: policy, computer: pmcc.NewComputer(policy), now: now, refused: map[refusalKey]int64{},
		stood: map[PersonID]PersonID{}}
	for part, purpose := range purposes {
		b.sealers[part] = s.box.Class(purpose)
	}
	b.sealers[sealedParts] = s.box.Class(recordPurpose)
	return b, nil
}

// reset begins a chunk, or begins it again.
func (b *Bulk) reset(c Chunk) {
	b.at = b.now()
	b.ids.Begin(&b.store.ids, b.at, 3*len(c.Records)) // at most a person, a row, and a void one each
	b.people.Reset()
	b.keys.Reset()
	b.index.Reset()
	b.first.Reset()
	b.records.Reset()
	if c.Fresh { // what a record takes, about, at its first time
		b.people.Grow(350 * len(c.Records))
		b.first.Grow(300 * len(c.Records))
		b.keys.Grow(60 * len(c.Records))
	}
	b.shared.records = 0
	b.tally, b.conflicts = Tally{}, [record.Fields]int64{}
	clear(b.refused)
	clear(b.stood)
	b.waiting = b.waiting[:0]
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
	records  []Incoming
	person   PersonID  // zero: new
	fresh    bool      // new, with an id already
	row      uuid.UUID // of the first of its new records
	together bool      // with others' in that row
}

func (b *Bulk) file(ctx context.Context, tx pg.Tx, c Chunk) error {
	known, err := b.lookUp(ctx, tx, c)
	if err != nil {
		return err
	}
	touched := map[PersonID]bool{} // who stands for a person with new records
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
	b.endShared(c.Load)
	if err := b.send(ctx, tx); err != nil {
		return err
	}
	return b.renew(ctx, tx, touched, known)
}

// send copies what was gathered, each table in one COPY; first the one where others may have been
// before us.
func (b *Bulk) send(ctx context.Context, tx pg.Tx) error {
	for _, table := range []struct {
		rows *pg.Copy
		sql  string
	}{{&b.index, copyIndex}, {&b.people, copyPeople}, {&b.first, copyFirst}, {&b.records, copyRecords}, {&b.keys, copyKeys}} {
		if err := table.rows.Send(ctx, tx, table.sql); err != nil {
			return err
		}
	}
	return nil
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
	if g.fresh = g.person == uuid.Nil; g.fresh {
		g.person = b.ids.Next()
	}
	filed, err := b.fileAll(g, known, touched, load)
	if err != nil {
		return err
	}
	switch {
	case g.fresh:
		return b.create(g, filed)
	case adopted:
		b.found(g)
		touched[b.stands(g.person, known)] = true
	case len(filed) > 0:
		touched[b.stands(g.person, known)] = true
	}
	return nil
}

// stands is who stands for a person who has new records.
func (b *Bulk) stands(person PersonID, known *lookUp) PersonID {
	root := known.root(person)
	b.stood[person] = root
	return root
}

// fileAll files what is new in a group, record by record, and returns it as the policy wants it,
// until the next call.
func (b *Bulk) fileAll(g *group, known *lookUp, touched map[PersonID]bool, load uuid.UUID) ([]pmcc.Record, error) {
	b.filed, b.latest = b.filed[:0], b.latest[:0]
	for rest := g.records; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Key == rest[0].Key {
			n++
		}
		run := rest[:n]
		rest = rest[n:]
		old := known.version(run[0].Key, g.person)
		if old != nil || len(known.history[run[0].Key]) == 0 {
			b.fileVersions(run, old)
		} else if err := b.move(run, g.person, known, touched, load); err != nil {
			return nil, err
		}
	}
	if len(b.filed) > 0 {
		if g.fresh {
			b.share(g, load)
		} else {
			g.row = b.addAll(g.person, b.filed, load)
		}
		for i := range b.latest {
			b.addKey(&b.latest[i], g.row, g.person)
		}
	}
	return b.filed, nil
}

// fileVersions files those versions of one record that differ from the one before; old is the one
// that stands.
func (b *Bulk) fileVersions(run []Incoming, old *version) {
	var last int64
	has := old != nil
	if has {
		last = old.digest
	}
	for i := range run {
		r := &run[i]
		switch {
		case has && last == r.Digest:
			b.tally.Unchanged++
			continue
		case has && old != nil:
			b.tally.Updated++
		default:
			b.tally.New++
		}
		last, has = r.Digest, true
		b.keep(r.Source, r.Key, r.Digest, r.Content)
	}
}

// latest is the newest version of a record among those kept of a group.
type latest struct {
	key, digest int64
	voids       bool
}

// keep puts a version of a record to those that are filed for the person of the group at hand; the
// versions of one record follow one another.
func (b *Bulk) keep(source string, key, digest int64, content record.Content) {
	b.filed = append(b.filed, pmcc.Record{Source: source, Key: key, Content: content})
	if n := len(b.latest); n == 0 || b.latest[n-1].key != key {
		b.latest = append(b.latest, latest{key: key})
	}
	at := &b.latest[len(b.latest)-1]
	at.digest, at.voids = digest, content.IsVoid()
}

// withdraw ends what a record said of somebody else before: its source has corrected the document.
func (b *Bulk) withdraw(r *Incoming, person PersonID, known *lookUp, touched map[PersonID]bool, load uuid.UUID) {
	for _, holder := range known.holders(r.Key) {
		if holder == person {
			continue
		}
		void := [1]pmcc.Record{{Source: r.Source, Key: r.Key, Content: record.Void(b.at)}}
		row := b.addAll(holder, void[:], load)
		b.addKey(&latest{key: r.Key, voids: true}, row, holder)
		touched[b.stands(holder, known)] = true
		b.tally.Moved++
	}
}

// share puts the records of a new person into the row that others are in too, or, where they are too
// many for it, into rows of their own.
func (b *Bulk) share(g *group, load uuid.UUID) {
	if b.shared.records > 0 && !b.shared.fits(b.filed) {
		b.endShared(load)
	}
	if b.shared.records == 0 {
		b.shared.begin(rowID(b.ids.Next()))
	}
	if !b.shared.fits(b.filed) {
		g.row = b.addAll(g.person, b.filed, load)
		return
	}
	b.shared.add(g.person, b.filed)
	g.row, g.together = b.shared.id, true
}

// endShared gathers the row of several people.
func (b *Bulk) endShared(load uuid.UUID) {
	if b.shared.records == 0 {
		return
	}
	b.first.Row(3)
	b.first.UUID(b.shared.id)
	b.first.UUID(load)
	b.sealRow(&b.first, b.shared.id, b.shared.id, b.shared.plain)
	b.shared.records = 0
}

// addAll gathers the rows of records of one person, gives the records their ids and returns that
// of the first row.
func (b *Bulk) addAll(person PersonID, records []pmcc.Record, load uuid.UUID) (first uuid.UUID) {
	for at := 0; at < len(records); {
		row := rowID(b.ids.Next())
		if at == 0 {
			first = row
		}
		b.row = b.row[:0]
		n := 0
		for ; at < len(records) && n < rowRecords && (n == 0 || len(b.row)+len(records[at].Content) < rowBytes); at, n = at+1, n+1 {
			r := &records[at]
			r.ID = row
			r.ID[15] = byte(n)
			b.row = appendRecord(b.row, r.Source, r.Key, r.Content)
		}
		c := &b.records
		c.Row(4)
		c.UUID(person)
		c.UUID(row)
		c.UUID(load)
		b.sealRow(c, person, row, b.row)
	}
	return first
}

func (b *Bulk) sealRow(c *pg.Copy, person PersonID, row uuid.UUID, plain []byte) {
	aad := append(append(b.aad[:0], person[:]...), row[:]...) // recordAAD
	c.Append(func(dst []byte) []byte { return b.sealers[sealedParts].AppendSeal(dst, plain, aad) })
}

// addKey gathers the row by which a record is found when it comes again.
func (b *Bulk) addKey(v *latest, row uuid.UUID, person PersonID) {
	c := &b.keys
	c.Row(4)
	c.Int64(v.key)
	if v.voids {
		c.Null()
	} else {
		c.Int64(v.digest)
	}
	c.Int64(int64(binary.BigEndian.Uint64(row[:])))
	c.UUID(person)
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
	c := &b.people
	c.Row(12)
	c.UUID(g.person)
	if g.together {
		c.UUID(g.row)
	} else {
		c.Null()
	}
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
	c.Time(b.at)
	c.Time(b.at)
	if first.Document != uuid.Nil {
		b.found(g)
	}
	b.waiting = appendWaiting(b.waiting, g.person, golden, records)
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
	aad := append(append(b.aad[:0], person[:]...), byte(part))
	c.Append(func(dst []byte) []byte { return b.sealers[part].AppendSeal(dst, plain, aad) })
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
