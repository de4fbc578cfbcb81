# `make fuzz`: every tests/fuzz/*_fuzz.c for FUZZ_S seconds each, FUZZ=name for those whose name holds it, FUZZ_SEED=1 for the same inputs each time. Needs clang.
FUZZ_S ?= 10
FUZZ   ?= _fuzz
# 0: another one each time.
FUZZ_SEED ?= 0
FUZZ_SRC := $(wildcard tests/fuzz/*_fuzz.c)
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$(OUT)/fuzz/%)
FLAGS_fuzz := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all

.PHONY: fuzz fuzz-run
fuzz: ## libFuzzer with sanitizers, FUZZ_S=10 seconds for each target
	@$(MAKE) --no-print-directory VARIANT=fuzz CC=clang fuzz-run

fuzz-run: $(foreach t,$(FUZZ_BIN),$(if $(findstring $(FUZZ),$(t)),$(t)))
	@tests/fuzz/run $(FUZZ_S) $(FUZZ_SEED) $^

$(OUT)/fuzz/%: $(OUT)/tests/fuzz/%.o $(OUT)/libserver.a
	@mkdir -p $(@D)
	$(LINK) -fsanitize=fuzzer -o $@ $^ $(SERVER_LIBS)
