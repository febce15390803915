package flow

import (
	"slices"
	"time"
)

// Step is what is still missing before a code may be issued.
type Step int

// The steps, in the order a citizen meets them.
const (
	Identify       Step = iota // the CPF
	ConfirmChannel             // the mail code of a new account
	ConfirmNumber              // the code that a visitor's phone has received
	ConfirmVisitor             // whether they are who had this number, or somebody new
	UnlockByMail               // a mail code, because this CPF met too many tries
	Authenticate               // the password
	SecondStep                 // the code that this account asks for after the password
	SelectAccount              // go on as who is signed in?
	WrongPerson                // the service wants another person than the one who signed in
	Strengthen                 // a page of ours wants a session as strong as the account can give
	CPFRequired                // the service is for people with a CPF, and this one has none
	NotEmployee                // the service is for those who work for the city, and this one does not
	LevelTooLow                // the city does not know this person, or this session, surely enough
	Company                    // for which company the citizen uses the service
	Profile                    // data the service needs and the city lacks
	Consent                    // the citizen's decision
	Issue                      // nothing is missing
)

// Facts are what happened, as far as [Next] needs to know.
type Facts struct {
	StartedAt   time.Time // of the authorization request
	CPFTyped    bool      // in this interaction, and nobody signed in by it yet
	Registering bool      // a new account waits for its mail code
	Busy        bool      // the typed CPF met too many tries
	Unlocked    bool      // and the mail code was answered
	Halfway     bool      // the password was right, and this account asks for a code too
	NumberTyped bool      // a visitor's, in this interaction, and nobody signed in by it yet
	InDoubt     bool      // its code was answered, and it does not say who they are

	SignedIn  bool
	Visitor   bool // who is signed in has no CPF
	Joining   bool // and wants to sign in by one
	AuthTime  time.Time
	Level     int    // trust level of the person now
	Cap       int    // strength of this session
	Employee  bool   // works for the city now
	Second    bool   // this session has shown two factors
	Subject   string // the person's sub for this client; "" before the first grant
	Chosen    bool   // the account was confirmed in this interaction
	Switched  bool   // the browser's session is another one than this interaction began with
	Company   bool   // the service asks for a company, and it is not known which
	Missing   bool   // required data the person could state is not there
	Undecided bool   // something asked for was never shown to the citizen
	Decided   bool   // the citizen answered the consent page in this interaction
}

// Needs are what the request and the service's manifest together ask for.
type Needs struct {
	Prompt     []string       // OIDC Core §3.1.2.1
	MaxAge     *time.Duration // nil: any age
	Subject    string         // from id_token_hint or the sub claim; "" anyone
	Level      int            // the lowest acr that will do, 1 to 5
	CPF        bool           // visitors are not served
	Staff      bool           // only employees are, in a session of two factors
	FirstParty bool           // our own account pages: no consent, no profile
	Strength   int            // the lowest cap of a session that will do for them, 0 to 5
}

func (n Needs) asks(prompt string) bool { return slices.Contains(n.Prompt, prompt) }

// Next says what is missing. It is the only place where that is decided, and it is pure.
func Next(n Needs, f Facts) Step {
	switch {
	case !f.SignedIn || n.stale(f):
		return f.signIn()
	case f.Switched, n.asks("select_account") && !f.Chosen:
		return SelectAccount
	case n.CPF && f.Visitor:
		return f.joinOrLeave()
	case n.Subject != "" && n.Subject != f.Subject:
		return n.otherPerson(f)
	case n.Staff && !f.Employee:
		return NotEmployee
	case min(f.Level, f.Cap) < n.Level, n.Staff && !f.Second:
		return LevelTooLow
	case n.FirstParty && f.Cap < n.Strength:
		return Strengthen
	case n.FirstParty:
		return Issue
	case f.Company:
		return Company
	case f.Missing:
		return Profile
	case f.Undecided, n.asks("consent") && !f.Decided:
		return Consent
	}
	return Issue
}

// stale says whether the service wants a fresher authentication than the session's. Ages are
// measured at the request, so that filling in a form does not make a sign-in too old again.
//
// OIDC Core §3.1.2.1: prompt=login, max_age.
func (n Needs) stale(f Facts) bool {
	if n.asks("login") && f.AuthTime.Before(f.StartedAt) {
		return true
	}
	return n.MaxAge != nil && f.AuthTime.Before(f.StartedAt.Add(-*n.MaxAge))
}

// otherPerson lets the right person sign in once; who then still is another one cannot go on.
func (n Needs) otherPerson(f Facts) Step {
	if f.AuthTime.Before(f.StartedAt) {
		return f.signIn()
	}
	return WrongPerson
}

// joinOrLeave asks a visitor for the CPF that they have by now.
func (f Facts) joinOrLeave() Step {
	if f.Joining {
		return f.signIn()
	}
	return CPFRequired
}

// signIn is the part of the sign-in that comes next. A person who must only prove themselves
// again is known by the session and goes straight to the password; a visitor has none.
func (f Facts) signIn() Step {
	switch {
	case f.Registering:
		return ConfirmChannel
	case f.InDoubt:
		return ConfirmVisitor
	case f.NumberTyped:
		return ConfirmNumber
	case !f.CPFTyped && (!f.SignedIn || f.Visitor):
		return Identify
	case f.Busy && !f.Unlocked:
		return UnlockByMail
	case f.Halfway:
		return SecondStep
	}
	return Authenticate
}

// PromptNoneError is the OIDC error of a step that needs the citizen, for prompt=none; "" for
// [Issue]. OIDC Core §3.1.2.6; unmet_authentication_requirements is OpenID Connect Core Error
// Code unmet_authentication_requirements 1.0.
func (s Step) PromptNoneError() string {
	switch s {
	case Issue:
		return ""
	case SelectAccount:
		return "account_selection_required"
	case LevelTooLow, Strengthen:
		return "unmet_authentication_requirements"
	case Profile, CPFRequired, Company:
		return "interaction_required"
	case NotEmployee:
		return "access_denied"
	case Consent:
		return "consent_required"
	}
	return "login_required"
}
