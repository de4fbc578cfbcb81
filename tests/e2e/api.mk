# The control API of the real binary, held to schema/openapi.yaml.
.PHONY: e2e-api
e2e: e2e-api
e2e-api: build/statwit $(OUT)/statwit ## the control API of the real binary against schema/openapi.yaml
	@STATWIT=$(CURDIR)/$(OUT)/statwit python3 -B tests/e2e/api_test.py -q
