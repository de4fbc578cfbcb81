# The helpers for other languages, each by its own tests. HELPER=python runs those whose name holds it.
HELPER ?=

.PHONY: helpers
helpers: $(OUT)/statwit ## the helpers' own tests, from their built packages, with real clients
	@tests/helpers/run $(OUT)/statwit build/helpers $(HELPER)

BENCHES += pytest
.PHONY: bench-pytest
bench-pytest: $(OUT)/statwit ## what the pytest plugin costs a suite of 200 tests, beside the same suite without it
	@PYTHON=$(or $(wildcard build/helpers/python/venv/bin/python),python3) python3 tests/bench/pytest_bench.py $<
