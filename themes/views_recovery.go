package themes

// Recover asks whose account it is and where the code may go. It looks the same for every CPF.
type Recover struct {
	Action    string   // POST; input "cpf", radios "way" (ids "way-<way>"), button id "continue"
	CPF       string   // as typed, kept after an error
	Ways      []string // those of the city; messages recover.way.<way>
	Way       string   // the one chosen; "" none yet
	DeskURL   string   // for those who have a code of the attended desk
	SignInURL string   // back to the password; "" hides it
}

// RecoverCode asks for the code of a recovery, which has six digits or twelve.
type RecoverCode struct {
	Action   string // POST; input "code", button id "continue"
	Way      string // where it was sent to; message recover.sent.<way>
	Minutes  int
	AgainURL string // to ask for another one
}

// RecoverLink is where the link of a letter leads: a button, because mail is opened by programs too.
type RecoverLink struct {
	Action string // POST; hidden input "t", button id "continue"
	Token  string
}

// RecoverQuestion asks the secret question of somebody whose code has come back.
type RecoverQuestion struct {
	Action   string // POST; input "answer", button id "continue"
	Question string // as its owner wrote it
}

// RecoverDesk asks for the code that was handed over at an attended desk.
type RecoverDesk struct {
	Action  string // POST; input "code", button id "continue"
	BackURL string // to the other ways
}

// NewPassword ends a recovery.
type NewPassword struct {
	Action  string // POST; input "password", checkbox id and name "others", button id "continue"
	Others  bool   // end the sessions elsewhere
	Held    bool   // what follows is worth level 1 until it is confirmed
	Minutes int    // how long it may take
}

// Held tells somebody who has recovered their account by a message what that is worth and what
// confirms it.
type Held struct {
	Ways       []string // messages held.<way>
	ConfirmURL string   // where to sign in with more; "" where this page has its own way on
}

func (Recover) page() string         { return "recover" }
func (RecoverCode) page() string     { return "recover_code" }
func (RecoverLink) page() string     { return "recover_link" }
func (RecoverQuestion) page() string { return "recover_question" }
func (RecoverDesk) page() string     { return "recover_desk" }
func (NewPassword) page() string     { return "new_password" }
