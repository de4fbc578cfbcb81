# A large recording against a large catalog.
$(OUT)/bench/catalog_bench: $(OUT)/tests/bench/catalog_bench.o $(OUT)/libserver.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(SERVER_LIBS)

.PHONY: bench-catalog
bench-catalog: $(OUT)/bench/catalog_bench ## 100,000 series against a catalog of 10,000 entries: verify, lint, infer, snapshot, diff
	@$<
