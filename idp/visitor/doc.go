// Package visitor knows people without a CPF, who come in by a telephone number from anywhere.
//
//	number ──keyed index──► person ──┬─ used within twelve months: the same person
//	                                 ├─ not used for longer: name and birth date, or somebody new
//	                                 └─ has a CPF by now: comes in by that, or somebody new
//	       └─ nobody's: somebody new
//
// Who may ask is settled before, by a code that the phone has received: nothing here is looked up
// for a number that was only typed. The number is kept as a keyed index and sealed, never plainly.
// When it has changed hands, the person before keeps all but the number.
//
// It shows no page and sends no text; idp/flow does. Table: visitor.
package visitor
