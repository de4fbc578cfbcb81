import asyncio
import http.server
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import unittest

import pytest

import statwit
import statwit.unittest

PACKAGE = pathlib.Path(statwit.__file__).parents[1]


def program(path, text):
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


def test_no_binary_names_what_to_set(monkeypatch):
    monkeypatch.delenv("STATWIT_BIN", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(statwit, "__file__", "/nowhere/statwit/__init__.py")  # as if the wheel carried none
    with pytest.raises(statwit.Unavailable, match="STATWIT_BIN.*STATWIT_URL"):
        statwit.find_binary()
    monkeypatch.setenv("STATWIT_BIN", "/nowhere/statwit")
    with pytest.raises(statwit.Unavailable, match="/nowhere/statwit"):
        statwit.find_binary()


def test_a_script_in_path_is_no_binary(monkeypatch, tmp_path):
    """It may be the command of this package, which would look again, for ever."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    program(tmp_path / "a" / "statwit", "exec statwit")
    (tmp_path / "b" / "statwit").symlink_to(sys.executable)
    monkeypatch.delenv("STATWIT_BIN", raising=False)
    monkeypatch.setattr(statwit, "__file__", "/nowhere/statwit/__init__.py")
    monkeypatch.setenv("PATH", "%s:%s" % (tmp_path / "a", tmp_path / "b"))
    assert statwit.find_binary() == str(tmp_path / "b" / "statwit")


@pytest.mark.parametrize("text, says", [
    ("exit 3", "status 3"),
    ("echo no json; cat", "does not answer as statwit does"),
    ("""echo '{"ready":true,"api":99,"http":"http://127.0.0.1:1"}'; cat""", "api 99.*api 1"),
    ("""echo '{"ready":true,"http":"http://127.0.0.1:1"}'; cat""", "api None"),
])
def test_a_binary_that_is_no_statwit_of_ours(tmp_path, monkeypatch, text, says):
    monkeypatch.setenv("STATWIT_BIN", program(tmp_path / "statwit", text))
    with pytest.raises(statwit.Unavailable, match=says):
        statwit.Recorder.start()


@pytest.mark.parametrize("url", ["", "127.0.0.1:8125", "udp://127.0.0.1", "http://127.0.0.1:1"])
def test_a_url_that_leads_nowhere(url):
    with pytest.raises(statwit.Unavailable):
        statwit.Recorder(url).check()


@pytest.mark.parametrize("status, body, says", [
    (200, "<html>", "is it a statwit server"), (404, "not found", "is it a statwit server"), (200, "[]", "api None"),
    (200, "{}", "api None"), (200, '{"api": 2}', "api 2.*api 1"), (401, "{}", "STATWIT_TOKEN"), (503, '{"error": "busy"}', "busy"),
])
def test_another_server(monkeypatch, status, body, says):
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("STATWIT_URL", "http://127.0.0.1:%d" % server.server_port)
        try:
            with pytest.raises(statwit.Unavailable, match=says):
                statwit.Recorder.find()
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("says, again", [("unknown field 'label'; did you mean 'table'?", True), ("no label today", False)])
def test_an_older_server_knows_no_label(says, again):
    asked = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(body)
            text = {"error": says} if "label" in body else {"name": body["name"], "env": {}, "api_key": "", "dogstatsd": {"udp": "127.0.0.1:1"}}
            self.send_response(400 if "label" in body else 201)
            self.end_headers()
            self.wfile.write(json.dumps(text).encode())

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            recorder = statwit.Recorder("http://127.0.0.1:%d" % server.server_port)
            if again:
                assert recorder.session("a", "b").name == "a"
            else:
                with pytest.raises(statwit.Malformed, match=says):
                    recorder.session("a", "b")
        finally:
            server.shutdown()
            thread.join()
    assert asked == [{"name": "a", "label": "b"}] + [{"name": "a"}] * again


def test_the_url_of_the_environment_is_not_started(monkeypatch, statwit_recorder):
    monkeypatch.setenv("STATWIT_BIN", "/nowhere/statwit")
    monkeypatch.setenv("STATWIT_URL", statwit_recorder.url)
    recorder = statwit.Recorder.find()
    with recorder.session("by-url") as session:
        assert session.name == "by-url"
    recorder.stop()
    assert statwit_recorder.status()["version"]


def test_the_machines_settings_do_not_matter(monkeypatch, send):
    monkeypatch.setenv("DD_DOGSTATSD_SOCKET", "/nowhere/dsd.socket")
    monkeypatch.setenv("DD_TAGS", "team:x")
    monkeypatch.setenv("STATWIT_DB", "/nowhere/statwit.db")
    monkeypatch.setenv("STATWIT_TOKEN", "not\none")
    monkeypatch.setenv("HOME", "/nowhere")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with statwit.Recorder.start() as recorder, recorder.session() as session:
        send(session, "a:1|c")
        session.expect("incr a[] sum == 1")


def test_a_home_that_cannot_be_written_to(monkeypatch, send):
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, "/proc")
    with statwit.Recorder.start() as recorder, recorder.session() as session:
        send(session, "a:1|c")
        session.expect("incr a sum == 1")


KILLED = """
import json, os, statwit
recorder = statwit.Recorder.start()
if os.fork() == 0:  # a child that lives on must not keep the server alive
    os.close(1)
    os.read(0, 1)
    os._exit(0)
print(json.dumps(recorder._process.pid), flush=True)
os.kill(os.getpid(), 9)
"""


def test_no_server_outlives_a_killed_test():
    child = subprocess.Popen([sys.executable, "-c", KILLED], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             env={**os.environ, "PYTHONPATH": str(PACKAGE)})
    server = int(child.stdout.readline())
    assert child.wait() == -signal.SIGKILL
    ended = os.pidfd_open(server) if os.path.exists("/proc/%d" % server) else None
    if ended is not None:
        import select
        assert select.select([ended], [], [], 30)[0], "the server lives on"
        os.close(ended)
    child.stdin.close()


def test_a_private_recorder_ends(tmp_path):
    recorder = statwit.Recorder.start(db=tmp_path / "kept.db")
    process = recorder._process
    recorder.stop()
    assert process.returncode == 0
    assert (tmp_path / "kept.db").exists()


def test_threads_ask_at_once(statwit_recorder, send):
    failures = []

    def one():
        try:
            with statwit_recorder.session() as session:
                send(session, "a:1|c")
                session.expect("incr a sum == 1", "no any b")
        except BaseException as why:
            failures.append(why)

    threads = [threading.Thread(target=one) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not failures


def test_a_forked_child_asks_too(metrics, send):
    send(metrics, "a:1|c")
    metrics.expect("incr a")
    child = os.fork()
    if child == 0:
        os._exit(0 if metrics.ask("incr a sum == 1") else 1)
    assert os.waitpid(child, 0)[1] == 0
    metrics.expect("incr a sum == 1")


def test_within_waits_for_what_comes(metrics, send):
    timer = threading.Timer(0.05, send, [metrics, "late:1|c"])
    timer.start()
    metrics.expect("incr late", within=30)
    timer.join()


def test_an_event_loop_goes_on_meanwhile(metrics, send):
    async def test():
        waiting = asyncio.create_task(metrics.expect_soon("incr late", within=30))
        await asyncio.sleep(0)
        send(metrics, "late:1|c")
        await waiting
        with pytest.raises(AssertionError):
            await metrics.expect_soon("incr never", within=0)

    asyncio.run(test())


def test_what_comes_after_the_end_reaches_no_other_test(statwit_recorder, send):
    ended = statwit_recorder.session()
    ended.close()
    with statwit_recorder.session() as session:
        send(ended, "late:1|c")
        session.expect("no any *")
    assert not [s for s in statwit_recorder._call("GET", "/recorder/v1/series?session=default")["series"]]


def test_lists(metrics, send):
    send(metrics, "a.b:1|c|#env:ci", "c:2|g", "_e{1,1}:T|x", "_sc|up|0", "bad", "d:1|c|@x")
    assert [s["name"] for s in metrics.series("a.*")] == ["a.b"]
    assert [s["value"] for s in metrics.samples("c")] == [2]
    assert [e["title"] for e in metrics.events()] == ["T"]
    assert [c["status"] for c in metrics.checks()] == ["ok"]
    assert "bad" in [r["text"] for r in metrics.rejects()]
    table = metrics.table()
    assert "a.b{env:ci} samples=1 sum=1" in table and "refused" in table
    metrics.reset()
    assert metrics.table() == "nothing"
    assert metrics.lint()


def test_a_list_is_whole(metrics, send):
    for _ in range(60):
        send(metrics, "n:1|c\n" * 200)
    metrics.expect("incr n samples == 12000")
    assert len(metrics.samples("n")) == 12000


def test_a_mark_hides_what_came_before(metrics, send):
    send(metrics, "old:1|c")
    metrics.mark()
    send(metrics, "new:1|c")
    metrics.expect("incr new", "no any old")
    assert [s["name"] for s in metrics.series()] == ["new"]


def test_a_catalog(metrics, send, tmp_path):
    catalog = tmp_path / "catalog.json"
    catalog.write_text(json.dumps({"metrics": {"a": {"type": "count"}}}))
    send(metrics, "a:1|c")
    assert metrics.verify(catalog)
    send(metrics, "b:1|c")
    report = metrics.verify(catalog)
    assert not report and "b" in report.text


def test_unittest_gives_each_test_a_session(send, monkeypatch, statwit_recorder):
    monkeypatch.setenv("STATWIT_URL", statwit_recorder.url)
    seen = []

    class Tests(statwit.unittest.MetricsTest, unittest.TestCase):
        def test_one(self):
            seen.append(os.environ["DD_DOGSTATSD_PORT"])
            send(self.metrics, "a:1|c")
            self.metrics.expect("incr a sum == 1")

        def test_two(self):
            seen.append(os.environ["DD_DOGSTATSD_PORT"])
            send(self.metrics, "b:1|c")
            self.metrics.expect("incr a sum == 1")

    before = os.environ.get("DD_DOGSTATSD_PORT")
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Tests).run(result)
    assert (result.testsRun, len(result.failures), len(result.errors)) == (2, 1, 0)
    assert "incr a sum == 1" in result.failures[0][1]
    assert len(set(seen)) == 2 and os.environ.get("DD_DOGSTATSD_PORT") == before


def test_unittest_in_an_event_loop(send, monkeypatch, statwit_recorder):
    monkeypatch.setenv("STATWIT_URL", statwit_recorder.url)

    class Tests(statwit.unittest.MetricsTest, unittest.IsolatedAsyncioTestCase):
        async def test_good(self):
            waiting = asyncio.create_task(self.metrics.expect_soon("incr late", within=30))
            await asyncio.sleep(0)
            send(self.metrics, "late:1|c")
            await waiting

        async def test_bad(self):
            await self.metrics.expect_soon("incr never", within=0)

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Tests).run(result)
    assert (result.testsRun, len(result.failures), len(result.errors)) == (2, 1, 0)


def test_python_m_runs_the_program():
    told = subprocess.run([sys.executable, "-m", "statwit", "--version"], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(PACKAGE)})
    assert told.stdout.startswith("statwit ")
