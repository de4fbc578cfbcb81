"""Recordings in a real ClickHouse: pushed, read back, and held against their files. fleet_test.py [unittest's arguments]"""

import glob
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(TOP, "tests", "e2e")]

from engine import Engine  # noqa: E402
from proxy import Proxy  # noqa: E402
from recorder import Recorder  # noqa: E402

PROXY = "/dogstatsd/v2/proxy"
STATWIT, COMPARE = os.environ["STATWIT"], os.environ["COMPARE"]
CLEAN = {k: v for k, v in os.environ.items()
         if not k.startswith(("STATWIT_", "DD_", "GITHUB_", "CI_", "CLICKHOUSE_", "BUILDKITE_"))} | {"GIT_DIR": os.devnull}  # a commit meanwhile is no other label
TYPES = {"login.attempt": "c", "cache.hit": "c", "frac.sum": "c", "queue.depth": "g", "gauge.temp": "g", "users.unique": "s",
         "dist.size": "d", "db.query": "h", "http.request": "ms", "events.latency": "ms"}
BITES = [b"it's:1|g|#q:'\\\"`", b"by\xfftes:1|g|#k:\xfe0,,:,x", "größe:2|g|#läuft:ja".encode(), b"nul:1|s|#a:\0b", b"zero:-0|g",
         b"unhex('41'):1|c", b"a" * 200 + b":1|c", b"r:1|c|@0", b"long.tag:1|c|#" + b"t" * 5000]


def statwit(*args, env=None, code=0, binary=False):
    done = subprocess.run([STATWIT, *args], env=CLEAN | (env or {}), capture_output=True, timeout=300, check=False)
    assert code is None or done.returncode == code, f"{args}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done if binary else done.stdout.decode(errors="surrogateescape") + done.stderr.decode(errors="surrogateescape")


def lines(n, seed):
    rng = random.Random(seed)
    for _ in range(n):
        name, letter = rng.choice(list(TYPES.items()))
        value = f"u{rng.randrange(500)}" if letter == "s" else \
            repr(rng.random() * rng.choice([1, 100, -5])) if name in ("frac.sum", "gauge.temp") else str(rng.randrange(1000))
        rate = rng.choice(["", "", "|@0.3", "|@0.5"]) if letter in ("c", "ms", "d") else ""
        yield f"{name}:{value}|{letter}{rate}|#env:{rng.choice(['ci', 'dev', 'prod'])},instance:{rng.randrange(8)}," \
              f"result:{rng.choice(['ok', 'failure'])}"


def post(r, *texts):
    """Over the control API, where nothing is lost on the way."""
    body = b"\n".join(t if isinstance(t, bytes) else t.encode() for t in texts)
    status, _, text = r.raw("POST", PROXY, body)
    assert status < 300, text


def fixtures(r):
    """Everything in fixtures/ that can be sent."""
    for path in sorted(glob.glob(os.path.join(TOP, "fixtures", "dogstatsd", "*.jsonl"))):
        with open(path, encoding="utf-8") as file:
            for line in file:
                case = json.loads(line)
                if isinstance(case.get("input"), str):
                    r.send(case["input"].encode("utf-8", "surrogateescape")[:60000])
    for path in sorted(glob.glob(os.path.join(TOP, "fixtures", "intake", "*", "*", "request"))):
        with open(path, "rb") as file:
            head, _, body = file.read().replace(b"\r\n", b"\n", 40).partition(b"\n\n")
        with open(path, "rb") as file:
            raw = file.read()
            body = raw.split(b"\r\n\r\n" if b"\r\n\r\n" in raw else b"\n\n", 1)[-1]
        first, *rest = head.decode("latin-1").split("\n")
        method, target, *_ = first.split(" ")
        headers = dict(h.split(": ", 1) for h in rest if ": " in h and not h.lower().startswith(("host", "content-length")))
        r.raw(method, target, body, headers)


class Fleet(unittest.TestCase):
    nodes_wanted = 1

    @classmethod
    def make_engine(cls):
        return Engine(cls.nodes_wanted)

    @classmethod
    def setUpClass(cls):
        cls.engine = cls.make_engine()
        cls.nodes = cls.engine.__enter__()
        cls.addClassCleanup(cls.engine.__exit__)
        cls.node, cls.folder = cls.nodes[0], tempfile.mkdtemp(prefix="statwit-fleet-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        for node in cls.nodes:
            cls.init(node, "statwit")
        cls.files = {name: cls.record(name, feed) for name, feed in (
            ("plain", lambda r: post(r, *lines(5000, 1))),
            ("bites", lambda r: (r.send(*BITES), post(r, "_e{5,4}:title|text|t:warning|#env:ci", "_sc|app.ok|1|#env:ci|m:bad", "bad line",
                                                     "rem.ark:1|c|in:tag"))),
            ("fixtures", fixtures),
            ("empty", lambda r: None))}
        for name, path in cls.files.items():
            cls.push(path, "--label", f"repo={name}", "--with-requests")

    @classmethod
    def init(cls, node, database):
        statwit("push", "--init", "--to", node.url(database), *(["--cluster", "fleet"] if cls.nodes_wanted > 1 else []))

    @classmethod
    def record(cls, name, feed):
        path = os.path.join(cls.folder, name + ".db")
        with Recorder("--db", path) as r:
            r.ask("POST", "/recorder/v1/sessions", {"name": "other"}, status=201)
            r.raw("POST", PROXY + "?test_session_token=other", b"of.other:1|c\nof.other:2.5|c|@0.3")
            feed(r)
            r.get("status")
        return path

    @classmethod
    def push(cls, path, *args, database="statwit", **more):
        return statwit("push", path, "--to", cls.node.url(database), *args, **more)

    def url(self, query, database="statwit"):
        return self.node.url(database, query)

    def same(self, path, url, *quick):
        done = subprocess.run([COMPARE, path, url, *quick], capture_output=True, text=True, errors="replace", timeout=600, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-3000:])

    # --- the same answers

    def test_every_answer_is_the_files_bit_for_bit(self):
        for name, path in self.files.items():
            with self.subTest(name):
                self.same(path, self.url("repo=" + name))

    def test_every_expectation_sees_the_same_numbers(self):
        path = os.path.join(HERE, "expectations.txt")
        for name in ("plain", "bites"):
            a = statwit("expect", "-f", path, "--json", "--db", self.files[name], code=None, binary=True)
            self.assertGreater(len(json.loads(a.stdout)["results"]), 49)
            b = statwit("expect", "-f", path, "--json", "--db", self.url("repo=" + name), code=None, binary=True)
            self.assertEqual((a.returncode, a.stdout), (b.returncode, b.stdout))

    def test_every_command_says_the_same(self):
        for command in ("ls --session *", "ls --json", "samples -n 9", "events", "checks --json", "rejects", "rejects --remarks",
                        "export --session *", "export --format csv", "export --format openmetrics", "snapshot --counts --values",
                        "lint", "catalog infer", "mark", "value", "ls --since 100"):
            args = command.split() + (["count frac.sum sum"] if command == "value" else [])
            for name in ("plain", "bites"):
                with self.subTest(command, recording=name):
                    a = statwit(*args, "--db", self.files[name], code=None, binary=True)
                    b = statwit(*args, "--db", self.url("repo=" + name), code=None, binary=True)
                    self.assertEqual((a.returncode, a.stdout), (b.returncode, b.stdout))

    def test_diff_of_a_file_and_its_push(self):
        statwit("diff", self.files["plain"], self.url("repo=plain"))
        statwit("diff", self.url("repo=plain"), self.url("repo=bites"), code=1)

    def test_many_recordings_are_as_one(self):
        database = "many"
        for node in self.nodes:
            self.init(node, database)
        parts = [list(lines(1000, seed)) for seed in range(4)]
        for i, part in enumerate(parts):
            self.push(self.record(f"part{i}", lambda r, part=part: post(r, *part)), "--label", f"repo=r{i}", database=database)
        union = self.record("union", lambda r: [post(r, *part) for part in parts])
        path = os.path.join(HERE, "expectations.txt")
        a, b = (json.loads(statwit("expect", "-f", path, "--json", "--db", db, code=None, binary=True).stdout)
                for db in (union, self.url("", database)))
        for x, y in zip(a["results"], b["results"]):
            for p, q in zip(x["clauses"], y["clauses"]):
                if isinstance(p.get("observed"), (int, float)):
                    self.assertAlmostEqual(q["observed"], p["observed"], delta=1e-12 * abs(p["observed"]), msg=x)
                else:
                    self.assertEqual(p.get("observed"), q.get("observed"), x)
        self.assertIn("holds 4 such recordings", statwit("ls", "--db", self.url("", database)))
        self.assertNotIn("holds", statwit("ls", "--db", self.url("latest=1&repo=r2", database)))
        statwit("ls", "--db", self.url("repo=r%3F&since=1h", database))
        sessions = statwit("export", "--session", "*", "--db", self.url("repo=r1", database))
        self.assertIn("of.other", sessions)

    def emitters(self, db, words, *args):
        return json.loads(statwit("ls", *args, "--by", words, "--json", "--db", db, binary=True).stdout)["emitters"]

    def test_who_sends_a_name(self):
        """As its file says, of one recording; of many, by their labels."""
        for name, path in self.files.items():
            for words, args in (("session", ()), ("tags,host", ()), ("name,type,session", ()), ("type", ("--tag", "env:*", "*.*")),
                                ("tags", ("--tag", "env:ci", "cache.*", "--session", "default")), ("name", ("--type", "gauge"))):
                self.assertEqual(self.emitters(path, words, *args), self.emitters(self.url("repo=" + name), words, *args), (name, words, args))
        database = "who"
        for node in self.nodes:
            self.init(node, database)
        sent = {}
        for i, (repo, branch) in enumerate((("shop", "main"), ("shop", "main"), ("shop", "fix"), ("it's", "main"))):
            path = self.record(f"who{i}", lambda r, i=i: post(r, "login:1|c|#a:1", "login:2|c|#a:1", f"login:3|c|#b:{i}", "other:1|g"))
            self.push(path, "--label", "repo=" + repo, "--label", "branch=" + branch, "--label", "job=unit", "--label", f"team={i % 2}", database=database)
            sent[i] = self.emitters(path, "name", "login")[0]
        got = self.emitters(self.url("", database), "repo,branch,job", "login")
        self.assertEqual([(e["repo"], e["branch"], e["job"], e["recordings"], e["series"], e["samples"]) for e in got],
                         [("it's", "main", "unit", 1, 2, 3), ("shop", "fix", "unit", 1, 2, 3), ("shop", "main", "unit", 2, 3, 6)])
        self.assertEqual((got[2]["first_at"], got[2]["last_at"]), (sent[0]["first_at"], sent[1]["last_at"]))
        got = self.emitters(self.url("", database), "label.team,tags", "--tag", "b:*", "--sort", "arrival")
        self.assertEqual([(e["label.team"], e["tags"]) for e in got], [("0", ["b:0"]), ("1", ["b:1"]), ("0", ["b:2"]), ("1", ["b:3"])])
        self.assertEqual(self.emitters(self.url("", database), "label.none,commit", "login")[0]["label.none"], "")
        self.assertEqual(self.emitters(self.url("", database), "repo", "--tag", "zz*"), [])
        self.assertEqual(self.emitters(self.url("", database), "repo", "nothing"), [])
        self.assertIn("RECORDINGS", statwit("ls", "login", "--by", "repo", "--db", self.url("", database)))
        self.assertIn("several are meant", statwit("ls", "--by", "repo", "--since", "5", "--db", self.url("", database), code=2))
        self.assertIn("since= and until=", statwit("ls", "--by", "repo", "--since", "5", "--db", self.url("repo=it's", database), code=2))

    # --- what is selected

    def test_labels(self):
        path = self.files["plain"]
        copy = os.path.join(self.folder, "labels.db")
        shutil.copy(path, copy)
        env = {"STATWIT_LABELS": "branch=from-env,team=web", "GITHUB_REPOSITORY": "acme/shop", "GITHUB_SHA": "abcdef0123456", "GITHUB_JOB": "unit",
               "GITHUB_REF_NAME": "main"}
        told = self.push(copy, "--label", "job=it's", env=env)
        self.assertIn("acme/shop from-env abcdef0 it's", told)
        for query in ("repo=acme/*&branch=from-env&job=it's&label.team=web", "commit=abcdef*", "label.team=w%3Fb"):
            statwit("ls", "--db", self.url(query))
        self.assertIn("no recording", statwit("ls", "--db", self.url("repo=acme/*&branch=main"), code=2))
        huge = "x" * 65536
        self.push(copy, "--label", "note=" + huge, "--label", "repo=plain", "--with-requests")
        self.same(copy, self.url("repo=plain"), "quick")

    def test_mistakes_in_the_url(self):
        for query, words in (("brnch=x", "did you mean 'branch'"), ("repo=nothing", "no recording"), ("since=soon", "takes an age"),
                             ("latest=0", "takes a number"), ("recording=xyz", "32 hexadecimal")):
            self.assertIn(words, statwit("ls", "--db", self.url(query), code=2))
        at = f"127.0.0.1:{self.node.http}"
        self.assertIn("STATWIT_CLICKHOUSE_PASSWORD", statwit("ls", "--db", f"clickhouse://u:p@{at}/statwit", code=2))
        self.assertIn("statwit push --init", statwit("ls", "--db", f"clickhouse://{at}/nowhere", code=3))
        self.assertIn("127.0.0.1:1", statwit("ls", "--db", "clickhouse://127.0.0.1:1/statwit", code=3))
        self.assertIn("push FILE", statwit("serve", "--db", self.url(""), code=2))
        self.assertIn("labels are given", self.push(self.files["plain"], "--to", self.url("repo=x"), code=2))
        self.assertIn("statwit push --init", self.push(self.files["plain"], database="nowhere", code=3))

    def test_what_only_one_recording_can_be_asked(self):
        several = self.url("")
        self.assertIn("holds", statwit("ls", "--db", several))
        for args, words in ((("ls", "--since", "5"), "several are meant"), (("ls", "--since", "1h"), "since= in the URL"),
                            (("expect", "any x", "--until", "5"), "until= in the URL"), (("value", "any x samples", "--since", "5"), "several"),
                            (("verify", "--catalog", os.devnull, "--since", "5"), ""), (("export", "--until", "now"), "several"),
                            (("expect", "any x", "--within", "1s"), "nothing does"), (("expect", "any x", "--settle", "1s"), "nothing does"),
                            (("samples", "--follow"), "needs a server"), (("mark",), "one recording"), (("mark", "1h"), "one recording"),
                            (("serve",), "push FILE"), (("reset",), "unknown option --db")):
            with self.subTest(args):
                self.assertIn(words, statwit(*args, "--db", several, code=2))
        statwit("ls", "--since", "0", "--db", several)
        statwit("expect", "no any nothing", "--db", self.url("repo=plain*"), env={"STATWIT_WITHIN": "1s"})
        one = self.url("repo=plain")
        for args in (("ls", "--since", "5"), ("expect", "no any nothing", "--within", "1s"), ("mark",)):
            statwit(*args, "--db", one)

    def test_more_recordings_than_can_be_asked(self):
        database = "crowd"
        for node in self.nodes:
            self.init(node, database)
        self.node.ask(f"""INSERT INTO {database}.recordings SELECT toUInt32(number), toUUID(concat('00000000-0000-4000-8000-',
            substring(concat('000000000000', hex(toUInt64(number))), -12))) AS recording, recording AS push, toDate(20000), 1, 1, 2, 0, 0, 0, 0, 0, 0,
            if(number = 7, 'one', 'many'), '', '', '', '', '', '1', [], [] FROM numbers(200001)""", insert_distributed_sync=1)
        self.assertIn("narrow it", statwit("ls", "--db", self.url("", database), code=2))
        statwit("ls", "--session", "*", "--db", self.url("repo=one", database))

    def test_percentiles_are_told_and_no_samples_sent(self):
        path = self.record("told", lambda r: post(r, *(f"slow:{i / 7}|ms\nsome:{i / 9}|d|@0.5\nwho:u{i}|s" for i in range(20000))))
        self.push(path, "--label", "repo=told")
        with Proxy(self.node.http, 0, 1) as proxy:
            told = f"clickhouse://127.0.0.1:{proxy.port}/statwit?repo=told"
            statwit("value", "timing slow sum", "--db", told)  # looks at no sample: as much as a question always takes
            least = proxy.given
            for text in ("timing slow p95", "timing slow median", "timing slow distinct", "set who distinct", "any slow p99.9", "timing slow p0"):
                before = proxy.given
                a, b = (statwit("value", text, "--db", db, binary=True).stdout for db in (path, told))
                self.assertEqual(a, b, text)
                self.assertLess(proxy.given - before, least + 10000, text)  # the samples would be some 400,000
        for text in ("distribution some p95", "any * p50", "any * distinct", "timing slow p95", "any s* p90"):
            a, b = (statwit("value", text, "--db", db, binary=True).stdout for db in (path, self.url("repo=told")))
            self.assertEqual(a, b, text)
        claims = ("timing slow p95 > 1 and samples > 1 and distinct == 20000", "timing slow each != 3", "no timing slow each == 3 and p50 > 1",
                  "distribution some p50 ~ 1111", "timing slow p95 ~ 2714 and last > 1 and first == 0")
        a, b = (statwit("expect", "--json", *claims, "--db", db, code=None, binary=True).stdout for db in (path, self.url("repo=told")))
        self.assertEqual(a, b)

    def test_users(self):
        reader = {"STATWIT_CLICKHOUSE_USER": "reader", "STATWIT_CLICKHOUSE_PASSWORD": "secret"}
        statwit("ls", "--db", self.url("repo=plain"), env=reader)
        self.assertIn("not pushed", self.push(self.files["plain"], env=reader, code=3))
        wrong = reader | {"STATWIT_CLICKHOUSE_PASSWORD": "wrong"}
        self.assertIn("does not know user reader", statwit("ls", "--db", self.url("repo=plain"), env=wrong, code=3))
        strict = reader | {"STATWIT_CLICKHOUSE_USER": "strict"}
        self.assertIn("readonly=2", statwit("ls", "--db", self.url("repo=plain"), env=strict, code=3))

    def test_a_newer_schema_is_refused(self):
        for node in self.nodes:
            self.init(node, "newer")
        self.node.ask("INSERT INTO newer.schema_version VALUES (2, '2026-01-01')")
        self.assertIn("newer statwit", statwit("ls", "--db", self.url("", "newer"), code=3))
        self.assertIn("newer statwit", self.push(self.files["plain"], database="newer", code=3))

    # --- pushes

    def test_a_push_again_replaces(self):
        for _ in range(2):
            self.push(self.files["plain"], "--label", "repo=plain", "--with-requests")
        self.same(self.files["plain"], self.url("repo=plain"), "quick")

    def test_two_pushes_at_once(self):
        started = [subprocess.Popen([STATWIT, "push", self.files["plain"], "--with-requests", "--label", "repo=plain", "--to", self.node.url("statwit")],
                                    env=CLEAN, stderr=subprocess.DEVNULL) for _ in range(4)]
        self.assertEqual([p.wait(120) for p in started], [0] * 4)
        self.same(self.files["plain"], self.url("repo=plain"), "quick")

    def test_a_recording_that_is_still_written(self):
        path = os.path.join(self.folder, "open.db")
        with Recorder("--db", path) as r:
            post(r, "a:1|c")
            r.get("status")
            self.assertIn("is being recorded", self.push(path, "--label", "repo=open"))
            self.assertIn("process", statwit("expect", "no any b", "--db", self.url("repo=open"), code=4))
        self.push(path, "--label", "repo=open")
        statwit("expect", "no any b", "--db", self.url("repo=open"))

    def test_run_pushes(self):
        to = ["--push", self.node.url("statwit"), "--label", "repo=ran"]
        told = statwit("run", *to, "-e", "count a sum == 1", "--", STATWIT, "send", "--to", "http", "a:1|c")
        self.assertIn("pushed 1 sample", told)
        statwit("expect", "count a sum == 1", "--db", self.url("repo=ran"))
        nobody = ["--push", "clickhouse://127.0.0.1:1/statwit", "--push-timeout", "300ms"]
        self.assertIn("warning: not pushed", statwit("run", *nobody, "--", "true"))
        self.assertIn("not pushed", statwit("run", *nobody, "--push-required", "--", "true", code=3))
        statwit("run", *nobody, "--push-required", "--", "false", code=1)

    def test_a_pusher_that_is_killed_shows_nothing_and_doubles_nothing(self):
        path = self.record("killed", lambda r: post(r, *lines(40000, 7)))
        rng = random.Random(5)
        for _ in range(8):
            pusher = subprocess.Popen([STATWIT, "push", path, "--label", "repo=killed", "--to", self.node.url("statwit")], env=CLEAN,
                                      stderr=subprocess.DEVNULL)
            try:
                pusher.wait(rng.uniform(0.01, 0.25))
            except subprocess.TimeoutExpired:
                pusher.send_signal(signal.SIGKILL)
                pusher.wait()
            got = statwit("value", "any * samples", "--db", self.url("repo=killed"), code=None, binary=True)
            self.assertIn(got.stdout.strip() if got.returncode == 0 else b"none" if got.returncode == 2 else b"?", (b"40000", b"none"))
        self.push(path, "--label", "repo=killed", "--with-requests")
        self.same(path, self.url("repo=killed"), "quick")

    def test_an_engine_that_is_killed_during_a_push(self):
        path = self.record("chaos", lambda r: post(r, *lines(40000, 8)))
        for victim in self.nodes * 2:
            pusher = subprocess.Popen([STATWIT, "push", path, "--with-requests", "--timeout", "60s", "--label", "repo=chaos", "--to",
                                       self.node.url("statwit")], env=CLEAN, stderr=subprocess.PIPE)
            time.sleep(0.1)
            victim.kill()
            victim.start()
            _, told = pusher.communicate(timeout=120)
            self.assertEqual(pusher.returncode, 0, told)
            self.same(path, self.url("repo=chaos"), "quick")

    def test_answers_that_are_lost_or_lie(self):
        path = self.record("lost", lambda r: post(r, *lines(3000, 9)))
        for seed in range(6):
            with Proxy(self.node.http, 0.4, seed) as proxy:
                statwit("push", path, "--with-requests", "--label", "repo=lost", "--to", f"clickhouse://127.0.0.1:{proxy.port}/statwit", "--timeout",
                        "60s")
                self.assertGreater(len(proxy.done), 0)
            self.same(path, self.url("repo=lost"), "quick")
        self.assertEqual(self.node.ask("SELECT uniqExact(recording) FROM statwit.recordings WHERE repo = 'lost'"), "1")

    def test_a_200_for_what_was_not_stored_is_found_out(self):
        with Proxy(self.node.http, 1, 1, Proxy.WAYS[5:6]) as proxy:
            told = statwit("push", self.files["plain"], "--label", "repo=lied", "--to", f"clickhouse://127.0.0.1:{proxy.port}/statwit", code=3)
        self.assertIn("not the", told)
        statwit("ls", "--db", self.url("repo=lied"), code=2)

    def test_an_answer_cut_short_is_an_error(self):
        for seed in range(8):
            with Proxy(self.node.http, 0.3, seed, Proxy.WAYS[:5]) as proxy:
                got = statwit("export", "--db", f"clickhouse://127.0.0.1:{proxy.port}/statwit?repo=plain", code=None, binary=True)
                if proxy.done:
                    self.assertEqual(got.returncode, 3, got.stderr)
                else:
                    self.assertEqual(got.returncode, 0, got.stderr)

    def test_a_missing_part_is_an_error(self):
        database = "parts"
        for node in self.nodes:
            self.init(node, database)
        self.push(self.files["plain"], database=database)
        for node in self.nodes:
            node.ask(f"ALTER TABLE {database}.series{'_local' if self.nodes_wanted > 1 else ''} DROP PARTITION 202611")
            node.ask(f"ALTER TABLE {database}.series{'_local' if self.nodes_wanted > 1 else ''} DROP PARTITION {time.strftime('%Y%m', time.gmtime())}")
        self.assertIn("a part of it was dropped", statwit("ls", "--db", self.url("", database), code=3))


class TwoShards(Fleet):
    nodes_wanted = 2

    def test_a_shard_that_is_down_is_an_error_and_never_a_smaller_answer(self):
        self.nodes[1].kill()
        try:
            for _ in range(4):
                statwit("ls", "--db", self.url(""), code=3)
        finally:
            self.nodes[1].start()
        statwit("ls", "--db", self.url(""))

    def test_no_question_is_over_before_each_shard_answered(self):
        """A LIMIT that one shard's rows reach cancels the question to the other, which may say then that it lacks the tables sent along."""
        with Proxy(self.node.http) as proxy:
            self.same(self.files["bites"], f"clickhouse://127.0.0.1:{proxy.port}/statwit?repo=bites")
        self.assertGreater(sum(" FROM sel)" in sql for sql in proxy.asked), 100)
        self.assertEqual([sql for sql in proxy.asked if " LIMIT " in sql and " ORDER BY " not in sql], [])


if __name__ == "__main__":
    if not shutil.which("clickhouse-server"):
        print("fleet: no clickhouse-server here, so nothing is tested (apt-get install clickhouse-server)")
        sys.exit(0)
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
