# Everything starts here: `make` alone lists the targets.
# Needs GNU make and a Python from 3.11 on with pip; nothing else is installed outside this folder.

# Override with `make PYTHON=/path/to/python3.12 …`; otherwise the first one that is new enough.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo "$$python"; exit; }; done; echo python3)

VENV := .venv
BIN := $(VENV)/bin
UV := .tools/uv/bin/uv
# One process more than there are cores (tests/conftest.py), each file whole on one of them, so that a service started for a file's
# tests serves all of them; in the order of tests/conftest.py, the long files first.
# Override with `make test PYTEST_ARGS="-x tests/unit"`.
PYTEST_ARGS ?= --numprocesses logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run serve dev test browser schemathesis faults soak audit bench trust ranks alarms realdata goals predict intake fuzz gallery check check-delivery replay-image bundle sbom format lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.installed ## start everything with the demo machine on http://127.0.0.1:8001
	@exec $(BIN)/python -m prodapp.supervisor --demo --die-with-parent

serve: $(VENV)/.installed ## start everything without the demo
	@exec $(BIN)/python -m prodapp.supervisor --die-with-parent

dev: $(VENV)/.installed ## start everything without the demo, and again whenever a source changes
	@exec $(BIN)/python -m prodapp.supervisor --reload --die-with-parent

test: $(VENV)/.installed-dev ## run every test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

browser: $(VENV)/.installed-dev ## run the tests that drive Chromium
	$(BIN)/python -m pytest -m browser

# The suite makes 200 calls of each operation, always the same; these are others each time.
EXAMPLES ?= 2000

schemathesis: $(VENV)/.installed-dev ## hold every operation of the API to its document: 2,000 calls each
	SCHEMATHESIS_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/contract

# The table of targets and figures is printed and kept in $(FAULTS_REPORT). About two hours.
FAULTS_REPORT ?= instance/faults.json

faults: $(VENV)/.installed-dev ## hurt everything at length: kills, lost services, full disks
	FAULTS=long FAULTS_REPORT=$(FAULTS_REPORT) $(BIN)/python -m pytest -p no:randomly tests/faults

soak: $(VENV)/.installed-dev ## use an installation for two hours and report on errors, memory, times
	$(BIN)/python -m benchmarks.soak $(SOAK_ARGS)

# BENCH_ARGS="--quick" is a trial; --data names the folder of public tables; see --help.
bench: $(VENV)/.installed-dev ## rank faster than the plain way? seconds, fidelity, other tools
	$(BIN)/python -m benchmarks.engine $(BENCH_ARGS)

# TRUST_ARGS="--tables 1000" is the long form: a day. It may be ended and taken up again.
trust: $(VENV)/.installed-dev ## judge simulated tables of known truth: false verdicts, power
	$(BIN)/python -m benchmarks.trust $(TRUST_ARGS)

# RANK_ARGS="--tables 1000" is the long form: half a day. It may be ended and taken up again.
ranks: $(VENV)/.installed-dev ## hold intervals of ranks against true ranks: coverage, width
	$(BIN)/python -m benchmarks.trust.coverage $(RANK_ARGS)

# ALARM_ARGS="--tables 1000" is the long form: an hour or two. It may be ended and taken up again.
alarms: $(VENV)/.installed-dev ## ring the alarms on tables with one defect each, and on sound ones
	$(BIN)/python -m benchmarks.trust.alarms $(ALARM_ARGS)

realdata: $(VENV)/.installed-dev ## check what must be true of public data, on whole trainings
	$(BIN)/python -m benchmarks.trust.real $(REAL_ARGS)

# GOAL_ARGS="--tables 4" is a trial.
goals: $(VENV)/.installed-dev ## ask for goals where the truth is known: wrong promises, reached ones
	$(BIN)/python -m benchmarks.goals $(GOAL_ARGS)

# PREDICT_ARGS="--quick" is a trial; "--only speed" or "--only coverage" does one of both.
predict: $(VENV)/.installed-dev ## how fast are predictions, how often do intervals hold the truth?
	$(BIN)/python -m benchmarks.predict $(PREDICT_ARGS)

intake: $(VENV)/.installed-dev ## read 200 MB beside pandas: seconds, memory, preview, workbooks
	$(BIN)/python -m benchmarks.intake $(INTAKE_ARGS)

fuzz: $(VENV)/.installed-dev ## read spoiled files for two minutes: FUZZ_ARGS="--minutes 60"
	$(BIN)/python -W error -m tests.corpus.fuzz $(FUZZ_ARGS)

gallery: $(VENV)/.installed-dev ## photograph every main page into docs/screens; needs a Chromium
	$(BIN)/python scripts/gallery.py

check: $(VENV)/.installed-dev ## lint, format, types, layers, security, templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml prodapp scripts wsgi.py
	$(BIN)/djlint --check --quiet prodapp/templates
	$(BIN)/djlint --lint prodapp/templates

K8S := $(filter-out %/kustomization.yaml %/adapter-rule.yaml,$(wildcard deploy/kubernetes/*.yaml))

check-delivery: $(VENV)/.installed-dev ## lint what ships prodapp, and see that what it names exists
	$(BIN)/hadolint Dockerfile
	$(BIN)/shellcheck .ci/run scripts/*.sh
	$(BIN)/actionlint .github/workflows/*.yml
	$(BIN)/yamllint --strict compose.yaml deploy .github
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/kubernetes-validate --quiet --strict $(K8S)
	$(BIN)/python scripts/check_delivery.py

# Minutes: a fresh environment from the package index.
replay-image: ## do the Dockerfile's steps in a clean folder and start what comes out of it
	$(PYTHON) scripts/replay_image.py

bundle: ## everything for a machine without a network, in dist/
	$(PYTHON) scripts/bundle.py

PIP_AUDIT := pip-audit==2.10.1

# Asks the package index. Ends with 1 for a known vulnerability, and where it could not ask for one.
audit: $(UV) ## look every pinned package up among known vulnerabilities
	$(UV) tool run --quiet --from "$(PIP_AUDIT)" pip-audit --strict --progress-spinner off \
		--disable-pip --no-deps -r requirements.txt -r requirements-dev.txt

SBOM ?= dist/sbom.json

sbom: $(VENV)/.installed-dev ## list what the image contains (CycloneDX)
	@mkdir -p $(dir $(SBOM))
	$(BIN)/cyclonedx-py requirements --output-reproducible --output-file $(SBOM) requirements.txt

format: $(VENV)/.installed-dev ## rewrite sources and templates in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djlint --reformat --quiet prodapp/templates

lock: $(UV) ## resolve requirements*.in into requirements*.txt, with the newest versions that fit
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 \
		--custom-compile-command "make lock" --output-file requirements.txt requirements.in
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 \
		--custom-compile-command "make lock" --output-file requirements-dev.txt requirements-dev.in

clean: ## remove what make installed and what tools cached; instance/ stays
	rm -rf $(VENV) .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf htmlcov .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv is quick and makes environments even where Python came without the venv module. It goes into
# a folder of its own, which pip allows in a system Python too.
$(UV):
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "prodapp needs Python 3.11 or newer; '$(PYTHON)' is" \
			"$$("$(PYTHON)" --version 2>/dev/null || echo not there). Name another, as in" \
			"'make PYTHON=python3.12 run'."; \
		exit 1; }
	@"$(PYTHON)" -m pip --version >/dev/null 2>&1 || { \
		echo "'$(PYTHON)' has no pip. Install it (Debian, Ubuntu: apt install python3-pip)."; exit 1; }
	@echo "Installing uv into .tools …"
	@rm -rf .tools/uv
	@"$(PYTHON)" -m pip install -qq --no-user --disable-pip-version-check \
		--root-user-action ignore --target .tools/uv uv
	@touch $@

$(BIN)/python: | $(UV)
	@$(UV) venv --quiet --clear --python "$(PYTHON)" $(VENV)

# uv reads its own settings, not pip's: the package index that pip is set up with is handed on, and
# the system's certificates count. Where uv cannot install all the same, pip itself does.
define install
	@echo "Installing $(1) …"
	@index="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$("$(PYTHON)" -m pip config get \
		global.index-url 2>/dev/null)}}"; \
	if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi; \
	$(UV) pip install --quiet --system-certs --python $(BIN)/python -r $(1) || { \
		echo "uv could not; trying pip …"; \
		"$(PYTHON)" -m pip --python $(BIN)/python install -qq -r $(1); }
	@touch $@
endef

$(VENV)/.installed: requirements.txt | $(BIN)/python
	$(call install,requirements.txt)

$(VENV)/.installed-dev: requirements-dev.txt | $(BIN)/python
	$(call install,requirements-dev.txt)
	@touch $(VENV)/.installed
