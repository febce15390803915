package review

import "github.com/loginunico/loginunico/registry/match"

// Parts is how a score came about, as it is stored: names of fields and how they agree, no values.
type Parts struct {
	Kin    float64     `json:"kin"`              // log2 odds that the two are of one family
	Barred []match.Bar `json:"barred,omitempty"` // why no machine may join them
	Fields []Part      `json:"fields"`
}

// Part is what one field says.
type Part struct {
	Field     string  `json:"field"`
	Agreement string  `json:"agreement"`
	Weight    float64 `json:"weight"` // log2: above 0 speaks for one person
	Rarity    float64 `json:"rarity,omitempty"`
}

func partsOf(r match.Result) Parts {
	p := Parts{Kin: round(r.Kin), Barred: r.Barred, Fields: make([]Part, 0, len(r.Parts))}
	for _, f := range r.Parts {
		p.Fields = append(p.Fields, Part{f.Field.String(), f.Agreement.String(), round(f.Weight), round(f.Rarity)})
	}
	return p
}

// round keeps a hundredth: more would only tell the model's last bits.
func round(w float64) float64 { return float64(int(w*100)) / 100 }
