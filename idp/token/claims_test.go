package token

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/company"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

func TestNarrowCutsAScopeAndNeverWidensIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ granted, asked, want string }{
		"RFC 6749 §6 nothing asked is all":        {"openid profile", "", "openid profile"},
		"RFC 6749 §6 a part":                      {"openid profile email", "email openid", "email openid"},
		"RFC 6749 §6 white space":                 {"openid profile", "  openid   profile ", "openid profile"},
		"RFC 6749 §6 not granted":                 {"openid", "openid email", "refused"},
		"RFC 6749 §3.3 scopes are case-sensitive": {"openid", "OpenID", "refused"},
		"RFC 6749 §3.3 a prefix is another scope": {"openid profile", "prof", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := narrow(c.granted, c.asked)
			if err != nil {
				got = "refused"
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestVerifiesIsS256(t *testing.T) {
	t.Parallel()
	const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // RFC 7636 appendix B
	for name, c := range map[string]struct {
		challenge, verifier string
		want                bool
	}{
		"RFC 7636 appendix B":                     {challenge, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", true},
		"RFC 7636 §4.6 a letter of another case":  {challenge, "DBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", false},
		"RFC 7636 §4.6 plain":                     {challenge, challenge, false},
		"RFC 7636 §4.6 nothing":                   {challenge, "", false},
		"RFC 7636 §4.1 shorter than 43":           {challenge, strings.Repeat("a", 42), false},
		"RFC 7636 §4.1 longer than 128":           {challenge, strings.Repeat("a", 129), false},
		"RFC 7636 §4.6 no challenge, no verifier": {"", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if verifies(c.challenge, c.verifier) != c.want {
				t.Errorf("want %v", c.want)
			}
		})
	}
}

func TestAudienceIsATextWhereThereIsOne(t *testing.T) {
	t.Parallel()
	for want, aud := range map[string]audience{`"a"`: {"a"}, `["a","b"]`: {"a", "b"}} {
		got, err := json.Marshal(aud)
		if err != nil || string(got) != want {
			t.Errorf("RFC 7519 §4.1.3: %s %v, want %s", got, err, want)
		}
		var back stringOrList
		if err := json.Unmarshal(got, &back); err != nil || strings.Join(back, " ") != strings.Join(aud, " ") {
			t.Errorf("read again: %v %v", back, err)
		}
	}
}

func TestAMemberOfTheProtocolIsNeverReplacedByAClaim(t *testing.T) {
	t.Parallel()
	body, err := merge(userinfo{Subject: "s", assurance: &assurance{ACR: "a", AMR: []string{"pwd"}}}, map[string]any{"name": "Ana", "sub": "x"}, "sub")
	if err != nil || strings.Count(string(body), `"sub"`) != 1 {
		t.Fatalf("%s %v", body, err)
	}
	var all map[string]any
	if err := json.Unmarshal(body, &all); err != nil || all["sub"] != "s" || all["name"] != "Ana" {
		t.Errorf("%s %v", body, err)
	}
	if body, err = merge(userinfo{Subject: "s"}, nil); err != nil || string(body) != `{"sub":"s"}` {
		t.Errorf("%s %v", body, err)
	}
}

func TestATokenEndsWithTheFirstOfWhatItRestsOn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	in := func(d time.Duration) time.Time { return now.Add(d) }
	for name, c := range map[string]struct {
		evidenceEnds, grantEnds time.Time
		want                    time.Time
	}{
		"its own lifetime":       {time.Time{}, in(time.Hour), in(AccessLifetime)},
		"the evidence's end":     {in(time.Minute), in(time.Hour), in(time.Minute)},
		"the grant's end":        {in(time.Hour), in(2 * time.Minute), in(2 * time.Minute)},
		"the earlier of the two": {in(time.Minute), in(2 * time.Minute), in(time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			h := &holder{Grant: Grant{ExpiresAt: c.grantEnds}, Snapshot: Snapshot{Evidence: []trust.Evidence{
				{Kind: trust.SelfDeclared, VerifiedAt: now}, {Kind: trust.GovBR, VerifiedAt: now, ExpiresAt: c.evidenceEnds}}}}
			if level, until := h.assess(&client.Client{}, now, AccessLifetime); level != 2 || !until.Equal(c.want) {
				t.Errorf("level %d until %s, want %s", level, until, c.want)
			}
		})
	}
}

func TestAClaimLeavesOnlyWhenAskedForInTheManifestAndAtItsLevel(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	c := &client.Client{Manifest: client.Manifest{Claims: []client.Claim{{Name: "name", MinLevel: 1}, {Name: "email", MinLevel: 1}, {Name: "cpf", MinLevel: 3}}}}
	fields := registry.Fields{"name": {Text: "Ana"}, "email": {Text: "a@example.org"}, "gender": {Text: "female"}}
	h := &holder{Person: registry.Person{CPF: "52998224725", Fields: fields, Declared: fields},
		Snapshot: Snapshot{Evidence: []trust.Evidence{{Kind: trust.SelfDeclared, Source: "self", VerifiedAt: now}}}}
	for name, rule := range map[string]struct {
		asked []string
		level int
		want  string
	}{
		"asked for and covered":                  {[]string{"name"}, 1, `{"name":"Ana"}`},
		"not asked for":                          {nil, 5, `{}`},
		"asked for, not in the manifest":         {[]string{"gender"}, 5, `{}`},
		"below its level":                        {[]string{"cpf"}, 2, `{}`},
		"at its level":                           {[]string{"cpf"}, 3, `{"cpf":"52998224725"}`},
		"a mail address says whether confirmed":  {[]string{"email"}, 1, `{"email":"a@example.org","email_verified":false}`},
		"what the city does not have is no null": {[]string{"birthdate", "name"}, 1, `{"name":"Ana"}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(h.release(c, rule.asked, rule.level, now))
			if err != nil || string(got) != rule.want {
				t.Errorf("%s %v, want %s", got, err, rule.want)
			}
		})
	}
}

func TestACompanyIsTheGrantsAndNeverThePersonsAndATokenDoesNotOutliveIt(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	c := &client.Client{Manifest: client.Manifest{Claims: []client.Claim{{Name: "cnpj"}, {Name: "company_name"}, {Name: "company_role", MinLevel: 3}}}}
	h := &holder{Grant: Grant{ExpiresAt: now.Add(time.Hour)}, Person: registry.Person{CNPJ: "11222333000181", Fields: registry.Fields{"name": {Text: "OUTRA LTDA"}}}}
	told := func(level int, at time.Time) string {
		text, err := json.Marshal(h.release(c, company.Claims, level, at))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if got := told(5, now); got != `{}` {
		t.Errorf("of a grant without company: %s", got)
	}
	h.Company = &company.Company{CNPJ: "12ABC34501DE35", Name: "PADARIA", Role: company.Partner, Until: now.Add(time.Minute)}
	if got := told(2, now); got != `{"cnpj":"12ABC34501DE35","company_name":"PADARIA"}` {
		t.Errorf("below the level of the role: %s", got)
	}
	if got := told(3, now); !strings.Contains(got, `"company_role":"partner"`) {
		t.Errorf("at its level: %s", got)
	}
	if got := told(3, h.Company.Until); got != `{}` {
		t.Errorf("after the representation: %s", got)
	}
	if _, until := h.assess(&client.Client{}, now, AccessLifetime); !until.Equal(h.Company.Until) {
		t.Errorf("the token ends at %s", until)
	}
	if _, until := h.assess(&client.Client{}, h.Company.Until, AccessLifetime); !until.Equal(h.Company.Until.Add(AccessLifetime)) {
		t.Errorf("a token without the company ends at %s", until)
	}
}

func TestNarrowingAScopeKeepsWhatWasAskedByName(t *testing.T) {
	t.Parallel()
	h := &holder{Grant: Grant{Scope: "openid profile email", Claims: []string{"name", "email", "cpf"}}} // cpf by the claims parameter
	for scope, want := range map[string]string{
		"openid profile email": "name email cpf", "openid profile": "name cpf", "openid": "cpf",
	} {
		if got := strings.Join(h.within(scope), " "); got != want {
			t.Errorf("%s: %s, want %s", scope, got, want)
		}
	}
}
