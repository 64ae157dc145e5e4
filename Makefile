# Every target does its own set-up: a clean clone and Python 3.11 or newer are enough.
PYTHON ?= python3
VENV ?= .venv
# Name the index of torch's CPU wheels where pip is not set up with one: PyPI's Linux wheel drags gigabytes of CUDA in.
TORCH_INDEX ?=
TORCH := $(shell sed -n 's/.*"\(torch==[^"]*\)".*/\1/p' pyproject.toml)
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ARGS ?=

# One thread a process: the tests run a process a core.
export OMP_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help setup parity test lint format bench examples docs clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo '  ARGS="..." is handed on, e.g. make parity ARGS="--suite random_graphs"'

setup: $(READY)  ## Create .venv with everything the other targets need

# Made again only when pyproject.toml changes. torch first and alone, so that nothing else can choose its version.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up $(VENV): a minute or two, once."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q "$(TORCH)+cpu" 2>/dev/null || \
		$(BIN)/python -m pip install -q "$(TORCH)" $(if $(TORCH_INDEX),--extra-index-url "$(TORCH_INDEX)")
	@$(BIN)/python -m pip install -q -e ".[parity,plots,dev]"
	@touch $@

parity: $(READY)  ## Hold minitorch_like against torch: scoreboard, report.html, report.json
	$(BIN)/python -m parity_tests $(ARGS)

test: $(READY)  ## Run every test, and every suite of the instrument
	$(BIN)/python -m pytest -q -n auto $(ARGS)

lint: $(READY)  ## Check format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY)  ## Rewrite the code as ruff formats it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)  ## Measure speed, memory and import time beside torch and its peers
	$(BIN)/python -m pip install -q -e ".[peers,plots]"
	$(BIN)/python -m benchmarks $(ARGS)

examples: $(READY)  ## Run the scripts and every small system, and write gallery.html
	$(BIN)/python examples/lecture_mlp.py
	$(BIN)/python examples/digits.py
	$(BIN)/python -m examples $(ARGS)

docs: $(READY)  ## Build the handbook as a site in site/
	$(BIN)/python -m pip install -q -e ".[docs]"
	$(BIN)/mkdocs build -q

clean:  ## Remove .venv, caches and reports
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist site parity-report bench.json gallery.html
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
