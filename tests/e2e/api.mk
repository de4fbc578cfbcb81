# The control API of the real binary, held to schema/openapi.yaml.
.PHONY: e2e-api
e2e: e2e-api
e2e-api: build/statwit $(OUT)/statwit ## the control API of the real binary against schema/openapi.yaml
	@STATWIT=$(CURDIR)/$(OUT)/statwit tests/support/again python3 -B tests/e2e/api_test.py -q

# The questions of the live page, and its files.
.PHONY: e2e-glance
e2e: e2e-glance
e2e-glance: build/statwit $(OUT)/statwit ## metrics, tags, timeline and histogram against a slow reference; the page's files
	@STATWIT=$(CURDIR)/$(OUT)/statwit tests/support/again python3 -B tests/e2e/glance_test.py -q

# What is read back of it through Datadog's own API.
.PHONY: e2e-datadog
e2e: e2e-datadog
e2e-datadog: build/statwit $(OUT)/statwit ## reads of the fake Datadog API: hosts, events, names, queries, and what they refuse
	@STATWIT=$(CURDIR)/$(OUT)/statwit tests/support/again python3 -B tests/e2e/datadog_test.py -q
	@STATWIT=$(CURDIR)/$(OUT)/statwit tests/support/again python3 -B tests/e2e/datadog_lists_test.py -q

# The fixtures of the fake Datadog API over real HTTP, with the clock that they are told; and clients that misbehave.
.PHONY: e2e-intake
e2e: e2e-intake
e2e-intake: build/statwit $(OUT)/statwit build/clock_shift.so ## every case of fixtures/intake against the real binary over HTTP
	@VARIANT=$(VARIANT) STATWIT=$(CURDIR)/$(OUT)/statwit CLOCK_SHIFT=$(CURDIR)/$(CLOCK_SHIFT) tests/support/again python3 -B tests/e2e/intake_test.py -q

# Queries against an evaluation of their own in Python; QUERIES=100000 for a long run, SEED=N to repeat one.
.PHONY: e2e-query
e2e: e2e-query
e2e-query: build/statwit $(OUT)/statwit ## random queries of the fake Datadog API against an independent evaluation
	@STATWIT=$(CURDIR)/$(OUT)/statwit tests/support/again python3 -B tests/e2e/query_test.py -q

# What in-process doubles assert, as expectations.
.PHONY: e2e-doubles
e2e: e2e-doubles
e2e-doubles: build/statwit $(OUT)/statwit ## every assertion of fixtures/doubles, with recordings that fulfil and break it
	@STATWIT=$(CURDIR)/$(OUT)/statwit tests/support/again python3 -B tests/e2e/doubles_test.py -q

# A base URL for each session.
.PHONY: e2e-prefix
e2e: e2e-prefix
e2e-prefix: build/statwit $(OUT)/statwit ## /s/NAME before every path, --auto-sessions, and what conflicts with them
	@STATWIT=$(CURDIR)/$(OUT)/statwit tests/support/again python3 -B tests/e2e/prefix_test.py -q

# The doubles that statwit stands in for.
.PHONY: e2e-fakeintake
e2e: e2e-fakeintake
e2e-fakeintake: build/statwit $(OUT)/statwit ## what clients and tests of Datadog's fakeintake see
	@STATWIT=$(CURDIR)/$(OUT)/statwit tests/support/again python3 -B tests/e2e/fakeintake_test.py -q
.PHONY: e2e-test-agent
e2e: e2e-test-agent
e2e-test-agent: build/statwit $(OUT)/statwit ## what clients of dd-apm-test-agent see
	@STATWIT=$(CURDIR)/$(OUT)/statwit tests/support/again python3 -B tests/e2e/test_agent_test.py -q

# The wire text.
.PHONY: e2e-wire
e2e: e2e-wire
e2e-wire: build/statwit $(OUT)/statwit ## datagrams byte for byte, and what else clients' own test suites need of a server
	@STATWIT=$(CURDIR)/$(OUT)/statwit tests/support/again python3 -B tests/e2e/wire_test.py -q

.PHONY: e2e-fault
e2e: e2e-fault
e2e-fault: build/statwit $(OUT)/statwit ## faults that say what to answer; statwit fault; stubs from a file
	@STATWIT=$(CURDIR)/$(OUT)/statwit tests/support/again python3 -B tests/e2e/fault_test.py -q
