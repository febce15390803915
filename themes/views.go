package themes

import "time"

// View is what one page shows. Each view names its template.
type View interface{ page() string }

// Frame is what every page needs beside its own view.
type Frame struct {
	Lang      string   // "pt-BR", "es" or "en"
	Path      string   // path and query of this page, for the language links
	Service   *Service // the service that sent the citizen here; nil outside an authorization
	Problem   *Problem // nil when nothing is wrong
	SignedIn  string   // the name shown in the header; "" when nobody is signed in
	Contrast  bool     // the citizen chose high contrast
	Reference string   // request id, shown where something failed
	Visit     string   // the id in this visit's URLs, lower case; "" keeps a page from being pieced together
	// FormAction lists origins beside 'self' that a form on this page may end up at, because
	// Chromium applies form-action to every redirect after the POST. Empty: 'self' alone.
	FormAction []string
}

// Service is the relying party as the citizen sees it, already in the page's language.
type Service struct {
	ID, Name, Department, Contact, PolicyURI string
	Accent                                   string // "#rrggbb" or ""
}

// Problem is the error summary above the heading. Code is the message id "problem.<Code>".
type Problem struct {
	Code   string
	Fields []FieldProblem
	Args   map[string]any
}

// FieldProblem is the message beside one field: message id "problem.<Code>".
type FieldProblem struct {
	Field string // name and id of the input
	Code  string
	Args  map[string]any
}

// Identify asks for the CPF: the first page of a sign-in.
type Identify struct {
	Action         string // POST target; input "cpf", button id "continue"
	CPF            string // as typed, kept after an error
	RegisterURL    string
	VisitorURL     string // with a query: for people without a CPF; "" hides it
	VisitorLang    string // "es" or "en": the only one of the two that the service speaks; "" both
	CancelURL      string // back to the service with access_denied; "" hides it
	GovBRURL       string // link id "govbr"; "" hides it
	CertificateURL string // link id "certificate"; "" hides it
	Passkey        PasskeyForm
}

// PasskeyForm asks the device for its biometrics or PIN, by script (static/passkey.js).
type PasskeyForm struct {
	Action     string // POST; input "credential", button id "passkey"
	OptionsURL string // POST; JSON for navigator.credentials.get
}

// Password asks for the password of the CPF typed before. It looks the same for a CPF with no account.
type Password struct {
	Action         string // input "password" (current-password), button id "continue"
	CPF            string // formatted 000.000.000-00, because the person typed it on this screen a moment ago
	ChangeURL      string // "not my CPF"
	RegisterURL    string
	RecoverURL     string // for those who lost it
	GovBRURL       string // link id "govbr"; "" hides it
	CertificateURL string // link id "certificate"; "" hides it
	Reauth         string // "" | "login" (service asked for a new sign-in) | "max_age"
	Passkey        PasskeyForm
}

// SecondStep asks for what an account wants after its password, or for what makes a session stronger.
type SecondStep struct {
	Action         string       // input "code": six digits of the app or a recovery code; button id "continue"
	Code           bool         // there is an app
	Passkey        *PasskeyForm // nil: there is none
	Recovered      bool         // the password was recovered: button name=without goes on, at level 1
	Stronger       bool         // somebody is signed in, and what they do wants more
	GovBRURL       string       // link id "govbr"; "" hides it
	CertificateURL string       // link id "certificate"; "" hides it
	RecoverURL     string       // for those who have lost app and codes; "" hides it
	ChangeURL      string       // back
}

// Code asks for the six digits sent by mail.
type Code struct {
	Action      string // input "code" (numeric, one-time-code), button id "continue"
	ResendURL   string // POST target of the "send again" button (form with one button id "resend")
	Destination string // masked address; "" when it must not be shown (unlock)
	Minutes     int
	Purpose     string // "register" or "unlock"
	ChangeURL   string // back, to correct the address; "" hides it
}

// Register opens an account.
type Register struct {
	Action     string // inputs "cpf", "email", "password" (new-password), button id "continue"
	CPF, Email string
	SignInURL  string
}

// Profile asks for the data this service needs and the city does not have yet.
type Profile struct {
	Action string // button id "continue"
	Fields []Field
	Cancel string // POST target that returns to the service with access_denied; "" hides it
	// Document is asked of visitors; nil hides it.
	Document *Document
}

// Field is one input of Profile. Label is message "claim.<Name>", hint "claim.<Name>.hint" when that message exists.
type Field struct {
	Name     string // claim name: name, birthdate, gender, phone_number, mother_name, …
	Value    string // as typed
	Required bool
	Purpose  string // why the service needs it, in the page's language
}

// Consent asks whether this service may see these data.
type Consent struct {
	Action   string // POST; buttons id "allow" (name=decision value=allow) and id "deny" (value=deny), equal in looks
	Required []ConsentClaim
	Optional []ConsentClaim // checkboxes name="optional" value=<Name>, unticked
	Known    []ConsentClaim // authorized before; shown folded, not asked again
	Level    int            // trust level that goes along
	Offline  bool           // the service also asks to keep access while the citizen is away
	Again    bool           // authorized before, something new is asked
	First    bool           // first use of this service
	// CompanyURL leads back to the choice of the company, link id "company"; "" hides it.
	CompanyURL string
}

// ConsentClaim is one line of the consent page.
type ConsentClaim struct {
	Name    string // label is message "claim.<Name>"
	Value   string // masked for display; "" when the city has none
	Purpose string
	Basis   string // message "basis.<Basis>": consent, public_policy, legal_obligation, …

	Confirmed []Attester // who vouches for the value, where the service asks; empty: nobody, or it does not ask
}

// Attester vouches for a claim: message "consent.text.confirmed.<Who>".
type Attester struct {
	Who  string // city, source, govbr or icp
	Name string // of a source
}

// SelectAccount offers to go on as who is signed in, or as somebody else.
type SelectAccount struct {
	Action string // POST; buttons id "continue" (name=account value=current) and id "other" (value=other)
	Name   string
	CPF    string // masked ***.982.247-**
}

// LevelTooLow says why the service cannot be used yet, and how to get further.
type LevelTooLow struct {
	Action         string // POST target, button id "continue": back to the service with an honest error
	Needed, Have   int
	Why            string // the service's own words; "" where it asks for more than it usually does
	Session        bool   // true: the person's level is enough, this session's strength is not
	Staff          bool   // the service is for those who work for the city
	GovBRURL       string // link id "govbr", where gov.br may be enough; "" hides it
	CertificateURL string // link id "certificate"; "" hides it
	WaysURL        string // link id "ways" to the page that tells every way to the level; "" hides it
	StrongerURL    string // link id "stronger" to the page that makes the session stronger; "" hides it
	Held           *Held
}

// Logout asks for confirmation of an RP-initiated logout.
type Logout struct {
	Action string            // POST; buttons id "continue" (name=decision value=logout) and id "stay" (value=stay)
	Hidden map[string]string // carried parameters
	Name   string
}

// LoggedOut closes the visit.
type LoggedOut struct {
	SignInURL string
	Ended     bool // false: the citizen chose to stay signed in
}

// Account is the citizen's own page: meus dados.
type Account struct {
	CPF       string // masked
	Level     int
	Data      []Datum
	LogoutURL string  // POST target (button id "logout")
	Held      *Held   // nil: nothing is held back
	JoinURL   string  // POST target (button id "join") for a visitor who has a CPF by now; "" hides it
	Office    *Office // nil: the citizen is not an employee of the city
	LevelURL  string  // links to why the level is what it is; "" hides it
}

// CommonSources lists the origins of values that have a name in every language; others are a city's
// own, and go by the name its policy gives them.
func CommonSources() []string {
	return []string{"self", "desk", "operator", "receita", "govbr", "icp"}
}

// Datum is one line of meus dados. Label is message "claim.<Name>".
type Datum struct {
	Name, Value string
	Source      string // one of CommonSources
	SourceName  string // of any other, as the city calls it; "" for a common one
	Since       time.Time
}

// Applications lists the services this citizen has authorized: aplicações permitidas.
type Applications struct {
	Items []Application
}

// Application is one authorized service.
type Application struct {
	ID, Name, Department string
	Claims               []string // claim names; labels "claim.<Name>"
	Since, LastUse       time.Time
	RevokeURL            string // POST target, button class "revoke", id "revoke-<ID>"
	PolicyURI            string
}

// Failure is every error page. Code is message "failure.<Code>" with title "failure.<Code>.title".
type Failure struct {
	Code      string
	Status    int
	ReturnURL string // link that helps: back to the service or to the account; "" hides it
}

// FormPost carries an authorization response by form_post (OAuth 2.0 Form Post Response Mode).
type FormPost struct {
	RedirectURI string
	Fields      map[string]string
}

// Static is a page of text: accessibility, privacy.
type Static struct {
	Name string // "acessibilidade" or "privacidade"
}

func (Identify) page() string      { return "identify" }
func (Password) page() string      { return "password" }
func (Code) page() string          { return "code" }
func (SecondStep) page() string    { return "second_step" }
func (Register) page() string      { return "register" }
func (Profile) page() string       { return "profile" }
func (Consent) page() string       { return "consent" }
func (SelectAccount) page() string { return "select_account" }
func (LevelTooLow) page() string   { return "level_too_low" }
func (Logout) page() string        { return "logout" }
func (LoggedOut) page() string     { return "logged_out" }
func (Account) page() string       { return "account" }
func (Applications) page() string  { return "applications" }
func (Failure) page() string       { return "failure" }
func (FormPost) page() string      { return "form_post" }
func (Static) page() string        { return "static" }
