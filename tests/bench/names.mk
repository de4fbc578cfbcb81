# What one expectation costs on a large recording.
$(OUT)/bench/names_bench: $(OUT)/tests/bench/names_bench.o $(OUT)/tests/bench/load.o $(OUT)/libserver.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(SERVER_LIBS)

.PHONY: bench-names
bench-names: $(OUT)/bench/names_bench ## one expectation on 10 and on 100,000 series
	@$<
