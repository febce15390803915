package themes

import "time"

// NotEmployee says that a service is for those who work for the city, and who is signed in does not.
type NotEmployee struct {
	Action     string // POST; buttons id "continue": back to the service, and id "other" (name=account value=other)
	Name       string
	Department string    // of the appointment that is over, or to come; "": there never was one
	From       time.Time // when it begins; zero: it is over
	Ended      time.Time // its last instant; zero: it is to come
}

// Office is what the citizen is to the city now.
type Office struct {
	Department  string
	Roles       []string  // messages role.<Role>: attendant, supervisor, operator, auditor
	From, Until time.Time // Until is its last instant; zero: no end
	Services    []string  // names of those that see it, as the citizen has authorized
}

func (NotEmployee) page() string { return "not_employee" }
