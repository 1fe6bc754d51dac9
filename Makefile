# Every target sets up what it needs; nothing is installed twice.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
PIP := $(RUN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# Bytecode is kept even where the environment says not to, as images of containers do: else each
# process of the tests compiles all modules anew, and each worker rewrites every assert
# (measured: 20 s of processor time to collect the tests, not 8).
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-all check bench notebooks pictures dictionary constraints clean

help:  ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1\t/' | expand -t 20

$(RUN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "undertow needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(RUN)/python
	@echo "installing undertow and its libraries into $(VENV) (about three minutes, once)"
	$(PIP) --editable .
	@touch $@

$(VENV)/.compiled: $(VENV)/.installed
	$(RUN)/undertow compile
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "installing the tools of the tests into $(VENV) (about a minute, once)"
	$(PIP) --editable '.[dev]'
	@touch $@

demo: $(VENV)/.compiled  ## the whole road on embedded rows, offline; REAL=DIR for real ones
	$(RUN)/undertow demo $(if $(REAL),--real $(REAL)) $(if $(LAKE),--lake $(LAKE))

test: $(VENV)/.installed-dev $(VENV)/.compiled  ## the fast tests
	$(RUN)/python -m pytest -q -n logical --dist worksteal -m "not slow"

# Apart from the fast ones: a Prefect server in the process draws from `random`, which tests of
# drawn examples must not see.
test-slow: $(VENV)/.installed-dev $(VENV)/.compiled  ## the slow tests, with few examples
	$(RUN)/python -m pytest -q -n logical --dist worksteal -m slow

test-all: $(VENV)/.installed-dev $(VENV)/.compiled  ## every test: Prefect, browser, kill tests, kernels three ways
	EXAMPLES=thorough $(RUN)/python -m pytest -q -n logical --dist worksteal
	NUMBA_DISABLE_JIT=1 $(RUN)/python -m pytest -q tests/kernels tests/backtest/test_replay_kernel.py
	NUMBA_BOUNDSCHECK=1 $(RUN)/python -m pytest -q tests/kernels tests/backtest/test_replay_kernel.py

check: $(VENV)/.installed-dev  ## lint, format, arrows, types
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/lint-imports
	$(RUN)/mypy

bench: $(VENV)/.installed-dev $(VENV)/.compiled  ## measure, and write BENCHMARKS.md
	$(RUN)/python -m benchmarks.run

notebooks: $(VENV)/.installed-dev $(VENV)/.compiled  ## run the notebooks and draw their pictures anew
	$(RUN)/python notebooks/draw.py

pictures: $(VENV)/.installed-dev  ## draw the README's pictures anew (needs Chromium)
	$(RUN)/python docs/pictures.py

dictionary: $(VENV)/.installed  ## write docs/dictionary.md anew, from contracts and headers
	$(RUN)/undertow dictionary --markdown > docs/dictionary.md

constraints: $(VENV)/.installed-dev  ## note the versions the suite passes with, for everyone's next install
	$(RUN)/python -m pip freeze --exclude-editable | grep -viE '^(pip|setuptools|wheel)==' > constraints.txt

clean:  ## remove the environment and the demo's lake
	rm -rf $(VENV) data/demo
