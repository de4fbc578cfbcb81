# The recorder as a whole: `make bench-recorder`, or `make bench` for every benchmark.
BENCH_SUPPORT := $(patsubst %.c,$(OUT)/%.o,tests/bench/load.c tests/bench/server.c tests/bench/yardstick.c)

$(OUT)/bench/recorder_bench: $(OUT)/tests/bench/recorder_bench.o $(BENCH_SUPPORT) $(OUT)/libserver.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(SERVER_LIBS)

.PHONY: bench-recorder
bench-recorder: $(OUT)/bench/recorder_bench $(OUT)/statwit ## the recorder: latency, throughput, memory, beside bare limits
	$< $(OUT)/statwit
