# shellcheck shell=bash
# Sourced by the other scripts: where the programs are that the project needs.
# Understands bash 3.2, which is what macOS has.

MIN_POSTGRES=15
MIN_REDIS=7
MIN_GO=1.26

# version_at_least HAVE WANT: compares "major.minor"; anything after is left aside.
version_at_least() {
	local have_major=${1%%.*} have_rest=${1#*.} want_major=${2%%.*} want_rest=${2#*.}
	[ "$have_rest" = "$1" ] && have_rest=0
	[ "$want_rest" = "$2" ] && want_rest=0
	have_rest=${have_rest%%[!0-9]*} want_rest=${want_rest%%[!0-9]*}
	have_major=${have_major%%[!0-9]*}
	[ "${have_major:-0}" -gt "$want_major" ] ||
		{ [ "${have_major:-0}" -eq "$want_major" ] && [ "${have_rest:-0}" -ge "${want_rest:-0}" ]; }
}

# version_of COMMAND...: the first number in the first line that it prints.
version_of() {
	"$@" 2>/dev/null | sed -n 's/^[^0-9]*\([0-9][0-9.]*\).*/\1/p;q'
}

# find_postgres: prints the directory that has initdb, postgres and pg_ctl of a
# version that will do; the newest of the usual places, after PATH.
find_postgres() {
	local program dir
	if program=$(command -v postgres); then
		dir=$(dirname "$program")
		postgres_will_do "$dir" && return
	fi
	# shellcheck disable=SC2012  # no odd names among these
	for dir in $(
		# Newest first: 17 before 16 before 15.
		ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
			/opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin \
			/opt/homebrew/opt/postgresql/bin /usr/local/opt/postgresql/bin \
			/Applications/Postgres.app/Contents/Versions/latest/bin 2>/dev/null | sort -rV
	); do
		postgres_will_do "$dir" && return
	done
	return 1
}

postgres_will_do() {
	[ -x "$1/initdb" ] && [ -x "$1/pg_ctl" ] && [ -x "$1/psql" ] && [ -x "$1/pg_isready" ] &&
		version_at_least "$(version_of "$1/postgres" --version)" "$MIN_POSTGRES" &&
		printf '%s\n' "$1"
}

# find_redis: prints the directory that has redis-server and redis-cli.
find_redis() {
	local program dir version
	for dir in "$(dirname "$(command -v redis-server || echo /nowhere/redis-server)")" \
		/opt/homebrew/opt/redis/bin /usr/local/opt/redis/bin; do
		program=$dir/redis-server
		if ! [ -x "$program" ] || ! [ -x "$dir/redis-cli" ]; then continue; fi
		# "Redis server v=7.0.15 sha=..."
		version=$("$program" --version | sed -n 's/.*v=\([0-9.]*\).*/\1/p')
		if version_at_least "$version" "$MIN_REDIS"; then
			printf '%s\n' "$dir"
			return
		fi
	done
	return 1
}

# find_go: prints the version of Go that the project will be built with. An older
# Go that may fetch a newer toolchain by itself is good enough.
find_go() {
	local version
	command -v go >/dev/null || return 1
	version=$(GOTOOLCHAIN=local go version | sed -n 's/^go version go\([0-9.]*\).*/\1/p')
	if ! version_at_least "$version" "$MIN_GO"; then
		version_at_least "$version" 1.21 || return 1
		[ "$(go env GOTOOLCHAIN 2>/dev/null)" = local ] && return 1
	fi
	printf '%s\n' "$version"
}

find_browser() {
	command -v chromium || command -v chromium-browser || command -v google-chrome ||
		{ local app="/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" &&
			[ -x "$app" ] && printf '%s\n' "$app"; }
}

# find_chinese_font: a font with Chinese characters, for pictures of the pages.
find_chinese_font() {
	[ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] ||
		[ -d /System/Library/Fonts ] ||
		[ -n "$(fc-list :lang=zh file 2>/dev/null)" ]
}
