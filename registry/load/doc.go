// Package load brings the files of a source into the registry. Its front half knows nothing of the
// database:
//
//	Mapping   what a source's file looks like, and which column is which field (YAML)
//	Open      file, directory, gzip or standard input
//	Reader    cuts the stream into blocks at record ends, one goroutine
//	Parser    decodes, splits, normalises and sorts out the records of a block, one per worker
//	Rejects   writes what could not be taken to a file of its own
//
// A block's records do not depend on where it was cut, so workers may share one file, and whatever a
// file holds, one bad record never costs another: it is rejected with its line and a reason.
package load
