# Everything a checkout needs is set up on the way; what is there already is skipped.
BIN := .venv/bin
WORKERS ?= 2
N ?= 10
MINUTES ?= 30
SEED ?= 1
SEEDS ?= 200
TENANTS ?= 500
# Else each of the hundreds of processes that tests and rehearsals start would compile every module again.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo suites test test-all faults mutants bracket rollout-simulation rollout-demo busy soak bench bench-gate bench-queues bench-tenants bench-scale bench-region region-capacity bench-rehearsal bench-peers kill-drill clean-upgrades gate-study \
	lint format lock setup clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do \
		printf '%-22s %s\n' "$$name" "$$what"; done

demo: setup ## stand up four tenants of a real ERP and rehearse its real upgrade on them; ends with the report
	@$(BIN)/ringgate demo

suites: setup ## run every business process on the four tenants as they are; ends with the report
	@$(BIN)/ringgate suites --workers $(WORKERS)

test: setup ## Ringgate's own tests: unit tests first, then those on the real ERP
	@$(BIN)/pytest tests/unit tests/evaluation/study -n $(WORKERS) -m "not sweep"
	@$(BIN)/ringgate estate up --name tests --tenants 8
	@$(BIN)/pytest tests/deploy tests/erp -n $(WORKERS) --dist loadgroup -m "not sweep" --durations 40

test-all: setup ## the same and the sweeps: more seeds, a busy machine, every kill, real Odoo (hours)
	@$(BIN)/pytest tests/unit tests/evaluation/study -n $(WORKERS)
	@$(BIN)/ringgate estate up --name tests --tenants 8
	@RINGGATE_KILLS=all RINGGATE_FAULTS=alone RINGGATE_ODOO=1 $(BIN)/pytest tests/deploy tests/erp -n $(WORKERS) --dist loadgroup --durations 40

bench: setup ## what Ringgate adds to a bare HTTP client, in wall time, CPU and memory
	@$(BIN)/ringgate estate up
	@$(BIN)/python -m tests.evaluation.bench

bench-peers: setup ## Ringgate, a bare script and other tools side by side: project to cash by API, sign-in by browser
	@$(BIN)/ringgate estate up
	@$(BIN)/python -m tests.evaluation.bench.peers; api=$$?; \
		$(BIN)/python -m tests.evaluation.bench.peers --channel browser && exit $$api

bench-rehearsal: setup ## how a rehearsal's time splits into the ERP's own work and ours
	@$(BIN)/python -m tests.evaluation.bench.rehearsal

kill-drill: setup ## kill -9 a rehearsal at each of its stages and start it again, on the real ERP (a quarter of an hour)
	@RINGGATE_KILLS=all $(BIN)/pytest tests/erp/test_rehearsal_kill.py -q

clean-upgrades: setup ## upgrade N=10 real tenants with different books: the fingerprint must raise no alarm
	@$(BIN)/python -m tests.evaluation.bench.clean_upgrades --tenants $(N)

gate-study: setup ## the gate's error rates and delays, simulated, beside the rules of Argo, Flagger and others (4 min)
	@$(BIN)/python -m tests.evaluation.study

rollout-simulation: setup ## SEEDS=200 rollouts of TENANTS=500 over hosts that fail, lie and vanish, killed and rivalled (an hour)
	@$(BIN)/python -m tests.evaluation.simulation --seeds $(SEEDS) --tenants $(TENANTS)

rollout-demo: setup ## eight real tenants upgraded by Ansible on their own hosts: two keys, a fault taken back, evidence checked by others
	@$(BIN)/python -m tests.evaluation.rollout_demo

bracket: setup ## a shell script upgrades a real tenant between `ringgate before` and `after`; then each fault of a migration
	@$(BIN)/python -m tests.evaluation.bracket

faults: setup ## 100 clean rounds without an alarm, then every fault until the gate stops the rollout (an hour)
	@$(BIN)/python -m tests.evaluation.faults $(FAULTS)

mutants: setup ## plant N=10 faults by rule into the real ERP's tables, drawn by SEED=1: what sees them, and what does not
	@$(BIN)/python -m tests.evaluation.mutants --number $(N) --seed $(SEED)

bench-gate: setup ## a verdict over 1.2 million results, on SQLite and PostgreSQL: time, memory, bytes a run; and serve on them
	@$(BIN)/python -m tests.evaluation.bench.gate

bench-tenants: setup ## how reading the inventory, plan, gate, metrics and page grow with 100, 1,000 and 10,000 tenants
	@$(BIN)/python -m tests.evaluation.bench.tenants

bench-queues: setup ## job queues on PostgreSQL with our own jobs: throughput, latency, memory, and what five faults cost
	@$(BIN)/python -m tests.evaluation.queues

bench-region: setup ## workers of a region against one prober: 1,000, 3,000 and 10,000 tenants x 5 scenarios every 5 minutes (15 min)
	@$(BIN)/python -m tests.evaluation.bench.region --tenants 1000 --tenants 3000 --tenants 10000 $(ARGS)

region-capacity: setup ## what 100,000 tenants in 12 regions need, simulated with the costs that docs/workers.md has
	@$(BIN)/python -m tests.evaluation.capacity $(ARGS)

bench-scale: setup ## whether one prober keeps up with 1,000 tenants x 5 scenarios a minute
	@$(BIN)/python -m tests.evaluation.bench.scale

busy: setup ## rehearse the clean upgrade N=10 times on a busy machine: never rolled back, seeded faults still stopped
	@$(BIN)/python -m tests.evaluation.busy --rounds $(N)

soak: setup ## half an hour of probing four tenants, killed five times: nothing lost, nothing left (MINUTES=30)
	@$(BIN)/ringgate estate up --name soak --tenants 4
	@$(BIN)/python -m tests.evaluation.soak --minutes $(MINUTES)

lint: setup ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## put the code into the house style
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

lock: setup ## pin the newest packages that fit pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --upgrade --generate-hashes \
		--no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet --output-file requirements.lock

setup: ## only the virtual environment in .venv (the others do this first)
	@for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
		if command -v $$python >/dev/null 2>&1; then exec $$python -I ringgate/bootstrap.py; fi; done; \
	echo "ringgate: no Python on PATH; install Python 3.11 or newer and start again." >&2; exit 3

clean: ## remove what the checkout made; the estate stays (ringgate estate destroy)
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis reports/out dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
