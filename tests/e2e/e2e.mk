# Stories told to the real binary. E2E=name runs those files whose name holds it.
E2E ?= .bats
E2E_SRC := $(wildcard tests/e2e/*.bats)

.PHONY: e2e
e2e: build/statwit $(OUT)/statwit ## command-line stories with the real binary; E2E=serve runs those whose file's name holds it
	@STATWIT=$(CURDIR)/$(OUT)/statwit BATS_TEST_TIMEOUT=$${BATS_TEST_TIMEOUT:-300} bats --timing $(foreach t,$(E2E_SRC),$(if $(findstring $(E2E),$(t)),$(t)))
