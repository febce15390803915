package ida

import (
	"time"

	"github.com/loginunico/loginunico/registry/trust"
)

// seal is a proof that gov.br has of a person.
type seal struct {
	ID        string
	UpdatedAt time.Time // zero: it is not said
}

// seals reads the attribute selos of a gov.br account's evidence: [{id, updated_at}].
func seals(e trust.Evidence) (all []seal) {
	list, _ := e.Attributes["selos"].([]any)
	for _, one := range list {
		of, _ := one.(map[string]any)
		id, _ := of["id"].(string)
		text, _ := of["updated_at"].(string)
		if id == "" {
			continue
		}
		at, _ := time.Parse(time.RFC3339Nano, text)
		all = append(all, seal{id, at})
	}
	return all
}

// GovBR is the claim of that name: the level of the newest gov.br account that counts, and its seals,
// each with the time of its last change. ok is false where there is none.
func GovBR(proofs []trust.Evidence, at time.Time) (claim any, ok bool) {
	var newest *trust.Evidence
	for i := range proofs {
		if e := &proofs[i]; e.Kind == trust.GovBR && e.LiveAt(at) && word(*e, "level") != "" && (newest == nil || e.VerifiedAt.After(newest.VerifiedAt)) {
			newest = e
		}
	}
	if newest == nil {
		return nil, false
	}
	type item struct {
		ID        string `json:"id"`
		UpdatedAt string `json:"updated_at,omitempty"`
	}
	items := []item{}
	for _, s := range seals(*newest) {
		it := item{ID: s.ID}
		if !s.UpdatedAt.IsZero() {
			it.UpdatedAt = s.UpdatedAt.UTC().Format(time.RFC3339)
		}
		items = append(items, it)
	}
	return struct {
		Level string `json:"level"`
		Selos []item `json:"selos"`
	}{word(*newest, "level"), items}, true
}
