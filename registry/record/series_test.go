package record

import (
	"bytes"
	"sync"
	"testing"
	"time"
)

func TestIDsOfASeriesFollowOneAnotherAndNobodyElseHasThem(t *testing.T) {
	t.Parallel()

	var ids IDs
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	made := make([][][16]byte, 4)
	var all sync.WaitGroup
	for n := range made {
		all.Go(func() {
			var s Series
			for range 10 {
				s.Begin(&ids, at, 50)
				for range 60 { // more than were set aside
					made[n] = append(made[n], s.Next())
				}
			}
		})
	}
	all.Wait()
	seen := map[[8]byte]bool{}
	for _, series := range made {
		for i, id := range series {
			if i > 0 && bytes.Compare(series[i-1][:], id[:]) >= 0 {
				t.Fatalf("%x after %x", id, series[i-1])
			}
			if head := [8]byte(id[:8]); seen[head] {
				t.Fatalf("%x twice", head)
			} else {
				seen[head] = true
			}
			if id[6]>>4 != 7 || id[8]>>6 != 2 {
				t.Fatalf("%x is no UUIDv7", id)
			}
			if late := TimeOf(id).Sub(at); late < 0 || late > time.Second {
				t.Fatalf("%x is of %s later", id, late)
			}
		}
	}
	if after := ids.At(at); seen[[8]byte(after[:8])] {
		t.Error("an id of its own lies in a series")
	}
}
