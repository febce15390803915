package factor

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// Recovery codes stand in for an authenticator app that is lost. A code has 120 random bits: from
// 112 on a plain hash is enough and guesses need no limit (NIST SP 800-63B-4 §3.1.2.2).
const (
	recoveryCodes     = 10
	recoveryCodeBytes = 15
)

// crockford leaves out the letters that look like digits, and U.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// newSecretCode is 24 characters: XXXX-XXXX-XXXX-XXXX-XXXX-XXXX.
func newSecretCode() string {
	random := make([]byte, recoveryCodeBytes)
	_, _ = rand.Read(random) // never fails
	return strings.ReplaceAll(groups(crockford.EncodeToString(random)), " ", "-")
}

// hashSecretCode is what is kept of a code, however it was typed: in small letters, with other
// marks between the groups, with O for 0, I or L for 1.
func hashSecretCode(typed string) []byte {
	bare := strings.NewReplacer("O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(Digits(typed)))
	return secret.Hash(bare)
}

// RenewCodes makes ten recovery codes and returns them, to be shown once; those before are void.
func RenewCodes(ctx context.Context, db pg.DB, person uuid.UUID, now time.Time) ([]string, error) {
	codes, hashes := make([]string, recoveryCodes), make([][]byte, recoveryCodes)
	for i := range codes {
		codes[i] = newSecretCode()
		hashes[i] = hashSecretCode(codes[i])
	}
	return codes, replaceRecoveryCodes(ctx, db, person, hashes, now)
}

// UseCode uses one recovery code up; left is how many remain. It counts as a code of the app.
func UseCode(ctx context.Context, db pg.DB, person uuid.UUID, typed string, now time.Time) (p Proof, ok bool, left int, err error) {
	made, ok, left, err := useRecoveryCode(ctx, db, person, hashSecretCode(typed), now)
	return Proof{By: ByRecoveryCode, AMR: []string{"otp", "mfa"}, Enrolled: made}, ok, left, err
}
