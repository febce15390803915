package flow

import (
	"encoding/json"
	"slices"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/ida"
)

// asks is one member of the claims parameter by claim. verified_claims, which has a syntax of its own
// and may be a list, is kept as it is written.
type asks map[string]*claimAsk

const verifiedClaims = "verified_claims"

// UnmarshalJSON reads userinfo or id_token.
func (a *asks) UnmarshalJSON(data []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	*a = make(asks, len(all))
	for name, raw := range all {
		if name == verifiedClaims {
			(*a)[name] = &claimAsk{raw: raw}
			continue
		}
		var one *claimAsk
		if err := json.Unmarshal(raw, &one); err != nil {
			return err
		}
		(*a)[name] = one
	}
	return nil
}

// verified reads what is asked for with a verification, cut to the manifest: claims that it does not
// list, or that nobody verifies, are ignored.
//
// OpenID Connect for Identity Assurance 1.0 §5.3 to §5.6.
func (r *Request) verified(asked claimsRequest, c *client.Client) error {
	var all ida.Request
	for _, part := range []struct {
		name string
		asks asks
		into *[]ida.Ask
	}{{"userinfo", asked.Userinfo, &all.Userinfo}, {"id_token", asked.IDToken, &all.IDToken}} {
		raw, there := part.asks[verifiedClaims]
		if !there {
			continue
		}
		var err error
		if *part.into, err = ida.Parse(part.name, raw.raw); err != nil {
			return refuse("invalid_request", "claims: "+err.Error())
		}
	}
	r.Verified = all.Cut(func(name string) bool {
		return slices.ContainsFunc(c.Claims, func(m client.Claim) bool { return m.Name == name })
	})
	return nil
}

// decides lists every claim that the citizen decides about, in the manifest's order: it is the same
// decision whether a claim is to come with a verification or not.
func (r *Request) decides(c *client.Client) (names []string) {
	verified := r.Verified.Claims()
	for _, m := range c.Claims {
		if contains(r.Claims, m.Name) || contains(verified, m.Name) {
			names = append(names, m.Name)
		}
	}
	return names
}
