package factor

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// What a new password costs: OWASP's minimum for argon2id, 19 MiB and two passes.
const (
	hashMemory  = 19456 // KiB
	hashPasses  = 2
	hashThreads = 1
	saltBytes   = 16
	keyBytes    = 32
)

// waitersPerWorker bounds the queue. One hash takes some 20 ms, so the last one in waits about
// a second; whoever comes later is better served by being asked to try again.
const waitersPerWorker = 48

// maxPasswordBytes is more than 128 characters of any script in any normalization form.
const maxPasswordBytes = 4096

// ErrBusy says that the queue for the hashing pool is full. The caller asks to try again.
var ErrBusy = errors.New("password hashing queue is full")

// ErrHash says that a stored hash is not one of ours.
var ErrHash = errors.New("malformed argon2id hash")

// Hasher hashes passwords with argon2id, a bounded number at a time, so that a flood of
// sign-ins can take neither all cores nor all memory from the token endpoint.
type Hasher struct {
	slots  chan struct{} // who hashes now
	queue  chan struct{} // who hashes or waits
	dummy  string        // what an unknown account is verified against
	derive func(password, salt []byte, passes, memory uint32, threads uint8, key uint32) []byte
}

// NewHasher returns a pool of that many workers; 0 or less means one per core.
func NewHasher(workers int) *Hasher {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	return &Hasher{
		slots:  make(chan struct{}, workers),
		queue:  make(chan struct{}, workers*(1+waitersPerWorker)),
		dummy:  newPHC(make([]byte, saltBytes), make([]byte, keyBytes)).String(),
		derive: argon2.IDKey,
	}
}

// Hash returns the PHC string of a new password, with a random salt.
//
//	$argon2id$v=19$m=19456,t=2,p=1$<salt>$<key>
//
// Errors: ErrBusy, or the context's while waiting for a worker.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // crypto/rand never returns an error
	p := newPHC(salt, make([]byte, keyBytes))
	key, err := h.key(ctx, p, password)
	if err != nil {
		return "", err
	}
	p.key = key
	return p.String(), nil
}

// Verify tells whether the password made this hash, in constant time.
//
//	phc  the stored hash; "" when there is no such account: the same work is done, the answer is false
//
// Errors: ErrHash, ErrBusy, or the context's while waiting for a worker.
func (h *Hasher) Verify(ctx context.Context, phc, password string) (bool, error) {
	known := phc != ""
	if !known {
		phc = h.dummy
	}
	p, err := parsePHC(phc)
	if err != nil {
		return false, err
	}
	key, err := h.key(ctx, p, password)
	if err != nil {
		return false, err
	}
	same := subtle.ConstantTimeCompare(key, p.key) == 1
	return same && known && len(password) <= maxPasswordBytes, nil
}

// NeedsRehash tells whether a hash was made with other costs than today's, so that the next
// successful sign-in replaces it.
func (h *Hasher) NeedsRehash(phc string) bool {
	p, err := parsePHC(phc)
	if err != nil {
		return true
	}
	return p.memory != hashMemory || p.passes != hashPasses || p.threads != hashThreads ||
		len(p.salt) != saltBytes || len(p.key) != keyBytes
}

// key derives the key for p's costs and salt once a worker is free.
func (h *Hasher) key(ctx context.Context, p phc, password string) ([]byte, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return h.derive(normalize(password), p.salt, p.passes, p.memory, p.threads, uint32(len(p.key))), nil
}

// enter waits for a worker and returns what frees it.
func (h *Hasher) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case h.queue <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; <-h.queue }, nil
	case <-ctx.Done():
		<-h.queue
		return nil, ctx.Err()
	}
}

// normalize makes one password of the same characters typed on different keyboards
// (RFC 8265 §4.2.2). An overlong one is cut: it never matches, and costs no more than others.
func normalize(password string) []byte {
	if len(password) > maxPasswordBytes {
		password = password[:maxPasswordBytes]
	}
	return norm.NFC.Bytes([]byte(password))
}

// phc is a hash in parts.
type phc struct {
	memory, passes uint32
	threads        uint8
	salt, key      []byte
}

func newPHC(salt, key []byte) phc {
	return phc{memory: hashMemory, passes: hashPasses, threads: hashThreads, salt: salt, key: key}
}

// String gives the PHC string format: numbers without leading zeros, base64 without padding.
func (p phc) String() string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, p.memory, p.passes, p.threads, b64(p.salt), b64(p.key))
}

// parsePHC reads a hash strictly: what does not print back as it was is refused, and so are
// costs that would let one stored row stop the machine.
func parsePHC(s string) (phc, error) {
	if len(s) > 512 {
		return phc{}, ErrHash
	}
	parts := strings.Split(s, "$") // "", argon2id, v=…, m=…,t=…,p=…, salt, key
	if len(parts) != 6 {
		return phc{}, ErrHash
	}
	costs := strings.Split(parts[3], ",")
	if len(costs) != 3 {
		return phc{}, ErrHash
	}
	var err error
	p := phc{memory: uint32(cost(costs[0], "m=", 32)), passes: uint32(cost(costs[1], "t=", 32)), threads: uint8(cost(costs[2], "p=", 8))}
	if p.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return phc{}, ErrHash
	}
	if p.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || p.String() != s {
		return phc{}, ErrHash
	}
	return p, p.checkBounds()
}

// cost reads a number behind its name; 0, which no hash has, for anything else.
func cost(s, name string, bits int) uint64 {
	text, ok := strings.CutPrefix(s, name)
	n, err := strconv.ParseUint(text, 10, bits)
	if !ok || err != nil {
		return 0
	}
	return n
}

func (p phc) checkBounds() error {
	switch {
	case p.memory < 8*uint32(p.threads), p.memory > 64*1024,
		p.passes < 1, p.passes > 10,
		p.threads < 1, p.threads > 4,
		len(p.salt) < 8, len(p.salt) > 64,
		len(p.key) < 16, len(p.key) > 64:
		return ErrHash
	}
	return nil
}
