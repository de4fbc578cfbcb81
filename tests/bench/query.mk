# Datadog queries over a large recording.
.PHONY: bench-query
bench-query: $(OUT)/statwit ## queries over 1 million points in 1,000 series, beside reading the same rows
	@STATWIT=$(CURDIR)/$(OUT)/statwit python3 -B tests/bench/query_bench.py
