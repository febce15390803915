package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
)

var (
	// ErrSealed says that a value was not sealed by our keys for this purpose, or was changed.
	ErrSealed = errors.New("secret: value does not open")
	// ErrWrongKEK says that the database's data keys were wrapped under another KEK.
	ErrWrongKEK = errors.New("secret: the key-encryption key is not the one this database was sealed under")
)

// patience is for the keys to be read again, while values may wait.
const patience = 5 * time.Second

// Box seals and opens column values and computes blind indexes. It is safe for concurrent use.
type Box struct {
	db      *pg.Pool
	kek     KEK
	ring    atomic.Pointer[ring]
	load    sync.Mutex // one reading at a time, so that an older one never replaces a newer one
	started atomic.Uint64
	ended   uint64 // under load: the last reading that is over
	failed  error  // under load: how it went
	classes map[Purpose]*Cipher
}

// Open loads the data keys, making those that the database lacks; processes that start together
// agree on one set. Errors: ErrWrongKEK, the database's.
func Open(ctx context.Context, db *pg.Pool, kek KEK) (*Box, error) {
	b := &Box{db: db, kek: kek, classes: map[Purpose]*Cipher{}}
	for _, p := range classes {
		b.classes[p] = &Cipher{b, p}
	}
	first := func() ([]keyRow, error) { return dataKeys(ctx, db) }
	if err := b.read(0, first); err != nil {
		return nil, err
	}
	if len(b.ring.Load().missing()) == 0 {
		return b, nil
	}
	if err := createMissing(ctx, db, kek); err != nil {
		return nil, fmt.Errorf("data keys: %w", err)
	}
	if err := b.read(0, first); err != nil {
		return nil, err
	}
	return b, nil
}

// Reload reads the data keys again, when the database has notified a change of data_key. After an
// error all stays as it was.
func (b *Box) Reload(ctx context.Context) error { return b.readApart(ctx, 0) }

// ticket is the number of the next reading: one that sees all that is committed by now.
func (b *Box) ticket() uint64 { return b.started.Load() + 1 }

// readApart reads the keys again, unless the reading with this ticket is over. However many values
// wait, there is one reading at a time, and the next serves all who came meanwhile. It has a
// connection of its own: those who wait may hold every one of the pool.
func (b *Box) readApart(ctx context.Context, ticket uint64) error {
	return b.read(ticket, func() ([]keyRow, error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return dataKeysApart(ctx, b.db)
	})
}

func (b *Box) read(ticket uint64, rows func() ([]keyRow, error)) error {
	b.load.Lock()
	defer b.load.Unlock()
	if ticket > 0 && b.ended >= ticket {
		return b.failed
	}
	n := b.started.Add(1)
	all, err := rows()
	if err == nil {
		err = b.replace(all)
	}
	b.ended, b.failed = n, nil
	if err != nil {
		b.failed = fmt.Errorf("data keys: %w", err)
	}
	return b.failed
}

func (b *Box) replace(rows []keyRow) error {
	v, err := unwrapAll(b.kek, rows)
	if err != nil {
		return err
	}
	fresh, err := newRing(v)
	if err != nil {
		return err
	}
	if none := fresh.missing(); b.ring.Load() != nil && len(none) > 0 {
		return fmt.Errorf("%v: gone from the database", none)
	}
	b.ring.Store(fresh)
	return nil
}

// Format writes a placeholder for every verb.
func (*Box) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue is the placeholder.
func (*Box) LogValue() slog.Value { return slog.StringValue(hidden) }

// Class is the cipher of one class of data. It panics where p does not seal: Index, or a text that
// is no Purpose of this package.
func (b *Box) Class(p Purpose) *Cipher {
	if c, ok := b.classes[p]; ok {
		return c
	}
	panic(fmt.Sprintf("secret: no class of data %q", string(p)))
}

// Seal is that of Class(General). See Cipher.Seal.
func (b *Box) Seal(plaintext, aad []byte) []byte { return b.classes[General].Seal(plaintext, aad) }

// Open is that of Class(General). The only error is ErrSealed.
func (b *Box) Open(sealed, aad []byte) ([]byte, error) { return b.classes[General].Open(sealed, aad) }

// Current is that of Class(General).
func (b *Box) Current(sealed []byte) bool { return b.classes[General].Current(sealed) }
