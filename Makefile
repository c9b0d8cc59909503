# factmill: everything a person does in this folder. `make` alone lists the targets.
#
#   PYTHON          the Python 3.11 that makes .venv                 (python3.11)
#   PYTEST_ARGS     more arguments for pytest                        (none)
#   PIP_FIND_LINKS  a folder of wheels that pip looks into first, for example one that holds the CPU build of torch

PYTHON ?= python3.11
PYTEST_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo-graph
PIP := $(BIN)/python -m pip --disable-pip-version-check

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format neo4j flink wheel check-wheel clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- environment: the stamps are newer than pyproject.toml once everything it names is installed -----------------

$(VENV)/runtime.stamp: pyproject.toml setup.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null \
	  || { echo "factmill needs Python 3.11 and '$(PYTHON)' is not one: install it, or name it: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing factmill into $(VENV) (the first time takes some minutes, torch is the largest part) ..."
	$(PIP) install --quiet --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/runtime.stamp
	$(PIP) install --quiet --editable '.[dev]'
	@touch $@

# --- what people do ---------------------------------------------------------------------------------------------

demo: $(VENV)/runtime.stamp ## build two graphs from examples/ and run three queries
	@FACTMILL=$(BIN)/factmill bash examples/demo.sh $(DEMO)

test: lint ## check style and types, then run the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

lint: $(VENV)/dev.stamp ## ruff, mypy, and the contracts of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp ## let ruff rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

neo4j: $(VENV)/runtime.stamp ## run a Neo4j server here, with its data in neo4j-server/ (needs Java 17 and Maven)
	@$(BIN)/python -m tools.neo4j_server neo4j-server

flink: $(VENV)/runtime.stamp ## run a Flink cluster here, with Beam's job server (needs Java 17 and Maven)
	@$(BIN)/python -m tools.flink_cluster flink-cluster

wheel: $(VENV)/runtime.stamp ## build dist/factmill-*.whl
	$(PIP) wheel --quiet --no-deps --wheel-dir dist .

check-wheel: $(VENV)/dev.stamp ## build the wheel, install it outside the source tree and use it from there
	$(BIN)/python -m tools.check_wheel

clean: ## remove the environment, caches and everything that was built
	rm -rf $(VENV) build dist *.egg-info $(DEMO) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
