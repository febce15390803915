// Package registry is the city's record of people: one per CPF.
//
// A [Person] is an id, an optional CPF and [Fields], each value with where it came from and when.
// At rest the fields are one sealed column and the CPF is found by a keyed blind index, so that a
// stolen dump tells nothing. registry/trust says how surely the city knows the person,
// registry/staff what they are to the city beside being a citizen.
package registry
