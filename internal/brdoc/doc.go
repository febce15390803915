// Package brdoc reads the identifiers citizens type and sources deliver: CPF, CNPJ (with letters since
// July 2026), título de eleitor, NIS, CNS, CEP, IBGE codes and mail addresses. What a Parse function
// returned is canonical and valid; the functions that end in Bytes do the same for loads.
//
// The values are personal data and hide themselves: every fmt verb and slog give the mask, and
// marshalling (JSON, XML, YAML) or handing one to the database driver is an error, so that the full
// value leaves only where somebody wrote Digits, Text or Address. Two gaps are the standard library's:
// fmt does not call methods of unexported struct fields, and encoding/json not those of map keys; so
// print no struct that holds one in such a field, and never use one as the key of a marshalled map.
package brdoc
