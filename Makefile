# make demo   set up and run the main job          make test       everything CI runs
# make bench  the benchmark table                  make test-slow  the accuracies and other long checks
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test test-slow bench lint clean

# Three environments in one folder, each a superset of the one before.
$(VENV)/.base: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) torch
	$(PIP) -e .
	touch $@

$(VENV)/.dev: $(VENV)/.base
	$(PIP) -e '.[dev,peers]'
	touch $@

demo: $(VENV)/.base
	$(BIN)/grapevine train

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/pyright --pythonpath $(BIN)/python

test: lint
	$(BIN)/python -m pytest -m 'not slow' -n 2 --dist loadfile --no-loadscope-reorder --durations=10

test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow -s

# The peers' compiled packages have no wheels on PyPI: they are built where a compiler is found.
$(VENV)/.bench: $(VENV)/.dev
	$(PIP) wheel setuptools
	-$(PIP) --no-build-isolation torch-scatter torch-sparse
	touch $@

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks

clean:  # also Numba's cache, which does not see a change in simd.py
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
	find src tests benchmarks examples -name __pycache__ -prune -exec rm -rf {} +
