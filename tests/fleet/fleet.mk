# A fleet's recordings in a real ClickHouse, which is started in a folder of its own.
$(OUT)/fleet/compare: $(OUT)/tests/fleet/compare.o $(SUPPORT_OBJ) $(OUT)/libserver.a $(OUT)/libclient.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $< $(SUPPORT_OBJ) $(OUT)/libserver.a $(OUT)/libclient.a $(SERVER_LIBS) $(CLIENT_LIBS) -lcunit

.PHONY: fleet
fleet: $(OUT)/statwit $(OUT)/fleet/compare ## push and read through a real clickhouse-server, one node and two shards; skipped where there is none
	@STATWIT=$(CURDIR)/$(OUT)/statwit COMPARE=$(CURDIR)/$(OUT)/fleet/compare python3 tests/fleet/fleet_test.py $(FLEET)

.PHONY: fleet-today
fleet-today: $(OUT)/statwit $(OUT)/fleet/compare ## the same questions to the ClickHouse of today, which PyPI's chdb holds; skipped where there is none
	@STATWIT=$(CURDIR)/$(OUT)/statwit COMPARE=$(CURDIR)/$(OUT)/fleet/compare $(or $(PYTHON),python3) tests/fleet/today.py $(FLEET)
