# Real clients against the real binary: each emits a known list, which is compared with the recording both ways.
# INTEROP=go runs those whose name holds it. Installs into build/interop.
INTEROP ?=
INTEROP_C := $(wildcard tests/interop/*/emit.c)
INTEROP_EMITTERS := $(INTEROP_C:tests/interop/%/emit.c=$(OUT)/interop/%)

.PHONY: interop
interop: $(OUT)/statwit $(INTEROP_EMITTERS) ## real Datadog clients, pinned by version, against the recorder
	@tests/interop/run $(OUT)/statwit $(OUT)/interop build/interop $(INTEROP)

# What libstatwit emits for the same calls as a real client.
$(INTEROP_EMITTERS): $(OUT)/interop/%: $(OUT)/tests/interop/%/emit.o $(OUT)/libstatwit.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(CLIENT_LIBS)
