# What asking costs beside the size of the recording and the number of those who wait.
.PHONY: bench-scale
bench-scale: $(OUT)/statwit ## export, first pages, waiting questions, streams, one claim, p95: each beside its limit
	@STATWIT=$(CURDIR)/$(OUT)/statwit python3 -B tests/bench/scale_bench.py
