"""The application of the walk."""
from datadog.dogstatsd import DogStatsd


def login(name):
    DogStatsd(disable_telemetry=True).increment("login.attempt", tags=["instance:" + ("failure" if name == "nobody" else "success")])
