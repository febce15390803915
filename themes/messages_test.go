package themes

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// messageID finds an id shown where its message should be.
var messageID = regexp.MustCompile(`\b(problem|failure|claim|level|consent|button|field|basis|source|static|account)\.[a-z_0-9]+`)

// promised are the ids that handlers ask for by a name they compose or send by mail.
func promised() []string {
	ids := []string{"mail.register.subject", "mail.register.body", "mail.unlock.subject", "mail.unlock.body", "mail.exists.subject", "mail.exists.body"}
	add := func(prefix string, names ...string) {
		for _, n := range names {
			ids = append(ids, prefix+n)
		}
	}
	add("problem.", "cpf", "cpf_required", "credentials", "password_required", "password_short", "password_long", "password_common", "password_breached",
		"password_is_cpf", "email", "code", "code_required", "code_spent", "throttled", "unlock", "field_required", "field_long", "birthdate", "phone",
		"name", "expired", "form", "consent_changed", "second_code", "passkey", "passkey_challenge", "passkey_cloned")
	add("problem.", "recovery_way", "recovery_code_required", "recovery_code_spent", "answer", "answer_required", "answer_spent",
		"desk_code", "desk_code_required")
	for _, way := range []string{"mail", "alternative_mail", "sms", "question"} {
		add("recover.", "way."+way, "sent."+way)
	}
	add("held.by.", "passkey", "totp", "govbr", "certificate", "desk")
	add("problem.", "phone_required", "document", "document_kind", "document_country", "visitor_other", "visitor_spent")
	add("document.", "passport", "id")
	add("visitor.", "purpose")
	add("consent.text.confirmed.", "city", "source", "govbr", "icp")
	for _, code := range failureCodes {
		add("failure."+code, "", ".title")
	}
	add("claim.", "name", "birthdate", "gender", "locale", "updated_at", "civil_name", "social_name", "email", "phone_number", "address", "cpf", "rg",
		"voter_id", "cns", "nis", "passport", "mother_name", "mother_cpf", "father_name", "father_cpf", "cnpj", "company_name",
		"company_role", "govbr", "trust_evidence")
	add("basis.", "consent", "public_policy", "legal_obligation", "contract", "legitimate_interest", "vital_interest",
		"research", "legal_proceedings", "health", "credit")
	add("source.", CommonSources()...)
	add("sms.", "code", "confirm", "recover", "displaced", "changed.password", "changed.email", "changed.phone", "changed.passkey",
		"changed.totp", "changed.recovery", "changed.question", "changed.account", "level_fell", "level_ends")
	add("mail.", "confirm.subject", "confirm.body", "recover.subject", "recover.body", "changed.subject", "changed.body",
		"displaced.subject", "displaced.body", "level_fell.subject", "level_fell.body", "level_ends.subject", "level_ends.body")
	add("problem.", "day")
	add("desk.", DeskDoes()...)
	add("level_", "fell.expired", "fell.revoked", "ends.why", "changed")
	add("event.", "signed_in", "sessions_ended", "password_changed", "passkey_added", "passkey_removed", "passkey_cloned", "totp_added",
		"totp_removed", "codes_renewed", "code_used", "mail_changed", "mail_added", "mail_removed", "phone_added", "phone_removed",
		"question_changed", "recovered", "desk_recovered", "hold_lifted", "not_me", "displaced", "govbr_linked", "elsewhere")
	add("source.", "registry")
	for _, why := range []string{"denied", "unavailable", "cpf", "closed", "other", "old"} {
		add("govbr.why."+why, "", ".title")
	}
	for _, why := range []string{"denied", "unavailable", "refused", "often"} {
		add("cloud.why."+why, "", ".title")
	}
	add("problem.", "signature", "signature_required", "challenge_gone", "cloud_waiting")
	add("failure.cloud_trip", "", ".title")
	add("button.", "certificate_ways")
	for _, why := range certificateWhys {
		add("certificate.why."+why, "", ".title")
	}
	add("failure.certificate_trip", "", ".title")
	add("event.", "certificate_linked")
	add("problem.", "govbr_password")
	add("failure.govbr_trip", "", ".title")
	add("problem.", "device", "device_taken", "factor_name", "too_many_factors", "channel_taken", "app_code", "secret_question")
	add("problem.", "phone_country", "phone_invalid", "phone_fixed", "sms_too_many")
	add("gender.", genders...)
	for _, n := range []string{"1", "2", "3", "4", "5"} {
		add("level."+n, "", ".text", ".raise")
	}
	return ids
}

func TestPromisedMessagesExist(t *testing.T) {
	t.Parallel()
	r := load(t, DefaultCity)
	for _, id := range promised() {
		if !r.Has(id) {
			t.Errorf("no message %s", id)
		}
	}
}

func TestLanguagesHaveTheSameIDsAndPlaceholders(t *testing.T) {
	t.Parallel()
	for _, city := range cities {
		r := load(t, city)
		want := r.catalogs[Languages[0]].messages
		for _, lang := range Languages[1:] {
			got := r.catalogs[lang].messages
			if w, g := sortedKeys(want), sortedKeys(got); !slices.Equal(w, g) {
				t.Errorf("%s: ids differ from %s", lang, Languages[0])
			}
			for id, m := range got {
				if want[id] == nil {
					t.Errorf("%s: %s is in no other language", lang, id)
				} else if w, g := placeholders(want[id]), placeholders(m); !slices.Equal(w, g) || (m.One == "") != (want[id].One == "") {
					t.Errorf("%s: %s has placeholders %v, want %v", lang, id, g, w)
				}
			}
		}
	}
}

func TestMessagesHoldOnlyPlainPlaceholders(t *testing.T) {
	t.Parallel()
	for lang, c := range load(t, DefaultCity).catalogs {
		for id, m := range c.messages {
			rest := placeholder.ReplaceAllString(m.One+m.Other, "")
			if strings.ContainsAny(rest, "{}<>") || strings.TrimSpace(m.Other) == "" {
				t.Errorf("%s: %s is %q", lang, id, m.Other)
			}
		}
	}
}

func TestEveryMessageIsUsed(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, id := range promised() {
		used[id] = true
	}
	sources, _ := filepath.Glob("templates/*.html")
	quoted, composed := regexp.MustCompile(`"([a-z_]+(\.[a-z_0-9]+)*)"`), []string{"field.", "claim.", "static.", "level.", "change.", "again.", "role.", "company.role."}
	for _, file := range append(sources, "record.go") {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range quoted.FindAllStringSubmatch(string(raw), -1) {
			used[m[1]] = true
		}
	}
	for id := range load(t, DefaultCity).catalogs["en"].messages {
		isComposed := slices.ContainsFunc(composed, func(p string) bool { return strings.HasPrefix(id, p) })
		if !used[id] && !isComposed {
			t.Errorf("nobody uses %s", id)
		}
	}
}

// banned words blame, beg, joke, or speak of machinery (Lei 15.263/2025).
var banned = map[string]*regexp.Regexp{
	"pt-BR": regexp.MustCompile(`(?i)inválid|por favor|\bops\b|\btoken\b|\botp\b|passkey|\blogin\b(?: [^Ú])|\blogon|usuário|clique|credenci|autentic|favor de|outrossim|mediante`),
	"es":    regexp.MustCompile(`(?i)inválid|no válid|por favor|\bups\b|\btoken\b|\botp\b|passkey|haga clic|credencial|autentic|usuario`),
	"en":    regexp.MustCompile(`(?i)invalid|please|oops|\btoken\b|\botp\b|passkey|\bclick\b|credential|authenticat|\buser\b`),
}

var sentenceEnd = regexp.MustCompile(`[.!?:](\s|$)|\n`)

func TestLanguageIsPlain(t *testing.T) {
	t.Parallel()
	for lang, c := range load(t, DefaultCity).catalogs {
		for id, m := range c.messages {
			for _, text := range []string{m.One, m.Other} {
				if w := banned[lang].FindString(text); w != "" {
					t.Errorf("%s: %s says %q", lang, id, w)
				}
				for _, sentence := range sentenceEnd.Split(text, -1) {
					if n := len(strings.Fields(sentence)); n > 20 {
						t.Errorf("%s: %s has a sentence of %d words: %s", lang, id, n, sentence)
					}
				}
			}
		}
	}
}

func TestTemplatesHoldNoWords(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("templates/*.html")
	if len(files) != len(pageNames)+1 {
		t.Errorf("%d templates, want one per page and the layout", len(files))
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range literals(string(raw)) {
			t.Errorf("%s says %q by itself", file, word)
		}
	}
	if got := literals(`<p title="Oi">Olá {{t "x"}}</p><input value="{{.V}}">`); !slices.Equal(got, []string{"Oi", "Olá"}) {
		t.Errorf("literals found %q", got)
	}
}

// literals gives the words of a template that a citizen would read or hear in every language alike.
func literals(source string) []string {
	source = regexp.MustCompile(`(?s){{.*?}}`).ReplaceAllString(source, "")
	spoken := []string{"title", "alt", "placeholder", "aria-label", "data-hide", "content-label"}
	letters := regexp.MustCompile(`\pL+`)
	var all []string
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return all
		case html.TextToken:
			all = append(all, letters.FindAllString(string(z.Text()), -1)...)
		case html.StartTagToken:
			for _, a := range z.Token().Attr {
				if slices.Contains(spoken, a.Key) {
					all = append(all, letters.FindAllString(a.Val, -1)...)
				}
			}
		}
	}
}

func TestCountsChooseSingularAndPlural(t *testing.T) {
	t.Parallel()
	r := load(t, DefaultCity)
	for n, want := range map[int]string{1: "mais 1 tentativa.", 3: "mais 3 tentativas."} {
		if got := r.Text("pt-BR", "problem.code", map[string]any{"Left": n}); !strings.HasSuffix(got, want) {
			t.Errorf("%d: %s", n, got)
		}
	}
}

func TestMailTextsAreComplete(t *testing.T) {
	t.Parallel()
	r := load(t, "serra-verde")
	args := map[string]any{"Code": "123456", "Minutes": 10, "URL": "https://x.example/entrar"}
	for _, lang := range Languages {
		for _, kind := range []string{"register", "unlock", "exists"} {
			body, err := r.Message(lang, "mail."+kind+".body", args)
			if err != nil || !strings.Contains(body, "Município de Serra Verde") {
				t.Errorf("%s %s: %q, %v", lang, kind, body, err)
			}
			if has := strings.Contains(body, "123456"); has == (kind == "exists") {
				t.Errorf("%s %s: code shown: %v", lang, kind, has)
			}
		}
	}
	if body := r.Text("en", "mail.exists.body", map[string]any{"URL": "u", "City": "Another"}); !strings.Contains(body, "Another") {
		t.Errorf("an argument does not replace the city: %s", body)
	}
	if _, err := r.Message("en", "mail.exists.body", nil); err == nil {
		t.Error("a missing URL is no error")
	}
}
