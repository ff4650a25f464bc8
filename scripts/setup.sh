#!/usr/bin/env bash
# Installs what is missing to run or to test the project, and says nothing when
# nothing is missing.
#
#   scripts/setup.sh run     PostgreSQL, Redis, Go, Node      (the default)
#   scripts/setup.sh test    and a C compiler, Chromium, a Chinese font
#
# Installs by itself on Debian and Ubuntu, as root or by sudo. The services that
# those packages bring are neither started nor left switched on: the project runs
# its own instances (scripts/stores.sh). A service or cluster that was there before
# is left as it is. Elsewhere it says what to install.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/programs.sh
. "$here/programs.sh"

# install_packages PACKAGE...: as root; apt's output is shown only when it fails.
install_packages() {
	# Not local: the trap runs after the function has returned.
	policy=/usr/sbin/policy-rc.d
	cluster=/etc/postgresql-common/createcluster.conf
	state=$(mktemp -d)
	log=$state/log
	export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
	# shellcheck disable=SC2317,SC2329  # called by the trap
	restore() {
		if [ -e "$state/policy" ]; then mv -f "$state/policy" "$policy"; else rm -f "$policy"; fi
		if [ -e "$state/cluster" ]; then mv -f "$state/cluster" "$cluster"; fi
		rm -rf "$state"
	}
	trap restore EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	quietly() {
		"$@" >>"$log" 2>&1 </dev/null && return
		cat "$log" >&2
		echo "setup: could not do: $*" >&2
		exit 1
	}

	# 101 tells Debian's packages not to start their services.
	if [ -e "$policy" ]; then cp -p "$policy" "$state/policy"; fi
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
	quietly apt-get update
	local package fresh=
	for package in "$@"; do
		case $package in
		postgresql)
			# No cluster of the distribution's own: it would start at the next boot.
			quietly apt-get install -y --no-install-recommends postgresql-common
			cp -p "$cluster" "$state/cluster"
			echo 'create_main_cluster = false' >>"$cluster"
			;;
		redis-server) fresh=redis-server ;;
		esac
	done
	quietly apt-get install -y --no-install-recommends "$@"
	if [ -n "$fresh" ]; then
		if [ -d /run/systemd/system ]; then
			systemctl disable --now "$fresh" >>"$log" 2>&1 || true
		else
			update-rc.d "$fresh" disable >>"$log" 2>&1 || true
		fi
	fi
}

# missing_packages run|test: Debian's names of what is not there, one a line.
missing_packages() {
	find_postgres >/dev/null || echo postgresql
	find_redis >/dev/null || echo redis-server
	[ "$1" = test ] || return 0
	command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null || printf '%s\n' gcc libc6-dev
	find_browser >/dev/null || echo chromium
	find_chinese_font || echo fonts-noto-cjk
}

main() {
	local mode=${1:-run} failed=
	case $mode in run | test) ;;
	as-root) # how the script calls itself for the part that needs root
		shift
		install_packages "$@"
		exit
		;;
	*)
		echo "usage: scripts/setup.sh [run|test]" >&2
		exit 2
		;;
	esac

	if ! find_go >/dev/null; then
		echo "setup: Go $MIN_GO or newer is needed: https://go.dev/dl/ (macOS: brew install go)" >&2
		failed=yes
	fi
	if ! { command -v node && command -v npm; } >/dev/null; then
		echo "setup: Node 20 or newer with npm is needed to build the pages: https://nodejs.org/ (macOS: brew install node)" >&2
		failed=yes
	fi
	[ -z "$failed" ] || exit 1

	local packages
	packages=$(missing_packages "$mode" | tr '\n' ' ')
	packages=${packages% }
	[ -n "$packages" ] || exit 0

	if ! command -v apt-get >/dev/null; then
		cat >&2 <<-END
			setup: missing here: $packages
			  macOS:   brew install postgresql@16 redis go node   (tests also: brew install --cask google-chrome)
			  Docker:  docker compose --profile demo up           (nothing else to install)
			  others:  PostgreSQL $MIN_POSTGRES or newer and Redis $MIN_REDIS or newer on your PATH
		END
		exit 1
	fi
	echo "setup: installing $packages (once)"
	local root=
	if [ "$(id -u)" -ne 0 ]; then
		if ! command -v sudo >/dev/null; then
			echo "setup: as root, please: apt-get install --no-install-recommends $packages" >&2
			exit 1
		fi
		root=sudo
		[ -t 0 ] || root="sudo -n"
	fi
	# shellcheck disable=SC2086  # words on purpose
	$root "${BASH:-bash}" "$here/setup.sh" as-root $packages || exit 1

	packages=$(missing_packages "$mode" | tr '\n' ' ')
	if [ -n "$packages" ]; then
		cat >&2 <<-END
			setup: installed, but not usable here: $packages
			  wanted: PostgreSQL $MIN_POSTGRES or newer, Redis $MIN_REDIS or newer, Chromium that is not a snap.
			  An older system has newer ones at https://apt.postgresql.org and https://packages.redis.io,
			  or use Docker: docker compose --profile demo up
		END
		exit 1
	fi
}

main "$@"
