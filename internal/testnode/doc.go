// Package testnode runs other people's servers for tests: programs of Node.js that speak a protocol
// with a library that is not ours, and tell what they were given.
//
//	smsc/   an SMPP 3.4 server on npm's smpp
//	sink/   an SMTP server on npm's smtp-server and mailparser
//
// Each reads and writes one JSON object a line; its script says which. What its lock file names is
// installed once a machine, in the user's cache. Without Node.js the test is skipped with a line that
// says so, and fails where REQUIRE_ALL says that nothing may be missing.
package testnode
