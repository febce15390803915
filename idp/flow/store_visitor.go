package flow

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
)

// visiting records the number that a visitor typed; what was typed before does not count for it.
func visiting(ctx context.Context, db pg.DB, id uuid.UUID, number []byte, now time.Time) error {
	return one(db.Exec(ctx, `
		UPDATE interaction
		   SET visitor = @number, proven_at = NULL, cpf = NULL, registration = NULL, busy_at = NULL, unlocked_at = NULL,
		       half_person = NULL, half_at = NULL
		 WHERE id = @id AND finished_at IS NULL AND expires_at > @now`,
		pg.Args{"id": id, "number": number, "now": now}))
}

// proven records that the code of a number was answered, and that the number does not say whose it is.
// Where the visit is at another number by now, nothing of that one was proven. Error: ErrExpired.
func proven(ctx context.Context, db pg.DB, id uuid.UUID, number []byte, now time.Time) error {
	return one(db.Exec(ctx, `
		UPDATE interaction
		   SET proven_at = @now
		 WHERE id = @id AND visitor = @number AND finished_at IS NULL AND expires_at > @now`,
		pg.Args{"id": id, "number": number, "now": now}))
}

// stillProven holds the visit until the transaction ends, and says that this number was proven in it
// and has not been used since. Error: ErrExpired.
func stillProven(ctx context.Context, db pg.DB, id uuid.UUID, number []byte, now time.Time) error {
	return one(db.Exec(ctx, `
		UPDATE interaction
		   SET proven_at = proven_at
		 WHERE id = @id AND visitor = @number AND proven_at IS NOT NULL AND finished_at IS NULL AND expires_at > @now`,
		pg.Args{"id": id, "number": number, "now": now}))
}

// joining records that a visitor wants to sign in by the CPF that they have by now.
func joining(ctx context.Context, db pg.DB, id, visitor uuid.UUID, now time.Time) error {
	return one(db.Exec(ctx, `
		UPDATE interaction
		   SET joining = @visitor, cpf = NULL, registration = NULL, visitor = NULL, proven_at = NULL,
		       half_person = NULL, half_at = NULL
		 WHERE id = @id AND finished_at IS NULL AND expires_at > @now`,
		pg.Args{"id": id, "visitor": visitor, "now": now}))
}
