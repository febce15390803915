package flow

import (
	"net/url"
	"strings"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/registry/trust"
)

// acr reads how strong an authentication the service asks for. Both ways of asking are firm: the
// service receives what it asked for, or unmet_authentication_requirements.
//
//   - acr_values: OIDC Core §3.1.2.1 lets a provider treat it as a wish; RFC 9470 §5 asks that it is
//     met or refused, or a service whose API has challenged its token would come back with another
//     that the API refuses.
//   - the claims parameter with an essential acr: OIDC Core §5.5.1.1.
//
// An acr claim that is not essential is the wish that stops nobody; the token says what was reached.
func (r *Request) acr(form url.Values, ask *claimAsk) error {
	values := strings.Fields(form.Get("acr_values"))
	if len(values) > mostACRValues {
		return refuse("invalid_request", "too many acr_values")
	}
	// Values that are nobody's here are as if they had not been sent, so that a service of several
	// providers may name those of all.
	r.ACRLevel = lowestLevel(values)
	if ask == nil || !ask.Essential {
		return nil
	}
	values = ask.texts()
	essential := lowestLevel(values)
	if len(values) > 0 && essential == 0 {
		return refuse("unmet_authentication_requirements", "none of the acr values asked for exists here")
	}
	r.ACRLevel = max(r.ACRLevel, essential)
	return nil
}

const mostACRValues = 20

// texts are value and values; what is no text is "", which no claim is.
func (a *claimAsk) texts() []string {
	var all []string
	for _, v := range a.Values {
		text, _ := v.(string)
		all = append(all, text)
	}
	if a.Value != nil {
		text, _ := a.Value.(string)
		all = append(all, text)
	}
	return all
}

// lowestLevel is the least that will do: any one of the values is enough, and each level holds all
// below it. So their order says nothing more: what the citizen reaches is said, whatever was
// preferred. 0: none of them is ours.
func lowestLevel(values []string) (lowest int) {
	for _, v := range values {
		if n, ok := trust.ParseACR(v); ok && (lowest == 0 || n < lowest) {
			lowest = n
		}
	}
	return lowest
}

// needed is the acr without which this service gets nothing: the request's or the manifest's.
func (r Request) needed(c *client.Client) int { return max(r.ACRLevel, c.MinLevel) }
