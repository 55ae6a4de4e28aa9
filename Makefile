# make run    start Watchfloor with a simulated organisation
# make test   style, types, all tests on SQLite and PostgreSQL
# make prove  the full counts; `make prove-long` those that take hours
# make bench  the figures
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest

# Processes that tests start read what was compiled once; some machines forbid to keep it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test prove prove-long bench bench-spikes format lock clean

run: $(VENV)/ready
	@$(BIN)/watchfloor run

# Made anew when the lock file changes. Python 3.11 or newer says so itself, in words, before anything is installed.
$(VENV)/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Watchfloor needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make run PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@echo "Installing into $(VENV) from requirements.lock; a minute or two."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/ready-dev: requirements-dev.lock $(VENV)/ready
	@echo "Installing what the tests need."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

test: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST) --ignore tests/browser -m "not prove and not long"
# After the others, since a page that starves says nothing about the product.
	$(PYTEST) tests/browser -m "not prove and not long"

prove: $(VENV)/ready-dev
	$(PYTEST) --ignore tests/browser -m "prove and not alone" --dist worksteal
	$(PYTEST) tests/browser -m "prove and not alone" --no-loadscope-reorder
# What keeps time shares the machine with nothing else, and says what it measured.
	$(PYTEST) -m "prove and alone" -n 0 -rP
# The benchmarks that hold a gate; the desk under load has its own run: `python -m tests.bench desk`. `make bench` reads a million and tells the speeds of the panels: half an hour more.
	$(BIN)/python -m tests.bench copies live models pipeline places reads=200000 rules spikes store

# Full counts that take hours: ten times those of `make prove`.
prove-long: $(VENV)/ready-dev
	$(PYTEST) -m long -n 0

bench: $(VENV)/ready-dev
	$(BIN)/python -m tests.bench

# The folder of real data is ../shared/data, or what WATCHFLOOR_TEST_DATA names.
bench-spikes: $(VENV)/ready-dev
	$(BIN)/python -m tests.bench spikes

format: $(VENV)/ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Names, versions and hashes only. `uv` makes one lock for every platform and Python.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
lock:
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) --extra dev --constraint requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
