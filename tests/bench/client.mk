# What a call of libstatwit costs, beside a bare snprintf and memcpy.
$(OUT)/bench/client_bench: $(OUT)/tests/bench/client_bench.o $(OUT)/tests/support/sink.o $(OUT)/libstatwit.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(CLIENT_LIBS)

.PHONY: bench-client
bench-client: $(OUT)/bench/client_bench ## nanoseconds per call of libstatwit
	@$<
