"""What goes wrong between a recording and an engine: each has its exit code and its words, nothing is visible half, and nothing twice.
edges_test.py [unittest's arguments]

    down                    Down                       loses answers, lies            fleet_test, Push.test_every_lie…, Questions.test_every_lie…
    slow                    Push, Questions            dies during a push             Push.test_an_engine_that_dies_at_any_request
    out of space            Full                       dies during a question         Questions.test_an_engine_that_dies_at_any_request
    read-only               Full; fleet_test (users)   a pusher dies                  Push.test_a_pusher_that_dies_at_any_request
    older                   Down                       a shard is missing             Shards
    without tables, newer   fleet_test                 names, labels                  fleet_test; Push.test_labels…
    two pushes at once      fleet_test; Push           still being written            fleet_test
    passwords in URLs       Down                       a certificate; users       Tls; Users
"""

import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import fleet_test as fleet
from engine import Engine, free_ports
from fleet_test import CLEAN, STATWIT, lines, post, statwit
from proxy import Proxy

CLAIMS = ("timing http.request p95 < 5000", "incr frac.sum sum > 0", "set users.unique distinct > 1", "any *.t* series >= 1", "event title")
ROOT = os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0


def questions(folder, other):
    """Each command that reads a recording; --db comes behind."""
    catalog = os.path.join(folder, "catalog.json")
    with open(catalog, "w", encoding="ascii") as file:
        json.dump({"metrics": {name: {} for name in fleet.TYPES}}, file)
    return [["ls"], ["samples", "-n", "9"], ["rejects"], ["events"], ["checks"], ["expect", *CLAIMS], ["verify", "--catalog", catalog],
            ["lint"], ["snapshot", "--counts"], ["export"], ["value", "count frac.sum sum"], ["catalog", "infer"], ["diff", other]]


def asked(question, url, *more):
    """A question as the command line takes it."""
    return [*question, url, *more] if question[0] == "diff" else [*question, "--db", url, *more]


def in_time(push):
    """What push(timeout) tells: with more time as long as an answer came too late for it, as on a busy machine."""
    for timeout in ("1s", "10s", "60s"):
        told = push(timeout)
        if "timed out" not in told:
            break
    return told


class Case(unittest.TestCase):
    shards, prepare, undo = 1, None, None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="statwit-edges-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        engine = Engine(cls.shards, cls.prepare, cls.undo)
        cls.nodes = engine.__enter__()
        cls.addClassCleanup(engine.__exit__)
        cls.node = cls.nodes[0]
        for node in cls.nodes:
            statwit("push", "--init", "--to", node.url("statwit"), *(["--cluster", "fleet"] if cls.shards > 1 else []))
        cls.path = cls.record("plain", lambda r: post(r, *lines(3000, 3), "_e{5,4}:title|text", "_sc|app.ok|1", "bad line"))

    @classmethod
    def record(cls, name, feed):
        path = os.path.join(cls.folder, name + ".db")
        with fleet.Recorder("--db", path) as r:
            feed(r)
            r.get("status")
        return path

    def push(self, label, *more, port=None, **how):
        return statwit("push", self.path, "--label", f"repo={label}", "--with-requests", "--to", f"clickhouse://127.0.0.1:{port or self.node.http}/statwit", *more,
                       **how)

    def whole(self, label):
        done = subprocess.run([fleet.COMPARE, self.path, self.node.url("statwit", "repo=" + label), "quick"], capture_output=True, text=True, errors="replace",
                              timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:])

    def whole_or_nothing(self, label):
        got = statwit("value", "any * samples", "--db", self.node.url("statwit", "repo=" + label), code=None, binary=True)
        self.assertIn((got.returncode, got.stdout.strip()), ((0, b"3000"), (2, b"")), got.stderr)


class Down(unittest.TestCase):
    """No engine at all, or one that is none."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="statwit-edges-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.path = Case.record.__func__(cls, "plain", lambda r: post(r, "a:1|c"))

    def test_down(self):
        nobody = "clickhouse://127.0.0.1:1/statwit"
        for question in questions(self.folder, nobody):
            with self.subTest(question[0]):
                told = statwit(*asked(question, nobody), code=3)
                self.assertIn("127.0.0.1:1/statwit: nobody takes connections there: Connection refused", told)
        told = statwit("push", self.path, "--to", nobody, "--timeout", "2s", code=3)
        self.assertRegex(told, r"not pushed to 127.0.0.1:1/statwit: nobody takes connections there: Connection refused \(\d tries in \d+(\.\d)? s\)")
        self.assertIn("nohost.invalid", statwit("ls", "--db", "clickhouse://nohost.invalid/statwit", code=3))

    def test_passwords_in_urls(self):
        bad = "clickhouse://me:secret@127.0.0.1:1/statwit"
        for args in (*(asked(q, bad) for q in questions(self.folder, bad)), ["push", self.path, "--to", bad], ["push", "--init", "--to", bad],
                     ["run", "--push", bad, "--", "false"]):
            told = statwit(*args, code=2)
            self.assertIn("STATWIT_CLICKHOUSE_PASSWORD", told)
            self.assertNotIn("secret", told)
        told = statwit("run", "--", "false", env={"STATWIT_PUSH": bad}, code=2)
        self.assertNotIn("secret", told)

    def test_an_older_engine_and_what_is_none(self):
        for answer, words in ((b"1.1.54385\t['max_query_size']\n", "it is ClickHouse 1.1; 18.16 or later is needed"),
                              (b"18.14.9\t['max_query_size']\n", "it is ClickHouse 18.14"), (b"", "is none of a ClickHouse"), (b"<html>", "is none of a ClickHouse"),
                              (b"26.9.1.1\t['max_query_size'", "cut short")):
            class Handler(http.server.BaseHTTPRequestHandler):
                def log_message(self, *_):
                    pass

                def do_POST(self, text=answer):
                    self.rfile.read(int(self.headers["Content-Length"]))
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(text)

            with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
                threading.Thread(target=server.serve_forever, daemon=True).start()
                url = f"clickhouse://127.0.0.1:{server.server_address[1]}/statwit"
                self.assertIn(words, statwit("ls", "--db", url, code=3))
                self.assertIn(words, in_time(lambda timeout, url=url: statwit("push", self.path, "--to", url, "--timeout", timeout, code=3)))
                server.shutdown()


class Push(Case):
    def test_what_did_not_change_is_not_sent_again(self):
        self.push("same")
        before = self.node.ask("SELECT count() FROM statwit.samples")
        with Proxy(self.node.http) as proxy:
            self.assertIn("unchanged: 3000 samples", self.push("same", port=proxy.port))
            self.assertEqual([p for p in proxy.paths if "INSERT" in p], [])
            told = json.loads(self.push("same", "--json", port=proxy.port))
            self.assertEqual((told["unchanged"], told["samples"], told["bytes"]), (True, 3000, 0))
        self.assertEqual(self.node.ask("SELECT count() FROM statwit.samples"), before)
        self.assertIn("pushed 3000", self.push("same", "--label", "x=y"))  # something else is said of it
        self.assertIn("pushed 3000", self.push("same"))
        self.whole("same")

    def test_what_grew_or_lost_a_part_is_sent_again(self):
        path = self.record("grows", lambda r: post(r, "a:1|c"))
        args = ["push", path, "--label", "repo=grows", "--to", self.node.url("statwit")]
        statwit(*args)
        with fleet.Recorder("--db", path) as r:
            post(r, "a:1|c")
            r.get("status")
        self.assertIn("pushed 2 samples", statwit(*args))
        self.assertIn("unchanged: 2 samples", statwit(*args))
        self.node.ask("CREATE DATABASE dropped")
        args[-1] = self.node.url("dropped")
        statwit("push", "--init", "--to", args[-1])
        statwit(*args)
        self.node.ask(f"ALTER TABLE dropped.samples DROP PARTITION {time.strftime('%Y%m', time.gmtime())}")
        self.assertIn("pushed 2 samples", statwit(*args))
        self.assertIn("2", statwit("value", "any a samples", "--db", args[-1]))

    def test_labels_of_any_bytes(self):
        labels = {"repo": "it's \"q\" \\ `b`", "branch": os.fsdecode(b"by\xfftes"), "job": "two\nlines\x1b[31m", "note": "x" * 65536, "a.b": "ü"}
        args = [a for key, value in labels.items() for a in ("--label", f"{key}={value}")]
        told = statwit("push", self.path, *args, "--to", self.node.url("statwit"))
        self.assertIn("\\x1b", told)
        self.assertEqual(len(told.splitlines()), 1)
        told = json.loads(statwit("push", self.path, *args, "--json", "--to", self.node.url("statwit")))
        self.assertEqual((told["labels"]["branch"], told["labels"]["repo"], told["labels"]["note"]), ("by\ufffdtes", labels["repo"], labels["note"]))
        for query in ("branch=by%FFtes", "repo=it%27s%20%22q%22%20%3F%20%60b%60", "job=two%0Alines*", "label.note=xxx*", "label.a.b=%C3%BC"):
            self.assertIn("frac.sum", statwit("ls", "--db", self.node.url("statwit", query)), query)

    def test_a_slow_engine(self):
        for slow_at in range(3, 12, 3):
            label = f"slow{slow_at}"
            with Proxy(self.node.http, after=lambda i, _, at=slow_at: i >= at and time.sleep(0.8)) as proxy:
                told = self.push(label, "--timeout", "300ms", port=proxy.port, code=3)
                self.assertIn("timed out", told)
            self.whole_or_nothing(label)
        with Proxy(self.node.http, after=lambda i, _: time.sleep(0.1)) as proxy:  # slow, but in time
            self.push("late", port=proxy.port)
        self.whole("late")

    def test_every_lie_of_each_answer(self):
        with Proxy(self.node.http) as proxy:
            self.push("count", port=proxy.port)
            n = len(proxy.paths)
        self.assertGreater(n, 8)
        for at in range(n):
            for i in range(2):
                way, label = (3, 4, 6, 7, 8)[(2 * at + i) % 5], f"lie{at}.{i}"
                proxy = Proxy(self.node.http)
                proxy.choose = lambda _, at=at, way=way, proxy=proxy: Proxy.WAYS[way] if len(proxy.paths) == at else None
                with proxy:
                    got = self.push(label, port=proxy.port, code=None, binary=True)
                self.whole_or_nothing(label)
                self.assertIn(got.returncode, (0, 3))

    def test_a_pusher_that_dies_at_any_request(self):
        n = 0
        for at in range(40):
            for when in ("before", "after")[at % 2:] if at > 4 else ("before", "after"):
                label = f"killed{at}{when}"
                pids = []

                def hook(i, _, at=at, pids=pids):
                    while not pids:
                        time.sleep(0.001)
                    if i == at:
                        os.kill(pids[0], signal.SIGKILL)
                    return i == at

                with Proxy(self.node.http, **{when: hook}) as proxy:
                    pusher = subprocess.Popen([STATWIT, "push", self.path, "--label", f"repo={label}", "--to", f"clickhouse://127.0.0.1:{proxy.port}/statwit"],
                                              env=CLEAN, stderr=subprocess.DEVNULL)
                    pids.append(pusher.pid)
                    status = pusher.wait(60)
                    n += status == -signal.SIGKILL
                self.whole_or_nothing(label)
            if status == 0:
                break
        self.assertGreater(n, 16)
        self.push("killed")
        self.whole("killed")

    def test_an_engine_that_dies_at_any_request(self):
        at, restarts = 0, []
        while True:
            label, when = f"dies{at}", ("before", "after")[at % 2]

            def hook(i, _, at=at):
                if i == at:
                    self.node.kill()
                    restarts.append(threading.Thread(target=self.node.start))
                    restarts[-1].start()
                return i == at

            with Proxy(self.node.http, **{when: hook}) as proxy:
                self.push(label, "--timeout", "60s", port=proxy.port)
                died = len(proxy.paths) > at
            for thread in restarts:
                thread.join()
            self.whole(label)
            if not died:
                break
            at += 1
        self.assertGreater(at, 8)

    def test_many_pushes_of_one_recording_at_once(self):
        started = [subprocess.Popen([STATWIT, "push", self.path, "--with-requests", "--label", "repo=at-once", "--label", f"n={i % 3}", "--to",
                                     self.node.url("statwit")], env=CLEAN, stderr=subprocess.DEVNULL) for i in range(6)]
        self.assertEqual([p.wait(120) for p in started], [0] * 6)
        self.whole("at-once")

    def test_run_tells_in_its_reports(self):
        to, report, junit = self.node.url("statwit"), os.path.join(self.folder, "r.json"), os.path.join(self.folder, "r.xml")
        statwit("run", "--push", to, "--json-file", report, "--junit", junit, "-e", "no any x", "--", "true")
        with open(report, encoding="utf-8") as file:
            push = json.load(file)["push"]
        self.assertTrue(push["ok"])
        statwit("ls", "--db", f"{to}?recording={push['recording']}")
        with open(junit, encoding="utf-8") as file:
            self.assertIn('name="push.ok" value="true"', file.read())

    def test_run_stops_pushing_when_a_signal_ends_it(self):
        with Proxy(self.node.http, after=lambda i, _: time.sleep(3)) as proxy:
            runner = subprocess.Popen([STATWIT, "run", "--push", f"clickhouse://127.0.0.1:{proxy.port}/statwit", "--", "true"], env=CLEAN, stderr=subprocess.PIPE)
            while not proxy.paths:
                time.sleep(0.01)
            runner.terminate()
            told = runner.communicate(timeout=120)[1]
            self.assertEqual(runner.returncode, -signal.SIGTERM)
            self.assertIn(b"ended by a signal", told)

    def test_the_bar_is_for_terminals_that_want_it(self):
        def on_terminal(**env):
            return subprocess.run(["script", "-qec", f"{STATWIT} push {self.path} --label repo=bar --label t={time.time()} --to {self.node.url('statwit')}", "/dev/null"],
                                  env=CLEAN | {"TERM": "xterm"} | env, capture_output=True, timeout=60, check=True).stdout
        self.assertIn(b"of 3000 samples", on_terminal())
        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            told = on_terminal(**env)
            self.assertNotIn(b"of 3000 samples", told)
            self.assertIn(b"pushed 3000 samples", told)
        self.assertNotIn("of 3000", self.push("bar", "--label", "t=pipe"))


def check_views(case, database="statwit"):
    """What people and dashboards see: each recording once, as it was last pushed, and nothing of a push that was given up."""
    case.push("views")
    case.push("views", "--label", "job=unit")
    case.node.ask(f"INSERT INTO {database}.series (push, day, name, samples) VALUES ('00000000-0000-4000-8000-000000000001', today(), 'given.up', 1)")
    case.assertEqual(case.node.ask(f"SELECT count(), sum(n_samples), any(job) FROM {database}.visible WHERE repo = 'views'"), "1\t3000\tunit")
    case.assertEqual(case.node.ask(f"SELECT sum(samples), max(job) FROM {database}.all_series WHERE repo = 'views'"), "3000\tunit")
    case.assertEqual(case.node.ask(f"SELECT count() FROM {database}.all_series WHERE name = 'given.up'"), "0")
    rows = case.node.ask(f"SELECT name, uniq(repo), sum(samples) FROM {database}.all_series GROUP BY name ORDER BY name").splitlines()
    case.assertEqual([row.split("\t")[0] for row in rows], sorted(fleet.TYPES))
    case.assertIn("timing", case.node.ask(f"SELECT groupUniqArray(type_word) FROM {database}.all_series"))
    case.assertEqual(case.node.ask(f"SELECT uniq(arrayJoin(tags)) FROM {database}.all_series WHERE arrayExists(t -> t LIKE 'env:%', tags)"), "13")


class Readme(Case):
    def section(self):
        """The commands of the README, in their order."""
        with open(os.path.join(fleet.TOP, "README.md"), encoding="utf-8") as file:
            text = file.read().split("## A fleet's recordings in one place", 1)[1].split("\n## ", 1)[0]
        return [line[4:] for line in text.splitlines() if line.startswith("    ") and not line[4:].startswith(("apt-get", "docker"))]

    def test_the_readme_word_by_word(self):
        commands = "\n".join(self.section()).replace("localhost/statwit", f"127.0.0.1:{self.node.http}/readme").replace(
            "export STATWIT_CLICKHOUSE_USER", ": ")
        self.assertGreater(commands.count("statwit "), 6)
        for name, text in (("run-tests", "#!/bin/sh\nexec statwit send --to http 'login.attempt:1|c|#result:ok' 'db.query:5|ms'\n"),
                           ("metrics.json", json.dumps({"metrics": {"login.attempt": {}, "db.query": {}}}))):
            with open(os.path.join(self.folder, name), "w", encoding="ascii") as file:
                file.write(text)
        os.chmod(os.path.join(self.folder, "run-tests"), 0o755)
        done = subprocess.run(["bash", "-euxc", commands], cwd=self.folder, env=CLEAN | {"PATH": os.path.dirname(STATWIT) + ":" + os.environ["PATH"]},
                              capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("login.attempt", done.stdout)
        self.assertIn("pushed 2 samples", done.stderr)

    def test_the_question_to_the_view(self):
        check_views(self)

    def test_the_compose_file(self):
        import yaml
        with open(os.path.join(fleet.TOP, "schema", "clickhouse", "compose.yaml"), encoding="utf-8") as file:
            service = yaml.safe_load(file)["services"]["clickhouse"]
        self.assertEqual(service["ports"], ["127.0.0.1:8123:8123"])
        self.assertEqual(service["environment"]["CLICKHOUSE_DB"], "statwit")


class Questions(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        statwit("push", cls.path, "--with-requests", "--label", "repo=plain", "--to", cls.node.url("statwit"))

    def url(self, proxy):
        return f"clickhouse://127.0.0.1:{proxy.port}/statwit?repo=plain"

    def questions(self):
        return questions(self.folder, self.path)

    def test_slow(self):
        for question in self.questions():
            with Proxy(self.node.http, after=lambda i, _: i > 2 and time.sleep(0.5)) as proxy:
                self.assertIn("timed out", statwit(*asked(question, self.url(proxy), "--answer-timeout", "200ms"), code=3))

    def test_every_lie_of_each_answer(self):
        """The whole answer, or exit code 3."""
        turn = 0
        for question in self.questions():
            with Proxy(self.node.http) as proxy:
                right = statwit(*asked(question, self.url(proxy)), code=None, binary=True)
                n = len(proxy.paths)
            self.assertIn(right.returncode, (0, 1, 4), right.stderr)
            for at in range(min(n, 9)):
                way, turn = Proxy.WAYS[(0, 1, 3, 4, 6, 7)[turn % 6]], turn + 1
                proxy = Proxy(self.node.http)
                proxy.choose = lambda _, at=at, way=way, proxy=proxy: way if len(proxy.paths) == at else None
                with proxy:
                    got = statwit(*asked(question, self.url(proxy)), code=None, binary=True)
                if got.returncode != 3:  # it was asked again, or the cut was behind what is looked at
                    self.assertEqual((got.returncode, got.stdout), (right.returncode, right.stdout), f"{question} {way} {at}")

    def test_an_engine_that_dies_at_any_request(self):
        at, died = 0, True
        while died:
            def hook(i, _, at=at):
                if i == at:
                    self.node.kill()
                return i == at
            with Proxy(self.node.http, **{("before", "after")[at % 2]: hook}) as proxy:
                got = statwit("export", "--db", self.url(proxy), code=None, binary=True)
                died = len(proxy.paths) > at
            self.assertEqual(got.returncode, 3 if died else 0, got.stderr)
            if died:
                self.node.start()
            at += 1
        self.assertGreater(at, 5)


class Shards(Case):
    shards = 2

    def test_a_missing_shard_is_an_error_for_each_question_and_each_push(self):
        for i in range(4):
            self.push(f"r{i}")
        everything = self.node.url("statwit")
        self.nodes[1].kill()
        try:
            for question in questions(self.folder, self.path):
                with self.subTest(question[0]):
                    told = statwit(*asked(question, everything), code=3)
                    self.assertRegex(told, "refuses: Code: (279|32|210)")
            for i in range(3):
                told = self.push("down", "--label", f"i={i}", "--timeout", "2s", code=3)
                self.assertRegex(told, r"not pushed to .*tries")
        finally:
            self.nodes[1].start()
        self.whole_or_nothing("down")
        self.push("down")
        self.whole("down")

    def test_views(self):
        check_views(self)


class Tls(Case):
    @classmethod
    def prepare(cls, node):
        def openssl(*args):
            subprocess.run(["openssl", *args], cwd=cls.folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        key = ["-newkey", "rsa:2048", "-nodes", "-keyout"]
        for ca in ("ca", "other"):
            openssl("req", "-x509", *key, f"{ca}.key", "-out", f"{ca}.pem", "-subj", f"/CN={ca}", "-days", "2")
        openssl("req", *key, "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
        with open(os.path.join(cls.folder, "ext"), "w", encoding="ascii") as file:
            file.write("subjectAltName=DNS:localhost")
        for name, days in (("server", "2"), ("expired", "-1")):
            openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.pem", "-days", days,
                    "-extfile", "ext")
        cls.port = free_ports(1)[0]
        cls.use(node, "server")

    @classmethod
    def use(cls, node, certificate):
        path = os.path.join(node.home, "config.xml")
        with open(path, encoding="ascii") as file:
            text = re.sub("<https_port>.*</openSSL>", "", file.read())
        tls = f"<https_port>{cls.port}</https_port><openSSL><server><certificateFile>{cls.folder}/{certificate}.pem</certificateFile>" \
              f"<privateKeyFile>{cls.folder}/server.key</privateKeyFile><verificationMode>none</verificationMode></server></openSSL>"
        with open(path, "w", encoding="ascii") as file:
            file.write(text.replace("<logger>", tls + "<logger>"))

    def both(self, host, ca, words):
        url, ca = f"clickhouses://{host}:{self.port}/statwit", ["--ca-file", os.path.join(self.folder, ca)] if ca else []
        for args in (["ls", "--db", url, *ca], ["push", self.path, "--to", url, *ca]):
            told = statwit(*args, code=3)
            self.assertRegex(told, words)
            self.assertNotIn("tries", told)

    def test_certificates(self):
        url, ca = f"clickhouses://localhost:{self.port}/statwit", ["--ca-file", os.path.join(self.folder, "ca.pem")]
        self.assertIn("pushed 3000 samples", statwit("push", self.path, "--label", "repo=tls", "--with-requests", "--to", url, *ca))
        self.assertIn("frac.sum", statwit("ls", "--db", url + "?repo=tls", *ca))
        self.whole("tls")
        self.both("localhost", None, "certificate is not trusted: .*(issuer|self.signed).*--ca-file")
        self.both("localhost", "other.pem", "certificate is not trusted")
        self.both("localhost", "missing.pem", "certificate is not trusted: .*missing.pem")
        self.both("127.0.0.1", "ca.pem", "certificate is not trusted: .*127.0.0.1")
        told = statwit("ls", "--db", f"clickhouses://localhost:{self.node.http}/statwit", *ca, code=3)
        self.assertRegex(told, "(?i)ssl|tls")  # no TLS is spoken there
        self.node.stop()
        self.use(self.node, "expired")
        self.node.start()
        self.both("localhost", "ca.pem", "certificate is not trusted: .*expired")


def grants():
    """The users of schema/clickhouse/users.xml, each with the password `secret`."""
    with open(os.path.join(fleet.TOP, "schema", "clickhouse", "users.xml"), encoding="utf-8") as file:
        return re.sub("<password_sha256_hex>.*?</password_sha256_hex>", "<password>secret</password>", file.read())


class Users(Case):
    """What schema/clickhouse/users.xml gives is enough for each, and no more."""

    @staticmethod
    def prepare(node):
        os.makedirs(os.path.join(node.home, "users.d"))
        with open(os.path.join(node.home, "users.d", "statwit.xml"), "w", encoding="utf-8") as file:
            file.write(grants())

    @staticmethod
    def user(name):
        return {"STATWIT_CLICKHOUSE_USER": name, "STATWIT_CLICKHOUSE_PASSWORD": "secret"}

    def sql(self, name, sql):
        try:
            return self.node.ask(sql, user=name, password="secret")
        except RuntimeError as error:
            return str(error)

    def test_a_pusher_and_a_reader(self):
        self.node.ask("CREATE DATABASE others")
        self.node.ask("CREATE TABLE others.t (a UInt8) ENGINE = Memory")
        pusher, reader = self.user("statwit_push"), self.user("statwit_read")
        self.assertIn("pushed 3000", self.push("users", env=pusher))
        self.assertIn("unchanged", self.push("users", env=pusher))
        self.assertIn("frac.sum", statwit("ls", "--db", self.node.url("statwit", "repo=users"), env=reader))
        statwit("expect", *CLAIMS, "--db", self.node.url("statwit", "repo=users"), env=reader, code=None)
        told = self.push("no", env=reader, code=3)
        self.assertIn("may only read", told)
        self.assertNotIn("tries", told)
        for name in ("statwit_push", "statwit_read"):
            self.assertIn("Code: 291", self.sql(name, "SELECT * FROM others.t"))  # no access to that database
        for sql in ("INSERT INTO statwit.schema_version VALUES (9, '2026-01-01')", "DROP TABLE statwit.samples", "CREATE TABLE statwit.x (a UInt8) ENGINE = Memory"):
            self.assertIn("Code: 164", self.sql("statwit_read", sql))
        self.assertIn("does not know user statwit_push", self.push("no", env=pusher | {"STATWIT_CLICKHOUSE_PASSWORD": "wrong"}, code=3))


@unittest.skipUnless(ROOT, "a small disk takes the right to mount one")
class Full(Case):
    @staticmethod
    def prepare(node):
        data = os.path.join(node.home, "data")
        os.makedirs(data)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "statwit-test", data], check=True)
        Full.data = data

    @staticmethod
    def undo(node):
        """Before the folder is removed: while something is mounted there, a part of it stays."""
        subprocess.run(["umount", "-l", os.path.join(node.home, "data")], check=False)

    def fill(self, leave):
        filler = os.path.join(self.data, "filler")
        stat = os.statvfs(self.data)
        with open(filler, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, stat.f_bavail * stat.f_bsize - leave))
        return filler

    def test_a_full_disk(self):
        self.push("before")
        for leave in (0, 8192, 60000):
            filler = self.fill(leave)
            try:
                told = in_time(lambda timeout, leave=leave: self.push("full", "--label", f"leave={leave}", "--timeout", timeout, code=3))
                self.assertIn("disk is full", told)
                self.whole("before")
                self.whole_or_nothing("full")
            finally:
                os.unlink(filler)
        self.push("full")
        self.whole("full")

    def test_a_read_only_server(self):
        self.push("before")
        tables = os.path.join(self.data, "data", "statwit")
        subprocess.run(["mount", "--bind", tables, tables], check=True)
        try:
            subprocess.run(["mount", "-o", "remount,bind,ro", tables], check=True)
            told = in_time(lambda timeout: self.push("frozen", "--timeout", timeout, code=3))
            self.assertIn("read-only", told.lower())
            self.whole("before")
            self.whole_or_nothing("frozen")
        finally:
            subprocess.run(["umount", tables], check=True)
        self.push("frozen")
        self.whole("frozen")


if __name__ == "__main__":
    if not shutil.which("clickhouse-server"):
        print("fleet: no clickhouse-server here, so nothing is tested (apt-get install clickhouse-server)")
        sys.exit(0)
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
