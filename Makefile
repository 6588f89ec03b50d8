# Two commands matter: `make audit` and `make test`. Both set up what they need.
# Everything is installed in .venv; versions come from constraints.txt. Nothing is downloaded at run time.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
UV     := $(shell command -v uv 2>/dev/null)
# Test workers: one a processor, at most four (each may hold a gigabyte).
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n < 4 ? n : 4)))
# uv does not read pip's settings: hand it the wheel folder, if there is one.
ifneq ($(strip $(PIP_FIND_LINKS)),)
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
endif

export MLFLOW_DISABLE_TELEMETRY := true
export YOLO_OFFLINE := 1
export YOLO_AUTOINSTALL := False

.PHONY: audit test check setup system-packages dashboard airflow plan docs clean help

help: ## say what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

audit: setup ## run the main job on the embedded default and say where the report is
	@$(BIN)/contrechamp audit --profile quick --out runs

test: system-packages check ## every check and every test
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

check: setup ## style, types, layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

setup: $(STAMP) ## create .venv and install everything in it

# JuPedSim declares a graphical interface (PySide6, VTK: 1.2 GB) that this project does not use; all that it really
# needs is installed already, so it comes without its dependencies, on a line of its own.
$(STAMP): pyproject.toml constraints.txt
ifneq ($(UV),)
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	@$(UV) pip install --quiet --python $(BIN)/python -e ".[dev]" -c constraints.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps jupedsim -c constraints.txt
else
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
	  echo "Python cannot create a virtual environment here. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Installing (about four minutes the first time; uv, where present, takes half a minute)…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]" -c constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps jupedsim -c constraints.txt
endif
	@touch $@

system-packages: ## the programs that the tests drive (browser, PDF reader, libraries), where apt and root are at hand
	@sh .ci/system-packages

dashboard: setup ## open the dashboard on the latest runs
	@$(BIN)/contrechamp dashboard

airflow: setup ## run the audit as an Airflow DAG, without a scheduler
	@PATH="$(abspath $(BIN)):$$PATH" sh dags/run_without_scheduler.sh

plan: setup ## freeze the plan shipped with the package (its date and hash change: say why in CHANGELOG.md)
	@$(BIN)/contrechamp claims freeze --out contrechamp/audit/register/plan.json

# The same city for every reader: the default scenario under the seed of the frozen plan.
docs: setup ## draw the default city and write what is said of it and of the predictors (docs/)
	@rm -rf runs/.docs && $(BIN)/contrechamp generate --out runs/.docs
	@{ cat docs/calibration.head.md; $(BIN)/contrechamp calibrate runs/.docs --lang fr; printf '\n## In English\n\n'; \
	  $(BIN)/contrechamp calibrate runs/.docs --lang en; } > docs/calibration.md
	@$(BIN)/contrechamp streams sheets > docs/datasheets.md
	@$(BIN)/contrechamp streams sheets --lang en > docs/datasheets.en.md
	@$(BIN)/python -m contrechamp.audit.cards docs/models
	@rm -rf runs/.docs

clean: ## remove caches and the environment; runs are kept
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .airflow *.egg-info
