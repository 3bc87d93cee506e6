# `make check` runs the main job, `make test` the whole suite. Both set up everything they need.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: check survey test thorough lint browser samples pictures score benchmark proofs clean

check: $(READY)
	$(BIN)/surrogate-core check surrogate_core:SlayerGrad braintools.SlayerGrad --results reports/check.jsonl --html reports/check.html

# Every surrogate of every library: green while what is wrong is known, and shown by its script alone.
survey: $(READY)
	$(BIN)/surrogate-core survey --deviations spec_tests/libraries/known.toml --results reports/survey.jsonl --html reports/survey.html
	$(BIN)/python spec_tests/findings.py reports/survey.jsonl

test: $(READY) lint
	$(BIN)/pytest -n auto --dist worksteal

# What takes the profile `thorough` (all of float32, torch.compile, a proof that is interrupted), clusters, many devices.
thorough: $(READY)
	$(BIN)/pytest -m thorough

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

# What the browser tests of the report need; without it they are skipped and say so.
browser: spec_tests/browser/node_modules/.package-lock.json
	command -v chromium || command -v google-chrome || (apt-get update -q && apt-get install -y -q chromium)

spec_tests/browser/node_modules/.package-lock.json: spec_tests/browser/package-lock.json
	cd spec_tests/browser && npm ci --silent --no-audit --no-fund

samples: $(READY)
	PYTHONPATH=spec_tests $(BIN)/python spec_tests/samples.py

pictures: $(READY) browser
	PYTHONPATH=spec_tests $(BIN)/python spec_tests/pictures.py

score: $(READY)
	PYTHONPATH=spec_tests $(BIN)/python spec_tests/score.py

benchmark: $(READY)
	$(BIN)/pytest benchmarks --benchmark-only

# Hours: 300 gates of fresh processes, quiet and beside two processes that only compute. Interrupted, it goes on.
proofs: $(READY)
	$(BIN)/python benchmarks/proof_gate.py measure quiet reports/proof-quiet.jsonl
	$(BIN)/python benchmarks/proof_gate.py measure burners reports/proof-burners.jsonl --work-from reports/proof-quiet.jsonl
	$(BIN)/python benchmarks/proof_gate.py summary reports/proof-quiet.jsonl reports/proof-burners.jsonl

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache
