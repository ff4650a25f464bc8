#!/usr/bin/env bash
# Runs a command with a PostgreSQL and a Redis of its own, made for it and thrown
# away after it, however it ends:
#
#   scripts/with-stores.sh go test ./...
#
# The command finds them in WISHDESK_TEST_POSTGRES and WISHDESK_TEST_REDIS, and the
# programs of both on its PATH.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/programs.sh
. "$here/programs.sh"
# shellcheck source=scripts/processes.sh
. "$here/processes.sh"

if [ $# -eq 0 ]; then
	echo "usage: scripts/with-stores.sh COMMAND..." >&2
	exit 2
fi
root=$(cd "$here/.." && pwd -P)/.wishdesk-test
mkdir -p "$root"
if [ "$(id -u)" -eq 0 ]; then chmod 711 "$root"; else chmod 700 "$root"; fi

# remove DIR: its stores first, then all of it.
remove() {
	"$here/stores.sh" stop "$1" && rm -rf "$1"
}

# What runs that were killed outright have left behind.
for old in "$root"/*/; do
	old=${old%/}
	[ -e "$old/owner" ] || continue
	still_there "$(cat "$old/owner")" || remove "$old"
done

dir=$(mktemp -d "$root/XXXXXX")
if [ "$(id -u)" -eq 0 ]; then chmod 711 "$dir"; fi
identity_of $$ >"$dir/owner"

end() {
	local code=$?
	trap '' INT TERM HUP
	remove "$dir" || code=1
	exit "$code"
}
# on_signal SIGNAL: to the whole group of the command: go test and what it started.
# While the stores still start, it is only noted.
on_signal() {
	ending=yes
	if [ -n "$command" ]; then kill "-$1" -- "-$command" 2>/dev/null || true; fi
}
command=
ending=
trap end EXIT
trap 'on_signal INT' INT
trap 'on_signal TERM' TERM HUP

start_child "$here/stores.sh" start --fast "$dir"
wait_for_child
if [ -n "$ending" ]; then exit 130; fi

while IFS='=' read -r name value; do
	export "WISHDESK_TEST_${name#WISHDESK_}=$value"
done < <("$here/stores.sh" env "$dir")
PATH=$PATH:$(find_redis):$(find_postgres)
export PATH

start_child "$@"
command=$child
if [ -n "$ending" ]; then on_signal TERM; fi
wait_for_child
