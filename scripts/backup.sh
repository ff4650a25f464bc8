#!/usr/bin/env bash
# Backups of the record (PostgreSQL), and the way back to a moment, by PostgreSQL's
# own tools. Needs WISHDESK_POSTGRES, of a role that may replicate, except to restore.
#
#   scripts/backup.sh base DIR             a whole copy under DIR: once a night
#   scripts/backup.sh follow DIR           every change as it happens, until stopped: a service
#   scripts/backup.sh restore DIR DATA [TIME]
#                                          makes DATA, a data directory to start PostgreSQL on, as
#                                          of TIME ('2026-11-24 08:30:00+08'), or of the last change
#
# In DIR: base-TIME/ (UTC, when each was complete), wal/. docs/backup.md says what else
# there is to keep, and what to do with Redis afterwards.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/programs.sh
. "$here/programs.sh"

SLOT=wishdesk_backup # PostgreSQL keeps its log until the follower has it

fail() {
	echo "backup: $*" >&2
	exit 1
}

base() {
	local fresh=$dir/base.new
	rm -rf "$fresh"
	"$bin/pg_basebackup" -d "$WISHDESK_POSTGRES" -D "$fresh" -X stream -c fast --no-password
	mv "$fresh" "$dir/base-$(date -u +%Y%m%dT%H%M%SZ)"
}

follow() {
	mkdir -p "$dir/wal"
	"$bin/pg_receivewal" -d "$WISHDESK_POSTGRES" -D "$dir/wal" --slot $SLOT --create-slot --if-not-exists --no-password
	exec "$bin/pg_receivewal" -d "$WISHDESK_POSTGRES" -D "$dir/wal" --slot $SLOT --synchronous --no-password
}

# newest_before TIME: the last whole copy that was complete by then.
newest_before() {
	local limit=99999999T999999Z copy found=
	if [ -n "$1" ]; then
		limit=$(date -u -d "$1" +%Y%m%dT%H%M%SZ 2>/dev/null) || fail "this is no time: $1 (such as '2026-11-24 08:30:00+08'; needs GNU date)"
	fi
	for copy in "$dir"/base-*; do
		if [ -d "$copy" ] && ! [[ "${copy##*/base-}" > "$limit" ]]; then found=$copy; fi
	done
	[ -n "$found" ] || fail "no whole copy in $dir is from before ${1:-now}"
	printf '%s\n' "$found"
}

# restore: the log is copied beside DATA, for the server's own user, and removed when
# the server has read it.
restore() {
	local data=$1 time=$2 copy
	[ -e "$data" ] && fail "$data is there already; nothing was changed"
	copy=$(newest_before "$time")
	cp -R "$copy" "$data"
	mkdir "$data.wal"
	if [ -d "$dir/wal" ]; then cp -R "$dir/wal/." "$data.wal"; fi
	data=$(cd "$data" && pwd -P)
	case $data in *[\'\\%\"\$\`]*) fail "a path without quotes and signs, please: $data" ;; esac
	chmod 700 "$data" "$data.wal"
	{
		echo "restore_command = 'cp \"$data.wal/%f\" \"%p\" 2>/dev/null || cp \"$data.wal/%f.partial\" \"%p\"'"
		echo "recovery_end_command = 'rm -rf \"$data.wal\"'"
		if [ -n "$time" ]; then
			echo "recovery_target_time = '$(date -u -d "$time" '+%Y-%m-%d %H:%M:%S.%N')+00'"
			echo "recovery_target_action = 'promote'"
		fi
	} >>"$data/postgresql.auto.conf"
	touch "$data/recovery.signal"
	if [ "$(id -u)" -eq 0 ]; then chown -R postgres:postgres "$data" "$data.wal"; fi
	echo "made from ${copy##*/}; start PostgreSQL on $data"
}

[ $# -ge 2 ] || fail "base DIR, follow DIR, or restore DIR DATA [TIME]"
action=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd -P)
bin=$(find_postgres) || fail "PostgreSQL $MIN_POSTGRES or newer is missing: run scripts/setup.sh"
case $action in
base | follow)
	: "${WISHDESK_POSTGRES:?backup: set it to the address of the record}"
	"$action"
	;;
restore)
	[ $# -ge 3 ] || fail "restore DIR DATA [TIME]"
	restore "$3" "${4:-}"
	;;
*) fail "base, follow or restore, not $action" ;;
esac
