# How fast the recording is written and read, beside a bare SQLite insert in the same run.
$(OUT)/bench/store_bench: $(OUT)/tests/bench/store_bench.o $(OUT)/libserver.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(SERVER_LIBS)

.PHONY: bench-store
bench-store: $(OUT)/bench/store_bench ## the recording alone: samples a second, bytes a sample, latency of a commit
	@$< $(BENCH_STORE)
