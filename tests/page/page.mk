# The live page in a real browser: Debian's chromium, driven by playwright-core. `make test` does not need it.
.PHONY: page
page: $(OUT)/statwit ## the live page in chromium; skipped where chromium or node is missing
	@tests/page/run $(CURDIR)/$(OUT)/statwit build/page
