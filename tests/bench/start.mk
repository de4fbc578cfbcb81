# What `statwit run` costs a suite. The static binary is measured, too, where `make static` has made one.
.PHONY: bench-start
bench-start: $(OUT)/statwit ## `statwit run -- true` RUNS times (100) in a row, beside `true` and a bare SQLite
	@python3 -B tests/bench/start_bench.py $< $(wildcard $(STATIC))
