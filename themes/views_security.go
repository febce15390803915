package themes

import (
	"html/template"
	"time"
)

// Security is how the citizen signs in, where they are signed in, and what happened of late.
type Security struct {
	Base       string    // path of the page; those of the forms follow it
	Visitor    bool      // who has no CPF has nothing to choose here: they sign in by their phone
	PasswordAt time.Time // zero: there is none
	Passkeys   []Factor
	Apps       []Factor
	Spare      int // recovery codes left
	Mails      []Factor
	Phones     []Factor
	Texts      bool // the city sends text messages
	Questions  bool // the city offers the secret question
	Question   bool // and there is one
	Devices    []Device
	Events     []Event
	Held       *Held  // nil: nothing is held back
	Done       *Event // what was just done, for the note at the top; nil: nothing
}

// Factor is one passkey, app or address.
type Factor struct {
	ID     string
	Name   string    // as its owner calls it; of an address, masked
	Since  time.Time // when it was added
	Used   time.Time // zero: never, or not known
	Main   bool      // the main mail, which stays
	Synced bool      // the passkey is copied to other devices of its owner
}

// Device is one browser that is signed in.
type Device struct {
	ID      string
	Browser string // its family; "" when it is like no other
	Since   time.Time
	Seen    time.Time
	This    bool
}

// Event is one sign-in or change: message event.<Kind>.
type Event struct {
	Kind    string
	At      time.Time
	Browser string
}

// SecurityHistory is what happened in the last 90 days.
type SecurityHistory struct {
	Events  []Event
	BackURL string
}

// Change is one form that changes how the citizen signs in: messages change.<Kind>.title, .text and
// .button.
//
//	password               input "password"
//	passkey                inputs "name" and "credential", by script
//	passkey_name, app, app_name   input "name"
//	mail                   input "email"
//	phone                  inputs "country" and "phone"
//	mail_code, phone_code  input "code"
//	question               inputs "question" and "answer"
//	renew_codes, remove_passkey, remove_app, remove_mail, remove_phone, remove_question  a button alone
type Change struct {
	Kind       string
	Action     string // POST; button id "continue"
	BackURL    string
	What       string // what it is about: the name of a passkey, an address
	Name       string // typed before, kept after a fault
	Email      string
	Country    string
	Phone      string
	Question   string
	Countries  []Country
	OptionsURL string // of a passkey: POST; JSON for navigator.credentials.create
	Minutes    int    // how long a code works
	AgainURL   string // of a code: back to the address
	Last       bool   // nothing else to sign in with would be left: input "last" says that it is meant
}

// AppSetup shows an authenticator app its secret and asks for a code of it.
type AppSetup struct {
	Action  string // input "code", button id "continue"
	BackURL string
	QR      template.HTML // an SVG element
	Secret  string        // to be typed, in groups of four
	URI     template.URL  // otpauth://, for the app of this device
	Minutes int
}

// SpareCodes shows the recovery codes, once.
type SpareCodes struct {
	Codes   []string
	BackURL string
}

// SignInAgain says why a change wants a fresh sign-in, and how.
type SignInAgain struct {
	Action  string   // POST; hidden input "back", button id "continue"
	Back    string   // where the citizen comes back to
	Ways    []string // messages again.<way>: passkey, totp, password, code; one of them will do
	BackURL string
}

// NotMe is where the link "não fui eu" leads: a button, because programs open links too.
type NotMe struct {
	Action string // POST; button id "continue"
}

func (Security) page() string        { return "security" }
func (SecurityHistory) page() string { return "security_history" }
func (Change) page() string          { return "change" }
func (AppSetup) page() string        { return "app_setup" }
func (SpareCodes) page() string      { return "spare_codes" }
func (SignInAgain) page() string     { return "sign_in_again" }
func (NotMe) page() string           { return "not_me" }
