#!/bin/bash
# bare-root.sh DIR proves the README's two commands on a machine that has nothing: a Debian root in
# DIR with only Go, make, git and certificates, so that what this machine happens to carry
# (PostgreSQL, Chromium) hides nothing.
#
#   sudo scripts/bare-root.sh /var/tmp/bare
#
# It clones the last commit into DIR/root/loginunico, starts `make run`, waits for /readyz, stops
# it, starts it again against the clock, and runs `make test`. It needs root, debootstrap and
# unshare, some 4 GB, the network, and the demo's ports free; 10 to 20 minutes. DIR is kept; given
# again it saves time but is no longer bare. Exit code 0: all stood; 1: something did not; 2: wrong usage.
set -euo pipefail

suite=bookworm
ready=http://localhost:8080/readyz
say() { printf '\n=== %s\n' "$*"; }
die() { printf 'bare-root: %s\n' "$*" >&2; exit "${2:-1}"; }

# --- outside: make the root and enter it -----------------------------------------------------------

make_root() {
	local root=$1
	[ ! -e "$root/usr/local/go" ] || say "$root has been used before: what an earlier run installed is there"
	if [ ! -e "$root/etc/debian_version" ]; then
		say "a minimal $suite in $root"
		debootstrap --variant=minbase --include=make,git,ca-certificates "$suite" "$root" >"$root.log" 2>&1 ||
			{ tail -n 20 "$root.log" >&2; die "debootstrap failed"; }
	fi
	if [ ! -e "$root/usr/local/go" ]; then
		say "Go $(go env GOVERSION), with the modules already downloaded here"
		cp -a "$(go env GOROOT)" "$root/usr/local/go"
		mkdir -p "$root/root/go/pkg/mod"
		cp -a "$(go env GOMODCACHE)/." "$root/root/go/pkg/mod/"
	fi
	# This machine's way to the network.
	cp /etc/resolv.conf /etc/hosts "$root/etc/"
	cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
}

clone() {
	local root=$1
	say "a clone of $(git log -1 --format='%h %s')"
	rm -rf "$root/root/loginunico"
	git clone -q --no-hardlinks . "$root/root/loginunico"
}

enter() {
	local root=$1 pass=() name
	for name in http_proxy https_proxy no_proxy GOPROXY GONOSUMDB GOFLAGS SSL_CERT_FILE CI; do
		[ -z "${!name:-}" ] || pass+=("$name=${!name}")
	done
	# A process namespace of its own: whatever were left running would end with it, and is counted before.
	exec unshare --mount --pid --fork bash -c '
		set -e
		root=$1; shift
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs -o size=2g tmpfs "$root/dev/shm"
		exec chroot "$root" env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/go/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" \
			bash /root/loginunico/scripts/bare-root.sh --inside' bash "$root" "${pass[@]}"
}

# --- inside ----------------------------------------------------------------------------------------

# answers says whether GET /readyz is 200; there is no curl here.
answers() {
	local status
	exec 3<>/dev/tcp/localhost/8080 || return 1
	printf 'GET /readyz HTTP/1.0\r\nHost: localhost:8080\r\n\r\n' >&3
	IFS= read -r -t 5 status <&3 || status=
	exec 3>&-
	[[ $status == *" 200 "* ]]
} 2>/dev/null

# start runs `make run` in a session of its own, as a terminal would, and waits for /readyz.
start() {
	local patience=$1 began=$SECONDS
	! answers || die "something answers on the demo's port already"
	set -m
	make run >/tmp/run.log 2>&1 &
	run=$!
	set +m
	until answers; do
		kill -0 "$run" 2>/dev/null || { cat /tmp/run.log >&2; die "make run ended"; }
		[ $((SECONDS - began)) -lt "$patience" ] || { cat /tmp/run.log >&2; die "no answer from $ready in $patience s"; }
		sleep 0.1
	done
}

# stop presses Ctrl-C.
stop() {
	local code=0
	kill -INT -- "-$run"
	wait "$run" || code=$?
	echo "make run ended with $code"
	nothing_left
}

# nothing_left fails when a server or a browser still runs in this process namespace.
nothing_left() {
	local p line left=
	for p in /proc/[0-9]*; do
		line=$(tr '\0' ' ' <"$p/cmdline" 2>/dev/null) || continue
		case $line in *postgres* | *chrom* | *loginunico\ *) left+=$line$'\n' ;; esac
	done
	[ -z "$left" ] || die "left running:"$'\n'"$left"
}

inside() {
	cd /root/loginunico
	for program in initdb postgres chromium openssl certutil node; do
		if command -v "$program" >/dev/null; then echo "here already: $program"; else echo "not here: $program"; fi
	done

	say 'make run'
	SECONDS=0
	start 900
	sed -n 1,60p /tmp/run.log
	say "$ready answers after $SECONDS s; Ctrl-C"
	stop

	say 'make run, again'
	local began=${EPOCHREALTIME/./}
	start 30
	echo "ready after $(((${EPOCHREALTIME/./} - began) / 1000)) ms, building included"
	stop

	say 'make test'
	SECONDS=0
	make test
	say "make test passed in $SECONDS s"
	nothing_left
	say 'both commands stand on a bare machine'
}

if [ "${1:-}" = --inside ]; then
	inside
	exit
fi
[ $# -eq 1 ] || die 'usage: bare-root.sh DIR' 2
[ "$(id -u)" -eq 0 ] || die 'run it as root: it makes a root file system' 2
for program in debootstrap unshare go git; do
	command -v "$program" >/dev/null || die "$program is missing; run: apt-get install -y debootstrap util-linux git, and install Go" 2
done
mkdir -p "$1"
root=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
make_root "$root"
clone "$root"
enter "$root"
