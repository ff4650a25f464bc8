#!/usr/bin/env bash
# make run: installs what is missing, builds, starts the project's own PostgreSQL
# and Redis, and runs the demo in front of them until Ctrl-C.
#
#   WISHDESK_DATA   where everything is kept     (.wishdesk in the project)
#   WISHDESK_ADDR   the address of the server    (127.0.0.1:8080)
#   WISHDESK_SIM_ADDR  that of the phones           (one port higher)
#
# On Ctrl-C the server is asked to end and given the time to finish what it took;
# then the stores that this script started are stopped. Nothing else is touched.
# shellcheck disable=SC2317  # end and others are called by traps
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/processes.sh
. "$here/processes.sh"
cd "$here/.."

data=${WISHDESK_DATA:-.wishdesk}
mkdir -p "$(dirname "$data")"
data=$(cd "$(dirname "$data")" && pwd -P)/$(basename "$data")

stores_are_ours=
server=
ending=

end() {
	local code=$?
	trap '' INT TERM HUP
	if [ -n "$stores_are_ours" ]; then
		"$here/stores.sh" stop "$data" || code=1
		rm -f "$data/run.stores"
	fi
	exit "$code"
}

# on_signal: asks the server to end; the stores are stopped only when it has. While
# they still start, it is only noted.
on_signal() {
	ending=yes
	if [ -n "$server" ]; then kill -TERM "$server" 2>/dev/null || true; fi
}

# take_lock: one run at a time on a data directory. The lock is the kernel's, on a
# file that stays open (descriptor 9), and is gone with this process however it ends.
take_lock() {
	exec 9>>"$data/run.lock"
	if command -v flock >/dev/null; then
		flock -n 9
	else
		perl -e 'open(my $f, ">&=", 9) or exit 1; exit(flock($f, 6) ? 0 : 1)'
	fi
}

# end_leftover: a run that was killed outright leaves its server behind.
end_leftover() {
	local leftover
	leftover=$(cat "$data/run.server" 2>/dev/null) || return 0
	if still_there "$leftover"; then
		echo "run: an earlier run was cut off; ending the server that it left behind"
		kill -TERM "${leftover%% *}"
		until_true 60 leftover_gone "$leftover" || kill -KILL "${leftover%% *}"
		until_true 5 leftover_gone "$leftover"
	fi
	rm -f "$data/run.server"
}

leftover_gone() { ! still_there "$1"; }

"$here/setup.sh" run
make --no-print-directory build

if ! [ -d "$data" ]; then
	mkdir -p "$data"
	if [ "$(id -u)" -eq 0 ]; then chmod 711 "$data"; else chmod 700 "$data"; fi
fi
if ! take_lock; then
	echo "run: another make run is using $data; end it first, or choose another WISHDESK_DATA and WISHDESK_ADDR" >&2
	exit 1
fi

trap end EXIT
trap on_signal INT TERM HUP
end_leftover

# Stores that somebody started by hand in this directory stay when we end; those of
# a run that was cut off are ours.
if [ -e "$data/run.stores" ] || ! "$here/stores.sh" status "$data" 2>/dev/null 9>&-; then
	stores_are_ours=yes
	: >"$data/run.stores"
fi
start_child "$here/stores.sh" start "$data"
wait_for_child
if [ -n "$ending" ]; then exit 130; fi

while IFS='=' read -r name value; do export "$name=$value"; done < <("$here/stores.sh" env "$data")
export WISHDESK_DATA=$data
export WISHDESK_ADDR=${WISHDESK_ADDR:-127.0.0.1:8080}

start_child bin/wishdesk demo
server=$child
identity_of "$server" >"$data/run.server"
if [ -n "$ending" ]; then on_signal; fi
code=0
wait_for_child || code=$?
rm -f "$data/run.server"
if [ "$code" -eq 137 ]; then
	echo "run: the server was killed; nothing that it had taken is lost: make run goes on from where it was" >&2
fi
exit "$code"
