# The helpers for other languages, each by its own tests. HELPER=python runs those whose name holds it.
HELPER ?=

.PHONY: helpers
helpers: $(OUT)/statwit ## the helpers' own tests, from their built packages, with real clients
	@tests/helpers/run $(OUT)/statwit build/helpers $(HELPER)
