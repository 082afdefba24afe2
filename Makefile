# Two commands for a newcomer: `make demo` and `make test`. Each sets up what it needs.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
JOBS ?= 2
# More arguments for pytest, for example: make test TESTS='-k soak'
TESTS ?=

python_ready := .venv/.ready
assets_ready := src/amends/web/static/vendor/manifest.json

# Suites whose tests share nothing run side by side; those that measure waits or kill processes run alone.
side_by_side := $(wildcard tests/unit tests/contract tests/statistics tests/replay)
alone := $(wildcard tests/integration tests/acceptance tests/browser)

.PHONY: help setup setup-servers check test crash bench demo assets wheel clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(python_ready) $(assets_ready) ## Create .venv with everything, and build the front-end assets

$(python_ready): pyproject.toml packages/capture/pyproject.toml uv.lock scripts/setup-python.sh scripts/locked_versions.py
	@scripts/setup-python.sh
	@touch $@

$(assets_ready): package.json package-lock.json scripts/build_assets.py scripts/setup-assets.sh $(wildcard frontend/*) | $(python_ready)
	@scripts/setup-assets.sh
	@touch $@

assets: $(assets_ready) ## Build the front-end assets alone

setup-servers: ## Install the servers that tests need (PostgreSQL, Prometheus, Alertmanager, HAProxy, Chromium)
	@scripts/setup-servers.sh

check: setup ## Lint, format, types, layers and unit tests, in under a minute
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) tests/unit -n $(JOBS) --dist loadfile

# The variable makes an absent server a failure, so it also installs them.
test: setup $(if $(filter 1,$(AMENDS_REQUIRE_SERVERS)),setup-servers) ## Run every test
	$(PYTEST) $(side_by_side) -n $(JOBS) --dist loadfile $(TESTS)
	$(if $(alone),$(PYTEST) $(alone) $(TESTS))

crash: setup ## Kill real processes at random, 100 times for each backend
	AMENDS_CRASH_ROUNDS=$${AMENDS_CRASH_ROUNDS:-100} $(PYTEST) -m crash -s $(TESTS)

bench: setup ## Run every benchmark; benchmarks/RESULTS.md keeps the figures
	@for one in benchmarks/[a-z]*.py; do echo "== $$one"; $(BIN)/python $$one; done

demo: setup ## See the whole loop on real processes (AMENDS_DEMO_ARGS adds arguments)
	@$(BIN)/amends demo $(AMENDS_DEMO_ARGS)

wheel: setup ## Build the wheels into dist/
	@scripts/build-wheel.sh

clean: ## Remove what was built and installed here
	rm -rf .venv node_modules dist build src/amends/web/static/vendor .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache test-results htmlcov .coverage
	find src tests benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} +
