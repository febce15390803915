package themes

import (
	"sync"
	"testing"
	"time"
)

var cities = []string{"vila-esperanca", "serra-verde"}

// loaded holds a func() (*Renderer, error) for each city: to read its pages takes longer than to show one.
var loaded sync.Map

// load gives the embedded pages of a city, the same to all tests, as the server gives them to all requests.
func load(t testing.TB, city string) *Renderer {
	t.Helper()
	once, _ := loaded.LoadOrStore(city, sync.OnceValues(func() (*Renderer, error) { return Load("", city) }))
	r, err := once.(func() (*Renderer, error))()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fresh is load of a renderer that has shown nothing yet, for tests of what it keeps.
func fresh(t testing.TB, city string) *Renderer {
	t.Helper()
	r, err := Load("", city)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sample is one page in one state.
type sample struct {
	name  string
	frame Frame
	view  View
}

// samples are all pages, in every state that shows other words.
func samples() []sample {
	all := append(signInSamples(), visitorSamples()...)
	all = append(all, consentSamples()...)
	all = append(all, recoverySamples()...)
	all = append(all, accountSamples()...)
	all = append(all, securitySamples()...)
	all = append(all, govbrSamples()...)
	all = append(all, signatureSamples()...)
	all = append(all, companySamples()...)
	all = append(all, certificateSamples()...)
	return append(all, failureSamples()...)
}

func service() Frame {
	return Frame{
		Path:      "/entrar?interaction=1&x=á b",
		Reference: "01J0-REF",
		Service: &Service{
			ID: "saude-agenda", Name: "Agenda da Saúde", Department: "Secretaria Municipal da Saúde",
			Contact: "saude@example.org", PolicyURI: "https://example.org/privacidade", Accent: "#0b6e4f",
		},
	}
}

func withProblem(code string, args map[string]any, fields ...FieldProblem) Frame {
	f := service()
	f.Problem = &Problem{Code: code, Args: args, Fields: fields}
	return f
}

func signInSamples() []sample {
	left := map[string]any{"Left": 1}
	return []sample{
		{"identify", service(), Identify{Action: "/entrar", RegisterURL: "/cadastro", CancelURL: "/cancelar"}},
		{"identify alone", Frame{Path: "/entrar"}, Identify{Action: "/entrar", RegisterURL: "/cadastro"}},
		{"identify wrong cpf", withProblem("cpf", nil, FieldProblem{Field: "cpf", Code: "cpf"}),
			Identify{Action: "/entrar", CPF: "529.982.247-24", RegisterURL: "/cadastro"}},
		{"password", service(), Password{Action: "/senha", CPF: "529.982.247-25", ChangeURL: "/entrar", RegisterURL: "/cadastro"}},
		{"password login", service(), Password{Action: "/senha", CPF: "529.982.247-25", RegisterURL: "/cadastro", Reauth: "login"}},
		{"password max_age", service(), Password{Action: "/senha", CPF: "529.982.247-25", RegisterURL: "/cadastro", Reauth: "max_age"}},
		{"password throttled", withProblem("throttled", map[string]any{"Minutes": 5}),
			Password{Action: "/senha", CPF: "529.982.247-25", RegisterURL: "/cadastro"}},
		{"code", service(), Code{Action: "/codigo", ResendURL: "/outro", Destination: "m***@example.org", Minutes: 10, Purpose: "register", ChangeURL: "/mudar"}},
		{"code hidden", service(), Code{Action: "/codigo", ResendURL: "/outro", Minutes: 1, Purpose: "register"}},
		{"code unlock", withProblem("code", left, FieldProblem{Field: "code", Code: "code", Args: left}),
			Code{Action: "/codigo", ResendURL: "/outro", Minutes: 10, Purpose: "unlock"}},
		{"register", service(), Register{Action: "/cadastro", SignInURL: "/entrar"}},
		{"register problems", withProblem("form", nil, FieldProblem{Field: "email", Code: "email"}, FieldProblem{Field: "password", Code: "password_short"}),
			Register{Action: "/cadastro", CPF: "52998224725", Email: `"><script>`, SignInURL: "/entrar"}},
		{"profile", service(), Profile{Action: "/dados", Fields: allFields(), Cancel: "/cancelar"}},
		{"profile alone", Frame{Path: "/dados"}, Profile{Action: "/dados", Fields: allFields()[:2]}},
		{"profile problem", withProblem("form", nil, FieldProblem{Field: "birthdate", Code: "birthdate"}),
			Profile{Action: "/dados", Fields: []Field{{Name: "birthdate", Value: "31/12/80", Required: true}}}},
		{"select account", service(), SelectAccount{Action: "/conta", Name: "Maria da Silva", CPF: "***.982.247-**"}},
		{"second step lost", service(), SecondStep{Action: "/segunda", Code: true, RecoverURL: "/recuperar", ChangeURL: "/entrar"}},
		{"second step", service(), SecondStep{Action: "/segunda", Code: true, Recovered: true, Passkey: &PasskeyForm{"/chave", "/opcoes"}, ChangeURL: "/entrar"}},
		{"second step of nobody's", Frame{Path: "/reforco"}, SecondStep{Action: "/reforco", Stronger: true, ChangeURL: "/conta"}},
		{"why", Frame{Path: "/conta/nivel"}, Level{Level: 2, Until: day, Because: []Proof{{Level: 2, Since: day, Until: day}}, Beside: []Proof{{Level: 1, Since: day}},
			Past: []Proof{{Level: 5, Since: day, Ended: day}}, Raise: ways(3, 4, 5), Action: "/conta/nivel", Fields: allFields()[:2], AccountURL: "/conta",
			Day: "2026-03-12", Then: &Then{Day: day, Level: 1, Because: []Proof{{Level: 1, Since: day}}}}},
		{"why unequal", Frame{Path: "/conta/nivel"}, Level{Level: 1, Because: []Proof{{Level: 1, Since: day}}, Raise: ways(2, 3, 4, 5), Unequal: true, AccountURL: "/conta"}},
		{"why nothing", withDay(), Level{Raise: []Way{{Level: 2, Off: true}, {Level: 4, Off: true}, {Level: 5, Off: true}}, Day: "31/02/2026", Then: &Then{Day: day}, AccountURL: "/conta"}},
		{"why waiting", Frame{Path: "/conta/nivel"}, Level{Level: 3, Because: []Proof{{Level: 3, Since: day}}, Raise: ways(4, 5), Action: "/conta/nivel?i=1", Visit: "1", VisitURL: "/entrar/continuar?i=1", AccountURL: "/conta"}},
		{"level", service(), LevelTooLow{Action: "/voltar", Needed: 4, Have: 1, WaysURL: "/conta/nivel?i=1"}},
		{"level session", service(), LevelTooLow{Action: "/voltar", Needed: 4, Have: 4, Session: true}},
	}
}

func visitorSamples() []sample {
	left, at := map[string]any{"Left": 2}, []Country{{"AR", "Argentina", 54}, {"UY", "Uruguai", 598}}
	document := &Document{Kinds: []string{"passport", "id"}, Kind: "id", Country: "AR", Number: "12.345.678", Purpose: "Seguro", Countries: at}
	return []sample{
		{"identify visitors", service(), Identify{Action: "/entrar", RegisterURL: "/cadastro", VisitorURL: "/entrar/visitante?i=1"}},
		{"identify visitors in English", service(), Identify{Action: "/entrar", RegisterURL: "/cadastro", VisitorURL: "/entrar/visitante?i=1", VisitorLang: "en"}},
		{"visitor phone", service(), VisitorPhone{Action: "/v", Countries: at, SignInURL: "/entrar", CancelURL: "/cancelar"}},
		{"visitor phone problems", withProblem("form", nil, FieldProblem{Field: "country", Code: "phone_country"}, FieldProblem{Field: "phone", Code: "phone_required"}),
			VisitorPhone{Action: "/v", Countries: at, Country: "UY", Phone: "09", SignInURL: "/entrar"}},
		{"visitor code", service(), VisitorCode{Action: "/c", ResendURL: "/n", ChangeURL: "/v", Number: "+598 94 123 456", Minutes: 10}},
		{"visitor who", withProblem("visitor_other", left), VisitorWho{Action: "/w", Number: "+598 94 123 456", Ask: true, Name: "Ana Paz", Birthdate: "1990-01-01", ChangeURL: "/v"}},
		{"visitor who spent", withProblem("visitor_spent", nil), VisitorWho{Action: "/w", Number: "+598 94 123 456", ChangeURL: "/v"}},
		{"visitor who has a cpf", service(), VisitorWho{Action: "/w", Number: "+598 94 123 456", HasCPF: true, SignInURL: "/entrar", ChangeURL: "/v"}},
		{"visitor needs a cpf", service(), CPFRequired{Action: "/cpf", Name: "Ana Paz", CancelURL: "/cancelar"}},
		{"visitor adds a cpf", Frame{Path: "/cpf"}, CPFRequired{Action: "/cpf"}},
		{"visitor data", service(), Profile{Action: "/dados", Fields: allFields()[:2], Document: document}},
		{"visitor data problems", withProblem("form", nil, FieldProblem{Field: "document_kind", Code: "document_kind"}, FieldProblem{Field: "passport", Code: "document"}),
			Profile{Action: "/dados", Document: document}},
		{"select account visitor", service(), SelectAccount{Action: "/conta"}},
		{"account visitor", Frame{Path: "/conta"}, Account{Level: 1, LogoutURL: "/sair", JoinURL: "/conta/cpf"}},
	}
}

// ways up, each with a button or desks.
func ways(levels ...int) (all []Way) {
	desks := []DeskView{{Name: "Posto Centro", Address: "Praça da Matriz, 1", Hours: "8h às 17h", Phone: "156", PhoneLink: "156", Does: DeskDoes(), Near: true},
		{Name: "Posto Norte", Address: "Rua B, 2", Hours: "8h às 12h", Does: DeskDoes()[:1]}}
	for _, n := range levels {
		w := Way{Level: n}
		if n == 2 || n == 5 {
			w.URL = "/conta/nivel/provar?tipo=x"
		} else {
			w.Desks = desks
		}
		all = append(all, w)
	}
	return all
}

func withDay() Frame {
	return Frame{Path: "/conta/nivel", Problem: &Problem{Code: "day", Fields: []FieldProblem{{Field: "day", Code: "day"}}}}
}

var day = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// profileClaims are the claims a citizen can type.
var profileClaims = []string{
	"name", "birthdate", "gender", "phone_number", "address", "street_address", "neighborhood", "locality", "region",
	"postal_code", "rg", "voter_id", "cns", "nis", "passport", "mother_name", "mother_cpf", "father_name", "father_cpf",
	"civil_name", "cnpj", "company_name", "company_role",
}

func allFields() []Field {
	var all []Field
	for i, name := range profileClaims {
		all = append(all, Field{Name: name, Required: i%2 == 0, Purpose: "Atender você"})
	}
	return all
}

func consentSamples() []sample {
	full := Consent{Action: "/consentimento", Level: 3, Offline: true, First: true,
		Required: []ConsentClaim{
			{Name: "name", Value: "Maria A. da S.", Purpose: "Identificar você na consulta", Basis: "public_policy",
				Confirmed: []Attester{{Who: "city"}, {Who: "govbr"}, {Who: "icp"}}},
			{Name: "birthdate", Value: "**/**/1958", Purpose: "Conferir sua idade", Basis: "public_policy",
				Confirmed: []Attester{{Who: "source", Name: "Secretaria Municipal da Saúde"}}},
			{Name: "cpf", Value: "***.982.247-**", Purpose: "Achar seu cadastro", Basis: "legal_obligation"},
		},
		Optional: []ConsentClaim{{Name: "cns", Purpose: "Achar seu prontuário", Basis: "consent"}},
	}
	again := Consent{Action: "/consentimento", Level: 1, Again: true, Known: full.Required, Optional: full.Optional}
	return []sample{{"consent", service(), full}, {"consent again", service(), again}}
}

func recoverySamples() []sample {
	ways, left := []string{"mail", "alternative_mail", "sms", "question"}, map[string]any{"Left": 1}
	held := &Held{Ways: []string{"passkey", "totp", "govbr", "certificate", "desk"}, ConfirmURL: "/conta/confirmar"}
	all := []sample{
		{"password forgotten", service(), Password{Action: "/senha", CPF: "529.982.247-25", RecoverURL: "/recuperar"}},
		{"recover", service(), Recover{Action: "/recuperar", Ways: ways, DeskURL: "/recuperar/atendimento", SignInURL: "/entrar"}},
		{"recover problems", withProblem("form", nil, FieldProblem{Field: "cpf", Code: "cpf"}, FieldProblem{Field: "way", Code: "recovery_way"}),
			Recover{Action: "/recuperar", CPF: "1", Ways: ways[:1], Way: "mail", DeskURL: "/recuperar/atendimento"}},
		{"recover code spent", withProblem("recovery_code_spent", nil, FieldProblem{Field: "code", Code: "recovery_code_spent"}),
			RecoverCode{Action: "/codigo", Way: "mail", Minutes: 10, AgainURL: "/recuperar"}},
		{"recover link", Frame{}, RecoverLink{Action: "/link", Token: `"><x`}},
		{"recover question", withProblem("answer", left, FieldProblem{Field: "answer", Code: "answer", Args: left}),
			RecoverQuestion{Action: "/pergunta", Question: "Qual era <o> apelido?"}},
		{"recover desk", withProblem("desk_code", nil, FieldProblem{Field: "code", Code: "desk_code"}), RecoverDesk{Action: "/atendimento", BackURL: "/recuperar"}},
		{"new password", service(), NewPassword{Action: "/senha", Others: true, Held: true, Minutes: 10}},
		{"new password after a desk", Frame{}, NewPassword{Action: "/senha", Minutes: 1}},
		{"account held", Frame{SignedIn: "Maria"}, Account{CPF: "***.982.247-**", Level: 1, LogoutURL: "/sair", Held: held}},
		{"level held", service(), LevelTooLow{Action: "/voltar", Needed: 3, Have: 1, Session: true, Held: &Held{Ways: held.Ways}}},
	}
	for _, way := range ways {
		all = append(all, sample{"recover code " + way, service(), RecoverCode{Action: "/codigo", Way: way, Minutes: 1, AgainURL: "/recuperar"}})
	}
	return all
}

func accountSamples() []sample {
	at := time.Date(2026, 11, 21, 1, 30, 0, 0, time.UTC) // still the 20th in São Paulo
	in := Frame{Path: "/conta", SignedIn: "Maria"}
	data := []Datum{
		{Name: "name", Value: "Maria Aparecida da Silva", Source: "saude", SourceName: "Secretaria Municipal da Saúde", Since: at},
		{Name: "birthdate", Value: "1985-03-12", Source: "self", Since: at},
		{Name: "gender", Value: "female", Source: "registry", Since: at},
		{Name: "locale", Value: "pt-BR"}, {Name: "email"},
	}
	app := Application{ID: "saude-agenda", Name: "Agenda da Saúde", Department: "Secretaria da Saúde", Claims: []string{"name", "cns"},
		Since: at, LastUse: at, RevokeURL: "/retirar", PolicyURI: "https://example.org/p"}
	unused := app
	unused.ID, unused.LastUse, unused.Claims, unused.PolicyURI = "portal", time.Time{}, nil, ""
	return []sample{
		{"account", in, Account{CPF: "***.982.247-**", Level: 3, Data: data, LogoutURL: "/sair"}},
		{"account employee", in, Account{CPF: "***.982.247-**", Level: 4, LogoutURL: "/sair", Office: &Office{Department: "Secretaria da Saúde",
			Roles: []string{"attendant", "supervisor", "operator", "auditor"}, From: at, Until: at.AddDate(1, 0, 0), Services: []string{"Gestão", "Portal"}}}},
		{"account employee unseen", in, Account{CPF: "***.982.247-**", Level: 4, LogoutURL: "/sair", Office: &Office{Department: "TI", Roles: []string{"operator"}, From: at}}},
		{"no employee", service(), NotEmployee{Action: "/servidor", Name: "Maria <b>"}},
		{"no employee any more", service(), NotEmployee{Action: "/servidor", Department: "Secretaria da Saúde", Ended: at}},
		{"no employee yet", service(), NotEmployee{Action: "/servidor", Department: "Secretaria da Saúde", From: at}},
		{"level employee", service(), LevelTooLow{Action: "/voltar", Needed: 4, Have: 3, Session: true, Staff: true, StrongerURL: "/entrar/reforco"}},
		{"stronger without anything", service(), SecondStep{Action: "/entrar/reforco", Stronger: true, ChangeURL: "/entrar/nivel"}},
		{"account highest", in, Account{CPF: "***.982.247-**", Level: 5, LogoutURL: "/sair"}},
		{"applications", in, Applications{Items: []Application{app, unused}}},
		{"applications none", in, Applications{}},
		{"logout", in, Logout{Action: "/sair", Hidden: map[string]string{"state": "x", "client_id": "portal"}, Name: "Maria da Silva"}},
		{"logged out", Frame{}, LoggedOut{SignInURL: "/entrar", Ended: true}},
		{"stayed", in, LoggedOut{SignInURL: "/conta"}},
	}
}

// failureCodes are the error pages handlers may ask for.
var failureCodes = []string{
	"not_found", "expired", "wrong_browser", "client", "redirect_uri", "request", "internal", "throttled", "forbidden", "method", "too_large", "recovery", "visitors",
	"not_me", "displaced", "factor_not_found",
}

func failureSamples() []sample {
	all := []sample{
		{"form post", service(), FormPost{RedirectURI: "https://rp.example/cb", Fields: map[string]string{"code": "c", "state": `"'<`}}},
		{"privacy", Frame{Path: "/privacidade"}, Static{Name: "privacidade"}},
		{"accessibility", Frame{Path: "/acessibilidade", Contrast: true}, Static{Name: "acessibilidade"}},
		{"app return", service(), Failure{Code: "expired", ReturnURL: "br.example.app:/cb?error=access_denied"}},
	}
	for _, code := range failureCodes {
		all = append(all, sample{"failure " + code, Frame{Reference: "REF"}, Failure{Code: code, ReturnURL: "/conta"}})
	}
	return all
}

func companySamples() []sample {
	offers := []CompanyOffer{{"11222333000181", "11.222.333/0001-81", "FERREIRA DOCES LTDA", "partner", true},
		{"12ABC34501DE35", "12.ABC.345/01DE-35", "", "certificate_holder", false}, {"1", "1", "<i>", "accountant", false},
		{"2", "2", "B", "collaborator", false}, {"3", "3", "C", "legal_representative", false}}
	const at, gov = "/entrar/empresa?i=1", "/entrar/govbr?i=1"
	return []sample{
		{"company", service(), Company{Action: at, Companies: offers, Required: true, GovBRURL: gov, More: true}},
		{"company optional", service(), Company{Action: at, Companies: offers[:2]}},
		{"company none chosen", withProblem("company_required", nil, FieldProblem{Field: "company", Code: "company_required"}),
			Company{Action: at, Companies: offers[1:], Required: true}},
		{"company none", service(), Company{Action: at, Required: true, GovBRURL: gov, CertificateURL: "/certificado?i=1"}},
		{"company none at gov.br", service(), Company{Action: at, Required: true, Asked: true, GovBRURL: gov}},
		{"company silent", service(), Company{Action: at, Required: true, Silent: true, GovBRURL: gov}},
		{"company none needed", service(), Company{Action: at, Asked: true}},
		{"consent of a company", service(), Consent{Action: "/c", CompanyURL: at, Level: 2,
			Required: []ConsentClaim{{Name: "cnpj", Value: "11.222.333/0001-81"}, {Name: "company_role", Value: "partner"}}}},
	}
}

func govbrSamples() []sample {
	const again = "/entrar/govbr?i=1"
	passkey := PasskeyForm{Action: "/entrar/chave", OptionsURL: "/entrar/chave/opcoes"}
	all := []sample{
		{"identify gov.br", service(), Identify{Action: "/entrar", RegisterURL: "/cadastro", CancelURL: "/cancelar", GovBRURL: again, Passkey: passkey}},
		{"password gov.br", service(), Password{Action: "/entrar/senha", CPF: "529.982.247-25", ChangeURL: "/entrar", GovBRURL: again, Passkey: passkey}},
		{"stronger gov.br", service(), SecondStep{Action: "/entrar/reforco", Stronger: true, ChangeURL: "/entrar/nivel", GovBRURL: again}},
		{"level gov.br", service(), LevelTooLow{Action: "/entrar/nivel", Needed: 2, Have: 1, GovBRURL: again}},
		{"level session gov.br", service(), LevelTooLow{Action: "/entrar/nivel", Needed: 4, Have: 3, Session: true, GovBRURL: again, StrongerURL: "/entrar/reforco"}},
		{"govbr account", service(), GovBRAccount{Action: "/entrar/govbr/conta", CPF: "***.982.247-**", RecoverURL: "/recuperar", BackURL: "/entrar/continuar"}},
		{"govbr account wrong", withProblem("govbr_password", nil, FieldProblem{Field: "password", Code: "govbr_password"}),
			GovBRAccount{Action: "/entrar/govbr/conta", CPF: "***.982.247-**", RecoverURL: "/recuperar", BackURL: "/entrar/continuar"}},
		{"govbr trip", Frame{Path: "/entrar/govbr/retorno", Reference: "01J0-REF"}, Failure{Code: "govbr_trip", Status: 410}},
	}
	for _, why := range []string{"denied", "unavailable", "cpf", "closed", "other", "old"} {
		all = append(all, sample{"govbr why " + why, service(), GovBRWhy{Reason: why, CPF: "***.982.247-**", AgainURL: again, BackURL: "/entrar/continuar"}})
	}
	return all
}

func signatureSamples() []sample {
	const ways, text = "/entrar/certificado/outro-jeito?i=1", "Entrar em https://id.example.org - 2026-11-21T12:00:00Z - 5n0VYgV0m0Wc0WfZ4gQeS6Vd3l3bq2mYxjXyVh9pRzA"
	clouds := []CloudProvider{{ID: "birdid", Name: "BirdID", URL: "/entrar/nuvem?i=1&psc=birdid"}, {ID: "vidaas", Name: "VIDaaS"}}
	signature := Signature{Action: "/entrar/assinatura", Text: text, TextURL: "/entrar/assinatura/texto.txt?i=1", Command: "openssl cms -sign", BackURL: ways}
	all := []sample{
		{"ways", service(), CertificateWays{Providers: clouds, Action: "/entrar/nuvem", SignURL: "/entrar/assinatura", BackURL: "/entrar/continuar"}},
		{"ways cpf", withProblem("cpf", nil, FieldProblem{Field: "cpf", Code: "cpf"}),
			CertificateWays{Providers: clouds, Action: "/entrar/nuvem", NeedsCPF: true, CPF: "1", SignURL: "/entrar/assinatura", BackURL: "/entrar/continuar"}},
		{"ways without a cloud", service(), CertificateWays{SignURL: "/entrar/assinatura", BackURL: "/entrar/continuar"}},
		{"cloud wait", service(), CloudWait{Action: "/entrar/nuvem/celular", Provider: "VIDaaS", BackURL: ways}},
		{"cloud waiting", withProblem("cloud_waiting", nil), CloudWait{Action: "/entrar/nuvem/celular", Provider: "VIDaaS", BackURL: ways}},
		{"signature", service(), signature},
		{"signature wrong", withProblem("signature", nil, FieldProblem{Field: "signature", Code: "signature"}), signature},
		{"cloud trip", Frame{Path: "/entrar/nuvem/retorno", Reference: "01J0-REF"}, Failure{Code: "cloud_trip", Status: 410}},
	}
	for _, why := range []string{"denied", "unavailable", "refused", "often"} {
		all = append(all, sample{"cloud why " + why, service(), CloudWhy{Reason: why, BackURL: ways}})
	}
	return all
}

// certificateWhys are the reasons that certauth and idp/flow give.
var certificateWhys = []string{"none", "unreadable", "untrusted", "expired", "not_yet", "revoked", "unchecked", "machine", "seal", "policy", "number",
	"cpf", "closed", "other"}

func certificateSamples() []sample {
	const to, goes, back = "/entrar/certificado?i=1", "/entrar/certificado/ir?i=1", "/entrar/continuar"
	passkey := PasskeyForm{Action: "/entrar/chave", OptionsURL: "/entrar/chave/opcoes"}
	all := []sample{
		{"identify certificate", service(), Identify{Action: "/entrar", RegisterURL: "/cadastro", CancelURL: "/cancelar", GovBRURL: "/entrar/govbr?i=1", CertificateURL: to, Passkey: passkey}},
		{"password certificate", service(), Password{Action: "/entrar/senha", CPF: "529.982.247-25", ChangeURL: "/entrar", CertificateURL: to, Passkey: passkey}},
		{"stronger certificate", service(), SecondStep{Action: "/entrar/reforco", Stronger: true, ChangeURL: "/entrar/nivel", CertificateURL: to}},
		{"level certificate", service(), LevelTooLow{Action: "/entrar/nivel", Needed: 5, Have: 3, CertificateURL: to}},
		{"level session certificate", service(), LevelTooLow{Action: "/entrar/nivel", Needed: 5, Have: 3, Session: true, CertificateURL: to, StrongerURL: "/entrar/reforco"}},
		{"certificate", service(), Certificate{GoURL: goes, OldURL: goes + "&antigo=1", BackURL: back}},
		{"certificate only new tokens", service(), Certificate{GoURL: goes, BackURL: back}},
		{"certificate account", service(), CertificateAccount{Action: "/entrar/certificado/conta", CPF: "***.982.247-**", RecoverURL: "/recuperar", BackURL: back}},
		{"certificate account wrong", withProblem("govbr_password", nil, FieldProblem{Field: "password", Code: "govbr_password"}),
			CertificateAccount{Action: "/entrar/certificado/conta", CPF: "***.982.247-**", RecoverURL: "/recuperar", BackURL: back}},
		{"certificate trip", Frame{Path: "/entrar/certificado/retorno", Reference: "01J0-REF"}, Failure{Code: "certificate_trip", Status: 410}},
	}
	for _, why := range certificateWhys {
		all = append(all, sample{"certificate why " + why, service(), CertificateWhy{Reason: why, CPF: "***.982.247-**", AgainURL: goes, OldURL: goes + "&antigo=1", BackURL: back}})
	}
	return all
}
