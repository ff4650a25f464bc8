# shellcheck shell=bash
# Sourced by the other scripts: telling processes apart and looking after one.
# Understands bash 3.2, which is what macOS has.

# alive PID: is there such a process, whoever owns it?
alive() {
	[ -n "$1" ] || return 1
	if [ -d /proc/self ]; then [ -d "/proc/$1" ]; else ps -p "$1" >/dev/null 2>&1; fi
}

# command_of PID: its command line, arguments apart by spaces.
command_of() {
	if [ -d /proc/self ]; then
		tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline"
	else
		ps -ww -o args= -p "$1"
	fi
}

# identity_of PID: the process id with the moment of its birth, so that a later
# process that got the same id is not taken for it. Empty when there is none.
identity_of() {
	local birth
	alive "$1" || return 0
	if [ -d /proc/self ]; then
		# Field 22; the second is the name in brackets and may hold anything.
		birth=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20)
	else
		birth=$(ps -o lstart= -p "$1" | tr -s ' ' '_')
	fi
	printf '%s %s\n' "$1" "$birth"
}

# still_there IDENTITY: is the process that identity_of described still running?
still_there() {
	[ -n "$1" ] && [ "$(identity_of "${1%% *}")" = "$1" ]
}

# until_true SECONDS COMMAND...: asks again and again, for at most so long.
until_true() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.05
	done
}

# start_child COMMAND...: in a process group of its own, so that a Ctrl-C reaches
# only the script, which passes it on in its own time. Leaves $child. Nothing
# that runs in it keeps the script's lock (file descriptor 9).
start_child() {
	set -m
	"$@" </dev/null 9>&- &
	child=$!
	set +m
}

# wait_for_child: its exit code, however often a signal interrupts the wait.
wait_for_child() {
	local code=0
	while :; do
		code=0
		wait "$child" 2>/dev/null || code=$? # bash would tell of a killed child in its own words
		kill -0 "$child" 2>/dev/null || return "$code"
	done
}
