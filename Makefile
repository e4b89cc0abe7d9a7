# The commands of the project. `make help` explains them; CI calls nothing else.
SHELL := /bin/bash
.DEFAULT_GOAL := help

KYCC := target/debug/kycc
DEMO_DIR ?= kycc-demo
FLEET_DIR ?= kycc-fleet

.PHONY: help setup setup-lint build demo dev fleet fleet-demo test chaos lint released fmt bench bench-job bench-orchestration bench-science clean-demo

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-20s %s\n", $$1, $$2}'

setup: ## Find or install what building and testing needs
	@scripts/setup.sh build

setup-lint: ## The same for the checks
	@scripts/setup.sh lint

build: setup ## Build the kycc command with the fast profile
	cargo build --locked -p kycc

demo: build ## Generate 2,000 parties, run the whole job, show the result
	@scripts/demo.sh $(KYCC) $(DEMO_DIR)

dev: build ## Start every service in one process: gRPC on 50051, console on 3000
	$(KYCC) dev

fleet: build ## Start the fleet as separate processes with its own PostgreSQL and Redis; Ctrl-C stops it
	@scripts/fleet.sh run $(KYCC) $(FLEET_DIR)

fleet-demo: build ## Run the whole job on such a fleet, show the result, stop
	@scripts/fleet.sh demo $(KYCC) $(FLEET_DIR)

test: ## Run every test
	@scripts/setup.sh test
	@scripts/test.sh

chaos: ## Fifty rounds of chaos on real processes (ten are part of make test)
	@CHAOS_ROUNDS=50 scripts/test.sh -p kycc --test chaos --no-capture

lint: setup-lint ## Formatting, clippy, protos, licences
	@scripts/lint.sh

released: setup-lint ## Keep the contracts as they are now as those of the release that later ones are checked against
	cd proto && ../.tools/node_modules/.bin/buf build --exclude-source-info -o released.binpb

fmt: ## Format the code
	cargo fmt --all

bench: bench-science bench-job bench-orchestration ## Measure everything, release profile (takes a while to build)

bench-job: setup ## Measure the main job on 100,000 parties
	cargo build --locked --release -p kycc
	@bench/job.sh target/release/kycc

bench-orchestration: setup ## Measure the orchestrator on no-op steps, beside pgbench, raw Redis and Dagster
	@scripts/setup.sh servers
	cargo build --locked --release -p kycc
	cargo build --locked --release -p kycc-embed -p kycc-queue --examples
	@bench/orchestration.sh target/release/examples target/release/kycc

bench-science: setup ## Measure the kernels of scoring against scikit-learn and optbinning
	cargo build --locked --release -p kycc-domain --example science
	@bench/science.sh target/release/examples/science

clean-demo: ## Remove what the demos left
	rm -rf $(DEMO_DIR) $(FLEET_DIR)
