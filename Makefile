# Everything a person or CI does with this project. `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help install demo test check conformance bench docs lock clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1	/' | expand -t 20

install: $(VENV)/.installed  ## create .venv with everything that is needed

# pip reads the lock as constraints: the same versions everywhere, whatever the index serves.
$(VENV)/.installed: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e . --group dev
	@touch $@

demo: install  ## try it: with GEMINI_API_KEY against Gemini, without it against the embedded emulator
	@$(BIN)/python -m gemini_server demo

test: install  ## run the tests
	@$(BIN)/python -m pytest -n 3 -q

check: install  ## ruff, mypy, pyright, import-linter, generated files fresh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/generate.py --check

conformance: install  ## run the official MCP conformance suites (fetches them with npm, about a minute)
	@$(BIN)/python scripts/conformance.py

bench: install  ## measure against bare mcp and raw httpx2, and print the ratios
	@$(BIN)/python bench/run.py

docs: install  ## write the packaged surface and the generated tables
	@$(BIN)/python scripts/generate.py

lock: install  ## resolve the newest allowed versions into requirements.lock
	@$(BIN)/python scripts/lock.py

clean:  ## remove what was built
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .conformance
