package ida

import (
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/loginunico/loginunico/registry"
)

// Blind replaces the values that a service would have claims compared with by keyed digests: they are
// somebody's name or birth date, and the request is kept unsealed.
func (r *Request) Blind(s registry.Sealer) {
	if r == nil {
		return
	}
	for _, a := range slices.Concat(r.Userinfo, r.IDToken) {
		for name, c := range a.Claims {
			for i, v := range c.Values {
				c.Values[i] = digest(s, s.IndexVersion(), canonical(v))
			}
			a.Claims[name] = c
		}
	}
}

// Comparer says whether a value is one that [Request.Blind] has hidden.
func Comparer(s registry.Sealer) func(hidden json.RawMessage, value []byte) bool {
	return func(hidden json.RawMessage, value []byte) bool {
		plain := canonical(value)
		return slices.ContainsFunc(s.IndexVersions(), func(v int16) bool { return string(digest(s, v, plain)) == string(hidden) })
	}
}

func digest(s registry.Sealer, version int16, plain []byte) json.RawMessage {
	return json.RawMessage(`"` + base64.RawURLEncoding.EncodeToString(s.IndexAt(version, "verified_claims", plain)) + `"`)
}

// canonical is JSON in one form: members in order, no white space.
func canonical(text []byte) []byte {
	var v any
	if json.Unmarshal(text, &v) != nil {
		return text
	}
	out, err := json.Marshal(v)
	if err != nil {
		return text
	}
	return out
}
