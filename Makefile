# Needs a Python of at least 3.11, git and make; everything else is installed into .venv from the lock.
# PYTHON is the interpreter that .venv is made with; unset, the first that is new enough is taken.

PYTHON ?=
UV ?= uv
VENV := .venv
PEERS := .venv-peers
BIN := $(VENV)/bin
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help demo test fuzz check fix cov golden bench peers replicate dist lock clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Two stamps: a new lock makes the environment anew, a new pyproject.toml only re-installs levsleeve.
$(VENV)/.locked: requirements.lock
	@PYTHON="$(PYTHON)" sh .ci/new-venv $(VENV)
	@echo "installing the locked libraries into $(VENV) (once; a minute or two)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.installed: $(VENV)/.locked pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(VENV)/.installed ## Run the quickstart study and write its report
	@$(BIN)/levsleeve run backtests/quickstart.toml

test: $(VENV)/.installed ## Run every test, doctests included
	@$(PYTEST) -n auto

fuzz: $(VENV)/.installed ## Live 62,500 random accounts, others on each run (half an hour)
	@HYPOTHESIS_PROFILE=fuzz $(PYTEST) -n auto tests/property/accounts

check: $(VENV)/.installed ## Format, lint, types, import contracts, spelling, stripped notebooks
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/codespell
	@$(if $(NOTEBOOKS),$(BIN)/nbstripout --verify $(NOTEBOOKS),echo "no notebooks to verify")

fix: $(VENV)/.installed ## Mend what can be mended: format, lint, notebook outputs
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(if $(NOTEBOOKS),$(BIN)/nbstripout $(NOTEBOOKS),true)

cov: $(VENV)/.installed ## Branch coverage, with the compiler off so that the lines of rules count
	@NUMBA_DISABLE_JIT=1 $(PYTEST) -n auto --cov --cov-report=term-missing

golden: $(VENV)/.installed ## Rewrite backtests/golden; read the diff, then note it in CHANGELOG.md
	@$(PYTEST) tests/golden --rewrite-golden
	@git --no-pager diff --stat -- backtests/golden

bench: $(VENV)/.installed ## Time the rules, and both drivers side by side (minutes)
	@$(BIN)/python -m benchmarks.rules
	@$(BIN)/python -m benchmarks.drivers --seconds 1
	@$(BIN)/python -m benchmarks.parts --seconds 0.2
	@$(BIN)/python -m benchmarks.scaling --seconds 0.5 --most 100

# Other engines have an environment of their own: the lock does not know them.
$(PEERS)/.installed: requirements.lock pyproject.toml
	@PYTHON="$(PYTHON)" sh .ci/new-venv $(PEERS)
	@echo "installing other engines beside the locked libraries into $(PEERS) (once; minutes)"
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --group bench
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

peers: $(PEERS)/.installed ## Time the kernel beside vectorbt, bt and backtesting.py
	@$(PEERS)/bin/python -m benchmarks.peers

replicate: $(VENV)/.installed ## Print published and reference figures beside ours
	@$(BIN)/python -m replication

dist: $(VENV)/.installed ## Build the wheel and the source archive into dist/
	@$(BIN)/python -m build --no-isolation

lock: ## Resolve requirements.lock anew (needs uv)
	@command -v $(UV) >/dev/null || { echo "make lock: $(UV) is not installed; pip install uv, or set UV=path" >&2; exit 1; }
	@$(UV) pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--fork-strategy fewest --generate-hashes --no-emit-index-url --annotation-style line \
		--custom-compile-command "make lock" --upgrade --quiet --output-file requirements.lock

clean: ## Remove environments, caches and build products; price caches and results stay
	@rm -rf $(VENV) $(PEERS) dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
