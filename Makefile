# make demo    the demo shop with everything it needs; ARGS="--check" and the like are passed on
# make test    lint, types and the tests, in random order
# make full    the same with the tests that take minutes
# make faults  everything that may go wrong, at full size; IMGREC_FAULTS_SEED=7 plays another
#              campaign, and .faults/ keeps what was done
# make bench   the benchmarks
#
# The first call makes a virtual environment in .venv and fills it: torch is large. PYTHON and
# VENV name another interpreter and another place.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test full faults lint format bench

demo: $(VENV)/.demo-installed
	$(BIN)/python manage.py demo $(ARGS)

test: lint
	$(BIN)/pytest $(ARGS)

full: lint
	$(BIN)/pytest -m "" $(ARGS)

faults: lint
	$(BIN)/pytest -m "" tests/faults $(ARGS)

lint: $(VENV)/.test-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.test-installed
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(VENV)/.bench-installed
	@set -e; for script in benchmarks/[!_]*.py; do \
	    name=$$(basename $$script .py); echo "== $$name"; $(BIN)/python -m benchmarks.$$name $(ARGS); \
	done

# Installed anew when the dependencies change, and only then.
$(VENV)/.%-installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --editable ".[$*]"
	touch $@

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
