package secret

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/loginunico/loginunico/internal/pg"
)

var (
	// ErrSealed says that a value was not sealed by this key for this purpose, or was changed.
	ErrSealed = errors.New("secret: value does not open")
	// ErrWrongKEK says that the database's data keys were wrapped under another KEK.
	ErrWrongKEK = errors.New("secret: the key-encryption key is not the one this database was sealed under")
)

// Purposes of the data keys: rows of data_key, and the additional data of their wrapping.
const (
	purposeSeal  = "seal"
	purposeIndex = "index"
)

// sealedV1 leads every sealed value: version byte, then 12 bytes of nonce, ciphertext, 16 of tag.
const sealedV1 = 1

// Box seals and opens column values and computes blind indexes. It is safe for concurrent use.
type Box struct {
	seal  sealer
	index []byte
}

// Open loads the data keys, making them when the database has none yet; processes that start
// together agree on one set. Errors: ErrWrongKEK, the database's.
func Open(ctx context.Context, db pg.DB, kek KEK) (*Box, error) {
	under := newSealer(kek.key[:])
	wrapped, err := dataKeys(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("data keys: %w", err)
	}
	if wrapped[purposeSeal] == nil || wrapped[purposeIndex] == nil {
		if wrapped, err = createDataKeys(ctx, db, under); err != nil {
			return nil, fmt.Errorf("data keys: %w", err)
		}
	}
	return unwrap(under, wrapped)
}

func createDataKeys(ctx context.Context, db pg.DB, under sealer) (map[string][]byte, error) {
	err := insertDataKeys(ctx, db,
		under.seal(randomBytes(keySize), wrapAAD(purposeSeal)),
		under.seal(randomBytes(keySize), wrapAAD(purposeIndex)))
	if err != nil {
		return nil, err
	}
	return dataKeys(ctx, db) // ours, or those of a process that was first
}

func unwrap(under sealer, wrapped map[string][]byte) (*Box, error) {
	seal, err := under.open(wrapped[purposeSeal], wrapAAD(purposeSeal))
	if err != nil || len(seal) != keySize {
		return nil, ErrWrongKEK
	}
	index, err := under.open(wrapped[purposeIndex], wrapAAD(purposeIndex))
	if err != nil || len(index) != keySize {
		return nil, ErrWrongKEK
	}
	return &Box{seal: newSealer(seal), index: index}, nil
}

func wrapAAD(purpose string) []byte { return []byte("loginunico data_key " + purpose) }

// Format writes a placeholder for every verb.
func (*Box) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue is the placeholder.
func (*Box) LogValue() slog.Value { return slog.StringValue(hidden) }

// Seal encrypts plaintext with AES-256-GCM and binds it to aad, which must be given again to open
// it: name the table, column and row, so that a value moved elsewhere does not open. The result is
// 29 bytes longer. Nonces are random: a key serves 2³² values (NIST SP 800-38D §8.3).
func (b *Box) Seal(plaintext, aad []byte) []byte { return b.seal.seal(plaintext, aad) }

// Open is the plaintext of a value sealed with the same aad. The only error is ErrSealed.
func (b *Box) Open(sealed, aad []byte) ([]byte, error) { return b.seal.open(sealed, aad) }

// Index is a keyed blind index: HMAC-SHA-256, 32 bytes, equal for equal value and domain. A domain
// names what is looked up ("person.cpf"), so that two columns cannot be compared with each other.
func (b *Box) Index(domain string, value []byte) []byte {
	mac := hmac.New(sha256.New, b.index)
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(domain)))
	mac.Write(size[:]) // the length keeps ("ab", "c") apart from ("a", "bc")
	mac.Write([]byte(domain))
	mac.Write(value)
	return mac.Sum(nil)
}

// sealer is AES-256-GCM with a version byte and random nonces.
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) sealer {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // only for a key of another size, and every caller has checked it
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // only for a block that is not crypto/aes
	}
	return sealer{aead}
}

func (s sealer) seal(plaintext, aad []byte) []byte {
	out := make([]byte, 1, 1+len(plaintext)+s.aead.Overhead())
	out[0] = sealedV1
	return s.aead.Seal(out, nil, plaintext, aad)
}

func (s sealer) open(sealed, aad []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != sealedV1 {
		return nil, ErrSealed
	}
	plaintext, err := s.aead.Open(nil, nil, sealed[1:], aad)
	if err != nil {
		return nil, ErrSealed
	}
	return plaintext, nil
}
