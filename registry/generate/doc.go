// Package generate invents the source bases of a city, of any size, for trying and measuring the
// registry: the same people in several bases, each with its own layout, encoding and mistakes.
//
//	household h ──► people 4h … 4h+3 ──► records per source ──► one file per source
//	   (pure function of seed and h)        (errors drawn per record)    + truth.csv
//
//	names.go, places.go   what a city's people and streets are called
//	documents.go          CPF, CNPJ, título, NIS and CNS with their check digits
//	person.go             who there is: families, twins, marriages, deaths
//	view.go, typos.go     what one source wrote of a person, and what it got wrong
//	sources.go, line.go   the layout of each source
//	generate.go           workers, the order of the files, gzip
//	demo.go               the demo city's few hundred records
//
// The proportions are those published of São Paulo's centralised registry: two records for each CPF,
// 2.6 % of the CPFs false, 3.6 % of the records without one, a third of the people in one base only.
// The files depend on the seed alone, not on the number of workers. Every person is invented; that
// a CPF has right check digits does not keep it from being somebody's, so nothing here may be sent
// to anybody.
//
// How sources are read is registry/load's, by the mappings in deploy/demo/registry.
package generate
