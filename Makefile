# make setup   a virtual environment in .venv, with .venv/bin/sbx
# make demo    the whole pipeline on this machine, with a sample shop and a fake Xero
# make test    all tests; make test ARGS="-k refund" for some
# make coverage how much the unit tests run through
# make bench   benchmarks
# make screenshots  pictures of the pages, into docs/screenshots
# make crash    kill the worker at random pairs of points; make crash ARGS="--pairs 200 --seed 1"
# make mutation break each guarantee in a copy of the tree and see its tests turn red
# make outages   takes Kafka, PostgreSQL, Xero and workers away in the middle of the work (some six minutes)
# make histories   random histories of shops against a model of the books; ARGS="--seeds 1000 --faults"
#                  or "--seeds 100 --workers 3": through Kafka and three processes of each stage
# make shops   random shops on the fake SalesBinder, read, delivered and compared with the books in Xero;
#              ARGS="--rows 0-5 --faults --kills --outages"
# make fuzz    raw record batches at random against the stages; make fuzz ARGS="--seed 7 --batches 3000"
# make drill   backups restored at random moments of random histories; ARGS="--seeds 100" or "--documents 1000"
# make soak    mixed traffic with faults, and whether memory and all else stays flat; make soak ARGS="--minutes 60"
# make lint    format, lint, types, import rules
# make audit   look the pinned packages up among known vulnerabilities
# make lock compile requirements/*.txt from pyproject.toml
#
# Needs make, Python 3.11, 3.12 or 3.13 (PYTHON=... names one), and a network the first time.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?=
ARGS ?=

.PHONY: setup dev demo test screenshots coverage bench crash mutation histories shops fuzz drill soak lint format lock audit outages

# The first Python that can make the environment; PYTHON=... alone when it is given.
define install
	@usable='import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; \
	for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python); do \
		if "$$python" -c "$$usable" 2>/dev/null; then exec "$$python" requirements/install.py $(1); fi; \
	done; \
	echo "setup: no Python 3.11, 3.12 or 3.13 with the venv module$(if $(PYTHON), at PYTHON=$(PYTHON)). Install one" >&2; \
	echo "  (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.13)" >&2; \
	echo "  or name it: make setup PYTHON=/path/to/python3.13" >&2; \
	exit 1
endef

# What runs the product.
setup:
	$(call install,runtime)

# What its tests, benchmarks and checks need besides.
dev:
	$(call install,dev)

demo: setup
	@$(BIN)/sbx demo $(ARGS)

# Three at a time, each with a Kafka and a PostgreSQL of its own: tests wait more than they compute. JOBS=0: one after
# the other, in this process.
JOBS ?= 3
test: dev
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not long" $(ARGS)

# How much of the product the unit tests alone run through: what decides should be near all of it.
coverage: dev
	@$(BIN)/python -m pytest tests/unit -q -n 2 --cov --cov-report= -p no:cacheprovider >/dev/null \
		&& echo "lines that the unit tests alone run through: $$($(BIN)/python -m coverage report --format=total) %"

# Needs Chromium. Look at every picture before it is committed.
screenshots: dev
	@$(BIN)/python -m tests.web.screenshots $(ARGS)

bench: dev
	@$(BIN)/python -m bench $(ARGS)

crash: dev
	@$(BIN)/python -m tests.reliability.random_crashes $(ARGS)

mutation: dev
	@$(BIN)/python -m tests.mutation $(ARGS)

outages: dev
	@$(BIN)/python -m pytest -m long $(ARGS)

histories: dev
	@$(BIN)/python -m tests.reliability.histories $(ARGS)

shops: dev
	@$(BIN)/python -m tests.reliability.shops $(ARGS)

fuzz: dev
	@$(BIN)/python -m tests.reliability.fuzz_records $(ARGS)

drill: dev
	@$(BIN)/python -m tests.reliability.drills $(ARGS)

soak: dev
	@$(BIN)/python -m tests.reliability.soak $(ARGS)

lint: dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: dev
	$(BIN)/pip-audit --requirement requirements/dev.txt --require-hashes --disable-pip --strict $(ARGS)

format: dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# No index address and no link directory gets into the files: they work with whatever index pip is set up for.
COMPILE := env -u UV_FIND_LINKS UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile pyproject.toml --quiet \
	--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-python-downloads

lock: dev
	$(COMPILE) $(ARGS) --group build -o requirements/runtime.txt
	$(COMPILE) $(ARGS) --group dev -c requirements/runtime.txt -o requirements/dev.txt
