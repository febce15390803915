#!/bin/bash
# check.sh reads the code without running it: format, module files, known vulnerabilities, vet,
# staticcheck, import directions. It goes through all of them and fails at the end when one failed.
set -uo pipefail
cd "$(dirname "$0")/.."

failed=()
check() {
	local name=$1
	shift
	echo "check: $name"
	"$@" || failed+=("$name")
}

formatted() {
	local unformatted
	unformatted=$(gofmt -l $(git ls-files '*.go'))
	[ -z "$unformatted" ] && return
	printf 'not gofmt-ed (run: gofmt -w FILE):\n%s\n' "$unformatted"
	return 1
}

# The programs are built without what GOFLAGS asks for the packages that they read: the race detector in
# .ci/run.
staticcheck() { go run -race=false honnef.co/go/tools/cmd/staticcheck "$@"; }
govulncheck() { go run -race=false golang.org/x/vuln/cmd/govulncheck@v1.2.0 "$@"; }

# The database of vulnerabilities lives on the network. Where it cannot be reached nothing was
# checked, and the last line says so.
unchecked=
vulnerabilities() {
	local out
	# The first, of one small package, says whether the database is there, before all else is read.
	out=$(govulncheck ./internal/fail 2>&1 && govulncheck ./... 2>&1) && { tail -n 3 <<<"$out"; return; }
	if ! grep -qE 'fetching vulnerabilities|dial tcp|no such host|connection refused|i/o timeout|TLS handshake' <<<"$out"; then
		printf '%s\n' "$out"
		return 1
	fi
	tail -n 5 <<<"$out"
	unchecked="NOT CHECKED for vulnerabilities: govulncheck or its database could not be reached."
	echo "$unchecked"
}

check format formatted
check 'module files' go mod tidy -diff
check vulnerabilities vulnerabilities # needs nothing compiled: beside the tests, those have compiled all before vet
check vet go vet ./...
check staticcheck staticcheck ./...
check 'import directions' go test -count=1 -run TestImports ./internal/archtest

if [ ${#failed[@]} -gt 0 ]; then
	IFS=,
	echo "FAILED: ${failed[*]}${unchecked:+; $unchecked}"
	exit 1
fi
echo "ok: format, module files, vet, staticcheck, import directions${unchecked:+; $unchecked}"
