package themes

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

var someday = time.Date(2026, 11, 21, 1, 30, 0, 0, time.UTC)

// changeKinds are those of Change.
var changeKinds = []string{"password", "passkey", "passkey_name", "app", "app_name", "mail", "phone", "mail_code", "phone_code", "question",
	"renew_codes", "remove_passkey", "remove_app", "remove_mail", "remove_phone", "remove_question"}

func securitySamples() []sample {
	in := Frame{Path: "/conta/seguranca", SignedIn: "Maria"}
	one := Factor{ID: "1", Name: `Celular "novo"`, Since: someday, Used: someday, Synced: true}
	main := Factor{ID: "2", Name: "m***@e***.org", Since: someday, Main: true}
	full := Security{Base: "/conta/seguranca", PasswordAt: someday, Passkeys: []Factor{one, {ID: "9", Name: "B", Since: someday}}, Apps: []Factor{{ID: "3", Name: "App", Since: someday}},
		Spare: 1, Mails: []Factor{main, {ID: "4", Name: "x", Since: someday}}, Phones: []Factor{{ID: "5", Name: "+55***4321", Since: someday}},
		Texts: true, Questions: true, Question: true, Devices: []Device{{ID: "6", Browser: "Chrome, Android", Since: someday, Seen: someday, This: true},
			{ID: "7", Since: someday, Seen: someday}}, Events: []Event{{Kind: "signed_in", At: someday, Browser: "Firefox, Linux"}, {Kind: "not_me", At: someday}},
		Done: &Event{Kind: "passkey_added", At: someday}}
	all := []sample{{"security", in, full}, {"security bare", in, Security{Base: "/conta/seguranca", Questions: true}},
		{"security visitor", in, Security{Base: "/conta/seguranca", Visitor: true, Held: &Held{Ways: []string{"govbr"}}}},
		{"history", in, SecurityHistory{Events: full.Events, BackURL: "/conta/seguranca"}}, {"history empty", in, SecurityHistory{BackURL: "/conta/seguranca"}},
		{"app setup", in, AppSetup{Action: "/a", BackURL: "/b", QR: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>`,
			Secret: "ABCD EFGH", URI: "otpauth://totp/x", Minutes: 10}},
		{"spare codes", in, SpareCodes{Codes: []string{"ABCD-EFGH", "IJKL-MNOP"}, BackURL: "/b"}},
		{"again", in, SignInAgain{Action: "/a", Back: "/b", Ways: []string{"passkey", "totp", "password", "code"}, BackURL: "/c"}},
		{"not me", Frame{Path: "/n/x"}, NotMe{Action: "/n/x"}}}
	for _, kind := range changeKinds {
		all = append(all, sample{"change " + kind, in, changeOf(kind)})
	}
	wrong := in
	wrong.Problem = &Problem{Code: "phone_invalid", Fields: []FieldProblem{{Field: "phone", Code: "phone_invalid"}}}
	return append(all, sample{"change phone wrong", wrong, changeOf("phone")}, sample{"last way in", in, Change{Kind: "remove_passkey", Action: "/a", What: "X", Last: true}})
}

func changeOf(kind string) Change {
	c := Change{Kind: kind, Action: "/a", BackURL: "/b", Name: `"><b>`, Email: "x@y", Country: "BR", Phone: "11", Question: "?",
		Countries: []Country{{"AR", "Argentina", 54}, {"BR", "Brasil", 55}}}
	switch kind {
	case "passkey":
		c.OptionsURL = "/o"
	case "mail_code", "phone_code":
		c.Minutes, c.AgainURL, c.What = 10, "/c", "m***@e***.org"
	}
	return c
}

func TestNoCountryIsChosenForTheCitizen(t *testing.T) {
	t.Parallel()
	r := load(t, DefaultCity)
	chosen := func(country string) string {
		n := find(t, r, Frame{}, Change{Kind: "phone", Country: country, Countries: []Country{{"AR", "Argentina", 54}, {"BR", "Brasil", 55}}},
			func(n *html.Node) bool { return attr(n, "id") == "country" })
		var b strings.Builder
		_ = html.Render(&b, n)
		return b.String()
	}
	if none := chosen(""); strings.Contains(none, "selected") || !strings.Contains(none, "Argentina (+54)") {
		t.Errorf("%s", none)
	}
	if brazil := chosen("BR"); !strings.Contains(brazil, `<option value="BR" selected="">`) {
		t.Errorf("what was chosen is lost after a fault: %s", brazil)
	}
}

// Without its script a form that asks the device must not be sent empty: it has no button then.
func TestThePasskeyFormHasNoButtonWithoutItsScript(t *testing.T) {
	t.Parallel()
	r := load(t, DefaultCity)
	view := changeOf("passkey")
	button := find(t, r, Frame{}, view, func(n *html.Node) bool { return attr(n, "id") == "continue" })
	if _, hidden := lookup(button, "hidden"); !hidden {
		t.Error("the button is there")
	}
	page, err := r.Render(Frame{Lang: "en"}, view)
	if err != nil || !strings.Contains(string(page), "JavaScript switched off") || !strings.Contains(string(page), "/estatico/passkey.") {
		t.Errorf("%v: the page neither says why nor brings the script", err)
	}
}
