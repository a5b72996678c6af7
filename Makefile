# `make demo` and `make test` set up all they need; nothing but Python >= 3.11 and make is assumed.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo test check bench clean

.venv/lib.stamp: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("offby needs Python 3.11 or newer; say make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable .
	touch $@

.venv/tools.stamp: .venv/lib.stamp
	$(BIN)/pip install --quiet --group test --group check
	touch $@

demo: .venv/lib.stamp
	@echo '$$ offby measure examples/houses.csv'
	@$(BIN)/offby measure examples/houses.csv
	@echo
	@echo '$$ offby measure examples/flights.parquet --true arr_delay --pred predicted --html demo.html'
	@$(BIN)/offby measure examples/flights.parquet --true arr_delay --pred predicted --html demo.html

test: .venv/tools.stamp
	$(BIN)/python -m pytest -n auto

check: .venv/tools.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/tools.stamp
	$(BIN)/pip install --quiet --group bench
	for bench in measure classify fit fit_quantile fit_trainers runs; do $(BIN)/python benchmarks/$$bench.py || exit 1; done

clean:
	rm -rf .venv demo.html build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
