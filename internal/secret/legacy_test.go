package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
)

// What the release before the keysets left, under the KEK 00 01 02 … 1f: the two rows of its
// data_key, a value it sealed, and an index it computed.
const (
	oldSealRow  = "01b8481389d77240b945a9264c6e8e4a0a3f1fd70c4da1d351a6e5c22ae83525833f80c738cd63cd99a121250fddf62af1d9e0e6b968c4997e2c625750"
	oldIndexRow = "010e9039bc25c134e92795e8082232ca529ada2982bff2bc32cec2986219c8c5fa3b06c4e007f93767f9a1c5fd9d680671bbabef24ec2a202727ed5802"
	oldValue    = "01bf8edbac9e1cfb0f0a0e2031bae57e3f2120471caeef8f816cd91e9d96640ce2a459f89fdbc3e174c5e7"
	oldIndex    = "2d373e1d45cfd97e8c0273c9eae21b9d765ac8c32a7a1eefaa1191e15b732456"
)

var (
	oldPlain = []byte("529.982.247-25")
	oldAAD   = []byte("person.fields/1")
)

func TestDatabaseOlderThanTheKeysetsGoesOn(t *testing.T) {
	t.Parallel()

	db, kek := oldDatabase(t)
	box := open(t, db, kek)
	mustOpen(t, box, unhex(oldValue), oldAAD, oldPlain)
	if got := box.Index("person.cpf", []byte("52998224725")); !bytes.Equal(got, unhex(oldIndex)) || box.IndexVersion() != 1 {
		t.Errorf("version %d of the index is %x", box.IndexVersion(), got)
	}
	sealed := box.Seal(oldPlain, oldAAD)
	if len(sealed) != len(oldPlain)+29 || !box.Current(sealed) {
		t.Errorf("before the first rotation, processes of the release before could not open %x", sealed)
	}
	mustOpen(t, box, box.Class(secret.General).AppendSeal(nil, oldPlain, oldAAD), oldAAD, oldPlain)
	identity := box.Class(secret.Identity)
	if s := identity.Seal(oldPlain, oldAAD); len(s) != len(oldPlain)+secret.Overhead || !identity.Current(s) {
		t.Errorf("a class that was added: %x", s)
	}
	if _, err := identity.Open(unhex(oldValue), oldAAD); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("an old value is of no class but the general one: %v", err)
	}
}

func TestLegacyKeyLeavesByRotationAndRetirement(t *testing.T) {
	t.Parallel()

	db, kek := oldDatabase(t)
	box := open(t, db, kek)
	err := secret.Retire(t.Context(), db, kek, secret.General, secret.LegacyID)
	if !errors.Is(err, secret.ErrKeyInUse) {
		t.Fatalf("the only key was retired: %v", err)
	}
	rotate(t, db, kek, secret.General)
	reload(t, box)
	mustOpen(t, box, unhex(oldValue), oldAAD, oldPlain)
	sealed := box.Seal(oldPlain, oldAAD)
	if len(sealed) != len(oldPlain)+secret.Overhead || !box.Current(sealed) || box.Current(unhex(oldValue)) {
		t.Errorf("after the rotation: %x", sealed)
	}
	if err := secret.Retire(t.Context(), db, kek, secret.General, secret.LegacyID); !errors.Is(err, secret.ErrTooSoon) {
		t.Fatalf("retired at once: %v", err)
	}
	age(t, db)
	if err := secret.Retire(t.Context(), db, kek, secret.General, secret.LegacyID); err != nil {
		t.Fatal(err)
	}
	reload(t, box)
	mustOpen(t, box, sealed, oldAAD, oldPlain)
	if _, err := box.Open(unhex(oldValue), oldAAD); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("opened by a key that is gone: %v", err)
	}
}

// oldDatabase is a database of the release before, migrated.
func oldDatabase(t *testing.T) (*pg.Pool, secret.KEK) {
	t.Helper()
	cfg, err := pg.Config(testpg.Empty(t), 4)
	if err != nil {
		t.Fatal(err)
	}
	db, err := pg.OpenConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	migrate(t, db, "0001_provider.sql")
	const rows = `INSERT INTO data_key (purpose, wrapped, created_at) VALUES ('seal', $1, now()), ('index', $2, now())`
	if _, err := db.Exec(t.Context(), rows, unhex(oldSealRow), unhex(oldIndexRow)); err != nil {
		t.Fatal(err)
	}
	migrate(t, db, "0003_data_keys.sql")
	var raw [32]byte
	for i := range raw {
		raw[i] = byte(i)
	}
	return db, kekOf(t, raw[:])
}

func migrate(t *testing.T, db *pg.Pool, name string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "migrations", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), string(text), pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
}

// kekOf reads a KEK file with these keys, a line each.
func kekOf(t testing.TB, keys ...[]byte) secret.KEK {
	t.Helper()
	var text []byte
	for _, k := range keys {
		text = append(base64.StdEncoding.AppendEncode(text, k), '\n')
	}
	path := filepath.Join(t.TempDir(), "kek")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	kek, err := secret.LoadKEK(path, false)
	if err != nil {
		t.Fatal(err)
	}
	return kek
}

func unhex(text string) []byte {
	raw, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return raw
}
