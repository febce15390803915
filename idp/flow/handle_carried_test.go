package flow

import (
	"reflect"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
)

func FuzzUnpack(f *testing.F) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	whole := pack(Interaction{ID: pg.NewID(), ClientID: "agenda", CPF: []byte("sealed"), CreatedAt: at, ExpiresAt: at.Add(InteractionLifetime)}, []byte(`{"client_id":"agenda"}`))
	for _, packed := range [][]byte{whole, whole[:carriedHead], whole[:10], nil, whole[:len(whole)-1]} {
		f.Add(packed)
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		in, text, ok := unpack(packed)
		if !ok {
			return
		}
		again, same, ok := unpack(pack(in, text))
		if !ok || string(same) != string(text) || !reflect.DeepEqual(in, again) {
			t.Fatalf("%+v became %+v", in, again)
		}
		if in.SessionID != nil || in.ChosenAt != nil || in.BusyAt != nil || in.UnlockedAt != nil || in.Registration != nil || in.ConsentedAt != nil {
			t.Fatalf("a fact came from a cookie: %+v", in)
		}
	})
}
