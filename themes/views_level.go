package themes

import "time"

// Level explains a trust level: why it is what it is, every way up, and what it was on a past day.
type Level struct {
	Level                 int
	Until                 time.Time // when it falls by itself; zero: never
	Because, Beside, Past []Proof
	Raise                 []Way  // the levels above, nearest first
	Action                string // POST; button id "continue"; and GET with "day", button id "show-day"
	Fields                []Field
	Unequal               bool   // all was stated, and it does not agree with the city's bases
	Day                   string // as typed
	Then                  *Then  // nil: no day was asked for
	Visit                 string // "i" of the GET form: the visit that waits meanwhile
	VisitURL              string // link id "go-on" to it; "" there is none
	AccountURL            string
}

// Way is how to reach a level. Message "level.<Level>.raise" tells it.
type Way struct {
	Level int
	URL   string     // where the citizen proves it by themselves: link id "govbr" or "certificate"; "" none
	Off   bool       // the city has no such way: message "level.<Level>.off"
	Desks []DeskView // where it is done in person, the nearest first
}

// Then is what a level was on a past day.
type Then struct {
	Day     time.Time
	Level   int
	Because []Proof
}

// Proof is one piece of evidence. Message "level.<Level>.text" says what it means.
type Proof struct {
	Level        int
	Since, Until time.Time // Until zero: it does not expire
	Ended        time.Time // zero: it was not revoked
}

func (Level) page() string { return "level" }
