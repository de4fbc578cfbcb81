"""The plugin, in pytest runs of its own."""

import importlib.util

import pytest

CLIENT = """
import os, socket
def emit(*lines):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for line in lines:
            udp.sendto(line.encode(), (os.environ["DD_AGENT_HOST"], int(os.environ["DD_DOGSTATSD_PORT"])))
"""


@pytest.fixture
def run(pytester):
    pytester.makepyfile(app=CLIENT)

    def run(text, *args, ini=""):
        pytester.makeini("[pytest]\n" + ini)
        pytester.makepyfile(test_it="import pytest\nfrom app import emit\n" + text)
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", *args)

    return run


def test_a_session_for_each_test(run):
    result = run("""
def test_one(metrics):
    emit("a:1|c")
    metrics.expect("incr a sum == 1")
def test_two(metrics):
    emit("b:1|c")
    metrics.expect("incr b sum == 1", "no any a")
""")
    result.assert_outcomes(passed=2)


def test_a_session_is_labelled_with_its_test(run):
    result = run("""
@pytest.mark.parametrize("x", ["é" * 2000])
def test_one(metrics, statwit_recorder, x):
    sessions = statwit_recorder._call("GET", "/recorder/v1/sessions")["sessions"]
    labels = [s["label"] for s in sessions if s["name"] == metrics.name]
    assert labels[0].startswith("test_it.py::test_one[") and len(labels[0].encode()) <= 1024
""")
    result.assert_outcomes(passed=1)


def test_a_failure_shows_the_explanation_and_what_was_recorded(run):
    result = run("""
def test_one(metrics):
    emit("login.attempts:1|c")
    metrics.expect("incr login.attempt")
""")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*statwit: fail*", "*incr login.attempt*", "*metrics recorded*", "count*login.attempts{}*"])
    assert "statwit/__init__.py" not in result.stdout.str()


def test_a_marker_judges_behind_the_test_as_a_failure_of_the_test(run):
    result = run("""
@pytest.mark.statwit("incr a sum == 1", "no any errors.*")
def test_good():
    emit("a:1|c")
@pytest.mark.statwit("incr a sum == 1")
def test_bad():
    emit("a:2|c")
@pytest.mark.statwit("no any errors.*")
class TestClass:
    @pytest.mark.statwit("incr a")
    def test_both_markers_count(self):
        emit("a:1|c", "errors.x:1|c")
@pytest.mark.statwit("incr a")
def test_fails_by_itself():
    assert 1 == 2
""")
    result.assert_outcomes(passed=1, failed=3)
    result.stdout.fnmatch_lines(["*errors.x*"])
    result.stdout.no_fnmatch_line("*ERROR at teardown*")


def test_no_server_outlives_a_run_that_is_killed(run, pytester):
    result = run("""
import os
def test_one(metrics):
    print(metrics.recorder.status()["pid"], file=open("pid", "w"), flush=True)
    os.kill(os.getpid(), 9)
""")
    assert result.ret == -9
    import subprocess
    subprocess.run(["timeout", "60", "tail", "--pid=" + (pytester.path / "pid").read_text().strip(), "-f", "/dev/null"], check=True)


def test_an_empty_run_starts_no_server(run, monkeypatch):
    monkeypatch.setenv("STATWIT_BIN", "/nowhere/statwit")
    run("def test_one(): pass").assert_outcomes(passed=1)
    result = run("def test_one(metrics): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*STATWIT_BIN*/nowhere/statwit*"])


def test_clients_made_at_import(run):
    text = """
import os
PORT = os.environ["DD_DOGSTATSD_PORT"]
@pytest.mark.parametrize("n", range(3))
def test_one(metrics, n):
    assert str(metrics.port) == PORT
    emit("a:%d|c" % n)
    metrics.expect("incr a sum == %d" % n, "incr a samples == 1")
"""
    run(text, ini="statwit_clients = import").assert_outcomes(passed=3)
    result = run(text, ini="statwit_clients = tests")
    assert result.ret != 0
    result.stderr.fnmatch_lines(["*statwit_clients must be*"])


@pytest.mark.skipif(not importlib.util.find_spec("xdist"), reason="no pytest-xdist")
@pytest.mark.parametrize("clients", ["test", "import"])
def test_xdist_has_one_server(run, clients):
    text = """
import os
@pytest.mark.parametrize("n", range(20))
def test_one(metrics, n):
    with open("urls", "a") as urls:
        print(metrics.recorder.url, file=urls)
    emit("a:%d|c" % n)
    metrics.expect("incr a sum == %d" % n, "incr a samples == 1")
"""
    result = run(text, "-n", "3", ini="statwit_clients = " + clients)
    result.assert_outcomes(passed=20)
    with open("urls") as urls:
        assert len(set(urls)) == 1


def test_variables_can_be_chosen(run):
    text = """
import os
def test_one(metrics):
    assert ("DD_AGENT_HOST" in os.environ, "DD_API_KEY" in os.environ) == %s
"""
    for ini, wanted in (("none", (False, False)), ("DD_AGENT_HOST", (True, False)), ("all", (True, True))):
        run(text % (wanted,), ini="statwit_env = " + ini).assert_outcomes(passed=1)


def test_a_catalog_holds_every_test_to_it(run, pytester):
    pytester.makefile(".json", catalog='{"metrics": {"a": {"type": "count"}}}')
    result = run("""
def test_good():
    emit("a:1|c")
def test_bad():
    emit("b:1|c")
""", "--statwit-catalog", "catalog.json")
    result.assert_outcomes(passed=1, failed=1)


def test_a_kept_recording_is_named(run):
    result = run("""
def test_one(metrics):
    emit("a:1|c")
    metrics.expect("incr a")
""", "--statwit-db", "kept.db")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["recording: kept.db*"])


def test_autouse(run):
    run("""
import os
def test_one():
    assert os.environ["DD_AGENT_HOST"]
""", ini="statwit_autouse = true").assert_outcomes(passed=1)
