# Judging a large recording.
$(OUT)/bench/judge_bench: $(OUT)/tests/bench/judge_bench.o $(OUT)/tests/bench/load.o $(OUT)/libserver.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(SERVER_LIBS)

.PHONY: bench-judge
bench-judge: $(OUT)/bench/judge_bench ## 1,000 expectations on 1 million samples in 1,000 series
	@$<
