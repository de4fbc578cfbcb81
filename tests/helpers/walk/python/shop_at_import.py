"""The same, with a client that is made when this is imported."""
from datadog import statsd


def login(name):
    statsd.increment("login.attempt", tags=["instance:" + ("failure" if name == "nobody" else "success")])
    statsd.flush()
