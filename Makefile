# make demo      the demo shop with everything it needs; ARGS="--check" and the like are passed on
# make oscar     a django-oscar shop with imgrec, in a virtual environment of its own
# make wagtail   a Wagtail shop with imgrec, in one of its own, too
# make test      lint, types and the tests, in random order
# make full      the same with the tests that take minutes, and the matrix
# make matrix    the tests that need no torch on every Django and Python, with the newest and the
#                oldest packages; ARGS="-s minimum" and the like are passed on
# make faults    everything that may go wrong, at full size; IMGREC_FAULTS_SEED=7 plays another
#                campaign, and .faults/ keeps what was done
# make bench     the benchmarks
# make docs      the documentation as a site in site/; a warning is an error
# make messages  imgrec's texts collected into the catalogues of imgrec/locale, and these compiled;
#                takes GNU gettext, which nothing else does
#
# The first call makes a virtual environment in .venv and fills it: torch is large. PYTHON and
# VENV name another interpreter and another place.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

# Containers often keep Python from writing bytecode; each of the hundreds of processes that the
# tests start would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo oscar wagtail test full matrix faults lint format messages bench docs

demo: $(VENV)/.demo-installed
	$(BIN)/python manage.py demo $(ARGS)

oscar:
	$(PYTHON) examples/oscar/run.py $(ARGS)

wagtail:
	$(PYTHON) examples/wagtail/run.py $(ARGS)

# In two processes, each with servers of its own; what a file sets up is set up once, and the
# running demo, too (tests/together.py). No more: on two cores a third is felt where something
# has to be answered in time.
test: lint
	$(BIN)/pytest --numprocesses 2 --dist loadfile $(ARGS)

full: lint $(VENV)/.matrix-installed
	$(BIN)/pytest -m "" $(ARGS)
	$(BIN)/nox

matrix: $(VENV)/.matrix-installed
	$(BIN)/nox $(ARGS)

faults: lint
	$(BIN)/pytest -m "" tests/faults $(ARGS)

lint: $(VENV)/.test-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.test-installed
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# A header's date would make every call a change; compiled catalogues are kept like the others.
messages: $(VENV)/.test-installed
	@command -v msgfmt >/dev/null || { echo "make messages needs GNU gettext (xgettext," \
	    "msgmerge and msgfmt): apt-get install gettext, or brew install gettext." >&2; exit 1; }
	cd imgrec && $(abspath $(BIN))/django-admin makemessages --all --no-wrap --no-obsolete \
	    --add-location file
	@set -e; for catalogue in imgrec/locale/*/LC_MESSAGES/*.po; do \
	    grep -v '^"POT-Creation-Date:' $$catalogue >$$catalogue.new; mv $$catalogue.new $$catalogue; \
	done
	cd imgrec && $(abspath $(BIN))/django-admin compilemessages

bench: $(VENV)/.bench-installed
	@set -e; for script in benchmarks/[!_]*.py; do \
	    name=$$(basename $$script .py); echo "== $$name"; $(BIN)/python -m benchmarks.$$name $(ARGS); \
	done

docs: $(VENV)/.docs-installed
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet docs site
	@echo "The site: site/index.html"

# Installed anew when the dependencies change, and only then.
$(VENV)/.%-installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --editable ".[$*]"
	touch $@

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
