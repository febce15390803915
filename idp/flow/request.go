package flow

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/ida"
)

// Request is a validated authorization request, as the interaction row keeps it. It holds no
// personal data: login_hint is read at once and kept as the sealed CPF, if at all.
type Request struct {
	ClientID      string   `json:"client_id"`
	RedirectURI   string   `json:"redirect_uri"`
	ResponseMode  string   `json:"response_mode"` // query, fragment or form_post
	Scope         []string `json:"scope"`
	State         string   `json:"state"`
	Nonce         string   `json:"nonce"`
	CodeChallenge string   `json:"code_challenge"`
	Prompt        []string `json:"prompt"`
	MaxAge        *int     `json:"max_age"`             // seconds
	Claims        []string `json:"claims"`              // asked for and in the manifest, in its order
	InIDToken     []string `json:"in_id_token"`         // of those, wanted in the ID token
	Subject       string   `json:"sub,omitempty"`       // whom the service expects
	ACRLevel      int      `json:"acr_level"`           // the lowest acr that will do; 0: any
	Resources     []string `json:"resources"`           // RFC 8707
	ReturnTo      string   `json:"return_to,omitempty"` // a page of ours; then there is no client
	Strength      int      `json:"strength,omitempty"`  // what that page wants of the session
	CPF           bool     `json:"cpf,omitempty"`       // that page is for a visitor who has a CPF by now

	Verified *ida.Request `json:"verified,omitempty"` // asked for with a verification
}

// Has says whether a scope is asked for.
func (r Request) Has(scope string) bool { return slices.Contains(r.Scope, scope) }

// Offline says whether the service asks to keep access while the citizen is away.
func (r Request) Offline() bool { return r.Has(client.ScopeOffline) }

// granted is the scope of the grant: what was asked, offline_access only where the citizen agreed.
func (r Request) granted(offline bool) string {
	kept := slices.DeleteFunc(slices.Clone(r.Scope), func(s string) bool { return s == client.ScopeOffline && !offline })
	return strings.Join(kept, " ")
}

// Needs joins the request with the manifest's minimum level.
func (r Request) Needs(c *client.Client) Needs {
	n := Needs{Prompt: r.Prompt, Subject: r.Subject, Level: r.ACRLevel, FirstParty: r.ReturnTo != "", CPF: r.CPF, Strength: r.Strength}
	if c != nil {
		n.Level, n.CPF, n.Staff = r.needed(c), !c.Foreigners, c.StaffOnly()
	}
	if r.MaxAge != nil {
		age := time.Duration(*r.MaxAge) * time.Second
		n.MaxAge = &age
	}
	return n
}

// requestError is an answer to the service: it travels back by redirect.
type requestError struct{ Code, Description string }

func (e *requestError) Error() string { return e.Code + ": " + e.Description }

func refuse(code, why string) error { return &requestError{code, why} }

// challenge is BASE64URL(SHA256(verifier)): 43 characters. RFC 7636 §4.2.
var challenge = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// printable is what state and nonce may hold. RFC 6749 appendix A.5.
var printable = regexp.MustCompile(`^[\x20-\x7E]*$`)

// multiple may appear more than once. RFC 8707 §2.
const multiple = "resource"

// duplicated says whether a parameter appears twice. RFC 6749 §3.1.
func duplicated(form url.Values) bool {
	for name, values := range form {
		if len(values) > 1 && name != multiple {
			return true
		}
	}
	return false
}

// parseRequest checks what a known client asks at its registered redirect URI.
//
// Errors: *requestError, to be answered there. OAuth 2.1 §4.1.1, OIDC Core §3.1.2.1–2,
// RFC 9700 §2.1.1 (PKCE S256 always), RFC 8707 §2.
func parseRequest(form url.Values, c *client.Client) (Request, error) {
	r := Request{ClientID: c.ID, RedirectURI: form.Get("redirect_uri"), ResponseMode: responseMode(form), State: form.Get("state"),
		Nonce: form.Get("nonce"), CodeChallenge: form.Get("code_challenge"), Resources: form["resource"]}
	for _, check := range []func(url.Values, *client.Client) error{r.unsupported, r.syntax, r.pkce, r.prompts, r.scopes, r.resources, r.claims} {
		if err := check(form, c); err != nil {
			return r, err
		}
	}
	return r, nil
}

// responseMode answers with the mode asked for when it is one of ours: even an error is sent by
// it. OAuth 2.0 Multiple Response Types §2.1.
func responseMode(form url.Values) string {
	if mode := form.Get("response_mode"); mode == "fragment" || mode == "form_post" {
		return mode
	}
	return "query"
}

func (r *Request) unsupported(form url.Values, _ *client.Client) error {
	switch {
	case duplicated(form):
		return refuse("invalid_request", "a parameter appears twice")
	case form.Get("request") != "":
		return refuse("request_not_supported", "request objects are not offered")
	case form.Get("request_uri") != "":
		return refuse("request_uri_not_supported", "request_uri is not offered")
	case form.Get("registration") != "":
		return refuse("registration_not_supported", "services are registered by their manifest")
	case form.Get("response_type") == "":
		return refuse("invalid_request", "response_type is missing")
	case form.Get("response_type") != "code":
		return refuse("unsupported_response_type", "the only response_type is code")
	}
	return nil
}

func (r *Request) syntax(form url.Values, c *client.Client) error {
	if mode := form.Get("response_mode"); mode != "" && mode != r.ResponseMode {
		return refuse("invalid_request", "response_mode is query, fragment or form_post")
	}
	if !c.HasGrant(client.GrantAuthorizationCode) {
		return refuse("unauthorized_client", "the service's manifest does not list authorization_code")
	}
	for _, name := range []string{"state", "nonce"} {
		if v := form.Get(name); len(v) > 1024 || !printable.MatchString(v) {
			return refuse("invalid_request", name+" is too long or not printable ASCII")
		}
	}
	if age := form.Get("max_age"); age != "" {
		seconds, err := strconv.Atoi(age)
		if err != nil || seconds < 0 || seconds > 1<<31 {
			return refuse("invalid_request", "max_age is not a number of seconds")
		}
		r.MaxAge = &seconds
	}
	return nil
}

func (r *Request) pkce(form url.Values, _ *client.Client) error {
	switch {
	case r.CodeChallenge == "":
		return refuse("invalid_request", "code_challenge is missing: PKCE is always required")
	case form.Get("code_challenge_method") != "S256":
		return refuse("invalid_request", "code_challenge_method must be S256")
	case !challenge.MatchString(r.CodeChallenge):
		return refuse("invalid_request", "code_challenge is not 43 characters of base64url")
	}
	return nil
}

func (r *Request) prompts(form url.Values, _ *client.Client) error {
	r.Prompt = strings.Fields(form.Get("prompt"))
	for _, p := range r.Prompt {
		if !slices.Contains([]string{"none", "login", "consent", "select_account"}, p) {
			return refuse("invalid_request", "prompt is none, login, consent or select_account")
		}
	}
	if slices.Contains(r.Prompt, "none") && len(r.Prompt) > 1 {
		return refuse("invalid_request", "prompt=none stands alone")
	}
	return nil
}

// scopes keeps the scopes we know: others must be ignored. OIDC Core §3.1.2.1.
func (r *Request) scopes(form url.Values, c *client.Client) error {
	asked, may := strings.Fields(form.Get("scope")), c.Scopes()
	if len(asked) > 50 {
		return refuse("invalid_scope", "too many scopes")
	}
	r.Scope = []string{}
	for _, s := range asked {
		if slices.Contains(may, s) && !slices.Contains(r.Scope, s) {
			r.Scope = append(r.Scope, s)
		}
	}
	return nil
}

func (r *Request) resources(_ url.Values, c *client.Client) error {
	for _, uri := range r.Resources {
		if !slices.Contains(c.Resources, uri) {
			return refuse("invalid_target", "the service's manifest does not list this resource")
		}
	}
	if r.Resources == nil {
		r.Resources = []string{}
	}
	return nil
}

// claimsRequest is the claims parameter. OIDC Core §5.5.
type claimsRequest struct {
	Userinfo asks `json:"userinfo"`
	IDToken  asks `json:"id_token"`
}

type claimAsk struct {
	Essential bool  `json:"essential"`
	Value     any   `json:"value"`
	Values    []any `json:"values"`

	raw json.RawMessage // of verified_claims
}

const mostSubject = 255 // ASCII characters. OIDC Core §2

// claims gathers what is asked by scope and by the claims parameter, cut to the manifest, and the
// level an essential acr wants.
func (r *Request) claims(form url.Values, c *client.Client) error {
	var asked claimsRequest
	if raw := form.Get("claims"); raw != "" {
		if len(raw) > 8192 || json.Unmarshal([]byte(raw), &asked) != nil {
			return refuse("invalid_request", "claims is not the JSON object of OIDC Core 5.5")
		}
	}
	r.Claims, r.InIDToken = []string{}, []string{}
	for _, m := range c.Claims {
		_, inUserinfo := asked.Userinfo[m.Name]
		_, inIDToken := asked.IDToken[m.Name]
		if inUserinfo || inIDToken || r.Has(client.ScopeOf(m.Name)) {
			r.Claims = append(r.Claims, m.Name)
		}
		if inIDToken {
			r.InIDToken = append(r.InIDToken, m.Name)
		}
	}
	if err := r.verified(asked, c); err != nil {
		return err
	}
	if sub := asked.IDToken["sub"]; sub != nil {
		r.Subject, _ = sub.Value.(string)
	}
	if len(r.Subject) > mostSubject || !printable.MatchString(r.Subject) {
		return refuse("invalid_request", "claims: sub is no subject identifier")
	}
	return r.acr(form, asked.IDToken["acr"])
}
