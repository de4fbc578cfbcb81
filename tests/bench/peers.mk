# What a user would take instead: a Python recorder of twenty lines, Etsy's statsd, Prometheus' statsd_exporter (installed below build/).
.PHONY: bench-peers
bench-peers: $(OUT)/statwit $(OUT)/fault/hammer ## statwit beside other recorders: loss and CPU with the same lines
	@tests/bench/peers/run $(OUT)/statwit $(OUT)/fault/hammer build/peers
