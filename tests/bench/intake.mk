# The fake intake: points a second stored, beside jansson's bare parse of the same bytes.
$(OUT)/bench/intake_bench: $(OUT)/tests/bench/intake_bench.o $(SUPPORT_OBJ) $(OUT)/libserver.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(SERVER_LIBS) -lcunit

.PHONY: bench-intake
bench-intake: $(OUT)/bench/intake_bench ## the fake intake: points a second, v1 JSON and v2 protobuf
	@$<
