# The Agent's aggregation alone: 10,000,000 samples in 1,000 series.
$(OUT)/bench/agent_bench: $(OUT)/tests/bench/agent_bench.o $(OUT)/libserver.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(SERVER_LIBS)

.PHONY: bench-agent
bench-agent: $(OUT)/bench/agent_bench ## samples a second of what an Agent would flush
	@$<
