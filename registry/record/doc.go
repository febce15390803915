// Package record is the vocabulary of the registry: what a source can say about a person or an
// organization, how each value is checked and normalised, and the compact form in which a source's
// record is kept for good.
//
//	Field    name, birthdate, rg, benefit…   with the sensitivity class it is sealed under
//	Content  one record of one source, normalised: field, key, text, in a fixed binary form
//
// A content is written once, when a record comes in, and read every time the person's current
// values are computed (registry/pmcc); the batch load, the API and the citizen's own edits all
// write the same form. The package knows nothing of people, policies or storage.
package record
