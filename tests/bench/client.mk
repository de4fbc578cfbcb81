# What a call of libstatwit costs, beside a bare snprintf and memcpy, and beside other languages' clients.
$(OUT)/bench/client_bench: $(OUT)/tests/bench/client_bench.o $(OUT)/tests/support/sink.o $(OUT)/libstatwit.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(CLIENT_LIBS)

.PHONY: bench-client
bench-client: $(OUT)/bench/client_bench ## nanoseconds per call of libstatwit, datadog-go and cadence
	@$< $$(tests/bench/clients/build build/interop/bench)
