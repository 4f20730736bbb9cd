# The whole project from one place. `make` alone lists the targets.
#
#   make up      the platform over a demonstration registry on http://127.0.0.1:8000
#   make test    the whole test suite
#
# Extra arguments go in ARGS:  make up ARGS="--port 9000"   make test ARGS="tests/demo -k defects"

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
DIST ?= dist
ARGS ?=
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# The newest Python that runs: several may be on the PATH without working (version switchers leave such shims behind).
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python3.14; do \
	"$$p" -c 'import sys, ssl, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)

.PHONY: help venv venv-dev up test check format bench docs dist check-standard migration lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- set-up ------------------------------------------------------------------------------------------------------------------------

venv: $(VENV)/.runtime ## the virtual environment with everything the platform needs; leaves .venv/bin/iati ready

venv-dev: $(VENV)/.development ## the same with what tests and checks need

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "This needs Python 3.11 or newer with its venv module; found: $$(python3 --version 2>&1 || echo none)." >&2; \
		echo "  Debian, Ubuntu:  sudo apt install python3 python3-venv" >&2; \
		echo "  macOS:           brew install python@3.13" >&2; \
		echo "or name one:       make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; fi
	@echo "creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.build: $(BIN)/python requirements-build.txt
	@$(PIP) install --require-hashes -r requirements-build.txt
	@touch $@

$(VENV)/.runtime: $(VENV)/.build requirements.txt pyproject.toml
	@echo "installing the locked dependencies (about a minute the first time)"
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(VENV)/.development: $(VENV)/.runtime requirements-dev.txt
	@echo "installing what tests and checks need"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

# --- use ---------------------------------------------------------------------------------------------------------------------------

up: venv ## the platform over a demonstration registry, http://127.0.0.1:8000
	@$(BIN)/iati up --demo $(ARGS)

# --- quality -----------------------------------------------------------------------------------------------------------------------

test: venv-dev ## the whole test suite; the last lines name components that were missing
	@$(BIN)/python tools/run_tests.py $(ARGS)

check: venv-dev ## format, lint, types, arrows between rooms, licences, lock files
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python tools/check_licences.py
	@$(BIN)/python tools/check_locks.py

format: venv-dev ## bring the code into the house format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: venv-dev ## every benchmark; ARGS names some of them
	@$(BIN)/python -m benchmarks $(ARGS)

docs: venv-dev ## links, coverage and examples of the documentation
	@$(BIN)/python -m pytest -q tests/docs $(ARGS)

check-standard: venv-dev ## our reference data against the official files: make check-standard FROM=DIR
	@if [ -z "$(FROM)" ]; then echo "make check-standard FROM=DIR, the folder with the official files of the IATI Standard" >&2; exit 2; fi
	@$(BIN)/python tools/check_standard.py --from "$(FROM)" $(ARGS)

# --- maintenance -------------------------------------------------------------------------------------------------------------------

dist: $(VENV)/.build ## the wheel, in dist/
	@rm -rf build
	@$(PIP) wheel --no-deps --no-build-isolation --no-index --wheel-dir "$(DIST)" .
	@rm -rf build
	@ls -l "$(DIST)"/*.whl

migration: venv-dev ## write the database migration again after a change of models (until the first release)
	@$(BIN)/python tools/rewrite_initial_migration.py $(ARGS)

lock: venv-dev ## write the lock files again; ARGS=--upgrade moves everything to its newest release
	@PYTHON=$(BIN)/python tools/lock.sh $(ARGS)

clean: ## remove what was built; keeps ./data
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
