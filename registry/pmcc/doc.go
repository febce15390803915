// Package pmcc is the city's policy for keeping its central registry (política de manutenção dos
// cadastros centralizados) and the one engine that applies it.
//
//	Policy    per field: which source may include, change and exclude a value, from which trust level
//	          a citizen may, what needs a human, which value wins, which are refused; a YAML file
//	Computer  source records + policy + overrides → the person's current values, each with the rule
//	          that let it in
//
// The values are a pure function: the same records give the same values whatever order they came
// in, so that a merge is undone, a past instant is shown and a new policy is tried by computing
// again. A field is decided by letting its values happen in the order of their effective dates:
//
//	first value            needs the right to include
//	another value          needs the right to change, and must win (rank, newest, confidence)
//	the source withdraws   needs the right to exclude
//
// A source that delivers a record again replaces its older version. The package knows nothing of
// storage; registry and registry/load bring it the records.
package pmcc
