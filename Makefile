# The same commands for people and for CI. `make demo` and `make test` do their own set-up.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip install --disable-pip-version-check -c constraints.txt
SCORER ?= embedded
ENGINE ?= embedded

.PHONY: setup setup-model setup-dev demo demo-experiment test lint format docs bench bench-proxy bench-experiments bench-capacity fuzz bench-quality clean

setup: $(VENV)/.setup
setup-model: $(VENV)/.setup-model
setup-dev: $(VENV)/.setup-dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "es-rerank needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.setup: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) --progress-bar on -e '.[embedded]'
	@touch $@

$(VENV)/.setup-evaluation: $(VENV)/.setup
	$(PIP) --progress-bar on -e '.[embedded,evaluation]'
	@touch $@

$(VENV)/.setup-model: $(VENV)/.setup
	$(PIP) --progress-bar on -e '.[embedded,model]'
	@touch $@

$(VENV)/.setup-dev: $(VENV)/.setup-model
	$(PIP) --progress-bar on -e '.[embedded,model,openvino,evaluation,dev]'
	@touch $@

demo: $(VENV)/.setup $(if $(filter engine flagembedding,$(SCORER)),$(VENV)/.setup-model)
	@$(BIN)/es-rerank demo --scorer $(SCORER) --engine $(ENGINE)

# simulated users search through the proxy for a minute, and the report says what helped
demo-experiment: $(VENV)/.setup-evaluation
	@$(BIN)/es-rerank demo-experiment

test: $(VENV)/.setup-dev
	$(BIN)/python -m pytest

lint: $(VENV)/.setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# writes the generated tables of docs/configuration.md anew
docs: $(VENV)/.setup-dev
	PYTHONPATH=. $(BIN)/python docs/generate.py

# our engine beside every other way to run the model: make bench [QUICK=1] [MODEL=folder]
bench: $(VENV)/.setup-dev
	$(BIN)/python -m bench.engine $(if $(QUICK),--quick) $(if $(MODEL),--model $(MODEL))

# what is not reranked, beside a plain proxy and nginx (needs nginx, wrk, curl): make bench-proxy [QUICK=1]
bench-proxy: $(VENV)/.setup-dev
	$(BIN)/python -m bench.proxy $(if $(QUICK),--quick)

# whether the analysis of experiments keeps its promises, by simulation: make bench-experiments [QUICK=1]
bench-experiments: $(VENV)/.setup-dev
	$(BIN)/python -m bench.experiments $(if $(QUICK),--quick)

# coverage-guided fuzzing of everything that reads what others send: make fuzz [DURATION=seconds of each target]
fuzz: $(VENV)/.setup-dev
	$(PIP) -q -e '.[fuzz]'
	$(BIN)/python -m tests.fuzz $(if $(DURATION),--seconds $(DURATION))

# what `es-rerank capacity` predicts, beside measured runs: make bench-capacity [DURATION=seconds of each]
bench-capacity: $(VENV)/.setup-dev
	$(BIN)/python -m bench.capacity $(if $(DURATION),--seconds $(DURATION))

# nDCG@10 of raw and reranked order through the whole proxy: make bench-quality COLLECTION=folder
bench-quality: $(VENV)/.setup-dev
	$(BIN)/python bench/quality.py $(COLLECTION)

clean:
	rm -rf $(VENV) .engines .models .bench
