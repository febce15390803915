package consent

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// Kind of decision.
type Kind string

// A granted row allows its claims; a revoked one allows nothing until the next grant.
const (
	Granted Kind = "granted"
	Revoked Kind = "revoked"
)

// Record is one decision of a person about one service. It is never changed.
type Record struct {
	PersonID        uuid.UUID
	ClientID        string
	ID              uuid.UUID
	Kind            Kind
	Claims          []string          // allowed, this decision and those before it
	Offered         []string          // shown, this decision and those before it
	Offline         bool              // access while the citizen is away
	Purposes        map[string]string // claim → why, as shown
	Bases           map[string]string // claim → legal basis
	ManifestVersion int
	TextShown       string
	Language        string
	DecidedAt       time.Time
}

// Ask is what a service's request would have the citizen see.
type Ask struct {
	Claims  []string // requested, and in the manifest
	Offline bool
}

// Need says what of an ask the citizen has not been shown yet.
type Need struct {
	First   bool     // never authorized, or revoked since
	Claims  []string // new ones, in the order asked
	Offline bool     // keeping access while away is new
}

// Any says whether the citizen must be asked at all.
func (n Need) Any() bool { return n.First || len(n.Claims) > 0 || n.Offline }

// Compare finds what is new in an ask; latest is nil when the person never decided.
func Compare(latest *Record, ask Ask) Need {
	if latest == nil || latest.Kind != Granted {
		return Need{First: true, Claims: ask.Claims, Offline: ask.Offline}
	}
	need := Need{Offline: ask.Offline && !latest.Offline}
	for _, c := range ask.Claims {
		if !slices.Contains(latest.Offered, c) {
			need.Claims = append(need.Claims, c)
		}
	}
	return need
}

// Allowed keeps the claims of an ask that the latest decision covers.
func Allowed(latest *Record, ask []string) []string {
	allowed := []string{}
	if latest == nil || latest.Kind != Granted {
		return allowed
	}
	for _, c := range ask {
		if slices.Contains(latest.Claims, c) {
			allowed = append(allowed, c)
		}
	}
	return allowed
}

// Decision is the answer to one consent page.
type Decision struct {
	PersonID        uuid.UUID
	ClientID        string
	Shown           []string // claims on the page as new
	Allowed         []string // of those, required ones and ticked ones
	Offline         bool
	Purposes        map[string]string
	Bases           map[string]string
	ManifestVersion int
	TextShown       string
	Language        string
}

// After is the record that follows latest by a decision: what was allowed stays allowed unless
// the page showed it again.
func After(latest *Record, d Decision) Record {
	r := Record{PersonID: d.PersonID, ClientID: d.ClientID, Kind: Granted, Offline: d.Offline,
		Claims: slices.Clone(d.Allowed), Offered: slices.Clone(d.Shown), Purposes: d.Purposes, Bases: d.Bases,
		ManifestVersion: d.ManifestVersion, TextShown: d.TextShown, Language: d.Language}
	if latest != nil && latest.Kind == Granted {
		r.Offline = r.Offline || latest.Offline
		for _, c := range latest.Offered {
			if slices.Contains(d.Shown, c) {
				continue
			}
			r.Offered = append(r.Offered, c)
			if slices.Contains(latest.Claims, c) {
				r.Claims = append(r.Claims, c)
			}
		}
	}
	return r
}
