# Every target works by itself on a fresh clone: it needs make, git and Go 1.26, and fetches the rest.
# `make` alone lists them.

GO       ?= go
FUZZTIME ?= 20s
# Arguments for the comparison, such as BENCH="--rounds 1 --seconds 3"; see bench/README.md.
BENCH    ?=

# Tools are kept here, outside git, one directory per version.
CACHE    := $(CURDIR)/.cache
LINTER   := v2.8.0
LINT     := $(CACHE)/golangci-lint-$(LINTER)/golangci-lint

.DEFAULT_GOAL := help
.PHONY: help build build-all demo install uninstall test test-short test-long test-vm fmt vet lint race forms e2e fuzz bench setup setup-vm setup-bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## bin/hawser, static, for this machine
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/hawser ./cmd/hawser

demo: build ## two paths to a LUN, one cut half-way, the data verified: under a minute
	bin/hawser demo

# PREFIX and DESTDIR are as usual: make install PREFIX=/usr DESTDIR=/tmp/package
PREFIX   ?= /usr/local

install: build ## the program, systemd units, udev rules, manual, completion; enables and starts nothing
	PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) scripts/packaging/install.sh

uninstall: ## what install has put there, if no volume is attached
	PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) scripts/packaging/uninstall.sh

# The order is the order of cost: what fails fast comes first.
test: setup setup-vm fmt vet lint build-all forms race e2e test-vm ## what CI runs; installs what it needs with apt-get, says what

test-short: ## the tests that need no root, no network and no other program: a minute
	$(GO) test -short ./...

# HAWSER_TEST_LONG=1 asks every package for the long form of its tests. Schedules are tried without the race detector, which finds in a
# few what it finds in many, and makes each ten times as long.
test-long: setup setup-vm build-all ## everything in its long form: an hour and more
	HAWSER_TEST_LONG=1 $(GO) test -shuffle on -timeout 3h -p 1 $$($(GO) list ./... | grep -vE '/scripts/(e2e|vm|device|packaging/boot)$$')
	REQUIRE_RACE=1 HAWSER_TEST_LONG=1 $(GO) test -race -count=1 -v -timeout 3h ./scripts/e2e
	HAWSER_TEST_LONG=1 $(GO) test -count=1 -v -timeout 4h -p 1 ./scripts/vm ./scripts/device ./scripts/packaging/boot

fmt: ## fails when a file is not gofmt-ed
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then \
		echo "not gofmt-ed (run gofmt -w on them):"; echo "$$unformatted"; exit 1; fi

vet: ## go vet, for both architectures
	$(GO) vet ./...
	GOARCH=arm64 $(GO) vet ./...
	$(GO) vet -tags vm ./...

lint: $(LINT) ## golangci-lint with .golangci.yml, with the tests for the VM too
	GOLANGCI_LINT_CACHE=$(CACHE)/golangci-lint-cache $(LINT) run ./...
	GOLANGCI_LINT_CACHE=$(CACHE)/golangci-lint-cache $(LINT) run --build-tags vm ./...

$(LINT):
	@echo "building golangci-lint $(LINTER), once: some minutes"
	GOFLAGS=-mod=mod GOBIN=$(dir $@) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINTER)

build-all: ## builds for linux/amd64 and linux/arm64
	CGO_ENABLED=0 GOOS=linux GOARCH=amd64 $(GO) build -trimpath ./...
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) build -trimpath ./...

# The end-to-end tests have the machine for themselves, so they are not among these.
# REQUIRE_RACE makes scripts/gates fail if the race detector is not really on.
race: setup setup-vm ## all tests but the end-to-end ones and those of a VM, with the race detector
	REQUIRE_RACE=1 $(GO) test -race -shuffle on -timeout 40m $$($(GO) list ./... | grep -vE '/scripts/(e2e|vm|device|packaging/boot)$$')

forms: ## every form that a login can give a WRITE, without the race detector, which takes a sample of them
	$(GO) test -timeout 30m -run TestNegotiatedForms ./iscsi

e2e: setup ## against tgt, with fio, qemu-io, nbdinfo and nbdcopy, with the race detector
	REQUIRE_RACE=1 $(GO) test -race -count=1 -v -timeout 40m ./scripts/e2e

# Beside each other as far as there are processors for it: a VM does not use the whole of one.
test-vm: setup-vm ## in virtual machines: the kernel device under mounts, restarts, power losses; a host that boots with hawser installed
	$(GO) test -count=1 -v -timeout 80m -p 3 ./scripts/device ./scripts/packaging/boot ./scripts/vm

fuzz: ## every fuzz target in turn, FUZZTIME=20s each
	scripts/fuzz.sh $(FUZZTIME)

bench: setup-bench build ## hawser beside qemu-nbd: IOPS, latency, CPU, ratios (BENCH="--help" for options)
	$(GO) run ./bench/compare $(BENCH)

setup: ## installs what the tests need with apt-get; says what, enables no service
	@scripts/setup-test.sh

setup-vm: ## installs what the VM needs, and fetches its kernel, which is kept in .cache
	@scripts/setup-vm.sh

setup-bench:
	@scripts/setup-bench.sh

clean: ## removes what was built, tools and caches included
	rm -rf bin .cache
