#!/bin/bash
# test.sh runs the whole suite beside one PostgreSQL cluster that is gone afterwards.
# Arguments go to `go test`, in place of ./...
#
# With CI set, REQUIRE_ALL=1: what is missing fails instead of being skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/need.sh postgresql chromium certutil openssl gcc
# Chromium's engine without its windows does the same pages for a third of the time. Where the
# distribution does not have it, or nobody may install it, Chromium itself does them.
if apt-cache show chromium-headless-shell >/dev/null 2>&1; then
	scripts/need.sh chromium-headless-shell 2>/dev/null || true
fi
if [ -n "${CI:-}" ]; then
	export REQUIRE_ALL=1
fi
if ! command -v node >/dev/null; then
	echo '*** node is missing: the tests with independent servers and an independent client are SKIPPED ***' >&2
fi
# Run apart, without the race detector, are two tests of hundreds of sign-ins, because it would make them
# minutes, and one compares times; and registry/match, which computes for long and has no goroutines.
# Three packages at once and four tests in each, because browsers and databases are waited for; the
# longest packages come first, so that none is left alone at the end.
apart=
if [ $# -eq 0 ]; then
	apart='^(TestKnownAndUnknownAccountsTakeTheSameTimeAndTheSameStatements|TestTenThousandWrongCodesFromAsManyAddressesKeepTheOwnerNeitherOutNorWaiting)$'
	packages=$(go list ./... | grep -v '/registry/match$') # by itself, so that its failure is the script's
	# shellcheck disable=SC2086
	set -- -p=3 -parallel=4 -skip="$apart" ./idp ./registry/review ./registry/load ./cmd/loginunico ./idp/account $packages
fi

bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
go build -o "$bin/with" ./internal/testpg/with
"$bin/with" go test -race -shuffle=on -timeout=15m "$@"
if [ -n "$apart" ]; then
	"$bin/with" go test -timeout=10m -run="$apart" ./idp/recovery
	"$bin/with" go test -shuffle=on -timeout=10m ./registry/match
fi
