"""For unittest: a session for each test.

    class LoginTest(statwit.unittest.MetricsTest, unittest.TestCase):
        def test_failure(self):
            login()
            self.metrics.expect("incr login.attempt{instance:failure} sum == 1")
"""

import atexit
import os
import threading
from unittest import mock

from statwit import Recorder

_lock = threading.Lock()
_recorders = {}  # by process: a forked worker has one of its own


def recorder():
    """The recorder of this process: that of STATWIT_URL, or a private one that ends with the process."""
    with _lock:
        found = _recorders.get(os.getpid())
        if found is None:
            found = _recorders[os.getpid()] = Recorder.find()
            atexit.register(found.stop)
        return found


class MetricsTest:
    """A mix-in that gives each test `self.metrics`, with the environment leading there."""

    def setUp(self):
        super().setUp()
        self.metrics = recorder().session(label=self.id())
        self.addCleanup(self.metrics.close)
        environment = mock.patch.dict(os.environ, self.metrics.env)
        environment.start()
        self.addCleanup(environment.stop)
