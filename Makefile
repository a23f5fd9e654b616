# run · test · check · fix · bench: everything else they need is installed on the way.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
# Where byte code is forbidden every start and every test run compiles four thousand files again.
unexport PYTHONDONTWRITEBYTECODE
STAMP := $(VENV)/.run-$(shell cat pyproject.toml constraints.txt 2>/dev/null | cksum | cut -d' ' -f1)
DEV_STAMP := $(VENV)/.dev-$(shell cat pyproject.toml constraints.txt 2>/dev/null | cksum | cut -d' ' -f1)

.PHONY: run test test-fast check fix bench bench-retrieval bench-vectors bench-start bench-inference bench-metering bench-streams bench-visitors chromium clean

run: $(STAMP)
	@$(BIN)/python manage.py up --port $(PORT)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Furrow needs Python 3.11 or newer as $(PYTHON). Choose another: make run PYTHON=python3.12"; exit 1; }
	@echo "· Creating the virtual environment …"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "Python's venv module is missing. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }

# Only what is really imported gets compiled, at its first import: that saves a third of the first start. What reads
# files runs in children that may write nothing: nobody else would compile that, and each file would pay for it.
READERS := PIL docx et_xmlfile openpyxl pptx pypdfium2 pypdfium2_raw rapidocr_onnxruntime
$(STAMP): $(VENV)/bin/python
	@echo "· Installing the pinned dependencies (about a minute) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-warn-script-location \
	  --no-compile -c constraints.txt -e '.[embedded,inference]' || { \
	  echo "The installation did not finish; what was fetched is kept. Run the same command again."; exit 1; }
	@cd "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" && \
	  $(CURDIR)/$(BIN)/python -m compileall -q $(READERS) $(CURDIR)/platform/furrow/knowledge/parsing || true
	@touch $@

$(DEV_STAMP): $(STAMP)
	@echo "· Installing the development tools …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-warn-script-location \
	  --no-compile -c constraints.txt -e '.[embedded,inference,dev]'
	@touch $@

# The browser tests drive the distribution's Chromium.
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
	  echo "· Installing Chromium …"; \
	  SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq chromium fonts-noto-cjk; }

test: $(DEV_STAMP) chromium
	@$(BIN)/python manage.py messages --compile
	@$(BIN)/python -m pytest -n 2 -m "not e2e"
	@$(BIN)/python -m pytest -m e2e

test-fast: $(DEV_STAMP)
	@$(BIN)/python manage.py messages --compile
	@$(BIN)/python -m pytest -n 2 -m "not e2e and not slow"

check: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint templates --check --quiet
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/python manage.py check
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py messages --check
	$(BIN)/python -m pytest -q tests/docs

fix: $(DEV_STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	-$(BIN)/djlint templates --reformat --quiet

bench: bench-retrieval

# Each throws its database away again. With FURROW_URL and FURROW_API_KEY, retrieval asks that instance over REST.
bench-retrieval: $(DEV_STAMP)
	$(BIN)/python tests/bench/retrieval_offline.py
	$(BIN)/python tests/bench/retrieval_api.py $(if $(FURROW_URL),,--scratch)
	$(BIN)/python tests/bench/quoted_demo.py

bench-vectors: $(DEV_STAMP)
	$(BIN)/python tests/bench/vectors.py

bench-start: $(DEV_STAMP)
	$(BIN)/python tests/bench/first_answer.py

# llama.cpp is measured too once inference/bench/build_peers.sh has built it.
bench-inference: $(DEV_STAMP)
	$(BIN)/python -m inference bench

bench-metering: $(DEV_STAMP)
	$(BIN)/python tests/bench/metering.py
	$(BIN)/python tests/bench/litellm_compare.py

bench-streams: $(DEV_STAMP)
	$(BIN)/python tests/bench/streams.py

bench-visitors: $(DEV_STAMP)
	$(BIN)/python tests/bench/visitors.py

clean:
	rm -rf $(VENV) var .mypy_cache .ruff_cache
