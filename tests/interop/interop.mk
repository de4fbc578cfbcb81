# Real clients against the real binary: each emits a known list, which is compared with the recording both ways.
# INTEROP=go runs those whose name holds it. Installs into build/interop.
INTEROP ?=

.PHONY: interop
interop: $(OUT)/statwit ## real Datadog clients, pinned by version, against the recorder
	@tests/interop/run $(OUT)/statwit build/interop $(INTEROP)
