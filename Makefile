# One entry to everything. `make help` lists it; nothing here touches the system's Python.

.DEFAULT_GOAL := help
.PHONY: help demo test check lint format bench bench-scorer soak lock
.DELETE_ON_ERROR:

VENV ?= .venv
BIN := $(VENV)/bin
UV ?= $(shell command -v uv 2>/dev/null)
# Which Python; empty: the first that fits. Another one beside: make test PYTHON=python3.13 VENV=.venv/313
PYTHON ?=
ARGS ?=

FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))

ifneq ($(UV),)
INSTALL := "$(UV)" pip install --quiet --python $(BIN)/python
else
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check
endif

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime  ## the whole product against simulators; make demo ARGS=--once ends by itself
	@$(BIN)/connector demo $(ARGS)

test: $(VENV)/.dev  ## every test, on SQLite and on PostgreSQL; ARGS go to pytest
	$(BIN)/python -m pytest -n auto $(ARGS)

check: lint test  ## the gate: lint, then test

lint: $(VENV)/.dev  ## formatting, ruff, types, layers, dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

format: $(VENV)/.dev  ## lay the code out and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev  ## the published figures; ARGS go to the bench
	$(BIN)/python -m bench $(ARGS)

bench-scorer: $(VENV)/.dev  ## the scorer beside its peers on public data (CONNECTOR_BENCH_DATA), and its scale; ARGS such as --only scale
	$(INSTALL) "lightgbm>=4.6,<5"
	OMP_NUM_THREADS=1 $(BIN)/python -m bench.scorer $(ARGS)

soak: $(VENV)/.dev  ## faults for minutes, against an oracle; ARGS such as --minutes 10 --seed 3 --database postgres
	$(BIN)/python -m soak $(ARGS)

# What builds the editable install is locked as well; the second lock keeps to the first one's versions.
COMPILE = echo 'setuptools>=77' | "$(UV)" pip compile --quiet --no-config --universal \
	--python-version 3.11 --generate-hashes --no-header pyproject.toml - $(ARGS)

lock:  ## renew both lock files (needs uv); ARGS=--upgrade moves to newer versions
	@test -n "$(UV)" || { echo "uv is missing: pipx install uv" >&2; exit 1; }
	$(COMPILE) --output-file requirements.lock >/dev/null
	$(COMPILE) --output-file requirements-dev.lock --extra dev --constraints requirements.lock >/dev/null

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/.python
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

# A virtual environment that is there and fits is kept.
$(VENV)/.python:
	@if $(BIN)/python -c '$(FITS)' 2>/dev/null; then touch $@; exit; fi; \
	for name in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
		python=$$("$$name" -c '$(FITS)' 2>/dev/null && "$$name" -c 'import sys; print(sys.executable)') && break; \
	done; \
	if [ -z "$$python" ] && [ -z "$(PYTHON)" ] && [ -n "$(UV)" ]; then \
		python=$$("$(UV)" python find --no-project --no-python-downloads '>=3.11,<3.14' 2>/dev/null); \
	fi; \
	if [ -z "$$python" ]; then \
		echo "Python 3.11, 3.12 or 3.13 is missing$(if $(PYTHON), ($(PYTHON) is none))." >&2; \
		echo "Debian 12 and later: apt install python3 python3-venv; or: make PYTHON=/path/to/python3.12 ..." >&2; \
		exit 1; \
	fi; \
	if [ -n "$(UV)" ]; then "$(UV)" venv --quiet --no-project --clear --python "$$python" $(VENV); \
	elif "$$python" -c 'import ensurepip, venv' 2>/dev/null; then "$$python" -m venv --clear $(VENV); \
	else \
		version=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
		echo "Python's venv or ensurepip is missing from $$python." >&2; \
		echo "Debian and Ubuntu: apt install python$$version-venv; or install uv." >&2; \
		exit 1; \
	fi && touch $@
