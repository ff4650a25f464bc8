# wishdesk: `make run` shows it, `make test` tests it, `make check` is what CI runs.

SHELL := bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
TEST    ?= ./...
INTEROP := bot/wechat/interop console/open311/interop
FOREIGN := $(INTEROP:%=%/node_modules/.package-lock.json)
ASSETS  := console/assets

.PHONY: help
help: ## says what there is
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 14

.PHONY: run
run: ## installs what is missing, starts everything, until Ctrl-C (WISHDESK_ADDR, WISHDESK_DATA)
	@scripts/run.sh

# The browser files that others make, by the lock file, to be embedded.
.PHONY: assets
assets: $(ASSETS)/dist/.fetched ## fetches htmx, WeUI and ECharts for the pages
$(ASSETS)/dist/.fetched: $(ASSETS)/package-lock.json
	@scripts/assets.sh

.PHONY: build
build: assets ## bin/wishdesk, static
	@CGO_ENABLED=0 go build -mod=readonly -trimpath -buildvcs=false -tags timetzdata \
		-ldflags '-s -w -X main.version=$(VERSION)' -o bin/wishdesk ./cmd/wishdesk

.PHONY: test
test: setup-test assets $(FOREIGN) ## every test, race detector on; TEST=./workflow/... for some
	scripts/with-stores.sh go test -race -timeout 30m $(TEST)

.PHONY: check
check: setup-test assets $(FOREIGN) ## formatting, vet, lint, vulnerabilities, module file, tests
	@scripts/check.sh

.PHONY: chaos
chaos: setup-test assets ## plays every fault against real processes and judges: lost, duplicated, stuck (SHORT=1, ONLY=migration)
	@go run ./proof/chaos $(if $(SHORT),-short) $(if $(ONLY),-only $(ONLY))

.PHONY: fuzz
fuzz: setup-test assets ## bad input of every kind, ten minutes for each target (FOR=1m, SHORT=1, ONLY=Name, KEEP=1)
	@scripts/with-stores.sh scripts/fuzz.sh

.PHONY: digest-recount
digest-recount: setup-test ## writes a year of TICKETS (1000000) and holds the digest against a plain recount; it says how long each took
	@WISHDESK_TEST_TICKETS=$(or $(TICKETS),1000000) scripts/with-stores.sh go test ./storage/postgres -run TestADigestEqualsAPlainRecount -count 1 -v -timeout 3h

.PHONY: bench
bench: setup-test assets ## measures what it takes, beside what it stands on, in one run (SHORT=1, ONLY=part, TICKETS=n)
	@go run ./proof/bench $(if $(SHORT),-short) $(if $(ONLY),-only $(ONLY)) $(if $(TICKETS),-tickets $(TICKETS))

.PHONY: fmt
fmt: bin/tools/golangci-lint ## formats the Go files
	@bin/tools/golangci-lint fmt

.PHONY: lint
lint: bin/tools/golangci-lint ## lint and import directions
	@bin/tools/golangci-lint run

.PHONY: vuln
vuln: bin/tools/govulncheck ## known vulnerabilities that the program can reach
	@scripts/vuln.sh

.PHONY: docs
docs: ## makes the documents that are made from code
	go generate ./...

.PHONY: model
model: ## trains the shipped model of configs/samples
	@go run ./cmd/wishdesk train configs/samples/*.tsv --out configs/understand.model

.PHONY: empty-root
empty-root: build ## shows that the binary runs in an empty root directory as an ordinary user
	@scripts/empty-root.sh

.PHONY: clean
clean: ## what was built; the data of make run stays
	rm -rf bin $(INTEROP:%=%/node_modules) $(ASSETS)/node_modules $(ASSETS)/dist/*.* $(ASSETS)/dist/.fetched

.PHONY: setup-test
setup-test:
	@scripts/setup.sh test

# Clients by others, for tests.
$(FOREIGN): %/node_modules/.package-lock.json: %/package-lock.json
	npm ci --prefix $* --ignore-scripts --no-audit --no-fund
	@touch $@

# The pinned tools, built anew when their versions change.
bin/tools/golangci-lint bin/tools/govulncheck &: tools/go.mod tools/go.sum
	@echo "building the pinned tools (once for each version)"
	@mkdir -p bin/tools
	@go -C tools build -mod=readonly -buildvcs=false -trimpath -ldflags '-s -w' -o ../bin/tools/ \
		github.com/golangci/golangci-lint/v2/cmd/golangci-lint golang.org/x/vuln/cmd/govulncheck
	@touch bin/tools/golangci-lint bin/tools/govulncheck
