# Everything one does with the project; each target installs or names what it needs.
.DEFAULT_GOAL := help
.PHONY: help run test check bench

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## the demo city on this machine, until Ctrl-C; data stays in .data/
	@scripts/run.sh

test: ## the whole suite with the race detector, on PostgreSQL and Chromium
	@scripts/test.sh

check: ## format, vet, staticcheck, import directions, modules, vulnerabilities
	@scripts/check.sh

bench: ## hot paths beside their floors, loads beside raw COPY, each measured in one run
	@scripts/need.sh postgresql
	@go run ./internal/bench
	@go run ./internal/loadbench
	@go test -run '^$$' -bench . -benchtime 3x ./certauth/revocation
	@go test -run '^$$' -bench . -benchtime 100x ./certauth
