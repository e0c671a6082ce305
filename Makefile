# Every target is a small program in dev/; this file only names them. `make help` lists them.
PYTHON ?= python3
RUN := .venv/bin/python -m

export AIRFLOW_HOME := $(CURDIR)/.airflow
# Without bytecode every Airflow process would compile a thousand modules at its start.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help venv venv-dev venv-docs venv-distributed demo up down test coverage chaos fuzz test-stack lint bench docs \
	generate browser screenshots soak conformance wheel pythons audit lock constraints compose-env distributed environment

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

venv:  ## the environment: .venv with the provider installed in it (editable), byte-compiled
	@$(PYTHON) -m dev.venv

venv-dev:
	@$(PYTHON) -m dev.venv dev postgres

demo: venv  ## deploy, harvest, watch, score, wind down through real Airflow against the local sandbox; no account needed
	@$(RUN) dev.demo

up: venv  ## Airflow with its UI on 127.0.0.1:8080, in the background
	@$(RUN) dev.up

down: venv  ## end everything that `make up` started
	@$(RUN) dev.down

test: venv-dev  ## the whole default test suite
	@# Three on two processors, as many tests wait. One that hangs says where, and fails after ten minutes.
	@$(RUN) pytest -q -n 3 --dist worksteal -o faulthandler_timeout=600 -o faulthandler_exit_on_timeout=true

coverage: venv-dev  ## the same suite, counting the lines and branches of the package that it runs: 95 % of each or more
	@# Without the harvests that are killed: they would write no counts, and start slowly while counting.
	@$(RUN) pytest -q -n 2 --ignore tests/harvest/test_kill.py --cov --cov-report=term --cov-report=json:.coverage/report.json
	@$(RUN) dev.branches .coverage/report.json

chaos: venv-dev  ## kill, cut off and restart everything around deployments, through a whole Airflow
	@$(RUN) pytest -q tests/chaos

soak: venv-dev  ## days of live trading at 1,440 times speed, with faults; SOAK_MINUTES=30
	@$(RUN) dev.soak

fuzz: venv-dev  ## tens of thousands of wrong answers to the client, live and the harvest; FUZZ_SEED=n
	@$(RUN) tests.fuzz

lint: venv-dev  ## ruff, mypy --strict, and the layers: which room may import which
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy --strict plugins dags dev
	@.venv/bin/lint-imports --no-logo

test-stack: venv-dev  ## the tests that need all of Airflow running: make up, the UI's API, make down
	@$(RUN) pytest -q -m stack tests/dev

browser: venv-dev  ## a newcomer's way through the UI, in Chromium: connect, deploy, approve, harvest, stop
	@$(RUN) pytest -q -m browser tests/browser

screenshots: venv-dev  ## take the pictures of README and docs anew
	@$(RUN) tests.ui.screenshots

environment: venv-dev  ## disks that fill up, locks, restarts, databases away, clocks, time zones, languages
	@$(RUN) pytest -q -m "environment or not environment" tests/environment

bench: venv-distributed  ## every benchmark; each ends in a ratio
	@$(RUN) benchmarks

conformance: venv  ## QuantConnect's own command-line client against the sandbox
	@$(RUN) dev.conformance

wheel: venv-dev  ## build dist/*.whl, and see Airflow find it in an environment of its own
	@$(RUN) dev.wheel

pythons: venv-dev  ## the wheel and the default suite on other Pythons and the oldest Airflow; PYTHONS="3.10 3.13"
	@$(RUN) dev.pythons

lock:  ## bring constraints.txt and requirements/ up to pyproject.toml; other versions stay
	@$(PYTHON) -m dev.constraints

constraints:  ## resolve constraints.txt and requirements/ to the newest versions
	@$(PYTHON) -m dev.constraints --upgrade

audit: venv  ## bandit, a search for secrets, and known weaknesses of the locked packages
	@$(RUN) dev.audit

compose-env:  ## random secrets for docker-compose.yaml, into .env; what is there stays
	@$(PYTHON) -m dev.compose_env

distributed: venv-distributed  ## two Celery workers, PostgreSQL, Redis; one worker killed on the way
	@$(RUN) dev.distributed
	@$(RUN) dev.distributed.fast_waits

venv-distributed:
	@$(PYTHON) -m dev.venv dev postgres distributed

docs: venv-docs  ## build the documentation into site/, without warnings
	@$(RUN) dev.docs

generate: venv-dev  ## write the parts of the docs that follow from the code: settings, architecture
	@$(RUN) dev.generate

venv-docs:
	@$(PYTHON) -m dev.venv dev postgres docs
