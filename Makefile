# Everything a newcomer needs: `make demo` to see it, `make test` to trust it.
# Needs Python >= 3.11 and make; nothing else.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Tests wait more than they work: for leases, for silence, for brokers that come back.
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help install demo test check format bench versions faults lock clean

help: ## this list
	@$(PYTHON) -c 'import re; [print(f"  make {n:<9} {t}") for n, t in re.findall(r"^(\w+):.*?## (.*)$$", open("Makefile").read(), re.M)]'

install: $(INSTALLED) ## kferry with all extras into .venv

$(INSTALLED): requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kferry needs Python 3.11 or newer; this is %d.%d. Name another with make PYTHON=..." % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(PYTHON) -c 'open("$(INSTALLED)", "w").close()'

demo: install ## two real Kafka clusters, the main job against them, and away again
	$(BIN)/kferry demo

test: install ## the tests, real brokers included
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

check: install ## format, lint, types, import contracts
	$(BIN)/ruff format --check src tests bench
	$(BIN)/ruff check src tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: install ## let ruff put the source into shape
	$(BIN)/ruff format src tests bench
	$(BIN)/ruff check --fix src tests bench

bench: install ## measurements, written to bench/results
	$(BIN)/python -m bench

versions: install ## the tests that every age of Kafka must pass, for those that `make test` leaves out
	$(BIN)/python -m pytest -m versions

faults: install ## a hundred kills of one copy, and the long ordeals; nothing may be lost or repeated
	$(BIN)/python -m pytest -m long
	$(BIN)/python tests/campaign/faults.py

lock: ## resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet --output-file requirements/dev.lock

clean: ## remove what make made; sandboxes are stopped with `kferry sandbox down`
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
