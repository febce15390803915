package factor

import (
	"context"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
)

// PasskeysOf lists a person's passkeys, oldest first; none is an empty slice.
func PasskeysOf(ctx context.Context, db pg.DB, person uuid.UUID) ([]Passkey, error) {
	return passkeysOf(ctx, db, person)
}

// RenamePasskey gives a passkey another name. Errors: ErrFactorName, ErrFactorNotFound.
func RenamePasskey(ctx context.Context, db pg.DB, person, id uuid.UUID, name string) error {
	name, err := factorName(name)
	if err != nil {
		return err
	}
	return renamePasskey(ctx, db, person, id, name)
}

// RemovePasskey takes a passkey away. The device keeps its half, which opens nothing any more.
//
//	evenLast  the person was warned that this is their last way in, and means it
//
// Errors: ErrLastWayIn, ErrFactorNotFound.
func RemovePasskey(ctx context.Context, tx pg.Tx, person, id uuid.UUID, evenLast bool) error {
	if err := lockFactors(ctx, tx, person); err != nil { // two at once must not each leave the other
		return err
	}
	there, last, err := lastWayIn(ctx, tx, person, id)
	switch {
	case err != nil:
		return err
	case !there:
		return ErrFactorNotFound
	case last && !evenLast:
		return ErrLastWayIn
	}
	return deletePasskey(ctx, tx, person, id)
}
