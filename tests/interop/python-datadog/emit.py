import os
import time

import datadog
from datadog import ThreadStats, api
from datadog.dogstatsd.base import DogStatsd

host, port = os.environ["DD_AGENT_HOST"], int(os.environ["DD_DOGSTATSD_PORT"])
for name, options in (("udp", {"host": host, "port": port}), ("uds", {"socket_path": os.environ["UNIXGRAM"]})):
    statsd = DogStatsd(constant_tags=["lang:py"], **options)
    statsd.increment(name + ".count", tags=["a:1", "b"])
    statsd.decrement(name + ".count", 2)
    statsd.gauge(name + ".gauge", 1.25)
    statsd.histogram(name + ".histogram", 7)
    statsd.timing(name + ".timing", 12)
    statsd.distribution(name + ".distribution", 3)
    statsd.set(name + ".set", "member")
    statsd.event(name + " title", "some text", alert_type="error")
    statsd.service_check(name + ".check", statsd.WARNING, message="hm")
    if hasattr(statsd, "flush"):
        statsd.flush()

datadog.initialize(api_key=os.environ["DD_API_KEY"], app_key="app", api_host=os.environ["STATWIT_URL"])
now = time.time()
assert api.Metric.send(metric="api.gauge", points=[(now, 1.5), (now - 10, 2)], tags=["a:1"], type="gauge")["status"] == "ok"
assert api.Metric.send(metric="api.count", points=4, type="count", host="h1")["status"] == "ok"
assert api.Distribution.send(metric="api.distribution", points=[(now, [1, 2])])["status"] == "ok"
assert api.ServiceCheck.check(check="api.check", host_name="h1", status=0)["status"] == "ok"
event = api.Event.create(title="api title", text="api text", tags=["t:1"])
assert event["status"] == "ok"
assert api.Event.get(int(event["event"]["id_str"]))["event"]["title"] == "api title"
assert len(api.Metric.query(start=int(now) - 60, end=int(now) + 1, query="avg:api.gauge{*}")["series"]) == 1

stats = ThreadStats(constant_tags=["ts"])
stats.start(flush_interval=1, roll_up_interval=1, flush_in_thread=False)
stats.gauge("threadstats.gauge", 5, timestamp=now - 20)
stats.increment("threadstats.count", 3, timestamp=now - 20)
stats.flush(now)
