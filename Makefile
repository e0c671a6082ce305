# Every target is a small program in dev/; this file only names them. `make help` lists them.
PYTHON ?= python3
RUN := .venv/bin/python -m

export AIRFLOW_HOME := $(CURDIR)/.airflow
# Without bytecode every Airflow process would compile a thousand modules at its start.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help venv venv-dev demo up down test lint bench conformance constraints

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

venv:  ## the environment: .venv with the provider installed in it (editable), byte-compiled
	@$(PYTHON) -m dev.venv

venv-dev:
	@$(PYTHON) -m dev.venv dev postgres

demo: venv  ## deploy, harvest, wind down through real Airflow against the local sandbox; no account needed
	@$(RUN) dev.demo

up: venv  ## Airflow with its UI on 127.0.0.1:8080, in the background
	@$(RUN) dev.up

down: venv  ## end everything that `make up` started
	@$(RUN) dev.down

test: venv-dev  ## the whole default test suite
	@$(RUN) pytest -q -n 2

lint: venv-dev  ## ruff and mypy --strict
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy --strict plugins dags dev

bench: venv-dev  ## every benchmark; each ends in a ratio
	@$(RUN) benchmarks

conformance: venv  ## QuantConnect's own command-line client against the sandbox
	@$(RUN) dev.conformance

constraints:  ## resolve constraints.txt and conformance/constraints-lean.txt anew
	@$(PYTHON) -m dev.constraints
