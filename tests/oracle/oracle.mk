# An independent judge in Python against the real binary: tests/oracle/README.md. SEED= (empty) takes a new one each time.
N    ?= 20000
SEED ?= 1

.PHONY: oracle
oracle: build/statwit $(OUT)/statwit ## verdicts against an independent judge: N=20000 pairs, SEED=1 (empty: a random one, printed)
	@STATWIT_BIN=$${STATWIT_BIN:-$(CURDIR)/$(OUT)/statwit} python3 -B tests/oracle/oracle.py -n $(N) --seed "$(SEED)" $(ORACLE_ARGS)
