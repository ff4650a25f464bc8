#!/usr/bin/env bash
# Private PostgreSQL and Redis of this project, under a directory of its own.
#
#   scripts/stores.sh start [--fast] DIR   starts what is not running; makes it at first
#   scripts/stores.sh stop DIR             stops both, keeps the data
#   scripts/stores.sh status DIR           exit code 0 when both run
#   scripts/stores.sh env DIR              prints WISHDESK_POSTGRES and WISHDESK_REDIS
#
# They listen on unix sockets in a directory that only their user may enter, on no
# port. --fast leaves out fsync: for tests, whose data nobody needs after a crash
# of the machine (a crash of the processes loses nothing).
#
# In DIR: postgres/, redis/ (the data), log/, sockets (the path of the sockets).
# As root both run as the user postgres, because PostgreSQL refuses root.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/programs.sh
. "$here/programs.sh"
# shellcheck source=scripts/processes.sh
. "$here/processes.sh"

POSTGRES_PORT=54321 # only part of the socket's name
DATABASE=wishdesk
SECONDS_TO_START=60
SECONDS_TO_STOP=60

fail() {
	echo "stores: $*" >&2
	exit 1
}

# use DIR: sets the paths.
use() {
	dir=$1
	postgres_pid_file=$dir/postgres/postmaster.pid
	redis_pid_file=$dir/redis/redis.pid
	sockets=
	if [ -s "$dir/sockets" ]; then sockets=$(cat "$dir/sockets"); fi
	postgres_bin=$(find_postgres) || fail "PostgreSQL $MIN_POSTGRES or newer is missing: run scripts/setup.sh"
	redis_bin=$(find_redis) || fail "Redis $MIN_REDIS or newer is missing: run scripts/setup.sh"
	redis_socket=$sockets/redis.sock
}

# as_user COMMAND...: as root, as the user postgres; else as we are. Where that
# user may not enter the directories above DIR (a clone under /root), it is given
# the one capability to pass through directories.
as_user() {
	if [ "$(id -u)" -ne 0 ]; then
		"$@"
		return
	fi
	if [ -z "${drop_to:-}" ]; then
		local plain="setpriv --reuid=postgres --regid=postgres --clear-groups" capability
		drop_to=$plain
		if ! $plain stat "$dir/." >/dev/null 2>&1; then
			drop_to=
			for capability in dac_read_search dac_override; do
				if $plain "--inh-caps=+$capability" "--ambient-caps=+$capability" stat "$dir/." >/dev/null 2>&1; then
					drop_to="$plain --inh-caps=+$capability --ambient-caps=+$capability"
					break
				fi
			done
			[ -n "$drop_to" ] || fail "the user postgres may not enter $dir; choose another place, such as WISHDESK_DATA=/var/lib/wishdesk"
		fi
	fi
	# shellcheck disable=SC2086  # words on purpose
	HOME=$dir $drop_to "$@"
}

own() {
	if [ "$(id -u)" -eq 0 ]; then chown -R postgres:postgres "$@"; fi
}

# prepare_sockets: a directory that only we may enter, with a path short enough for
# a socket (107 bytes) and without characters that need quoting in a URL.
prepare_sockets() {
	local wanted=$dir/run
	if [ "${#wanted}" -gt 80 ] || [ -n "$(printf %s "$wanted" | LC_ALL=C tr -d 'A-Za-z0-9_./-')" ]; then
		wanted=$sockets
		# Kept between starts if it is still there and ours.
		if [ -z "$wanted" ] || [ -L "$wanted" ] || ! as_user test -O "$wanted"; then
			wanted=$(mktemp -d /tmp/wishdesk.XXXXXX)
		fi
	fi
	mkdir -p "$wanted"
	chmod 700 "$wanted"
	own "$wanted"
	printf '%s\n' "$wanted" >"$dir/sockets"
	sockets=$wanted
	redis_socket=$sockets/redis.sock
}

psql_here() {
	"$postgres_bin/psql" -X -q -h "$sockets" -p $POSTGRES_PORT -U wishdesk "$@"
}

postgres_pid() {
	[ -s "$postgres_pid_file" ] && head -1 "$postgres_pid_file"
}

# postgres_runs: is the process that postmaster.pid names alive, and ours?
postgres_runs() {
	local pid
	pid=$(postgres_pid) && alive "$pid" && [[ "$(command_of "$pid")" == *"-D $dir/postgres "* ]]
}

postgres_answers() {
	[ -n "$sockets" ] && postgres_runs &&
		"$postgres_bin/pg_isready" -q -h "$sockets" -p $POSTGRES_PORT
}

start_postgres() {
	local data=$dir/postgres fresh=$dir/postgres.new options code=0
	if ! [ -e "$data" ]; then
		# Made beside its place and moved there whole: an interrupted initdb leaves nothing half done.
		rm -rf "$fresh"
		mkdir -m 700 "$fresh"
		own "$fresh"
		local locale=C.UTF-8
		if [ "$(uname)" = Darwin ]; then locale=en_US.UTF-8; fi
		(cd "$dir" && as_user "$postgres_bin/initdb" -D "$fresh" -U wishdesk -E UTF8 --locale=$locale \
			--auth-local=trust --auth-host=reject --no-instructions) >"$dir/log/initdb.log" 2>&1 ||
			fail "initdb failed: see $dir/log/initdb.log"
		mv "$fresh" "$data"
	fi
	local made
	made=$(as_user cat "$data/PG_VERSION")
	if [ "$made" != "$(version_of "$postgres_bin/postgres" --version | cut -d . -f 1)" ]; then
		# shellcheck disable=SC2012  # no odd names among these
		postgres_bin=$(dirname "$(ls "/usr/lib/postgresql/$made/bin/postgres" "/opt/homebrew/opt/postgresql@$made/bin/postgres" \
			"/usr/local/opt/postgresql@$made/bin/postgres" 2>/dev/null | head -1)")
		[ -x "$postgres_bin/postgres" ] || fail "$data was made by PostgreSQL $made, which is no longer here: install postgresql-$made, or move the directory away"
	fi
	# Lock files whose process id another process has by now would keep PostgreSQL from starting.
	rm -f "$postgres_pid_file" "$sockets/.s.PGSQL.$POSTGRES_PORT" "$sockets/.s.PGSQL.$POSTGRES_PORT.lock"

	options="-c listen_addresses= -c port=$POSTGRES_PORT -c unix_socket_directories=$sockets -c unix_socket_permissions=0700"
	options="$options -c max_connections=200 -c timezone=UTC -c synchronous_commit=on"
	if [ -n "$fast" ]; then
		options="$options -c fsync=off -c full_page_writes=off"
	else
		options="$options -c fsync=on"
	fi
	# Once more where an orphan of a killed server has not yet noticed.
	local try
	for try in 1 2 3; do
		code=0
		(cd "$dir" && as_user "$postgres_bin/pg_ctl" start -D "$data" -l "$dir/log/postgres.log" -o "$options" \
			-w -t $SECONDS_TO_START >"$dir/log/pg_ctl.log" 2>&1) || code=$?
		[ "$code" -ne 0 ] || break
		grep -q 'shared memory block' "$dir/log/postgres.log" || break
		[ "$try" -eq 3 ] || sleep 1
	done
	if [ "$code" -ne 0 ]; then
		tail -5 "$dir/log/postgres.log" >&2 || true
		fail "PostgreSQL did not start: see $dir/log/postgres.log"
	fi
}

redis_pid() {
	[ -s "$redis_pid_file" ] && head -1 "$redis_pid_file"
}

# redis_runs: Redis shows its socket in the title of its process.
redis_runs() {
	local pid
	[ -n "$sockets" ] && pid=$(redis_pid) && alive "$pid" && [[ "$(command_of "$pid")" == *redis-server*"$redis_socket"* ]]
}

redis_here() {
	"$redis_bin/redis-cli" -s "$redis_socket" "$@" 2>/dev/null
}

# redis_answers: PONG; while it still loads its file it says LOADING.
redis_answers() {
	redis_runs && [ "$(redis_here ping)" = PONG ]
}

start_redis() {
	mkdir -p "$dir/redis"
	own "$dir/redis"
	chmod 700 "$dir/redis"
	rm -f "$redis_pid_file" "$redis_socket"
	(cd "$dir/redis" && as_user "$redis_bin/redis-server" --port 0 --unixsocket "$redis_socket" --unixsocketperm 700 \
		--daemonize yes --pidfile "$redis_pid_file" --logfile "$dir/log/redis.log" --dir "$dir/redis" \
		--save '' --appendonly yes --appendfsync everysec --maxmemory-policy noeviction) >"$dir/log/redis-start.log" 2>&1 ||
		fail "Redis did not start: see $dir/log/redis-start.log and $dir/log/redis.log"
	if ! until_true $SECONDS_TO_START redis_answers; then
		tail -5 "$dir/log/redis.log" >&2 || true
		fail "Redis did not answer: see $dir/log/redis.log"
	fi
}

start() {
	if ! [ -d "$dir" ]; then
		mkdir -p "$dir"
		# As root the user postgres must be able to pass through, no more.
		if [ "$(id -u)" -eq 0 ]; then chmod 711 "$dir"; else chmod 700 "$dir"; fi
	fi
	dir=$(cd "$dir" && pwd -P)
	case $dir in *[\"\$\`\\]* | *$'\n'*) fail "please choose a directory without \" \$ \` \\ in its name: $dir" ;; esac
	use "$dir"
	if [ "$(id -u)" -eq 0 ] && ! id postgres >/dev/null 2>&1; then
		fail "PostgreSQL refuses to run as root and there is no user postgres: run as an ordinary user"
	fi
	mkdir -p "$dir/log"
	own "$dir/log"
	as_user true # settles how to become that user
	# Sockets that somebody cleared away cannot be put back under a running server.
	if ! [ -d "$sockets" ]; then stop_both; fi
	if ! postgres_runs && ! redis_runs; then prepare_sockets; fi

	if postgres_runs; then
		until_true $SECONDS_TO_START postgres_answers || fail "PostgreSQL runs but does not answer: see $dir/log/postgres.log"
	else
		start_postgres
	fi
	if redis_runs; then
		until_true $SECONDS_TO_START redis_answers || fail "Redis runs but does not answer: see $dir/log/redis.log"
	else
		start_redis
	fi
	if [ -z "$(psql_here -d postgres -A -t -c "SELECT 1 FROM pg_database WHERE datname = '$DATABASE'")" ]; then
		psql_here -d postgres -c "CREATE DATABASE $DATABASE" || fail "could not create the database $DATABASE"
	fi
}

postgres_gone() { ! postgres_runs; }
redis_gone() { ! redis_runs; }

stop_both() {
	local failed=
	if redis_runs; then
		redis_here shutdown >/dev/null || kill -TERM "$(redis_pid)" 2>/dev/null || true
		until_true $SECONDS_TO_STOP redis_gone || failed=yes
	fi
	if postgres_runs; then
		(cd "$dir" && as_user "$postgres_bin/pg_ctl" stop -D "$dir/postgres" -m fast -w -t $SECONDS_TO_STOP >"$dir/log/pg_ctl.log" 2>&1) || true
		until_true 5 postgres_gone || failed=yes
	fi
	[ -z "$failed" ] || fail "could not stop everything in $dir: see $dir/log"
}

stop() {
	[ -d "$dir" ] || return 0
	dir=$(cd "$dir" && pwd -P)
	use "$dir"
	stop_both
	# Sockets outside DIR are made anew at the next start.
	if [ -n "$sockets" ] && [ "$sockets" != "$dir/run" ] && [ ! -L "$sockets" ]; then
		rm -rf "$sockets"
		rm -f "$dir/sockets"
	fi
}

environment() {
	[ -s "$dir/sockets" ] || fail "nothing has been started in $dir"
	local sockets
	sockets=$(cat "$dir/sockets")
	echo "WISHDESK_POSTGRES=postgres:///$DATABASE?host=$sockets&port=$POSTGRES_PORT&user=wishdesk"
	echo "WISHDESK_REDIS=unix://$sockets/redis.sock"
}

usage() {
	echo "usage: scripts/stores.sh start [--fast] DIR | stop DIR | status DIR | env DIR" >&2
	exit 2
}

[ $# -ge 2 ] || usage
action=$1
shift
fast=
if [ "$1" = --fast ]; then
	fast=yes
	shift
fi
if [ $# -ne 1 ] || [ -z "$1" ]; then usage; fi
dir=$1
case $action in
start) start ;;
stop) stop ;;
status)
	[ -d "$dir" ] || exit 1
	use "$(cd "$dir" && pwd -P)"
	postgres_answers && redis_answers
	;;
env) environment ;;
*) usage ;;
esac
