// Package staff is who works for the city: which people are attendants, supervisors, operators and
// auditors, of which department, from when until when, by whose word and why.
//
// It owns the table employment, whose rows are appointed and ended and never changed: a change is an
// end and a successor. Two pure functions say what services are told: [Assess], which appointment
// holds at an instant and how long that stands, and [Speaks], whether a session is strong enough to
// act for the city. Everybody holds one appointment at a time at most.
package staff
