package secret

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Purpose says what a data key is for: a class of data as sensitive as one another, sealed under
// one keyset, or the blind index.
type Purpose string

// The purposes, as data_key names them.
const (
	General    Purpose = "seal" // signing keys, visits, mail, tokens' answers
	Identity   Purpose = "identity"
	Documents  Purpose = "documents"
	Contact    Purpose = "contact"
	Family     Purpose = "family"
	Complement Purpose = "complement"
	Record     Purpose = "record"
	Index      Purpose = "index"

	legacy Purpose = "legacy"
)

var classes = []Purpose{General, Identity, Documents, Contact, Family, Complement, Record}

// Classes lists the purposes that seal.
func Classes() []Purpose { return slices.Clone(classes) }

// Purposes lists what has keys to rotate: the classes, then the index.
func Purposes() []Purpose { return append(Classes(), Index) }

// prefixSize is Tink's output prefix: 0x01 and the key's id, 4 bytes big-endian.
const prefixSize = 5

// Overhead is how many bytes longer than its plaintext a sealed value is: prefix, nonce, tag.
const Overhead = prefixSize + 12 + 16

type prefix [prefixSize]byte

// set is one keyset, ready to use.
type set struct {
	aead    tink.AEAD
	primary prefix
	quick   cipher.AEAD // the primary key's, with nonces given to it; see AppendSeal
	known   []prefix
}

func newSet(h *keyset.Handle) (*set, error) {
	all, err := aead.New(h)
	if err != nil {
		return nil, err
	}
	s := &set{aead: all}
	for i := range h.Len() {
		entry, err := h.Entry(i)
		if err != nil {
			return nil, err
		}
		key, ok := entry.Key().(*aesgcm.Key)
		if !ok || len(key.OutputPrefix()) != prefixSize {
			return nil, fmt.Errorf("key %08x is not AES-GCM with a prefix", entry.KeyID())
		}
		s.known = append(s.known, prefix(key.OutputPrefix()))
		if entry.IsPrimary() {
			s.primary, s.quick = prefix(key.OutputPrefix()), plainGCM(key.KeyBytes().Data(insecuresecretdataaccess.Token{}))
		}
	}
	return s, nil
}

// plainGCM takes its nonces from the caller.
func plainGCM(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // Tink has checked its key
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // only for a block that is not AES
	}
	return gcm
}

// knows says whether sealed names a key of the set.
func (s *set) knows(sealed []byte) bool {
	return s != nil && len(sealed) >= Overhead && slices.Contains(s.known, prefix(sealed))
}

// Cipher seals one class of data. It is safe for concurrent use, and always seals under the newest
// key its Box knows.
type Cipher struct {
	box     *Box
	purpose Purpose
}

// Format writes a placeholder for every verb.
func (*Cipher) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue is the placeholder.
func (*Cipher) LogValue() slog.Value { return slog.StringValue(hidden) }

// Seal encrypts plaintext with AES-256-GCM and binds it to aad, which must be given again to open
// it: name the table, column and row, so that a value moved elsewhere does not open. The result is
// Overhead bytes longer. Nonces are random: a key serves 2³² values (NIST SP 800-38D §8.3), so
// rotate before.
func (c *Cipher) Seal(plaintext, aad []byte) []byte {
	r := c.box.ring.Load()
	s := r.sets[c.purpose]
	if s == nil {
		return r.legacy.seal(plaintext, aad)
	}
	sealed, err := s.aead.Encrypt(plaintext, aad)
	if err != nil {
		panic(err) // only for more than 64 GiB
	}
	return sealed
}

// AppendSeal appends to dst what Seal returns. It allocates nothing where dst has room, which
// Tink's own interface cannot: the loader seals tens of millions of values.
func (c *Cipher) AppendSeal(dst, plaintext, aad []byte) []byte {
	s := c.box.ring.Load().sets[c.purpose]
	if s == nil {
		return append(dst, c.Seal(plaintext, aad)...)
	}
	dst = append(dst, s.primary[:]...)
	at := len(dst)
	dst = appendNonce(dst)
	return s.quick.Seal(dst, dst[at:], plaintext, aad)
}

// nonces are random bytes drawn in blocks: a call into the kernel for every 12 of them is a tenth of
// a load's time. Each byte is handed out once and wiped.
type nonces struct {
	random [4092]byte // a multiple of nonceSize
	used   int
}

const nonceSize = 12 // NIST SP 800-38D §8.2.2, RBG-based construction

var noncePool = sync.Pool{New: func() any { return &nonces{used: len(nonces{}.random)} }}

func appendNonce(dst []byte) []byte {
	n := noncePool.Get().(*nonces)
	if n.used == len(n.random) {
		_, _ = rand.Read(n.random[:]) // never fails: crypto/rand ends the process instead
		n.used = 0
	}
	nonce := n.random[n.used : n.used+nonceSize]
	dst = append(dst, nonce...)
	clear(nonce)
	n.used += nonceSize
	noncePool.Put(n)
	return dst
}

// Open is the plaintext of a value sealed in this class with the same aad. A value that names a key
// this process does not know has the keys read again first. The only error is ErrSealed.
func (c *Cipher) Open(sealed, aad []byte) ([]byte, error) {
	ticket := c.box.ticket()
	r := c.box.ring.Load()
	plaintext, err := r.open(c.purpose, sealed, aad)
	if err == nil || r.sets[c.purpose].knows(sealed) || len(sealed) < Overhead || sealed[0] != sealedV1 {
		return plaintext, err
	}
	if err := c.box.readApart(context.Background(), ticket); err != nil {
		return nil, fmt.Errorf("%w: its key is unknown, and the keys could not be read: %w", ErrSealed, err)
	}
	return c.box.ring.Load().open(c.purpose, sealed, aad)
}

// open tries the key that sealed names and then the legacy key, whose values begin alike by chance
// once in 2³².
func (r *ring) open(p Purpose, sealed, aad []byte) ([]byte, error) {
	if s := r.sets[p]; s.knows(sealed) {
		if plaintext, err := s.aead.Decrypt(sealed, aad); err == nil {
			return plaintext, nil
		}
	}
	if p == General && r.legacy != nil {
		return r.legacy.open(sealed, aad)
	}
	return nil, ErrSealed
}

// Current says whether sealed names the key that seals now, without opening it. Where it does not,
// open the value and seal it again; when none is left, Retire the old key.
func (c *Cipher) Current(sealed []byte) bool {
	s := c.box.ring.Load().sets[c.purpose]
	if s == nil {
		return len(sealed) > 0 && sealed[0] == sealedV1
	}
	return len(sealed) >= Overhead && prefix(sealed) == s.primary
}
