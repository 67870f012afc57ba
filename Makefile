# make study: the demonstration study. make report: from nothing to the report of the study `tour`, and where it was
# stopped it goes on. make handin: the report, the code and the records in one zip. make verify: do they agree?
# make test: the tests. All set .venv up first, from the hash-pinned lock. For another study: make report STUDY=NAME.
PYTHON ?= python3
STUDY ?= tour
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

.PHONY: study report handin verify test slow lint lock clean

study: .venv/ready
	$(BIN)/python -m study.search quick
	$(BIN)/python -m analysis.latent_elbow quick

report: .venv/ready
	$(BIN)/python -m study.search $(STUDY)
	$(BIN)/python -m analysis $(STUDY)
	$(BIN)/python -m analysis.report $(STUDY)

handin: .venv/ready
	$(BIN)/python -m analysis.report $(STUDY)
	$(BIN)/python -m analysis.report.handin $(STUDY)

verify: .venv/ready
	$(BIN)/python -m analysis.verify $(STUDY)

test: .venv/ready
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

slow: .venv/ready
	$(BIN)/python -m pytest -q -m slow

lint: .venv/ready
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy study analysis search_spaces

# Derives requirements.lock and environment.yml from pyproject.toml; needs uv.
lock:
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --no-emit-index-url --no-emit-find-links -q -o requirements.lock

.venv/ready: requirements.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else \
	  "Python 3.11, 3.12 or 3.13 is needed, this is %d.%d. Another one: make study PYTHON=python3.12" % v)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch .venv/ready

clean:
	rm -rf .venv
