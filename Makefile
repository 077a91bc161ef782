# Commands of the project. `make help` lists them. Nothing needs to be installed beforehand but
# Python ≥ 3.11 and Node (without Node it comes from a wheel).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON := .venv/bin/python
# Asking first with the environment's own Python saves looking for another at every call.
bootstrap = $(PYTHON) scripts/bootstrap.py --is-ready $(1) 2>/dev/null \
	|| "$$(scripts/find_python.sh)" scripts/bootstrap.py $(1)
export PYTHONPATH := src
export PYTHONUNBUFFERED := 1
# Compiling everything anew at each start costs it a second, of which tests make a hundred.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test test-fast check lint types imports format bench chaos migration migrate \
	docs-check coverage setup setup-dev frontend clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup frontend ## Set everything up and serve the demo: product on :8000, phone on :8001 (ARGS="--port …")
	@exec $(PYTHON) -m o2o.app.cli demo $(ARGS)

test: setup-dev frontend ## Install what is needed and run every test, PostgreSQL and browser included
	@scripts/run_tests.sh

test-fast: setup-dev ## Unit and architecture tests only, for the moment after each save
	@$(PYTHON) -m pytest -q tests/unit tests/architecture $(ARGS)

check: lint types imports test ## All that CI checks

lint: setup-dev ## ruff: rules and format
	@$(PYTHON) -m ruff check . && $(PYTHON) -m ruff format --check .

types: setup-dev ## mypy, strict
	@$(PYTHON) -m mypy

imports: setup-dev ## import-linter: the layers of the house
	@.venv/bin/lint-imports --no-logo

format: setup-dev ## Write what `make lint` would ask for, where that is mechanical
	@$(PYTHON) -m ruff check --fix . ; $(PYTHON) -m ruff format .

coverage: setup-dev frontend ## All tests with branch coverage; the report is printed
	@O2O_TEST_COVERAGE=1 scripts/run_tests.sh

bench: setup-dev ## Measured comparisons, printed as ratios
	@$(PYTHON) -m bench $(ARGS)

chaos: setup-dev ## Faults under load, with a checker
	@$(PYTHON) -m chaos $(ARGS)

migration: setup-dev ## New migration from the difference between tables and models: m="add coupon index"
	@[ -n "$(m)" ] || { echo 'Say what changes: make migration m="add coupon index"' >&2; exit 2; }
	@$(PYTHON) -m alembic revision --autogenerate -m "$(m)"

migrate: setup ## Bring the database of O2O_DATABASE_URL (or the embedded one) to the newest migration
	@$(PYTHON) -m o2o.app.cli migrate

docs-check: setup-dev ## Paths, commands and settings that the documents name exist
	@$(PYTHON) -m pytest -q tests/architecture/test_documents.py

setup: # Virtual environment with what the product runs on
	@$(call bootstrap,run)

setup-dev: # The same and what tests and checks need
	@$(call bootstrap,dev)

frontend: setup # Front-end packages and the built pages' assets
	@$(PYTHON) scripts/build_frontend.py

clean: ## Remove everything that can be made again (not the demo's data)
	@rm -rf .venv webviews/node_modules webviews/static/dist src/wechat_sandbox/static/dist \
		.mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
