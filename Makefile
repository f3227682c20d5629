# Everything the continuous integration does is in .ci/run; these are its parts.
GO ?= go
FUZZTIME ?= 200000x

.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

BINARY ?= bearward

build: ## one static binary without traces of this machine, into BINARY (bearward)
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BINARY) ./cmd/bearward

test: ## run the tests
	$(GO) test ./...

race: ## run the tests with the race detector
	$(GO) test -race ./...

fuzz: ## run each fuzz target on FUZZTIME inputs (200000x)
	internal/tools/fuzz $(FUZZTIME)

bench: ## each row beside its floor, in interleaved rounds, into benchmarks/RESULTS.md
	$(GO) run ./benchmarks/report

load: ## requests over a socket, guarded and not, into benchmarks/load/RESULTS.md
	$(GO) run ./benchmarks/load

compare: ## bearward beside other libraries, into benchmarks/compare/RESULTS.md
	cd benchmarks/compare && $(GO) run . > RESULTS.md

lint: ## gofumpt, vet, staticcheck, golangci-lint (install them once: make tools)
	test -z "$$(gofumpt -l .)"
	$(GO) vet ./...
	staticcheck ./...
	golangci-lint run ./...

tools: ## install the pinned linters
	internal/tools/install

vuln: ## look for known vulnerabilities (needs the network)
	$(GO) run golang.org/x/vuln/cmd/govulncheck@$(shell sed -n 's/^govulncheck=//p' internal/tools/versions) ./...

examples: ## build the examples and the README's programs
	$(GO) build -o /dev/null ./examples/...
	$(GO) test ./internal/tools/readme

interop: ## test against real servers, clients and proxies (see CONTRIBUTING.md)
	cd interop/oidcprovider && npm ci
	BEARWARD_REQUIRE_ALL=1 $(GO) test -count=1 ./interop/...

demo: ## start the demo and execute its lines
	$(GO) run ./cmd/bearward demo --check

mutate: ## disable each marked line in turn; a test must notice
	$(GO) run ./internal/tools/mutate

docs: ## write docs/rfcs.md and docs/errors.md
	$(GO) run ./internal/tools/docs

check: ## all that the continuous integration does
	.ci/run

.PHONY: help build test race fuzz bench load compare lint tools vuln examples interop demo mutate docs check
