# The real binary under faults: killed, starved, frozen, flooded, attacked. KILLS=200 for the long form of the first; FAULT_STATWIT names
# another binary, such as the static one.
KILLS  ?= 20
SOAK_S ?= 30
FAULT  ?= .bats
FAULT_STATWIT ?= $(OUT)/statwit
FAULT_SRC := $(wildcard tests/fault/*.bats)

$(OUT)/fault/hammer: $(OUT)/tests/fault/hammer.o $(OUT)/tests/bench/load.o $(OUT)/libserver.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(SERVER_LIBS)

# Preloaded, so they come before a sanitizer's own library: never built with one.
CLOCK_SHIFT := build/clock_shift.so
SLOW_CALLS  := build/slow_calls.so
$(CLOCK_SHIFT) $(SLOW_CALLS): build/%.so: tests/fault/%.c
	@mkdir -p $(@D)
	$(COMPILE) -std=c17 -D_GNU_SOURCE $(WARN) -O2 -fPIC -shared -o $@ $<

.PHONY: fault soak
fault: build/statwit $(OUT)/statwit $(OUT)/fault/hammer $(CLOCK_SHIFT) $(SLOW_CALLS) ## the real binary killed, starved, frozen, flooded, attacked; KILLS=, FAULT=name
	@KILLS=$(KILLS) SOAK_S=5 STATWIT=$(abspath $(FAULT_STATWIT)) HAMMER=$(CURDIR)/$(OUT)/fault/hammer \
	    CLOCK_SHIFT=$(CURDIR)/$(CLOCK_SHIFT) SLOW_CALLS_LIBRARY=$(CURDIR)/$(SLOW_CALLS) bats $(foreach t,$(FAULT_SRC),$(if $(findstring $(FAULT),$(t)),$(t)))

soak: build/statwit $(OUT)/statwit $(OUT)/fault/hammer ## mixed load for SOAK_S seconds: flat memory and descriptors, exact counts
	@SOAK_S=$(SOAK_S) STATWIT=$(CURDIR)/$(OUT)/statwit HAMMER=$(CURDIR)/$(OUT)/fault/hammer bats tests/fault/soak.bats
