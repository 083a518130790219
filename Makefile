# `make help` says what there is. Every target does its own set-up from a bare Python 3.11 or later;
# what is set up leaves a stamp, so that the second call starts at once.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
NPM ?= npm
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
CLIENT2 := $(VENV)/client2
MODELS := $(VENV)/models
JS := tests/clients/js
LOCK := uv pip compile --upgrade --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

# uv would follow an active environment or a machine's own settings; the locks alone shall say what is installed.
export UV_NO_CONFIG := 1
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
unexport VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-stop test fuzz soak lint format bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## make the environment in .venv

demo: $(VENV)/.installed ## start a server, push the examples, run each with the stock client
	@$(BIN)/python examples/demo.py start $(ARGS)

demo-stop: ## stop the demo's server (its data stays in .demo)
	@if [ -x $(BIN)/python ]; then $(BIN)/python examples/demo.py stop; fi

test: $(VENV)/.installed $(CLIENT2)/.installed $(MODELS)/.installed $(JS)/node_modules/.installed ## run all tests (ARGS="-k webhook" for some)
	$(BIN)/pytest -n auto --maxprocesses 4 $(ARGS)

fuzz: $(VENV)/.installed ## look for answers outside the OpenAPI document (many minutes; ARGS="--examples 500")
	$(BIN)/python -m tests.contract.fuzzing $(ARGS)

soak: $(VENV)/.installed ## ten thousand predictions with kills at random (a quarter of an hour; ARGS="--count 1000 --seed 7")
	$(BIN)/python -m tests.soak $(ARGS)

lint: $(VENV)/.installed ## ruff, pyright, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

format: $(VENV)/.installed ## let ruff lay out the code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(VENV)/.installed ## measure us against Cog's own server (minutes)
	$(BIN)/python -m benchmarks $(ARGS)

lock: $(BIN)/uv ## renew the lock files (hashes, no addresses)
	$(BIN)/$(LOCK) pyproject.toml -o requirements.lock
	$(BIN)/$(LOCK) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	echo 'replicate==2.0.0b4' | $(BIN)/$(LOCK) - -o requirements-client2.lock
	$(TORCH) $(BIN)/uv pip compile --upgrade --quiet --python-version 3.11 --generate-hashes --no-header --no-annotate models/tiny/requirements.txt $$cpu | $(UNHASHED_TORCH) > models/tiny/requirements.lock
	cd $(JS) && $(NPM) install --package-lock-only --omit-lockfile-registry-resolved --no-fund --no-audit

clean: demo-stop ## remove what the other targets made
	rm -rf $(VENV) .demo $(JS)/node_modules .pytest_cache .ruff_cache .hypothesis .import_linter_cache

# pip brings uv, by the hash in the lock; uv does the rest, ten times faster.
$(BIN)/uv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Stoker needs Python 3.11 or later; say which: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.lock > $(VENV)/uv.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.lock

$(VENV)/.installed: requirements-dev.lock pyproject.toml | $(BIN)/uv
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# The second generation of the Python client has the same import name as the first: an environment of its own.
$(CLIENT2)/.installed: requirements-client2.lock | $(BIN)/uv
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(CLIENT2)
	$(BIN)/uv pip sync --quiet --python $(CLIENT2)/bin/python --require-hashes requirements-client2.lock
	@touch $@

# Tiny checkpoints for the catalogue's tests. Which build of torch this is depends on the machine, so the lock has no
# hash of it: where pip knows a folder of wheels, the one in it, and else PyTorch's own for CPUs.
UNHASHED_TORCH = awk '/^torch==/ {print $$1; skip = 1; next} /^[^ ]/ {skip = 0} !skip'
TORCH = links=$$($(BIN)/python -m pip config list | sed -n "s/^[a-z:]*\.\{0,1\}find-links='\(.*\)'/\1/p" | head -n 1); \
	if [ -n "$$links" ]; then export UV_FIND_LINKS="$$links"; else cpu=--torch-backend=cpu; fi;

$(MODELS)/.installed: models/tiny/requirements.lock | $(BIN)/uv
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(MODELS)
	@$(TORCH) $(BIN)/uv pip sync --quiet --python $(MODELS)/bin/python $$cpu models/tiny/requirements.lock
	@touch $@

$(JS)/node_modules/.installed: $(JS)/package-lock.json
	cd $(JS) && $(NPM) ci --no-fund --no-audit --loglevel=error
	@touch $@
