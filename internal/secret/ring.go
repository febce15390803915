package secret

import (
	"fmt"
	"time"
)

// ring is every data key in memory. It never changes; a reload makes another.
type ring struct {
	sets   map[Purpose]*set
	legacy *sealer    // nil: the database never had one, or it was retired
	index  []indexKey // newest version first, at least one
}

// newRing makes the keys of v ready to use.
func newRing(v vault) (*ring, error) {
	r := &ring{sets: map[Purpose]*set{}}
	for _, e := range v {
		if err := r.add(e); err != nil {
			return nil, fmt.Errorf("data key %s: %w", e.Purpose, err)
		}
	}
	return r, nil
}

func (r *ring) add(e entry) (err error) {
	switch e.Purpose {
	case Index:
		r.index = append(r.index, newIndexKey(e.Version, e.ActiveFrom, e.key))
	case legacy:
		r.legacy = newSealer(e.key)
	default:
		r.sets[e.Purpose], err = newSet(e.set)
	}
	return err
}

// missing lists the purposes that have no key yet. General has one where there is a legacy key:
// processes of the release before know no other, and still run while this one starts.
func (r *ring) missing() (none []Purpose) {
	for _, p := range Classes() {
		if r.sets[p] == nil && (p != General || r.legacy == nil) {
			none = append(none, p)
		}
	}
	if len(r.index) == 0 {
		none = append(none, Index)
	}
	return none
}

// primaryIndex is the newest version whose time has come.
func (r *ring) primaryIndex(at time.Time) *indexKey {
	for i := range r.index {
		if !r.index[i].activeFrom.After(at) {
			return &r.index[i]
		}
	}
	return &r.index[len(r.index)-1] // a clock behind the database's
}
