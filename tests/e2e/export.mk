# Exports of random recordings: what is replayed is what was recorded. EXPORTS=5000 for a long run, SEED=N to repeat one.
.PHONY: e2e-export
e2e: e2e-export
e2e-export: build/statwit $(OUT)/statwit ## exports of random recordings: replayed, they are the same
	@STATWIT=$(CURDIR)/$(OUT)/statwit tests/support/again python3 -B tests/e2e/export_test.py -q
