#!/usr/bin/env bash
# make fuzz: every fuzz target in turn, for FOR each (10m; with SHORT=1 a few seconds).
# ONLY=Name runs those whose names hold it. An input that breaks something is written
# into testdata/fuzz beside its test: mend the fault and commit the input with it.
# PARALLEL=n bounds how many cores it takes.
# Inputs that reach new code stay in Go's build cache, where the next run begins;
# KEEP=1 copies some of each target into testdata/fuzz, so that every test runs them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

time=${FOR:-10m}
[ -n "${SHORT:-}" ] && time=${FOR:-4s}
most=40 # inputs of a target that KEEP=1 leaves

# keep PACKAGE TARGET: the smallest of what Go found stays in the tree.
keep() {
	local from to
	from="$(go env GOCACHE)/fuzz/$(go list "$1")/$2" to="$1/testdata/fuzz/$2"
	[ -d "$from" ] || return 0
	mkdir -p "$to"
	find "$from" -type f -size -3k -printf '%s %p\n' | sort -n | awk '{print $2}' | head -$((most * 8)) |
		awk -v m="$most" '{all[NR] = $0} END {step = NR > m ? NR / m : 1; for (i = 1; i <= NR; i += step) print all[int(i)]}' |
		xargs -r cp -t "$to"
}

failed=0
while IFS=: read -r file target; do
	[[ $target == *"${ONLY:-}"* ]] || continue
	dir=$(dirname "$file") began=$SECONDS
	if ! out=$(go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -parallel "${PARALLEL:-$(getconf _NPROCESSORS_ONLN)}" "$dir" 2>&1 </dev/null); then
		echo "$out" >&2
		echo "$dir $target: FAILED"
		failed=1
		continue
	fi
	if [ -n "${KEEP:-}" ]; then keep "$dir" "$target"; fi
	echo "$dir $target: clean, $((SECONDS - began)) s, $(grep -oE 'execs: [0-9]+' <<<"$out" | tail -1), $(grep -oE 'total: [0-9]+' <<<"$out" | tail -1) inputs that reach something of their own"
done < <(grep -rE '^func Fuzz' --include='*_test.go' . | sed -E 's/^([^:]+):func (Fuzz[A-Za-z0-9]+).*/\1:\2/' | sort)
exit "$failed"
