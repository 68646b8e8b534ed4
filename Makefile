# Everything happens in .venv; nothing outside this directory is touched, except by
# `test-prerequisites`, which installs Debian packages when it is run by root.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
PARTS := sentry platform gofer runsc
# Type checkers cannot follow the import hook of an editable install; they read
# the same folders through this tree of links.
TYPING := build/typing/runsc_py
# Stamps: written when a step is done, so that a second `make` works offline.
RUNTIME := $(VENV)/.runtime-installed
DEVELOPMENT := $(VENV)/.development-installed
NATIVE_SOURCES := $(wildcard platform/ptrace/native/* gofer/native/* runsc/confinement/native/*)
PYTEST_WORKERS ?= 2
# What is measured is what users have: the installed wheel, whose start needs no import hook.
WHEELS := build/wheels
INSTALLED := build/installed
RUN ?= sh -c 'echo "Hello from $$(uname -sr), host $$(hostname), process $$$$:"; ps -o pid,ppid,args; echo "All of it ran in the sandbox; try: make run RUN=bash"'

.DEFAULT_GOAL := help
.PHONY: help run test retest lint typecheck fuzz stress conformance bench native wheel docs clean test-prerequisites

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "  make %-20s %s\n", $$1, $$2 }'

run: $(RUNTIME) ## Run a program in the sandbox (another one with RUN='command')
	@$(BIN)/runsc-py run -- $(RUN)

test: lint typecheck ## Check style, types and layers, and run all tests
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) $(PYTEST_OPTIONS)

retest: lint typecheck ## Run only what failed in the last `make test` again, alone
	$(BIN)/python -m pytest --last-failed --last-failed-no-failures none $(PYTEST_OPTIONS)

lint: $(DEVELOPMENT) $(TYPING) ## Check style (ruff) and which part may import which (import-linter)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYTHONPATH=build/typing $(BIN)/lint-imports --no-logo

typecheck: $(DEVELOPMENT) $(TYPING) ## Check types (mypy --strict)
	$(BIN)/mypy

fuzz: $(DEVELOPMENT) ## Try random system calls and file operations for some minutes, new ones every time
	HYPOTHESIS_PROFILE=explore RUNSC_FUZZ_ROUNDS=800 \
		$(BIN)/python -m pytest -n0 $(PYTEST_OPTIONS) tests/fuzz/test_system_calls.py tests/fuzz/test_tmpfs.py

stress: $(DEVELOPMENT) ## Run stress-ng's stressors in the sandbox, 10 seconds each (half an hour)
	RUNSC_STRESS_SECONDS=10 $(BIN)/python -m pytest -n0 $(PYTEST_OPTIONS) tests/stress

conformance: $(RUNTIME) ## Run CPython's own tests natively and inside (CONFORMANCE_OPTIONS=--help)
	PYTHONPATH=tests $(BIN)/python -m conformance $(CONFORMANCE_OPTIONS)

bench: $(RUNTIME) ## Measure native, runsc-py and every peer installed (BENCH_OPTIONS=--help)
	rm -rf build/lib* $(WHEELS)
	$(BIN)/pip wheel --quiet --no-build-isolation --no-deps --wheel-dir $(WHEELS) .
	test -e $(INSTALLED) || $(BIN)/python -m venv $(INSTALLED)
	$(INSTALLED)/bin/pip install --quiet --force-reinstall $(WHEELS)/*.whl
	PYTHONPATH=tests $(INSTALLED)/bin/python -m benchmarks $(BENCH_OPTIONS)

native: | $(BIN)/python ## Compile the C module again
	$(BIN)/pip install --quiet --no-build-isolation --no-deps -e .

wheel: $(DEVELOPMENT) ## Build the wheel and the source archive into dist/
	$(BIN)/python -m build

docs: $(RUNTIME) ## Generate what in docs/ and SECURITY.md is made from the code
	$(BIN)/python -m runsc_py.sentry.syscalls.documentation > docs/syscalls.md.new
	mv docs/syscalls.md.new docs/syscalls.md
	$(BIN)/python -m runsc_py.runsc.settings_page > docs/options.md.new
	mv docs/options.md.new docs/options.md
	$(BIN)/python -m runsc_py.runsc.commands_page > docs/commands.md.new
	mv docs/commands.md.new docs/commands.md
	$(BIN)/python -m runsc_py.runsc.control.documentation docs/control.md
	$(BIN)/python -m runsc_py.runsc.confinement.documentation SECURITY.md

test-prerequisites: ## Install the programs that the tests run (as root), or name their packages
	@.ci/prerequisites tests

clean: ## Remove what was built, but not .venv
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find $(PARTS) tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@PYTHON='$(PYTHON)' .ci/prerequisites build
	$(PYTHON) -m venv $(VENV)

# Building without isolation uses the setuptools and cffi of .venv: nothing is downloaded twice.
$(RUNTIME): pyproject.toml setup.py $(NATIVE_SOURCES) | $(BIN)/python
	@PYTHON='$(BIN)/python' .ci/prerequisites build
	$(BIN)/python -c 'import cffi, setuptools; assert setuptools.__version__ >= "77"' 2>/dev/null || \
		$(BIN)/pip install --quiet 'setuptools>=77' 'cffi>=2.0'
	$(BIN)/pip install --quiet --no-build-isolation -e .
	@touch $@

$(DEVELOPMENT): $(RUNTIME)
	$(BIN)/pip install --quiet --no-build-isolation -e '.[dev]'
	@touch $@

$(TYPING):
	mkdir -p $@
	ln -sfn $(addprefix $(CURDIR)/,$(PARTS)) $@
