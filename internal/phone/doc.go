// Package phone reads telephone numbers: a country the visitor has chosen, what they typed, and out
// comes E.164, or a refusal. Nothing is guessed from the language, the address or the digits.
//
// A Number is personal data and hides itself, as the identifiers of package brdoc do, with the same
// two gaps: every fmt verb and slog give the mask, marshalling and storing are errors, and the whole
// number leaves only where somebody wrote E164.
//
// The numbering plans are those of nyaruka/phonenumbers, a port of Google's libphonenumber.
package phone
