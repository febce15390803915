package factor

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

func insertDesk(ctx context.Context, db pg.DB, id, person, attendant uuid.UUID, reason string, now time.Time) error {
	_, err := db.Exec(ctx, `
		INSERT INTO desk_recovery (id, person_id, requested_by, reason, requested_at, expires_at)
		VALUES (@id, @person, @attendant, @reason, @now, @expires)`,
		pg.Args{"id": id, "person": person, "attendant": attendant, "reason": reason, "now": now, "expires": now.Add(DeskLifetime)})
	return err
}

func deskWaiting(ctx context.Context, db pg.DB, now time.Time) ([]DeskRequest, error) {
	rows, _ := db.Query(ctx, `
		SELECT id, person_id, requested_by, reason, requested_at, expires_at
		  FROM desk_recovery
		 WHERE approved_at IS NULL AND expires_at > @now
		 ORDER BY requested_at, id`,
		pg.Args{"now": now})
	return pgx.CollectRows(rows, pgx.RowToStructByPos[DeskRequest])
}

// waitingDesk reads a request that waits. Error: ErrDeskOver.
func waitingDesk(ctx context.Context, db pg.DB, id uuid.UUID, now time.Time) (DeskRequest, error) {
	rows, _ := db.Query(ctx, `
		SELECT id, person_id, requested_by, reason, requested_at, expires_at
		  FROM desk_recovery
		 WHERE id = @id AND approved_at IS NULL AND expires_at > @now`,
		pg.Args{"id": id, "now": now})
	one, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[DeskRequest])
	if pg.NoRows(err) {
		return one, ErrDeskOver
	}
	return one, err
}

// approveDesk approves once. Error: ErrDeskOver.
func approveDesk(ctx context.Context, db pg.DB, id, approver uuid.UUID, code []byte, now time.Time) error {
	tag, err := db.Exec(ctx, `
		UPDATE desk_recovery
		   SET approved_by = @approver, approved_at = @now, code_hash = @code, expires_at = @expires
		 WHERE id = @id AND approved_at IS NULL`,
		pg.Args{"id": id, "approver": approver, "code": code, "now": now, "expires": now.Add(DeskLifetime)})
	if err == nil && tag.RowsAffected() == 0 {
		return ErrDeskOver
	}
	return err
}

// redeemDesk uses a code up and begins a proven recovery with it. Error: ErrRecovery.
func redeemDesk(ctx context.Context, db pg.DB, id uuid.UUID, code, browser []byte, visit uuid.UUID, now time.Time) (desk, person uuid.UUID, err error) {
	err = db.QueryRow(ctx, `
		WITH used AS (
		     UPDATE desk_recovery
		        SET used_at = @now
		      WHERE code_hash = @code AND used_at IS NULL AND expires_at > @now
		     RETURNING id, person_id),
		     begun AS (
		     INSERT INTO recovery (id, person_id, browser_hash, visit_id, way, created_at, expires_at, proven_at)
		     SELECT @id, person_id, @browser, nullif(@visit, '00000000-0000-0000-0000-000000000000'::uuid), 'desk', @now, @later, @now
		       FROM used)
		SELECT id, person_id FROM used`,
		pg.Args{"id": id, "code": code, "browser": browser, "visit": visit, "now": now, "later": now.Add(RecoveryLifetime)}).Scan(&desk, &person)
	if pg.NoRows(err) {
		return desk, person, ErrRecovery
	}
	return desk, person, err
}
