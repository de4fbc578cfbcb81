"""Asserts which metrics a program emitted, with a statwit recorder (see the README).

    with statwit.Recorder.start() as recorder, recorder.session() as metrics:
        os.environ.update(metrics.env)
        run_the_program()
        metrics.expect("incr login.attempt{instance:failure} sum == 1")

Standard library only. Recorder and Session may be used from several threads; each thread has a connection of its own.
"""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import threading
import urllib.parse

__version__ = "0.1.0"
__all__ = ["Inconclusive", "Malformed", "Recorder", "Report", "Session", "Unavailable", "find_binary"]

API = 1  # the number in the ready line and in the status that this helper was written for
_LABEL_MAX = 1024  # bytes
_NO_LABELS = "unknown field 'label'"  # says an older server
_ANSWER_S = 60  # for an answer, beyond the time that the question itself may wait


class Unavailable(Exception):
    """No recorder: there is no binary, it does not start, or the server does not answer as one."""


class Malformed(ValueError):
    """The server refused a question; the text shows the place."""


class Inconclusive(Exception):
    """Something was lost that could have changed the verdict. It is no AssertionError, so that a test that waits for one does not
    take this for it. `report` is the Report."""

    def __init__(self, report):
        super().__init__("statwit: %s\n%s" % (report.verdict, report.text))
        self.report = report


def find_binary():
    """The path of the binary: STATWIT_BIN, the one in this package, the one in PATH."""
    given = os.environ.get("STATWIT_BIN")
    if given:
        if not os.access(given, os.X_OK):
            raise Unavailable("STATWIT_BIN is %r, which is no program that can be run" % given)
        return given
    inside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "statwit")
    for path in (inside, *(os.path.join(folder, "statwit") for folder in os.environ.get("PATH", "").split(os.pathsep) if folder)):
        if os.path.isfile(path) and os.access(path, os.X_OK) and not _is_script(path):
            return path
    import sysconfig  # a suite pays for what it imports

    raise Unavailable(
        "there is no statwit program for %s in this package or in PATH: install it, set STATWIT_BIN to its path, "
        "or start it elsewhere and set STATWIT_URL" % sysconfig.get_platform()
    )


def _is_script(path):
    """Whether it may be the command `statwit` of this package, or a shim for that: they would only look for the program again."""
    with open(path, "rb") as file:
        return file.read(2) == b"#!"


class Report:
    """A verdict. It is true for `pass`, false for `fail`; an `inconclusive` one is neither, and fails the test that asks.

    `text` is the server's explanation."""

    def __init__(self, answer):
        self.json = answer
        self.verdict = answer["verdict"]
        self.text = answer["text"].rstrip()

    def __bool__(self):
        if self.verdict == "inconclusive":
            _assert(self)
        return self.verdict == "pass"

    def __repr__(self):
        return "<statwit: %s>\n%s" % (self.verdict, self.text)


class Recorder:
    """A running statwit: one that somebody else runs (`Recorder(url)`), or a private one (`Recorder.start()`)."""

    def __init__(self, url, token=None):
        at = urllib.parse.urlsplit(url)
        if at.scheme not in ("http", "https") or not at.hostname:
            raise Unavailable("%r is no URL of a statwit server, such as http://127.0.0.1:8125" % url)
        self.url = url.rstrip("/")
        self._at = at
        self._token = token or os.environ.get("STATWIT_TOKEN")
        self._process = None
        self._local = threading.local()

    @classmethod
    def find(cls, **start):
        """The recorder of STATWIT_URL where that is set, else a private one."""
        url = os.environ.get("STATWIT_URL")
        if not url:
            return cls.start(**start)
        recorder = cls(url)
        recorder.check()
        return recorder

    @classmethod
    def start(cls, db=None, args=()):
        """A private recorder on free ports. It ends with this process, however that ends. `db`: a file for the recording."""
        command = [find_binary(), "serve", "--private", *(["--db", os.fspath(db)] if db else []), *args]
        try:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as why:
            raise Unavailable("cannot start %s: %s" % (command[0], why)) from why
        try:
            ready = json.loads(process.stdout.readline() or b"null")
            if not ready:
                raise Unavailable("%s ended with status %d before it was ready" % (" ".join(command), process.wait()))
            _check_api(ready, command[0])
        except BaseException as why:
            process.kill()
            process.communicate()
            if isinstance(why, ValueError):
                raise Unavailable("%s does not answer as statwit does" % command[0]) from why
            raise
        recorder = cls(ready["http"])
        recorder._token = None  # that of the environment is for another server
        recorder._process = process
        # A child of this process must not keep the server alive: the server ends when no process holds the pipe.
        os.register_at_fork(after_in_child=lambda: _close_quietly(process.stdin))
        return recorder

    def check(self):
        """Raises Unavailable unless a statwit of the right kind answers."""
        _check_api(self._call("GET", "/recorder/v1/status"), self.url)

    def session(self, name=None, label=None):
        """A new session, empty and apart from all others. The label says whose it is: the name of a test."""
        body = {"name": name} if name else {}
        if label:
            body["label"] = label.replace("\0", "").encode(errors="replace")[:_LABEL_MAX].decode(errors="ignore")
        return Session(self, self._new_session(body))

    def _new_session(self, body):
        try:
            return self._call("POST", "/recorder/v1/sessions", body or None)
        except Malformed as why:
            # An older server knows no labels, and is as good without one.
            if "label" not in body or not str(why).startswith(_NO_LABELS):
                raise
            return self._new_session({key: value for key, value in body.items() if key != "label"})

    def status(self):
        return self._call("GET", "/recorder/v1/status")

    def stop(self):
        """Ends a private recorder; closes the connection to another."""
        self._disconnect()
        process, self._process = self._process, None
        if process is None:
            return
        _close_quietly(process.stdin)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _disconnect(self):
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
        self._local.connection = None

    def _connect(self, wait_s):
        """This thread's connection; a forked child makes one of its own."""
        connection = getattr(self._local, "connection", None)
        if connection is None or self._local.pid != os.getpid():
            kind = http.client.HTTPSConnection if self._at.scheme == "https" else http.client.HTTPConnection
            connection = kind(self._at.hostname, self._at.port, timeout=_ANSWER_S)
            self._local.connection, self._local.pid = connection, os.getpid()
        if connection.sock is None:
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sock.settimeout(wait_s + _ANSWER_S)
        return connection

    def _call(self, method, path, body=None, wait_s=0):
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = "Bearer " + self._token
        data = None if body is None else json.dumps(body).encode()
        for again in (True, False):
            try:
                kept = getattr(self._local, "connection", None) is not None
                connection = self._connect(wait_s)
                connection.request(method, self._at.path.rstrip("/") + path, data, headers)
                answer = connection.getresponse()
                status, text = answer.status, answer.read()
                break
            except (http.client.HTTPException, OSError) as why:
                self._disconnect()
                # A kept connection may have been closed by the server; only then the same question is asked once more.
                if not (kept and again and isinstance(why, (http.client.RemoteDisconnected, ConnectionError))):
                    raise Unavailable("%s does not answer: %s" % (self.url, why or type(why).__name__)) from why
        try:
            value = json.loads(text) if text else {}
        except ValueError as why:
            raise Unavailable("%s did not answer with JSON: is it a statwit server?" % self.url) from why
        if status == 401:
            raise Unavailable("%s asks for a token: set STATWIT_TOKEN" % self.url)
        if status >= 500:
            raise Unavailable("%s: %s" % (self.url, value.get("error", status)))
        if status >= 400:
            raise Malformed(value.get("text") or value.get("error") or "%s %s: %d" % (method, path, status))
        return value


class Session:
    """The metrics of one test, apart from all others.

    `env` holds the variables that lead a client here, `host` and `port` its UDP address, `api_key` its key over HTTP.
    """

    def __init__(self, recorder, made):
        self.recorder = recorder
        self.name = made["name"]
        self.env = dict(made["env"])
        self.api_key = made["api_key"]
        self.host, port = made["dogstatsd"]["udp"].rsplit(":", 1)
        self.host = self.host.strip("[]")
        self.port = int(port)
        self._since = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ask(self, *expectations, within=0, settle=0, **more):
        """The Report on these expectations. `within`: seconds to wait until they hold."""
        question = {"expect": list(expectations), "session": self.name, "within_ms": int(within * 1000)}
        if settle:
            question["settle_ms"] = int(settle * 1000)
        return self._judge("expect", {**question, **more}, within + settle)

    def expect(self, *expectations, within=0, settle=0, **more):
        """Fails the test unless the verdict on these expectations is `pass`."""
        __tracebackhide__ = True
        _assert(self.ask(*expectations, within=within, settle=settle, **more))

    async def expect_soon(self, *expectations, within=5, **more):
        """The same for tests in an event loop, which goes on while this waits."""
        import asyncio  # who awaits this has it already

        __tracebackhide__ = True
        _assert(await asyncio.to_thread(self.ask, *expectations, within=within, **more))

    def verify(self, *catalogs, **more):
        """The Report on the names and tags of the session against these catalog files. Files that they include go along."""
        files = [{"file": os.fspath(path), "text": _read(path)} for path in catalogs]
        return self._judge("verify", {"catalog": files, "session": self.name, **more})

    def lint(self, **more):
        """The Report on what Datadog would rewrite, drop or charge for."""
        return self._judge("lint", {"session": self.name, **more})

    def mark(self):
        """From now on this session looks only at what comes later: for one client that several tests share."""
        self._since = self.recorder._call("POST", "/recorder/v1/marks")["mark"]

    def series(self, name=None):
        return self._list("series", name)

    def samples(self, name=None):
        return self._list("samples", name)

    def events(self):
        return self._list("events")

    def checks(self):
        return self._list("service_checks")

    def rejects(self):
        return self._list("rejects")

    def table(self):
        """What was recorded, for a person."""
        lines = ["%-12s %s{%s} samples=%d sum=%s last=%s" % (s["type"], s["name"], ",".join(s["tags"]), s["samples"],
                                                           s["sum"], s["last"]) for s in self.series()]
        lines += ["event        %s: %s" % (e["title"], e["text"]) for e in self.events()]
        lines += ["check        %s %s" % (c["name"], c["status"]) for c in self.checks()]
        lines += ["refused      %s: %s" % (r["detail"], r["text"]) for r in self.rejects()]
        return "\n".join(lines) or "nothing"

    def reset(self):
        """Forgets what was recorded."""
        self.recorder._call("POST", "/recorder/v1/reset?" + urllib.parse.urlencode({"session": self.name}))

    def close(self, keep=False):
        """Ends the session. What is sent to it from now on reaches no other test. `keep`: its recording stays."""
        path = "/recorder/v1/sessions/" + urllib.parse.quote(self.name, safe="")
        self.recorder._call("DELETE", path + ("?keep=1" if keep else ""))

    def _judge(self, what, question, wait_s=0):
        if self._since is not None:
            question.setdefault("since", self._since)
        return Report(self.recorder._call("POST", "/recorder/v1/" + what, question, wait_s))

    def _list(self, what, name=None):
        query = {"session": self.name, "limit": 100000000}
        if name:
            query["name"] = name
        if self._since is not None:
            query["since"] = self._since
        return self.recorder._call("GET", "/recorder/v1/%s?%s" % (what, urllib.parse.urlencode(query)))[what]


def _assert(report):
    __tracebackhide__ = True
    if report.verdict == "inconclusive":
        raise Inconclusive(report)
    if report.verdict != "pass":
        raise AssertionError("statwit: %s\n%s" % (report.verdict, report.text))


def _check_api(told, who):
    found = told.get("api") if isinstance(told, dict) else None
    if found != API:
        raise Unavailable("%s speaks api %s, and this helper (%s) speaks api %d: install the two of one version"
                          % (who, found, __version__, API))


def _close_quietly(pipe):
    with contextlib.suppress(OSError, ValueError):
        pipe.close()


def _read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()
