package migrations

// For the tests, which live outside: testpg, their database, imports this package.
var (
	UpFrom = up
	Read   = read
)
