#!/usr/bin/env python3
"""pytest_bench.py STATWIT [ROUNDS]: what the pytest plugin costs a suite of 200 tests that emit one metric each.

Four suites, in turn, ROUNDS times: "bare" sends to a socket that nobody reads, without the plugin; "fixture" takes a fixture that sets as many
variables and starts nothing; "session" takes the fixture `metrics`; "judged" also asks one question. Printed is the processor time of pytest and of all
its children (the recorder too), start and end included. The differences are medians over the rounds of this suite less the bare one of the same
round. Beside them: as many bare round trips over HTTP to the same server in the same minute.
Needs pytest (PYTHON=… names an interpreter that has it).
"""
import os
import pathlib
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = TOP / "client" / "python"
TESTS = 200
APP = """
import os, socket, pytest
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def emit(port): udp.sendto(b"login.attempt:1|c|#instance:failure", ("127.0.0.1", int(port)))
@pytest.fixture
def variables(monkeypatch):
    for n in range(12): monkeypatch.setenv("VARIABLE%%d" %% n, "value")
@pytest.mark.parametrize("n", range(%d))
"""
SUITES = {
    "bare": "def test_one(n): emit(os.environ['SINK'])",
    "fixture": "def test_one(n, variables): emit(os.environ['SINK'])",
    "session": "def test_one(n, metrics): emit(metrics.port)",
    "judged": "def test_one(n, metrics):\n    emit(metrics.port)\n    metrics.expect('incr login.attempt sum == 1')",
}


def spent(command, environment):
    """Seconds of the processor and of the clock."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, cwd=environment["TMPDIR"])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - start


def round_trips(environment):
    """Seconds of the processor for as many bare requests, by this process and the recorder."""
    code = """
import sys; sys.path.insert(0, %r)
import http.client, statwit
with statwit.Recorder.start() as recorder:
    for _ in range(%d): recorder._call("GET", "/healthz")
""" % (str(PACKAGE), TESTS)
    return spent([PYTHON, "-c", code], environment)[0]


PYTHON = os.path.abspath(shutil.which(os.environ.get("PYTHON", sys.executable)) or sys.executable)
binary, rounds = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 7
if subprocess.run([PYTHON, "-c", "import pytest"], stderr=subprocess.DEVNULL).returncode:
    sys.exit("bench-pytest: skipped, for want of pytest (PYTHON=build/helpers/python/venv/bin/python has it after `make helpers`)")
with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
    sink.bind(("127.0.0.1", 0))
    environment = {**{k: v for k, v in os.environ.items() if not k.startswith(("DD_", "STATWIT_"))}, "STATWIT_BIN": binary, "TMPDIR": folder,
                   "SINK": str(sink.getsockname()[1]), "PYTHONPATH": str(PACKAGE), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    for name, test in SUITES.items():
        (pathlib.Path(folder) / ("test_%s.py" % name)).write_text(APP % TESTS + test + "\n")
    used, took, bare_trips = {name: [] for name in SUITES}, {name: [] for name in SUITES}, []
    for _ in range(rounds):
        for name in SUITES:
            plugin = [] if name in ("bare", "fixture") else ["-p", "statwit.pytest"]
            cpu, clock = spent([PYTHON, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, "test_%s.py" % name], environment)
            used[name].append(cpu)
            took[name].append(clock)
        bare_trips.append(round_trips(environment))
print("%d tests, %d rounds       processor s  clock s  more than bare, ms of the processor a test" % (TESTS, rounds))
for name in SUITES:
    more = statistics.median(one - bare for one, bare in zip(used[name], used["bare"])) / TESTS * 1000
    print("%-26s %10.3f %8.3f %12.2f" % (name, statistics.median(used[name]), statistics.median(took[name]), more))
print("%-26s %10.3f" % ("%d bare round trips" % TESTS, statistics.median(bare_trips)))
