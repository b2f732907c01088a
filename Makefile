# Every target sets up what it needs. PYTHON, PORT, HOST and DATA_DIR may be given: `PORT=8001 make run`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?=
MINUTES ?= 30

.PHONY: run test test-postgres test-chaos soak lint docs bench screenshots clean

run: $(VENV)/.run
	@$(BIN)/python manage.py up

test: $(VENV)/.dev
	@$(BIN)/pytest -n 2 --dist loadfile -m "not processes and not e2e and not chaos"
	@$(BIN)/pytest -n 3 --dist loadfile --timeout 300 -m "processes or e2e"

test-postgres: $(VENV)/.dev
	@$(BIN)/python -m tests.with_postgres $(BIN)/pytest -n 2 --dist loadfile -m "not e2e and not processes and not chaos"

test-chaos: $(VENV)/.dev
	@$(BIN)/pytest -n 2 --dist loadfile -m "chaos and not alone" tests/chaos
	@$(BIN)/pytest -m "chaos and alone" tests/chaos
	@$(BIN)/python -m tests.with_postgres $(BIN)/pytest -n 2 --dist loadfile -m "chaos and not alone" tests/chaos
	@$(BIN)/python -m tests.with_postgres $(BIN)/pytest -m "chaos and alone" tests/chaos

soak: $(VENV)/.dev
	@$(BIN)/python -m tests.chaos --minutes $(MINUTES) --write-docs $(if $(OUT),--out $(OUT))

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy workflows_app hybrid_site benchmarks examples manage.py
	@$(BIN)/lint-imports
	@DATA_DIR=$$(mktemp -d) $(BIN)/python manage.py makemigrations --check --dry-run

docs: $(VENV)/.run
	@DATA_DIR=$$(mktemp -d) $(BIN)/python manage.py document_actions

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks $(if $(OUT),--out $(OUT)) $(if $(DATABASE),--database $(DATABASE))

screenshots: $(VENV)/.dev
	@$(BIN)/python -m tests.screenshots --out $(or $(OUT),screenshots)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.run: requirements.txt
	@echo "Setting up $(VENV) (once, then again when the requirements change) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt
	@echo "Setting up $(VENV) (once, then again when the requirements change) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.run
