"""emit.py SETTINGS CALLS FOLDER (of the files of the package sentry): makes the calls with Sentry's own metrics; prints what its database was told, as JSON."""

import contextlib
import json
import sys
import threading
import time

import stand_ins

settings_file, calls_file, folder = sys.argv[1:]
with open(settings_file) as file:
    database = stand_ins.install(folder, json.load(file))
from sentry.utils import metrics  # noqa: E402


class Failed(Exception):
    """What the block of a timer raises."""


def busy(ms):
    until = time.monotonic() + ms / 1000
    while time.monotonic() < until:
        pass


def time_block(call, options):
    with contextlib.suppress(Failed):
        with metrics.timer(call["key"], **options) as tags:
            tags.update(call.get("add", {}))
            busy(call["busy_ms"])
            make(call.get("calls", []))
            if call.get("fail"):
                raise Failed


def make_one(call):
    what = call["call"]
    options = {name: call[name] for name in ("amount", "instance", "tags", "sample_rate", "skip_internal") if name in call}
    if what == "global_tags":
        with metrics.global_tags(_all_threads=call.get("all_threads", False), **call["tags"]):
            make(call["calls"])
    elif what == "thread":
        thread = threading.Thread(target=make, args=(call["calls"],))
        thread.start()
        thread.join()
    elif what == "timer":
        time_block(call, options)
    elif what == "incr":
        metrics.incr(call["key"], **options)
    else:
        value = call["value"]
        # JSON has no word for what is not finite.
        getattr(metrics, what)(call["key"], float(value) if isinstance(value, str) else value, **options)


def make(calls):
    for call in calls:
        for _ in range(call.get("times", 1)):
            make_one(call)


with open(calls_file) as file:
    make(json.load(file))
if metrics.internal._started:
    metrics.internal.q.join()
json.dump(database.counts, sys.stdout)
# What Sentry's datadog backend has not yet sent leaves when Python ends: datadogpy asks for that with atexit.
