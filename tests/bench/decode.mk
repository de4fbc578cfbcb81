# The decoder alone, beside a bare scan for newlines.
$(OUT)/bench/decode_bench: $(OUT)/tests/bench/decode_bench.o $(OUT)/libserver.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(SERVER_LIBS)

.PHONY: bench-decode
bench-decode: $(OUT)/bench/decode_bench ## lines a second of the DogStatsD decoder
	@$<
