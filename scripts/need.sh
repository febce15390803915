#!/bin/bash
# need.sh PROGRAM… makes sure that each program is there.
#
#   scripts/need.sh postgresql chromium certutil openssl gcc
#
# As root it installs what is missing from apt. Otherwise it prints the one line to run and exits
# with 2. `postgresql` means the server's programs, wherever the distribution keeps them, and `gcc` a
# compiler with the C library's headers, which Go's race detector wants.
set -euo pipefail

has() {
	case $1 in
	postgresql) command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ;;
	gcc) echo '#include <stdlib.h>' | gcc -E - >/dev/null 2>&1 ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

package() {
	case $1 in
	gcc) echo gcc libc6-dev ;;
	certutil) echo libnss3-tools ;;
	*) echo "$1" ;;
	esac
}

missing=()
for program in "$@"; do
	has "$program" || missing+=($(package "$program"))
done
[ ${#missing[@]} -eq 0 ] && exit 0

install="apt-get install -y --no-install-recommends ${missing[*]}"
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	echo "missing: ${missing[*]}; run: sudo $install" >&2
	exit 2
fi

# The distribution would start a server of its own; ours is private to the project.
case " ${missing[*]} " in *" postgresql "*)
	if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
		mkdir -p /etc/postgresql-common
		echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
	fi
	;;
esac

export DEBIAN_FRONTEND=noninteractive
echo "installing: ${missing[*]}" >&2
quietly() {
	local log
	log=$(mktemp)
	if ! "$@" >"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}
options='-o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0'
# shellcheck disable=SC2086
if ! apt-cache show "${missing[@]}" >/dev/null 2>&1 || ! quietly $install $options 2>/dev/null; then
	quietly apt-get update
	quietly $install $options
fi

for program in "$@"; do
	has "$program" || { echo "installed ${missing[*]}, yet there is no $program" >&2; exit 1; }
done
