package factor

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/registry/trust"
)

// Method is a way in which a person was proven.
type Method string

// The methods.
const (
	ByPassword     Method = "password"
	ByPasskey      Method = "passkey"
	ByTOTP         Method = "totp"
	ByRecoveryCode Method = "recovery_code" // stands in for TOTP
	ByCode         Method = "code"          // sent by mail or text message
	ByGovBR        Method = "govbr"
	ByCertificate  Method = "certificate"
	ByDesk         Method = "desk" // somebody of the city looked at the person and a document
)

// Proof is one factor that has just been shown.
type Proof struct {
	By       Method
	AMR      []string  // what it adds to the session's amr, RFC 8176
	Factor   uuid.UUID // which passkey or authenticator; zero for the others
	Enrolled time.Time // since when that one counts; zero for the others
}

// PasswordProof is a right password.
func PasswordProof() Proof { return Proof{By: ByPassword, AMR: []string{"pwd"}} }

// TextProof is a code that a phone has received: all that a visitor shows.
func TextProof() Proof { return Proof{By: ByCode, AMR: []string{"sms"}} }

// Fresh is how long ago somebody may have signed in who changes a factor.
const Fresh = 5 * time.Minute

// Strength is what a change of a factor must ask for: to sign in anew with one of these methods.
type Strength struct {
	Cap  int      // what the session must reach: 4, 3 or 1
	Ways []Method // any of them; ByTOTP means with the password
}

// Strongest is the strength of the strongest way in that a person has. What was enrolled while a
// recovery was waiting to be confirmed counts as little as the recovery itself: whoever stole a
// telephone number must not lock the owner out with a passkey of their own.
func (e Enrolled) Strongest() Strength {
	var s Strength
	if e.sure(ByPasskey) {
		s = Strength{4, append(s.Ways, ByPasskey)}
	}
	if e.Password && e.sure(ByTOTP) {
		s = Strength{4, append(s.Ways, ByTOTP)}
	}
	switch {
	case s.Cap > 0:
		return s
	case e.Password && !e.Hold.Live():
		return Strength{3, []Method{ByPassword}}
	}
	s.Cap = 1
	if e.Password {
		s.Ways = append(s.Ways, ByPassword)
	}
	if len(e.Passkeys) > 0 {
		s.Ways = append(s.Ways, ByPasskey)
	}
	if s.Ways == nil {
		s.Ways = []Method{ByCode}
	}
	return s
}

// sure says whether there is a passkey, or an app, that was not enrolled under the hold.
func (e Enrolled) sure(by Method) bool {
	if by == ByPasskey {
		return slices.ContainsFunc(e.Passkeys, func(k Passkey) bool { return !e.Hold.covers(k.CreatedAt) })
	}
	return slices.ContainsFunc(e.Authenticators, func(a Authenticator) bool { return !e.Hold.covers(a.ConfirmedAt) })
}

// MayChange says whether a session may change a factor now: its sign-in is fresh and as strong as
// the strongest the person has. A gov.br account or a certificate of that strength will do as well.
//
//	facts     the session's amr, [trust.Recovered] included
//	authTime  when it signed in last
func (e Enrolled) MayChange(caps trust.Caps, facts []string, authTime, now time.Time) bool {
	return now.Sub(authTime) <= Fresh && caps.Of(facts) >= e.Strongest().Cap
}

// Facts are the amr of a session that these proofs have opened, and whether they confirm what is
// held. Without a hold they are simply what the proofs say.
//
// Under a hold, a password, a code, and whatever was enrolled since are what has been recovered:
// they hold the session at [trust.Recovered]'s cap. A factor from before, gov.br, a certificate and
// a desk confirm it, but only in the session that shows both: the owner's passkey in the owner's
// own browser says nothing of a password that somebody else may have recovered.
func (h Hold) Facts(proofs ...Proof) (facts []string, confirms bool) {
	recovered, stronger := false, false
	for _, p := range proofs {
		for _, m := range p.AMR {
			if !slices.Contains(facts, m) {
				facts = append(facts, m)
			}
		}
		if h.lifts(p) {
			stronger = true
		} else {
			recovered = true
		}
	}
	if !h.Live() || !recovered {
		return facts, false
	}
	if stronger {
		return facts, true
	}
	return append(facts, trust.Recovered), false
}

// Lifting lists what confirms a recovery of this person, strongest first, for the page that says
// how. The last three are open to everybody.
func (e Enrolled) Lifting() []Method {
	var ways []Method
	for _, by := range []Method{ByPasskey, ByTOTP} {
		if e.sure(by) {
			ways = append(ways, by)
		}
	}
	return append(ways, ByGovBR, ByCertificate, ByDesk)
}
