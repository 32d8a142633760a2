# make setup   a virtual environment in .venv, with .venv/bin/sbx
# make demo    the whole pipeline on this machine, with a sample shop and a fake Xero
# make test    all tests; make test ARGS="-k refund" for some
# make bench   benchmarks
# make screenshots  pictures of the pages, into docs/screenshots
# make crash    kill the worker at random pairs of points; make crash ARGS="--pairs 200 --seed 1"
# make mutation break each guarantee in a copy of the tree and see its tests turn red
# make outages   takes Kafka, PostgreSQL, Xero and workers away in the middle of the work (some six minutes)
# make histories   random histories of shops against a model of the books; ARGS="--seeds 1000 --faults"
# make fuzz    raw record batches at random against the stages; make fuzz ARGS="--seed 7 --batches 3000"
# make drill   backups restored at random moments of random histories; ARGS="--seeds 100" or "--documents 1000"
# make soak    mixed traffic with faults, and whether memory and all else stays flat; make soak ARGS="--minutes 60"
# make lint    format, lint, types, import rules
# make audit   look the pinned packages up among known vulnerabilities
# make lock    compile requirements/*.txt anew from pyproject.toml
#
# Needs make, Python 3.11, 3.12 or 3.13 (PYTHON=... names one), and a network the first time.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?=
ARGS ?=

.PHONY: setup demo test screenshots bench crash mutation histories fuzz drill soak lint format lock audit outages

# Up to date means: same requirements, same project file, same place. The stamp holds a hash of the three.
# An environment that was moved is made anew: its scripts name the old place.
setup:
	@set -eu; \
	usable='import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; \
	hashed='import hashlib, os, sys; \
	files = b"".join(open(f, "rb").read() for f in ("requirements/dev.txt", "pyproject.toml")); \
	print(hashlib.sha256(files + os.getcwd().encode()).hexdigest())'; \
	version='import sys; print("%d.%d" % sys.version_info[:2])'; \
	if [ -n "$(PYTHON)" ] && ! "$(PYTHON)" -c "$$usable" 2>/dev/null; then \
		echo "setup: PYTHON=$(PYTHON) is not a Python 3.11, 3.12 or 3.13 with the venv module. Name another one." >&2; \
		exit 1; \
	fi; \
	fresh=no; \
	if $(BIN)/python -c "$$usable" 2>/dev/null && grep -qs "$$(pwd -P)/$(VENV)/" $(BIN)/pip; then \
		if [ -n "$(PYTHON)" ] && [ "$$($(BIN)/python -c "$$version")" != "$$("$(PYTHON)" -c "$$version")" ]; then \
			fresh=yes; \
		fi; \
	else \
		fresh=yes; \
	fi; \
	if [ $$fresh = no ] && [ -x $(BIN)/sbx ] \
		&& [ "$$(cat $(VENV)/.stamp 2>/dev/null)" = "$$($(BIN)/python -c "$$hashed")" ]; then \
		exit 0; \
	fi; \
	if [ $$fresh = yes ]; then \
		python="$(PYTHON)"; \
		for candidate in python3.13 python3.12 python3.11 python3 python; do \
			if [ -z "$$python" ] && "$$candidate" -c "$$usable" 2>/dev/null; then python="$$candidate"; fi; \
		done; \
		if [ -z "$$python" ]; then \
			echo "setup: no Python 3.11, 3.12 or 3.13 with the venv module was found. Install one" >&2; \
			echo "  (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.13)" >&2; \
			echo "  or name it: make setup PYTHON=/path/to/python3.13" >&2; \
			exit 1; \
		fi; \
		echo "setup: creating $(VENV) with $$("$$python" --version) ($$python)" >&2; \
		"$$python" -m venv --clear $(VENV); \
	fi; \
	rm -f $(VENV)/.stamp; \
	echo "setup: installing the packages of requirements/dev.txt (about 200 MB: a minute or two, without a word)" >&2; \
	pip="$(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet"; \
	if ! $$pip --require-hashes -r requirements/dev.txt || ! $$pip --no-deps --no-build-isolation -e .; then \
		echo "setup: pip failed, see above. Is there a network, and room on the disk? (A proxy is named by" >&2; \
		echo "  HTTPS_PROXY, a certificate by PIP_CERT.) Then run make setup again: it goes on from there." >&2; \
		exit 1; \
	fi; \
	$(BIN)/python -c "$$hashed" > $(VENV)/.stamp; \
	echo "setup: done. $(BIN)/sbx --help shows what there is; make demo runs it all." >&2

demo: setup
	@$(BIN)/sbx demo $(ARGS)

# Three at a time, each with a Kafka and a PostgreSQL of its own: tests wait more than they compute. JOBS=0: one after
# the other, in this process.
JOBS ?= 3
test: setup
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not long" $(ARGS)

# Needs Chromium. Look at every picture before it is committed.
screenshots: setup
	@$(BIN)/python -m tests.web.screenshots $(ARGS)

bench: setup
	@$(BIN)/python -m bench $(ARGS)

crash: setup
	@$(BIN)/python -m tests.reliability.random_crashes $(ARGS)

mutation: setup
	@$(BIN)/python -m tests.mutation $(ARGS)

outages: setup
	@$(BIN)/python -m pytest -m long $(ARGS)

histories: setup
	@$(BIN)/python -m tests.reliability.histories $(ARGS)

fuzz: setup
	@$(BIN)/python -m tests.reliability.fuzz_records $(ARGS)

drill: setup
	@$(BIN)/python -m tests.reliability.drills $(ARGS)

soak: setup
	@$(BIN)/python -m tests.reliability.soak $(ARGS)

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: setup
	$(BIN)/pip-audit --requirement requirements/dev.txt --require-hashes --disable-pip $(ARGS)

format: setup
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# No index address and no link directory gets into the files: they work with whatever index pip is set up for.
COMPILE := env -u UV_FIND_LINKS UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile pyproject.toml --quiet \
	--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-python-downloads

lock: setup
	$(COMPILE) $(ARGS) -o requirements/runtime.txt
	$(COMPILE) $(ARGS) --group dev -c requirements/runtime.txt -o requirements/dev.txt
