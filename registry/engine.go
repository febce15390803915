package registry

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
	"github.com/loginunico/loginunico/registry/trust"
)

const recordPurpose = secret.Record

// Store reads and writes people; the caller brings the pool or the transaction. Whoever changes a
// person, the batch load included, files records and computes the values anew by the policy.
type Store struct {
	// Lifetimes are those of the evidence that is written about its people.
	Lifetimes trust.Lifetimes

	box Sealer
	ids record.IDs

	mu       sync.Mutex
	policies map[int]*pmcc.Policy
	digester Digester
}

// NewStore keeps people sealed by box.
func NewStore(box Sealer) *Store { return &Store{box: box, policies: map[int]*pmcc.Policy{}} }

// Policy is the PMCC in force at an instant: pmcc.Default until a city applies its own.
func (s *Store) Policy(ctx context.Context, db pg.DB, at time.Time) (*pmcc.Policy, error) {
	version, err := newestPolicy(ctx, db, at)
	if err != nil || version == 0 {
		return pmcc.Default(), err
	}
	return s.policy(ctx, db, version)
}

func (s *Store) policy(ctx context.Context, db pg.DB, version int) (*pmcc.Policy, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.policies[version]; ok {
		return p, nil
	}
	text, err := policyText(ctx, db, version)
	if err != nil {
		return nil, err
	}
	p, err := pmcc.Parse("policy", []byte(text))
	if err == nil {
		s.policies[version] = p // versions never change
	}
	return p, err
}

// computed is a person ready for the database.
type computed struct {
	id     PersonID
	index  *uuid.UUID
	others []uuid.UUID // the same document under every index key
	legal  bool
	policy int
	parts  [sealedParts][]byte
	person Person
	golden *pmcc.Golden
}

func (c *computed) kind() string {
	if c.legal {
		return "legal"
	}
	return "natural"
}

// compute decides the values of a person from records and overrides, and seals them.
func (s *Store) compute(id PersonID, policy *pmcc.Policy, records []pmcc.Record, overrides []pmcc.Override) (*computed, error) {
	golden, err := pmcc.NewComputer(policy).Compute(records, overrides)
	if err != nil {
		return nil, err
	}
	var k packer
	c := &computed{id: id, policy: policy.Version, golden: golden}
	for part, plain := range k.pack(golden, records, policy.Version) {
		if plain != nil {
			c.parts[part] = s.box.Class(purposes[part]).Seal(plain, aad(id, part))
		}
	}
	c.person, err = Unseal(s.box, id, c.parts[:])
	return c, err
}

// file seals one record for a person, in a row of its own.
func (s *Store) file(d Digester, person PersonID, source string, key []byte, content record.Content, now time.Time) filed {
	id := rowID(s.ids.At(now))
	r := pmcc.Record{ID: id, Source: source, Key: d.Key(source, key), Content: content}
	return filed{record: r, content: s.box.Class(recordPurpose).Seal(appendRecord(nil, source, r.Key, content), recordAAD(person, id))}
}

// say files something a citizen says as a record of its own.
func (s *Store) say(ctx context.Context, tx pg.Tx, id PersonID, c record.Content, now time.Time) error {
	d, err := s.Digester(ctx, tx)
	if err != nil {
		return err
	}
	key := pg.NewID()
	return insertRecords(ctx, tx, id, []filed{s.file(d, id, SourceSelf, key[:], c, now)})
}

// content makes a record of typed or given values.
func content(fields Fields, level int, effective time.Time) (record.Content, error) {
	values := make([]record.Value, 0, len(fields))
	for name, v := range fields {
		f, key, ok := record.Parse(name)
		if !ok {
			return nil, ErrField
		}
		value := record.Value{Field: f, Key: []byte(key), Text: []byte(v.Text), Excluded: v.Text == ""}
		if v.Confirmed != nil {
			value.Confirmed = v.Confirmed.Unix()
		}
		values = append(values, value)
	}
	record.Sort(values)
	c := record.Begin(nil, level, effective)
	for _, v := range values {
		c = c.Append(v)
	}
	return c, nil
}

// Create writes a new person and gives it an id. Fields are filed as one record of each source
// they name. Error: ErrCPFTaken.
func (s *Store) Create(ctx context.Context, db pg.DB, p Person, now time.Time) (Person, error) {
	policy, err := s.Policy(ctx, db, now)
	if err != nil {
		return p, err
	}
	digester, err := s.Digester(ctx, db)
	if err != nil {
		return p, err
	}
	id := pg.NewID()
	var filedRecords []filed
	var records []pmcc.Record
	for _, source := range sourcesOf(p) {
		c, err := content(fieldsOf(p, source), createdAt(source), now)
		if err != nil {
			return p, err
		}
		f := s.file(digester, id, source, id[:], c, now)
		filedRecords, records = append(filedRecords, f), append(records, f.record)
	}
	computed, err := s.compute(id, policy, records, nil)
	if err != nil {
		return p, err
	}
	document := p.CPF.Digits() + p.CNPJ.Text()
	computed.legal = p.CNPJ != ""
	version := s.box.IndexVersion()
	if document != "" {
		index := uuid.UUID(s.box.IndexAt(version, "cpf", []byte(document))[:16])
		computed.index, computed.others = &index, DocumentKeys(s.box, document)
	}
	fresh, err := insertPerson(ctx, db, computed, filedRecords, version, now)
	if err == nil && !fresh {
		err = ErrCPFTaken
	}
	created := computed.person
	created.CreatedAt, created.UpdatedAt = now, now
	return created, err
}

// createdAt is the trust level of a person who has just been created.
func createdAt(source string) int {
	if source == SourceSelf {
		return 1
	}
	return 0
}

// sourcesOf lists the sources of a person's values, the first of them also for the document.
func sourcesOf(p Person) []string {
	seen := map[string]bool{}
	for _, v := range p.Fields {
		seen[cmp.Or(v.Source, SourceSelf)] = true
	}
	sources := make([]string, 0, len(seen))
	for s := range seen {
		sources = append(sources, s)
	}
	slices.Sort(sources)
	if len(sources) == 0 {
		sources = []string{SourceSelf}
	}
	return sources
}

func fieldsOf(p Person, source string) Fields {
	fields := Fields{}
	for name, v := range p.Fields {
		if cmp.Or(v.Source, SourceSelf) == source {
			fields[name] = v
		}
	}
	if p.CPF != "" {
		fields["cpf"] = Value{Text: p.CPF.Digits()}
	}
	if p.CNPJ != "" {
		fields["cnpj"] = Value{Text: p.CNPJ.Text()}
	}
	return fields
}

// Update files what a citizen says of themselves at a trust level; a field with no text takes the
// citizen's value away. Two edits at once both stay. The policy decides what becomes of each.
//
// Somebody whose name and birth date then agree with what the city's bases hold of the CPF gets
// the evidence of level 3. Error: ErrNotFound.
func (s *Store) Update(ctx context.Context, tx pg.Tx, id PersonID, changed Fields, level int, now time.Time) error {
	c, err := content(changed, level, now)
	if err != nil {
		return err
	}
	if err := s.say(ctx, tx, id, c, now); err != nil {
		return err
	}
	p, err := s.recompute(ctx, tx, id, now)
	if err != nil {
		return err
	}
	if err := auditUpdate(ctx, tx, id, changed, now); err != nil {
		return err
	}
	_, err = s.settleMatch(ctx, tx, p, now)
	return err
}

// Unconfirm files that a value which a citizen declared is no longer known to be theirs, such as a
// telephone number that somebody else answers now. The value stays: it is taken back, and said once
// more without having been confirmed, because to say it alone would only corroborate it.
func (s *Store) Unconfirm(ctx context.Context, tx pg.Tx, id PersonID, field string, now time.Time) error {
	p, err := s.ByID(ctx, tx, id)
	if err != nil {
		return err
	}
	for _, text := range []string{"", p.Declared[field].Text} {
		c, err := content(Fields{field: {Text: text}}, createdAt(SourceSelf), now)
		if err != nil {
			return err
		}
		if err := s.say(ctx, tx, id, c, now); err != nil {
			return err
		}
	}
	_, err = s.recompute(ctx, tx, id, now)
	return err
}

func auditUpdate(ctx context.Context, tx pg.Tx, id PersonID, changed Fields, now time.Time) error {
	return audit.RecordTx(ctx, tx, audit.Event{At: now, Actor: audit.Actor{Kind: audit.Person, ID: id.String()},
		Action: "registry.update", Person: id, Fields: slices.Collect(maps.Keys(changed))})
}

// settleMatch gives a person whose words agree with the bases the evidence of level 3, once. What
// somebody of the city has taken away no comparison gives back.
func (s *Store) settleMatch(ctx context.Context, tx pg.Tx, p Person, now time.Time) (given bool, err error) {
	if !Matched(p) {
		return false, nil
	}
	all, err := trust.Of(ctx, tx, p.ID)
	if err != nil || slices.ContainsFunc(all, func(e trust.Evidence) bool { return e.Kind == trust.RegistryMatch && (e.LiveAt(now) || e.TakenAway()) }) {
		return false, err
	}
	err = s.Lifetimes.Record(ctx, tx, p.ID, trust.Evidence{Kind: trust.RegistryMatch, Source: "registry", Method: declaredData,
		Verifier: "loginunico", VerifiedAt: now})
	if err != nil {
		return false, err
	}
	return true, s.Vouch(ctx, tx, p, trust.RegistryMatch.Level(), now)
}

// declaredData is the method of the evidence that rests on what the person typed.
const declaredData = "declared_data"

func matchOfWords(e trust.Evidence) bool {
	return e.Kind == trust.RegistryMatch && e.Method == declaredData
}

// Vouch files what a person declared once more, at the trust level they have now reached: the
// policy may let in from a known person what it left out from anybody who typed a CPF.
func (s *Store) Vouch(ctx context.Context, tx pg.Tx, p Person, level int, now time.Time) error {
	said := maps.Clone(p.Declared)
	maps.DeleteFunc(said, func(_ string, v Value) bool { return v.Source == SourceGovBR }) // filed already, as what it is
	c, err := content(said, level, now)
	if err != nil {
		return err
	}
	if err := s.say(ctx, tx, p.ID, c, now); err != nil {
		return err
	}
	_, err = s.recompute(ctx, tx, p.ID, now)
	return err
}

// recompute decides a person's values anew under a row lock. Error: ErrNotFound.
func (s *Store) recompute(ctx context.Context, tx pg.Tx, id PersonID, now time.Time) (Person, error) {
	cluster, err := lock(ctx, tx, id)
	if err != nil {
		return Person{}, err
	}
	policy, err := s.Policy(ctx, tx, now)
	if err != nil {
		return Person{}, err
	}
	records, overrides, err := s.material(ctx, tx, cluster, uuid.Nil)
	if err != nil {
		return Person{}, err
	}
	c, err := s.compute(cluster[0], policy, records, overrides)
	if err != nil {
		return Person{}, err
	}
	if err := renewPending(ctx, tx, cluster, waiting(c.id, c.golden, records), policy.Version); err != nil {
		return Person{}, err
	}
	return c.person, updatePerson(ctx, tx, c, now)
}

// material is what the values of a cluster are computed from: everything received and decided
// before an id; the zero id means all.
func (s *Store) material(ctx context.Context, db pg.DB, cluster []PersonID, before uuid.UUID) (records []pmcc.Record, overrides []pmcc.Override, err error) {
	byPerson, err := s.recordsOf(ctx, db, cluster, before)
	if err != nil {
		return nil, nil, err
	}
	decided, err := s.overridesOf(ctx, db, cluster, before)
	for _, id := range cluster {
		records, overrides = append(records, byPerson[id]...), append(overrides, decided[id]...)
	}
	return records, overrides, err
}

// waitingValue is a row of pending_value.
type waitingValue struct {
	person PersonID
	record uuid.UUID
	source string
	field  string
	rule   int
}

func waiting(id PersonID, g *pmcc.Golden, records []pmcc.Record) []waitingValue {
	return appendWaiting(nil, id, g, records)
}

func appendWaiting(all []waitingValue, id PersonID, g *pmcc.Golden, records []pmcc.Record) []waitingValue {
	for _, p := range g.Pending {
		all = append(all, waitingValue{person: id, record: records[p.Record].ID, source: records[p.Record].Source, field: record.Join(p.Field, string(p.Key)), rule: p.Rule})
	}
	return all
}
