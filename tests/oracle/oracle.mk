# An independent judge in Python against the real binary: tests/oracle/README.md. SEED= (empty) takes a new one each time.
N    ?= 20000
SEED ?= 1

.PHONY: oracle
oracle: build/statwit $(OUT)/statwit ## verdicts against an independent judge: N=20000 pairs, SEED=1 (empty: a random one, printed)
	@STATWIT_BIN=$${STATWIT_BIN:-$(CURDIR)/$(OUT)/statwit} python3 -B tests/oracle/oracle.py -n $(N) --seed "$(SEED)" $(ORACLE_ARGS)

# The Agent's aggregation against a model of it, over N random streams of samples.
.PHONY: oracle-agent
oracle-agent: $(OUT)/unit/agent/cases_test ## what an Agent would flush, against a model: N=10000 streams of samples, SEED=1
	@mkdir -p build/oracle
	@python3 -B tests/oracle/agent.py random $(if $(filter command line,$(origin N)),$(N),10000) $(or $(SEED),1) >build/oracle/agent.jsonl
	@AGENT_CASES=build/oracle/agent.jsonl $<
