# AIRFLOW=2.11 (3.0, 3.1, 3.2) runs any of this on another Airflow, in a virtual environment of its own.
AIRFLOW ?= 3.3
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < $(TOO_NEW))' 2>/dev/null && echo $$p && break; done)
TOO_NEW := $(if $(filter 2.11,$(AIRFLOW)),(3, 13),(3, 15))
VENV := .venv$(if $(filter-out 3.3,$(AIRFLOW)),-$(AIRFLOW))
BIN := $(VENV)/bin
CONSTRAINTS := tests/constraints/airflow-$(AIRFLOW).txt
GROUP := test
PURE := airflow_provider_useapi/api/*,airflow_provider_useapi/gate/*,airflow_provider_useapi/audit/*

.PHONY: demo airflow help test unit fuzz coverage lint system system-full page matrix bench load docs screenshots dist audit lock clean
.DELETE_ON_ERROR:

define NEEDS_PYTHON
@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed$(if $(filter 2.11,$(AIRFLOW)),: 3.11 or 3.12 for Airflow 2.11)."; exit 1; }
@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing: install it (on Debian and Ubuntu: apt install python3-venv)."; exit 1; }
endef

demo: $(VENV)/ready  ## a gated pipeline on a real Airflow, against the sandbox
	@$(BIN)/python -m tests.system.demo

airflow: $(VENV)/ready  ## a whole local Airflow to look around in: sandbox, examples, a fortnight of audits
	@$(BIN)/python -m tests.system.look_around

help:  ## what can be made
	@awk -F ':.*##' '/^[a-z-]+:.*##/ { printf "make %-13s%s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

test: $(VENV)/ready  ## every test but those of whole Airflows
	$(BIN)/python -m pytest --numprocesses 4  # some of them wait

unit: $(VENV)/ready  ## the tests of the pure part, without an Airflow database
	$(BIN)/python -m pytest --numprocesses 2 tests/unit --ignore tests/unit/sandbox --ignore tests/unit/transport

fuzz: $(VENV)/ready  ## every property with up to 100,000 examples, a minute each (SECONDS=600 for ten), on all cores: an hour on two
	$(BIN)/python -m pytest -p tests.helpers.fuzzing --numprocesses auto --maxschedchunk 1 \
		--timeout 0 $(if $(SECONDS),--seconds $(SECONDS))

coverage:  ## branches that the tests take on 3.3 and 2.11 together, with floors: about ten minutes
	@rm -f .coverage .coverage.*
	@$(MAKE) --no-print-directory AIRFLOW=2.11 .venv-2.11/measured
	@$(MAKE) --no-print-directory AIRFLOW=3.3 .venv/measured
	@.venv/bin/coverage combine --quiet
	.venv/bin/coverage report --fail-under=100 --include="$(PURE)"
	.venv/bin/coverage report --fail-under=95

lint: $(VENV)/linters  ## style, types, who imports whom, spelling, links between pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/python -m tests.docs.links

system: $(VENV)/ready  ## whole Airflows: under ten minutes
	$(BIN)/python -m pytest tests/system

system-full:  ## a distributed Airflow under faults: two hours; SET=core or SCENARIO=triggerer-killed for a part
	@.ci/servers postgresql redis-server
	@$(MAKE) --no-print-directory VENV=.venv-distributed GROUP=distributed AIRFLOW=3.3 \
		CONSTRAINTS="tests/constraints/airflow-3.3.txt tests/distributed/constraints.txt" .venv-distributed/ready
	@.venv-distributed/bin/python -m tests.distributed $(if $(SET),--set $(SET)) $(SCENARIO)

page: $(VENV)/ready  ## the page in a real browser, on a whole Airflow: about two minutes
	$(BIN)/python -m pytest tests/page

matrix: .venv-matrix/ready  ## the tests on every Airflow and Python; ROW=3.2-py3.12 runs one row of them
	@.venv-matrix/bin/python -m tests.matrix $(ROW)

bench:  ## what gates cost: about an hour; PART=import (look, ...) runs a part of it
	@$(MAKE) --no-print-directory VENV=.venv-bench GROUP=bench AIRFLOW=3.3 \
		CONSTRAINTS="tests/constraints/airflow-3.3.txt benchmarks/constraints.txt" .venv-bench/ready
	@.venv-bench/bin/python -m benchmarks $(PART)

load:  ## 3000 gates over 300 connections for ten minutes, then a slow server; MINUTES=2 is a short try
	@$(MAKE) --no-print-directory VENV=.venv-bench GROUP=bench AIRFLOW=3.3 \
		CONSTRAINTS="tests/constraints/airflow-3.3.txt benchmarks/constraints.txt" .venv-bench/ready
	@.venv-bench/bin/python -m benchmarks.load --minutes $(or $(MINUTES),10)

docs:  ## the documentation as a site in build/docs, warnings are errors
	@$(MAKE) --no-print-directory VENV=.venv-docs GROUP=docs AIRFLOW=3.3 \
		CONSTRAINTS="tests/constraints/airflow-3.3.txt docs/constraints.txt" .venv-docs/ready
	.venv-docs/bin/python -m pytest tests/docs --numprocesses 2  # those as well that `make test` leaves out
	.venv-docs/bin/sphinx-build -W --keep-going -q -d build/doctrees docs build/docs
	@echo "Open build/docs/index.html."

screenshots: $(VENV)/ready  ## the pictures in docs, of a real Airflow in a real browser
	@$(BIN)/python -m tests.system.screenshots
	@$(BIN)/python -m tests.page.pictures

dist: $(VENV)/ready  ## source distribution and wheel in dist, tried in empty environments on 2.11 and 3.3
	@rm -rf dist build/empty-*
	$(BIN)/python -m pytest tests/package/test_distributions.py
	env -u SOURCE_DATE_EPOCH $(BIN)/python -m hatchling build --directory dist
	@$(MAKE) --no-print-directory AIRFLOW=2.11 build/empty-2.11
	@$(MAKE) --no-print-directory AIRFLOW=3.3 build/empty-3.3
	@cd dist && sha256sum *

# Made anew each time: `make dist` begins with its end.
build/empty-$(AIRFLOW):
	$(NEEDS_PYTHON)
	@$(PYTHON) -m venv $@
	@$@/bin/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	@$@/bin/python -m pip install --quiet $(addprefix --constraint ,$(CONSTRAINTS)) dist/*.whl "apache-airflow==$(AIRFLOW).*"
	$@/bin/python -I -m pip check
	cd $@ && AIRFLOW_HOME=$$PWD/airflow bin/python -I -m airflow providers get airflow-provider-useapi
	cd $@ && AIRFLOW_HOME=$$PWD/airflow bin/python -I $(CURDIR)/tests/package/installed.py

audit: .venv-audit/ready  ## known vulnerabilities of what this package needs beside Airflow; asks the package index
	@$(MAKE) --no-print-directory AIRFLOW=2.11 .venv-2.11/ready
	@$(MAKE) --no-print-directory AIRFLOW=3.3 .venv/ready
	@failed=0; for python in .venv-2.11/bin/python .venv/bin/python; do \
		$$python -m tests.package.vulnerabilities .venv-audit/bin/pip-audit || failed=1; done; exit $$failed

.venv-audit/ready: pyproject.toml
	$(NEEDS_PYTHON)
	@$(PYTHON) -m venv .venv-audit
	@.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	@.venv-audit/bin/python -m pip install --quiet --group audit
	@touch $@

$(VENV)/ready: pyproject.toml $(CONSTRAINTS)
	$(NEEDS_PYTHON)
	@echo "Setting up Airflow $(AIRFLOW) in $(VENV); this takes a minute or two."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	@$(BIN)/python -m pip install --quiet $(addprefix --constraint ,$(CONSTRAINTS)) --editable . --group $(GROUP) \
		"apache-airflow==$(AIRFLOW).*"
	@$(BIN)/python -m pip check
	@touch $@

.venv-matrix/ready: pyproject.toml
	@$(PYTHON) -m venv .venv-matrix
	@.venv-matrix/bin/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	@.venv-matrix/bin/python -m pip install --quiet --group matrix
	@touch $@

$(VENV)/coverage: $(VENV)/ready
	@$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --group coverage
	@touch $@

# Whenever it is asked for: what it writes are the .coverage files of its processes.
.PHONY: $(VENV)/measured
$(VENV)/measured: $(VENV)/coverage
	$(BIN)/coverage run -m pytest --numprocesses 4

$(VENV)/linters: $(VENV)/ready
	@$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --group lint
	@touch $@

lock: $(VENV)/linters  ## write down the versions that are installed
	@{ head -n 1 $(CONSTRAINTS); $(BIN)/python -m pip freeze --exclude-editable; } > $(CONSTRAINTS).new
	@mv $(CONSTRAINTS).new $(CONSTRAINTS)

clean:  ## remove every virtual environment, the Airflows of demo and airflow, and what was built
	rm -rf .venv .venv-* .airflow build dist
