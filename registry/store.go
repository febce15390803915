package registry

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
)

// ErrNotFound: no such person. ErrCPFTaken: the CPF has a record already.
var (
	ErrNotFound = fail.New(fail.NotFound, "person_not_found")
	ErrCPFTaken = fail.New(fail.Conflict, "cpf_taken")
)

// Store reads and writes people; the caller brings the pool or the transaction.
type Store struct{ box Sealer }

// NewStore keeps people sealed by box.
func NewStore(box Sealer) *Store { return &Store{box: box} }

// Create writes a new person and gives it an id. Error: ErrCPFTaken.
func (s *Store) Create(ctx context.Context, db pg.DB, p Person, now time.Time) (Person, error) {
	p.ID, p.CreatedAt, p.UpdatedAt = pg.NewID(), now, now
	column, err := p.Seal(s.box)
	if err != nil {
		return p, err
	}
	var index []byte
	if p.CPF != "" {
		index = CPFIndex(s.box, p.CPF)
	}
	tag, err := db.Exec(ctx, `
		INSERT INTO person (id, cpf_index, fields, created_at, updated_at)
		VALUES (@id, @index, @fields, @now, @now)
		ON CONFLICT (cpf_index) DO NOTHING`,
		pgx.NamedArgs{"id": p.ID, "index": index, "fields": column, "now": now})
	if err == nil && tag.RowsAffected() == 0 {
		err = ErrCPFTaken
	}
	return p, err
}

// ByID returns a person. Error: ErrNotFound.
func (s *Store) ByID(ctx context.Context, db pg.DB, id PersonID) (Person, error) {
	rows, _ := db.Query(ctx, `
		SELECT id, fields, created_at, updated_at
		  FROM person
		 WHERE id = @id`,
		pgx.NamedArgs{"id": id})
	return s.one(rows)
}

// ByCPF returns the record of a CPF. Error: ErrNotFound.
func (s *Store) ByCPF(ctx context.Context, db pg.DB, cpf brdoc.CPF) (Person, error) {
	rows, _ := db.Query(ctx, `
		SELECT id, fields, created_at, updated_at
		  FROM person
		 WHERE cpf_index = @index`,
		pgx.NamedArgs{"index": CPFIndex(s.box, cpf)})
	return s.one(rows)
}

// Update changes fields of one person under a row lock, so that two edits at once both stay.
func (s *Store) Update(ctx context.Context, tx pg.Tx, id PersonID, changed Fields, now time.Time) error {
	rows, _ := tx.Query(ctx, `
		SELECT id, fields, created_at, updated_at
		  FROM person
		 WHERE id = @id
		   FOR UPDATE`,
		pgx.NamedArgs{"id": id})
	p, err := s.one(rows)
	if err != nil {
		return err
	}
	if p.Fields == nil {
		p.Fields = Fields{}
	}
	for name, value := range changed {
		p.Fields[name] = value
	}
	column, err := p.Seal(s.box)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		UPDATE person
		   SET fields = @fields, updated_at = greatest(updated_at, @now)
		 WHERE id = @id`,
		pgx.NamedArgs{"id": id, "fields": column, "now": now})
	return err
}

func (s *Store) one(rows pgx.Rows) (Person, error) {
	p, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (Person, error) {
		var id PersonID
		var column []byte
		var created, updated time.Time
		if err := row.Scan(&id, &column, &created, &updated); err != nil {
			return Person{}, err
		}
		p, err := Unseal(s.box, id, column)
		p.CreatedAt, p.UpdatedAt = created, updated
		return p, err
	})
	if pg.NoRows(err) {
		return p, ErrNotFound
	}
	return p, err
}
