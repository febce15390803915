#!/bin/bash
# test.sh runs the whole suite beside one PostgreSQL cluster that is gone afterwards.
# Arguments go to `go test`, in place of ./...
#
# With CI set, REQUIRE_ALL=1: what is missing fails instead of being skipped. And nothing is vetted: make
# check, beside it, vets the tests too, by more than `go test` does.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/need.sh postgresql chromium certutil openssl gcc
# Chromium's engine without its windows does the same pages for a third of the time. Where the
# distribution does not have it, or nobody may install it, Chromium itself does them.
if apt-cache show chromium-headless-shell >/dev/null 2>&1; then
	scripts/need.sh chromium-headless-shell 2>/dev/null || true
fi
vet=
if [ -n "${CI:-}" ]; then
	export REQUIRE_ALL=1
	vet=-vet=off
fi
if ! command -v node >/dev/null; then
	echo '*** node is missing: the tests with independent servers and an independent client are SKIPPED ***' >&2
fi
# Run apart, without the race detector, is what computes for long. registry/match has no goroutines. Those of
# registry/generate work under the detector wherever another test generates files, and those of
# registry/review in its other tests; these two look through a whole town and thousands. Of two tests of
# hundreds of sign-ins the first waits more than it computes and runs beside all others; the second
# compares times and is alone.
# Three packages at once and four tests in each, because browsers and databases are waited for; the
# longest packages come first, so that none is left alone at the end.
apart=
if [ $# -eq 0 ]; then
	many=TestTenThousandWrongCodesFromAsManyAddressesKeepTheOwnerNeitherOutNorWaiting
	times=TestKnownAndUnknownAccountsTakeTheSameTimeAndTheSameStatements
	large='TestGeneratedTownIsJoinedRightly|TestDuplicatesAreFoundInABlockOfThousands'
	apart="^($many|$times|$large)\$"
	packages=$(go list ./... | grep -vE '/registry/(match|generate)$') # by itself, so that its failure is the script's
	# shellcheck disable=SC2086
	set -- -p=3 -parallel=4 -skip="$apart" ./idp ./registry/review ./registry/load ./cmd/loginunico ./idp/account $packages
fi

bin=$(mktemp -d)
beside=
trap 'kill $beside 2>/dev/null || true; rm -rf "$bin"' EXIT
go build -o "$bin/with" ./internal/testpg/with
failed=0
if [ -n "$apart" ]; then
	"$bin/with" go test $vet -timeout=15m -run="^$many\$" ./idp/recovery &
	beside=$!
fi
# shellcheck disable=SC2086
"$bin/with" go test $vet -race -shuffle=on -timeout=15m "$@" || failed=1
if [ -n "$apart" ]; then
	wait "$beside" || failed=1
	beside=
	"$bin/with" go test $vet -shuffle=on -timeout=10m ./registry/match ./registry/generate || failed=1
	"$bin/with" go test $vet -timeout=10m -run="^($large)\$" ./registry/review || failed=1
	"$bin/with" go test $vet -timeout=10m -run="^$times\$" ./idp/recovery || failed=1
fi
exit "$failed"
