# The workshop: `make run` and `make test` need Python 3.11 or newer, and set up all the rest in .venv.
# Everything comes from the lock files, checked by hash; `make help` lists what there is.
# They name the whole closure, so pip resolves nothing: its resolver would reach for a newer
# version of a package that is wanted both plain and with an extra.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PORT ?= 8000
JOBS ?= auto
# The first Python that is new enough; name another one with `make run PYTHON=/path/to/python3.12`.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$p"; break; }; done)

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet install --no-deps
NO_PACKAGES := Some packages could not be installed (the lines above say which): the first start needs the network.
STATIC := src/casewell/kernel/static
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

# Licences a firm may run beside the AGPL. A new one is added here by a person who has read it.
LICENCES := Apache;BSD;MIT;ISC;MPL-2.0;Mozilla Public License 2.0;PSF-2.0;LGPL-3.0
# huey is MIT; its package says so only in its LICENSE file, which the scan does not read.
LICENCES_READ := huey

##@ Use it
.PHONY: run
run: $(BIN)/.run assets ## Set up, make the demo firm the first time, serve it (PORT=8000)
	@test -f "$${CASEWELL_HOME:-var}/casewell.env" || $(BIN)/casewell init
	@CASEWELL_PUBLIC_URL="$${CASEWELL_PUBLIC_URL:-http://127.0.0.1:$(PORT)}" exec $(BIN)/casewell serve --demo --port $(PORT)

.PHONY: install
install: $(BIN)/.run assets ## Set up all that Casewell needs to run, and start nothing

.PHONY: assets
assets: $(BIN)/.node ## Fetch and assemble the front-end files, where something changed
	@$(BIN)/python -m casewell.kernel.assets

##@ Change it
.PHONY: test
test: $(BIN)/.dev assets ## Run every test this machine can, and say what was skipped (ARGS=, JOBS=)
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

.PHONY: coverage
coverage: $(BIN)/.dev assets ## Run the tests and hold the packages to 90 % coverage
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --cov --cov-report=term --cov-fail-under=90 $(ARGS)

.PHONY: fmt
fmt: $(BIN)/.dev ## Format the code and mend what can be mended by itself
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

.PHONY: check
check: check-static ## All that has to pass: the checks below, and the tests on both databases
	@CASEWELL_TEST_DATABASES=sqlite,postgresql $(MAKE) test

.PHONY: check-static
check-static: check-style check-types check-templates check-imports check-migrations check-licences check-vulnerabilities ## The checks that run no test

.PHONY: check-style
check-style: $(BIN)/.dev ## Ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: check-types
check-types: $(BIN)/.dev ## mypy, strict
	$(BIN)/mypy

.PHONY: check-templates
check-templates: $(BIN)/.dev ## djlint
	$(BIN)/djlint --quiet --lint src/casewell

.PHONY: check-imports
check-imports: $(BIN)/.dev ## import-linter: imports point down
	$(BIN)/lint-imports --no-cache

.PHONY: check-migrations
check-migrations: $(BIN)/.dev ## Models and migrations say the same
	$(BIN)/python -m casewell.migrations.check

.PHONY: check-licences
check-licences: $(BIN)/.dev ## Licences of all that ships
	@sed -n 's/^\([A-Za-z0-9._-]*\)==.*/\1/p' requirements.lock | grep -vxE '$(LICENCES_READ)' | \
		xargs $(BIN)/pip-licenses --from=mixed --partial-match --allow-only='$(LICENCES)' --packages >/dev/null
	@echo "Licences: all allowed."

# pip-audit calls it a success when it could ask about nothing: an unreachable service is said, not hidden.
.PHONY: check-vulnerabilities
check-vulnerabilities: $(BIN)/.dev ## Known vulnerabilities of all that ships
	@said=$$($(BIN)/pip-audit --progress-spinner off --disable-pip --require-hashes -r requirements.lock 2>&1); status=$$?; \
	if echo "$$said" | grep -q '^Found '; then echo "$$said"; exit 1; \
	elif echo "$$said" | grep -q 'could not be audited'; then \
		echo "Vulnerabilities, not checked: the service does not know" \
			"$$(echo "$$said" | grep -c 'could not be audited') of the packages, or can't be reached from here."; \
	elif [ $$status -ne 0 ]; then echo "Vulnerabilities, not checked: $$(echo "$$said" | tail -n 1)"; \
	else echo "Vulnerabilities: none known."; fi

.PHONY: bench
bench: $(BIN)/.dev ## Measure the operations that must stay fast, beside hand-written SQL (ARGS=)
	@$(BIN)/python -m bench $(ARGS)

.PHONY: screenshots
screenshots: $(BIN)/.dev assets ## Renew the pictures in docs/
	@$(BIN)/python -m tests.e2e.screenshots $(ARGS)

.PHONY: lock
lock: $(BIN)/.dev ## Renew the lock files from pyproject.toml (ARGS=--upgrade for newer versions)
	@$(LOCK) pyproject.toml --group build --output-file requirements.lock $(ARGS)
	@$(LOCK) pyproject.toml --group dev --constraint requirements.lock --output-file requirements-dev.lock $(ARGS)
	@$(LOCK) --group node --output-file requirements-node.lock $(ARGS)

LOCK = $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.PHONY: package
package: $(BIN)/.dev assets ## Build the wheel and the source package in dist/
	@$(BIN)/python -m hatchling build --clean

##@ Anything else
.PHONY: clean
clean: ## Remove all that was set up or built, but not the firm's data in var/
	@rm -rf .venv node_modules dist build $(STATIC)/vendor* .*_cache .hypothesis .coverage .coverage.* htmlcov test-results
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-22s %s\n", $$1, $$2 }' Makefile

# Set-up, step by step; the stamp beside the tools says that a step is done.

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Casewell needs Python 3.11 or newer, and this machine has none: install it (on Debian: apt install python3 python3-venv), then run make again." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Casewell needs Python 3.11 or newer, and $(PYTHON) is not: name another with make PYTHON=/path/to/python." >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) comes without its venv module: install it (on Debian: apt install python3-venv), then run make again." >&2; exit 1; }
	@echo "Making .venv with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv .venv || { rm -rf .venv; exit 1; }

$(BIN)/.run: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what Casewell runs on"
	@$(PIP) --require-hashes -r requirements.lock || { echo "$(NO_PACKAGES)" >&2; exit 1; }
	@$(PIP) --no-build-isolation --editable .
	@touch $@

$(BIN)/.dev: requirements-dev.lock $(BIN)/.run
	@echo "Installing what its tests and checks run on"
	@$(PIP) --require-hashes -r requirements-dev.lock || { echo "$(NO_PACKAGES)" >&2; exit 1; }
	@touch $@

# Without Node on the PATH, it comes as a package into .venv.
$(BIN)/.node: requirements-node.lock | $(BIN)/.run
	@{ command -v node && command -v npm; } >/dev/null || { \
		echo "Installing Node, which this machine does not have"; \
		$(PIP) --require-hashes -r requirements-node.lock || { echo "$(NO_PACKAGES)" >&2; exit 1; }; }
	@touch $@
