# `make` lists what there is. Each target sets up what it needs, once: a lock file that did not change costs nothing.
# PYTHON=python3.12 on the first call chooses the interpreter.

PORT ?= 8787
WEB_PORT ?= 3000
ONLY ?=
EVENT ?= events/http_health.json
FUNCTION ?= ApiFunction
SUBJECT ?= ada
CLAIMS ?=
SEED ?=
FAULT ?=
RUNS ?= 3
PAIRS ?= 60
PARAMETERS ?=

VENV := .venv
VENV_PYTHON := $(VENV)/bin/python
SAM := .venv-sam/bin/sam
RUN_READY := $(VENV)/run.stamp
DEV_READY := $(VENV)/dev.stamp
SAM_READY := .venv-sam/ready.stamp
NODE_READY := tests/node_modules/ready.stamp
CLIENT_READY := web/client/node_modules/ready.stamp
CONSOLE_READY := web/console/node_modules/ready.stamp
BROWSER_READY := .build/browser.stamp
SETUP := scripts/venv.sh scripts/python.sh scripts/uv-requirements.txt

# SAM asks for a region even where it only reads files; it should not phone home.
SAM_ENVIRONMENT := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-us-east-1} MAKEFLAGS= PYTHON='$(CURDIR)/$(VENV_PYTHON)'
SOURCES := template.yaml monitoring.yaml console.yaml samconfig.toml layers/dependencies/requirements.txt $(wildcard scripts/build.py scripts/Makefile) \
	$(shell find shared functions -name '*.py' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help run web-dev console screenshots token invoke test test-fast properties check format build build-host validate deploy bench \
	client openapi faults faults-mutations lock clean distclean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(RUN_READY)  ## Serve everything on http://127.0.0.1:8787 (PORT=, HOST= change that; AUTH=required asks for tokens)
	@$(VENV_PYTHON) scripts/console.py || true
	@PORT=$(PORT) exec $(VENV_PYTHON) -m local

web-dev: $(RUN_READY)  ## The same with hot reload of the console, on http://127.0.0.1:3000 (WEB_PORT=)
	@PORT=$(PORT) WEB_PORT=$(WEB_PORT) exec $(VENV_PYTHON) -m scripts.web_dev

console: $(RUN_READY)  ## Build the console into web/console/out, if it is missing or older than its sources
	@$(VENV_PYTHON) scripts/console.py

screenshots: $(DEV_READY) $(CONSOLE_READY) $(BROWSER_READY)  ## Take every page and state of the console into .build/screenshots (ONLY=trace: some)
	@ONLY="$(ONLY)" PYTHONPATH=.:shared $(VENV_PYTHON) -m scripts.screenshots

token: $(RUN_READY)  ## Sign in where AUTH=required make run is running: SUBJECT=ada CLAIMS="tenant=acme role=editor"
	@$(VENV_PYTHON) -m local token $(SUBJECT) $(CLAIMS)

invoke: $(RUN_READY)  ## Run one event through a function: FUNCTION=ApiFunction EVENT=events/http_health.json
	@$(VENV_PYTHON) -m local invoke --function $(FUNCTION) --event $(EVENT)

test: $(DEV_READY) $(SAM_READY) $(NODE_READY) $(CLIENT_READY) $(CONSOLE_READY) $(BROWSER_READY)  ## Check and test everything
	@$(VENV_PYTHON) scripts/console.py --dev
	@$(VENV_PYTHON) -m pytest

test-fast: $(DEV_READY) $(SAM_READY) $(CONSOLE_READY)  ## Static checks and unit tests only
	@$(VENV_PYTHON) -m pytest tests/static tests/unit

properties: $(DEV_READY)  ## Try the property tests with new random examples
	@PROPERTIES=new $(VENV_PYTHON) -m pytest -m hypothesis

check: $(DEV_READY) $(SAM_READY) $(CONSOLE_READY)  ## Static checks only: format, lint, types, imports, template
	@$(VENV_PYTHON) -m pytest tests/static

format: $(DEV_READY)  ## Format the code and fix what can be fixed
	@$(VENV_PYTHON) -m ruff format .
	@$(VENV_PYTHON) -m ruff check --fix .

build: .aws-sam/build/template.yaml  ## Build for Lambda (arm64, Python 3.13) into .aws-sam/build
	@$(VENV_PYTHON) scripts/inspect_build.py .aws-sam/build

build-host: .build/host/build/template.yaml  ## Build the same for this machine into .build/host/build

.aws-sam/build/template.yaml: $(SOURCES) | $(DEV_READY) $(SAM_READY)
	@mkdir -p .build
	@$(SAM_ENVIRONMENT) $(SAM) build >.build/target.log 2>&1 || { cat .build/target.log; exit 1; }
	@touch $@

.build/host/build/template.yaml: $(SOURCES) | $(DEV_READY) $(SAM_READY)
	@mkdir -p .build
	@BUILD_MODE=host $(SAM_ENVIRONMENT) $(SAM) build --build-dir .build/host/build --cache-dir .build/host/cache \
		>.build/host.log 2>&1 || { cat .build/host.log; exit 1; }
	@touch $@

validate: $(SAM_READY)  ## Lint template.yaml
	@$(SAM_ENVIRONMENT) $(SAM) validate --lint

deploy: build console  ## Deploy to the AWS account that the shell is signed in to: PARAMETERS="AdminEmail=you@example.com", the first time
	@SAM_CLI_TELEMETRY=0 $(SAM) deploy $(if $(PARAMETERS),--parameter-overrides $(PARAMETERS))
	@$(VENV_PYTHON) scripts/deploy.py

bench: $(DEV_READY) $(NODE_READY) build-host  ## Measure cold starts and streaming
	@for name in cold_start calls streaming posts; do PYTHONPATH=shared $(VENV_PYTHON) -m benchmarks.$$name || exit 1; done

client: $(CLIENT_READY)  ## Build the TypeScript client of the playground into web/client/dist
	@cd web/client && npm run --silent build

openapi: $(DEV_READY) $(CONSOLE_READY)  ## Write docs/openapi.json, the frame schemas and the console's types from the code
	@$(VENV_PYTHON) scripts/openapi.py
	@cd web/console && npm run --silent generate

faults: $(DEV_READY)  ## Break everything that can break, for long: SEED=, FAULT="text of some", RUNS=3, PAIRS=60
	@PYTHONPATH=shared $(VENV_PYTHON) -m tests.faults --runs $(RUNS) --pairs $(PAIRS) \
		$(if $(SEED),--seed $(SEED)) $(if $(FAULT),--fault "$(FAULT)",--report docs/reliability.md)

faults-mutations: $(DEV_READY)  ## Remove the guards one at a time and see that the faults are noticed
	@PYTHONPATH=shared $(VENV_PYTHON) -m tests.faults.mutations --report docs/reliability.md

lock: $(DEV_READY)  ## Resolve the dependencies anew and write all lock files
	@VIRTUAL_ENV=$(VENV) sh scripts/lock.sh

clean:  ## Delete what was built (the data of `make run` stays)
	@rm -rf .build .aws-sam .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache web/client/dist web/client/.build \
		web/console/out web/console/.next web/console/.client

distclean: clean  ## Delete the environments as well
	@rm -rf .venv .venv-sam tests/node_modules web/client/node_modules web/console/node_modules

# ---------------------------------------------------------------- set-up

$(RUN_READY): requirements.txt $(SETUP)
	@echo "Setting up $(VENV)"
	@sh scripts/venv.sh $(VENV) requirements.txt
	@touch $@

# Holds everything that `make run` needs too, in the same versions.
$(DEV_READY): requirements-dev.txt $(SETUP)
	@echo "Setting up $(VENV) for development"
	@sh scripts/venv.sh $(VENV) requirements-dev.txt
	@touch $@ $(RUN_READY)

# The SAM CLI pins other versions of what we use, so it lives alone.
$(SAM_READY): scripts/sam-requirements.txt $(SETUP)
	@echo "Setting up the SAM CLI in .venv-sam"
	@sh scripts/venv.sh .venv-sam scripts/sam-requirements.txt
	@touch $@

$(NODE_READY): $(wildcard tests/package.json tests/package-lock.json)
	@sh scripts/node.sh tests
	@mkdir -p $(@D) && touch $@

$(CLIENT_READY): web/client/package.json web/client/package-lock.json
	@sh scripts/node.sh web/client
	@touch $@

$(CONSOLE_READY): web/console/package.json web/console/package-lock.json | $(DEV_READY)
	@$(VENV_PYTHON) scripts/console.py --dev --packages
	@touch $@

$(BROWSER_READY):
	@sh scripts/browser.sh
	@mkdir -p $(@D) && touch $@
