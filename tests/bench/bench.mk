# Every benchmark, one after the other: `make bench`. README.md beside this file holds the last numbers.
BENCHES := start decode store judge names scale agent query intake client catalog recorder peers

.PHONY: bench
bench: ## all benchmarks, as ratios to bare limits measured in the same run
	@for bench in $(BENCHES); do printf '\n=== %s\n' $$bench; $(MAKE) --no-print-directory -s -j1 bench-$$bench || exit 1; done

.PHONY: stress-ask
stress-ask: $(OUT)/bench/recorder_bench $(OUT)/statwit ## "send, ask, have it" ROUNDS times (100,000) with both cores busy; fails on a miss
	$< $(OUT)/statwit ask $(or $(ROUNDS),100000)
