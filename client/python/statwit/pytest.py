"""The pytest plugin: a session of a recorder for each test that asks for `metrics`.

The recorder is that of --statwit-url or STATWIT_URL, or a private one, which starts when the first test needs it. With xdist the
controller starts it and all workers share it.
"""

import os

import pytest

import statwit

_RECORDER = pytest.StashKey[statwit.Recorder]()
_WORKER = pytest.StashKey[statwit.Session]()
_METRICS = pytest.StashKey[statwit.Session]()


def pytest_addoption(parser):
    group = parser.getgroup("statwit", "metrics recorder")
    group.addoption("--statwit-url", metavar="URL", help="use this recorder instead of a private one")
    group.addoption("--statwit-db", metavar="FILE", help="keep the private recorder's recording in this file")
    group.addoption("--statwit-catalog", metavar="FILE", action="append", default=[],
                    help="every test's names and tags must keep to this catalog (repeatable)")
    parser.addini("statwit_env", "the variables that a test gets: all, none, or their names", type="args", default=["all"])
    parser.addini("statwit_autouse", "every test gets a session, not only those that ask for one", type="bool", default=False)
    parser.addini("statwit_clients", "when clients are made: in the `test` (a session for each), or at `import` "
                  "(a session for each worker, a mark for each test)", default="test")


def pytest_configure(config):
    config.addinivalue_line("markers", "statwit(*expectations, **options): these must hold when the test has ended")
    if config.getini("statwit_clients") not in ("test", "import"):
        raise pytest.UsageError("statwit_clients must be `test` or `import`")
    if config.getini("statwit_clients") == "import" and not _is_controller(config):
        session = config.stash[_WORKER] = _recorder(config).session()
        os.environ.update(_wanted(config, session.env))


def pytest_unconfigure(config):
    session = config.stash.get(_WORKER, None)
    recorder = config.stash.get(_RECORDER, None)
    if session is not None:
        _close(config, session)
    if recorder is not None:
        recorder.stop()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """xdist: the controller starts the recorder, and tells each worker its URL."""
    node.workerinput["statwit_url"] = _recorder(node.config).url


@pytest.fixture(scope="session")
def statwit_recorder(pytestconfig):
    """The recorder of this run."""
    return _recorder(pytestconfig)


@pytest.fixture
def metrics(request, monkeypatch):
    """This test's statwit.Session; the Datadog variables of the environment lead to it while the test runs."""
    shared = request.config.stash.get(_WORKER, None)
    session = shared or _recorder(request.config).session(label=request.node.nodeid)
    request.node.stash[_METRICS] = session
    if shared:
        shared.mark()
    else:
        for name, value in _wanted(request.config, session.env).items():
            monkeypatch.setenv(name, value)
    yield session
    if not shared:
        _close(request.config, session)


@pytest.fixture(autouse=True)
def _statwit_auto(request):
    if _needs_session(request.node, request.config):
        request.getfixturevalue("metrics")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """Judges the marker's claims and the catalogs right behind the test, so that they are failures of the test itself."""
    outcome = yield
    if outcome.excinfo is None:
        try:
            _judge(item)
        except BaseException as failure:  # noqa: BLE001 (also pytest's own outcomes)
            outcome.force_exception(failure)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    session = item.stash.get(_METRICS, None)
    if report.when == "call" and report.failed and session is not None:
        try:
            report.sections.append(("metrics recorded", session.table()))
        except (statwit.Unavailable, statwit.Malformed) as why:
            report.sections.append(("metrics recorded", "unknown: %s" % why))


def pytest_terminal_summary(terminalreporter, config):
    recorder = config.stash.get(_RECORDER, None)
    if recorder is None or hasattr(config, "workerinput"):
        return
    try:
        losses = {word: n for word, n in recorder.status()["losses"].items() if n}
    except statwit.Unavailable as why:
        losses = {"the recorder is gone": str(why)}
    kept = config.getoption("--statwit-db")
    if losses or kept:
        terminalreporter.section("statwit")
    for word, n in losses.items():
        terminalreporter.line("lost: %s %s" % (word, n))
    if kept:
        terminalreporter.line("recording: %s (statwit ls --session '*' --db %s)" % (kept, kept))


def _is_controller(config):
    return not hasattr(config, "workerinput") and bool(getattr(config.option, "dist", "no") != "no")


def _recorder(config):
    recorder = config.stash.get(_RECORDER, None)
    if recorder is None:
        url = getattr(config, "workerinput", {}).get("statwit_url") or config.getoption("--statwit-url")
        if url:
            recorder = statwit.Recorder(url)
            recorder.check()
        else:
            recorder = statwit.Recorder.find(db=config.getoption("--statwit-db"))
        config.stash[_RECORDER] = recorder
    return recorder


def _wanted(config, env):
    names = config.getini("statwit_env")
    if names == ["none"]:
        return {}
    return dict(env) if names == ["all"] else {name: env[name] for name in names if name in env}


def _needs_session(node, config):
    return bool(node.get_closest_marker("statwit") or config.getini("statwit_autouse") or config.getoption("--statwit-catalog"))


def _close(config, session):
    """A recording that is kept keeps its sessions, too."""
    try:
        session.close(keep=bool(config.getoption("--statwit-db")))
    except statwit.Malformed:
        pass  # the test has closed it


def _judge(item):
    session = item.stash.get(_METRICS, None)
    if session is None:
        return
    reports = [session.ask(*marker.args, **marker.kwargs) for marker in item.iter_markers("statwit") if marker.args]
    catalogs = item.config.getoption("--statwit-catalog")
    if catalogs:
        reports.append(session.verify(*catalogs))
    failed = [report for report in reports if report.verdict != "pass"]
    if failed:
        pytest.fail("\n".join("statwit: %s\n%s" % (report.verdict, report.text) for report in failed), pytrace=False)
