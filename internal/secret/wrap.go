package secret

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// sealedV1 leads what a sealer made: version byte, then 12 bytes of nonce, ciphertext, 16 of tag.
const sealedV1 = 1

// sealer is AES-256-GCM with a version byte and random nonces. It wraps data keys under the KEK
// (as Tink's AEAD, where a keyset is wrapped), and it is the format of values older than keysets.
type sealer struct{ aead cipher.AEAD }

func newSealer(key [keySize]byte) *sealer { return &sealer{newGCM(key[:])} }

func newGCM(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // only for a key of another size, and every caller has checked it
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // only for a block that is not crypto/aes
	}
	return gcm
}

func (s *sealer) seal(plaintext, aad []byte) []byte {
	out := make([]byte, 1, 1+len(plaintext)+s.aead.Overhead())
	out[0] = sealedV1
	return s.aead.Seal(out, nil, plaintext, aad)
}

func (s *sealer) open(sealed, aad []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != sealedV1 {
		return nil, ErrSealed
	}
	plaintext, err := s.aead.Open(nil, nil, sealed[1:], aad)
	if err != nil {
		return nil, ErrSealed
	}
	return plaintext, nil
}

// Encrypt and Decrypt are tink.AEAD.
func (s *sealer) Encrypt(plaintext, aad []byte) ([]byte, error) { return s.seal(plaintext, aad), nil }

func (s *sealer) Decrypt(sealed, aad []byte) ([]byte, error) { return s.open(sealed, aad) }

// wrapAAD binds a wrapped key to its row. The first two texts are those of databases that had one
// key to seal and one to index with.
func wrapAAD(p Purpose, version int16) []byte {
	switch {
	case p == legacy:
		return []byte("loginunico data_key seal")
	case p == Index && version == 1:
		return []byte("loginunico data_key index")
	case p == Index:
		return fmt.Appendf(nil, "loginunico data_key index/%d", version)
	}
	return []byte("loginunico data_key keyset/" + p)
}

// entry is a row of data_key, unwrapped.
type entry struct {
	keyRow
	under *sealer        // what wrapped it
	key   [keySize]byte  // of the index, and the legacy key
	set   *keyset.Handle // of a class
}

// unwrap opens a row with the KEK's current key, or else with the one before it. Errors: ErrWrongKEK.
func (k KEK) unwrap(r keyRow) (entry, error) {
	for _, under := range k.sealers() {
		if e, err := unwrapUnder(under, r); err == nil {
			return e, nil
		}
	}
	return entry{}, fmt.Errorf("data key %s: %w", r.Purpose, ErrWrongKEK)
}

func unwrapUnder(under *sealer, r keyRow) (entry, error) {
	e := entry{keyRow: r, under: under}
	aad := wrapAAD(r.Purpose, r.Version)
	if r.Purpose != Index && r.Purpose != legacy {
		var err error
		e.set, err = keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(r.Wrapped)), under, aad)
		return e, err
	}
	key, err := under.open(r.Wrapped, aad)
	if err != nil || len(key) != keySize {
		return e, ErrSealed
	}
	e.key = [keySize]byte(key)
	return e, nil
}

// wrap fills in what the row holds, under the KEK's current key. A keyset becomes Tink's
// EncryptedKeyset, which names its keys in the clear.
func (e entry) wrap(kek KEK) (keyRow, error) {
	under, aad := kek.sealers()[0], wrapAAD(e.Purpose, e.Version)
	if e.set == nil {
		e.Wrapped = under.seal(e.key[:], aad)
		return e.keyRow, nil
	}
	var out bytes.Buffer
	if err := e.set.WriteWithAssociatedData(keyset.NewBinaryWriter(&out), under, aad); err != nil {
		return keyRow{}, fmt.Errorf("wrap keyset %s: %w", e.Purpose, err)
	}
	e.Wrapped = out.Bytes()
	return e.keyRow, nil
}

// withNewKey is h, or an empty keyset when h is nil, with a new primary key.
func withNewKey(h *keyset.Handle) (*keyset.Handle, error) {
	m := keyset.NewManager()
	if h != nil {
		m = keyset.NewManagerFromHandle(h)
	}
	id, err := m.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("new key: %w", err)
	}
	if err := m.SetPrimary(id); err != nil {
		return nil, fmt.Errorf("new key: %w", err)
	}
	return m.Handle()
}
