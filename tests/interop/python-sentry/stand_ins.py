"""What Sentry's metrics import that is not theirs: Django's settings, the time series database, two helpers. And a socket
that waits."""

import functools
import importlib
import os
import socket
import sys
import threading
import types


class Database:
    """Counts what Sentry hands to its time series database: the internal metrics."""

    models = types.SimpleNamespace(internal="internal")

    def __init__(self):
        self.counts = {}
        self.lock = threading.Lock()

    def incr(self, model, key, count=1):
        assert model == self.models.internal
        with self.lock:
            self.counts[key] = self.counts.get(key, 0) + count


class PatientSocket(socket.socket):
    """datadogpy never waits: it drops what a Unix socket has no room for. Here nothing may be missing."""

    def settimeout(self, timeout):
        super().settimeout(timeout or None)

    def setblocking(self, flag):
        super().setblocking(True)


def import_string(path):
    module, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


def install(folder, settings):
    """Makes `import sentry.utils.metrics` find the files in folder, with these settings. Returns the database."""
    database = Database()

    def module(name, **members):
        made = sys.modules[name] = types.ModuleType(name)
        vars(made).update(members)
        return made

    socket.socket = PatientSocket
    module("django")
    module("django.conf", settings=types.SimpleNamespace(**settings))
    module("sentry", tsdb=database).__path__ = [folder]
    module("sentry.utils").__path__ = [os.path.join(folder, "utils")]
    module("sentry.utils.imports", import_string=import_string)
    module("sentry.utils.cache", memoize=functools.cached_property)
    return database
