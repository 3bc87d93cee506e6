# `make check` runs the main job, `make test` the whole suite. Both set up everything they need.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: check test lint score benchmark clean

check: $(READY)
	$(BIN)/surrogate-core check surrogate_core:SlayerGrad braintools.SlayerGrad --results reports/check.jsonl --html reports/check.html

test: $(READY) lint
	$(BIN)/pytest -n auto

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

score: $(READY)
	PYTHONPATH=spec_tests $(BIN)/python spec_tests/score.py

benchmark: $(READY)
	$(BIN)/pytest benchmarks -p benchmark --benchmark-only

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache
