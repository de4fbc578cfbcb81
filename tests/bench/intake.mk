# The fake intake: points a second stored, beside jansson's bare parse of the same bytes; then POSTs to the real binary, beside a
# bare round trip and the bare decoder.
$(OUT)/bench/intake_bench: $(OUT)/tests/bench/intake_bench.o $(OUT)/tests/bench/bodies.o $(SUPPORT_OBJ) $(OUT)/libserver.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(SERVER_LIBS) -lcunit

$(OUT)/bench/post_bench: $(OUT)/tests/bench/post_bench.o $(OUT)/tests/bench/bodies.o $(OUT)/tests/bench/server.o $(OUT)/libserver.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(SERVER_LIBS)

.PHONY: bench-intake
bench-intake: $(OUT)/bench/intake_bench $(OUT)/bench/post_bench $(OUT)/statwit ## the fake intake: points a second, latency, CPU time, v1 JSON and v2 protobuf
	@$<
	@$(OUT)/bench/post_bench $(OUT)/statwit
