package token

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/registry"
)

func TestTheMemoryGivesEachHolderOnceAndForgetsTheOldest(t *testing.T) {
	t.Parallel()

	kek, err := secret.LoadKEK(t.TempDir()+"/kek", true)
	if err != nil {
		t.Fatal(err)
	}
	box, err := secret.Open(t.Context(), testpg.New(t), kek)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	m := newMemory()
	hash := func(n int) []byte { return binary.BigEndian.AppendUint64(make([]byte, 24), uint64(n)) }
	nobody := Snapshot{Sealed: make(registry.Sealed, 6)}
	for n := range remembers + 2 {
		m.keep(hash(n), holder{Grant: Grant{Scope: string(hash(n))}, Snapshot: nobody}, now)
	}
	for n := range 2 {
		if h := m.take(hash(n), box, now); h != nil {
			t.Errorf("holder %d is still there", n)
		}
	}
	if len(m.holders) != remembers {
		t.Errorf("%d holders", len(m.holders))
	}
	if h := m.take(hash(2), box, now); h == nil || h.Scope != string(hash(2)) {
		t.Errorf("the oldest that fits: %v", h)
	}
	if m.take(hash(2), box, now) != nil {
		t.Error("a holder came twice")
	}
	if m.take(hash(3), box, now.Add(rememberFor+1)) != nil {
		t.Error("a holder outlived its time")
	}
	m.keep(hash(4), holder{Snapshot: Snapshot{Sealed: registry.Sealed{[]byte("x"), nil, nil, nil, nil, nil, nil}}}, now)
	if m.take(hash(4), box, now) != nil {
		t.Error("a holder that does not open")
	}
}
