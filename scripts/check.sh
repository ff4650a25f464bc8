#!/usr/bin/env bash
# make check: every check in turn, the quick ones first, with the time of each. Stops
# at the first that fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# step NAME COMMAND...
step() {
	local name=$1 began=$SECONDS
	shift
	echo "== $name"
	if ! "$@"; then
		echo "== $name FAILED after $((SECONDS - began)) s" >&2
		exit 1
	fi
	echo "== $name: $((SECONDS - began)) s"
}

formatting() {
	local unformatted
	unformatted=$(find . -name '*.go' -not -path './bin/*' -not -path './.wishdesk*' -not -path '*/node_modules/*' -print0 |
		xargs -0 gofmt -l)
	[ -z "$unformatted" ] && return
	echo "not as gofmt would have them (make fmt):" >&2
	echo "$unformatted" >&2
	return 1
}

step formatting formatting
step "module files" go mod tidy -diff
step build make --no-print-directory build
step vet go vet ./...
step tools make --no-print-directory bin/tools/golangci-lint
step lint bin/tools/golangci-lint run
step vulnerabilities scripts/vuln.sh
step tests scripts/with-stores.sh go test -race -timeout 30m ./...
step fuzz env SHORT=1 scripts/with-stores.sh scripts/fuzz.sh
step chaos go run ./proof/chaos -short
echo "all checks passed in $SECONDS s"
