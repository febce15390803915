package themes

import "time"

// Level explains a trust level: why it is what it is, and every way up.
type Level struct {
	Level                 int
	Until                 time.Time // when it falls by itself; zero: never
	Because, Beside, Past []Proof
	Raise                 []int  // the levels above, nearest first
	Action                string // POST; button id "continue"
	Fields                []Field
	Unequal               bool // all was stated, and it does not agree with the city's bases
	AccountURL            string
	CertificateURL        string // link id "certificate" at level 5; "" hides it
}

// Proof is one piece of evidence. Message "level.<Level>.text" says what it means.
type Proof struct {
	Level        int
	Since, Until time.Time // Until zero: it does not expire
	Ended        time.Time // zero: it was not revoked
}

func (Level) page() string { return "level" }
