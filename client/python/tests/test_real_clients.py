"""Datadog's own Python client, made in the test and made at import."""

import pytest

datadog = pytest.importorskip("datadog")


def test_a_client_made_in_the_test(metrics):
    client = datadog.dogstatsd.DogStatsd(host=metrics.host, port=metrics.port, disable_telemetry=True)
    client.increment("login.attempt", tags=["instance:failure"])
    client.timing("events.latency", 480)
    client.gauge("queue.depth", 3)
    client.flush()
    metrics.expect(
        "incr login.attempt[instance:failure] sum == 1",
        "timing events.latency last == 480",
        "gauge queue.depth last == 3",
        "no any errors.*",
    )


def test_a_client_made_at_import(pytester):
    pytester.makeini("[pytest]\nstatwit_clients = import\n")
    pytester.makepyfile(
        app="""
import os, datadog
client = datadog.dogstatsd.DogStatsd(host=os.environ["DD_AGENT_HOST"], port=int(os.environ["DD_DOGSTATSD_PORT"]))
""",
        test_it="""
import app, pytest
@pytest.mark.parametrize("n", [1, 2])
def test_login(metrics, n):
    app.client.increment("login.attempt", n)
    app.client.flush()
    metrics.expect("incr login.attempt sum == %d" % n, "incr login.attempt samples == 1")
""",
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)
