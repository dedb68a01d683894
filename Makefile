# kith: build, test, measure. `make help` lists the targets.
#
# Nothing here needs more than Go, make and a POSIX shell. Results go to bin/
# (programs) and build/ (figures); both may be deleted at any time.

GO     ?= go
NAME   ?=
FUZZTIME  ?= 5s
SCHEDULES ?= 10000

# Everything is compiled without C and without the paths of this machine: programs are
# static and reproducible, and what was compiled for one checkout serves the next, the
# tests, and what tests compile. Only the race detector wants C.
export GOFLAGS := $(strip $(GOFLAGS) -trimpath)
PLAIN_GO = CGO_ENABLED=0 $(GO)

# -buildvcs=false because a checkout owned by another user (CI, a container) makes git,
# and with it the build, fail. No debug tables.
BUILD = $(PLAIN_GO) build -buildvcs=false -ldflags "-s -w"

# Programs the demo and the benchmarks run.
PROGRAMS = bin/kith bin/kith-hook

# The race detector wants a C compiler; go knows whether there is one.
RACE = $(if $(filter 1,$(shell $(GO) env CGO_ENABLED)),-race)

.PHONY: all
all: $(PROGRAMS) ## build bin/kith and bin/kith-hook

# There is a folder of that name, so make would say that nothing is to be done.
.PHONY: build
build: all

# Go decides what is stale, so the programs are always offered to it.
.PHONY: $(PROGRAMS)
$(PROGRAMS):
	$(BUILD) -o $@ ./cmd/$(@F)

.PHONY: charms
charms: ## build the example charms in Go: their dispatch
	@for d in examples/charms/go-*; do \
		echo "$$d"; \
		$(BUILD) -o $$d/dispatch ./$$d || exit 1; \
	done

.PHONY: demo
demo: all ## integrate the example charms, for real, and show what happens
	@KITH=$(CURDIR)/bin/kith examples/demo/demo.sh

# Packages that link the etcd server are tested without -race: building the
# server with it costs more than all our tests together. So are the simulator,
# the packages that may have no goroutine at all (purePackages in
# repo_test.go) and those that have none: there is no race to find, and they take
# up to five times as long with it. `make race` leaves nothing out.
SERVER = go.etcd.io/etcd/server/v3/etcdserver
PACKAGES = $(shell $(GO) list ./...)
LINKS_SERVER = $(patsubst %.test,%,$(filter %.test,$(shell \
	$(GO) list -test -f '{{$$t := .ImportPath}}{{range .Deps}}{{if eq . "$(SERVER)"}}{{$$t}}{{end}}{{end}}' ./...)))
PURE = kith/contract kith/internal/core kith/internal/hooktool kith/internal/resolve
ALONE = kith kith/charm kith/examples kith/examples/% kith/internal/api kith/internal/bench/% kith/internal/scaffold \
	kith/internal/script kith/internal/shipped kith/internal/sim kith/internal/tools/% kith/internal/bench
PLAIN = $(LINKS_SERVER) $(PURE) $(ALONE)
# The longest go first, so that the others run beside them.
LONGEST = kith/internal/pycharms kith/internal/sim kith/examples

# The Python charms of the test suite run in build/venv. It is made again when its
# requirements change. Where it cannot be made the tests that want it say so.
PYTHON ?= python3
VENV = build/venv
REQUIREMENTS = $(addprefix internal/pycharms/testdata/,requirements.txt requirements-older.txt)
PIP = $(VENV)/bin/pip install --quiet --disable-pip-version-check

.PHONY: venv
venv: ## a Python environment for the charms of the test suite
	@if ! cat $(REQUIREMENTS) | cmp -s - $(VENV)/requirements.txt; then \
		rm -rf $(VENV) && \
		$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or later is needed")' && \
		$(PYTHON) -m venv $(VENV) && \
		$(PIP) -r $(word 1,$(REQUIREMENTS)) && \
		$(PIP) --no-deps --no-compile --target $(VENV)/older -r $(word 2,$(REQUIREMENTS)) && \
		$(VENV)/bin/python -m compileall -q --invalidation-mode unchecked-hash $(VENV)/older && \
		cat $(REQUIREMENTS) >$(VENV)/requirements.txt || \
		echo "no Python environment: the tests of Python charms are skipped"; \
	fi

# What the tests do without: make check vets, and nobody debugs a test program of make test.
QUICK = -vet=off -ldflags=-w

.PHONY: test
test: venv ## run every test, with -race where it fits
	@$(GO) list ./... >/dev/null
	@$(if $(RACE),,echo "no C compiler here, so no race detector")
	$(GO) test $(QUICK) $(RACE) $(filter-out $(PLAIN),$(PACKAGES))
	$(if $(filter $(PLAIN),$(PACKAGES)),$(PLAIN_GO) test $(QUICK) $(filter $(LONGEST),$(PACKAGES)) $(filter-out $(LONGEST),$(filter $(PLAIN),$(PACKAGES))))

.PHONY: race
race: ## run every test with -race (slow: builds the etcd server with it)
	$(GO) test -race ./...

.PHONY: check
check: ## format, vet, staticcheck
	@bad=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	[ -z "$$bad" ] || { echo "not formatted (run gofmt -w):"; echo "$$bad"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

.PHONY: cross
cross: ## compile for linux and darwin, amd64 and arm64
	@for os in linux darwin; do for arch in amd64 arm64; do \
		echo "$$os/$$arch"; \
		GOOS=$$os GOARCH=$$arch $(BUILD) ./... || exit 1; \
	done; done

# What only the benchmarks want of Python, beside the environment of the tests.
$(VENV)/bench: internal/bench/requirements.txt | venv
	@$(PIP) --no-deps --upgrade --target $@ -r $< && touch $@ || echo "no $@: some rows of make bench are left out"

.PHONY: bench
bench: all $(VENV)/bench ## measure against the targets; NAME=… runs one group
	@mkdir -p build
	$(PLAIN_GO) run ./internal/bench -run "$(NAME)"

.PHONY: sim
sim: ## a long simulator run; SCHEDULES=… sets how many
	KITH_SIM_SCHEDULES=$(SCHEDULES) $(PLAIN_GO) test ./internal/sim -run 'TestSimLong' -count=1 -timeout 4h -v

.PHONY: fuzz
fuzz: ## every fuzz test for FUZZTIME (5s) each
	@set -eu; for f in $$(git ls-files -co --exclude-standard '*_test.go' | xargs grep -l '^func Fuzz'); do \
		for name in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$f); do \
			echo "$$(dirname $$f) $$name"; \
			$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) ./$$(dirname $$f); \
		done; \
	done

.PHONY: stats
stats: ## sizes of the packages, the ten longest files and functions
	@$(GO) run ./internal/tools/stats .

.PHONY: clean
clean: ## remove what was built
	rm -rf bin build examples/charms/go-*/dispatch

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
