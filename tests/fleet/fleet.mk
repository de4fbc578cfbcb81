# A fleet's recordings in a real ClickHouse, which is started in a folder of its own.
$(OUT)/fleet/compare: $(OUT)/tests/fleet/compare.o $(SUPPORT_OBJ) $(OUT)/libserver.a $(OUT)/libclient.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $< $(SUPPORT_OBJ) $(OUT)/libserver.a $(OUT)/libclient.a $(SERVER_LIBS) $(CLIENT_LIBS) -lcunit

# Two programs side by side: either waits a lot. FLEET= and EDGES= are the arguments of one of them, and then it runs alone.
.PHONY: fleet
fleet: $(OUT)/statwit $(OUT)/fleet/compare ## push and read through a real clickhouse-server, one node and two shards; skipped where there is none
	@export STATWIT=$(CURDIR)/$(OUT)/statwit COMPARE=$(CURDIR)/$(OUT)/fleet/compare; failed=0; \
	[ -n "$(FLEET)" ] || python3 tests/fleet/edges_test.py $(EDGES) >$(OUT)/fleet/edges.log 2>&1 & edges=$$!; \
	[ -n "$(EDGES)" ] || python3 tests/fleet/fleet_test.py $(FLEET) || failed=1; \
	wait $$edges || failed=1; [ -n "$(FLEET)" ] || cat $(OUT)/fleet/edges.log; exit $$failed

.PHONY: fleet-today
fleet-today: $(OUT)/statwit $(OUT)/fleet/compare ## the same questions to the ClickHouse of today, which PyPI's chdb holds; skipped where there is none
	@STATWIT=$(CURDIR)/$(OUT)/statwit COMPARE=$(CURDIR)/$(OUT)/fleet/compare $(or $(PYTHON),python3) tests/fleet/today.py $(FLEET)
