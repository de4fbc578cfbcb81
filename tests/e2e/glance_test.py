"""What the live page is made of: the questions that it asks, each against a slow reference, and the page's files.
Run by `make e2e-glance`, with STATWIT naming the binary."""

import calendar
import json
import random
import re
import time
import unittest
import urllib.error
import urllib.request

from recorder import Recorder


class Glances(unittest.TestCase):
    """/metrics, /tags, /timeline and /histogram against a slow reference over /series and /samples."""

    def fill(self, r, seed):
        rng = random.Random(seed)
        for _ in range(60):
            lines = []
            for _ in range(8):
                letter = rng.choice(["c", "g", "ms", "h", "d", "s"])
                value = rng.choice(["u1", "u2"]) if letter == "s" else rng.choice([rng.randrange(20), -1.5, rng.random() * 1e3])
                line = f"{rng.choice(['a.b', 'a.c', 'Web', 'x y'])}:{value}|{letter}"
                line += rng.choice(["", "", "|@0.5", "|@0.1"])
                tags = rng.sample(["env:ci", "env:prod", "solo", f"id:{rng.randrange(30)}", ":", "k:v:w"], rng.randrange(4))
                line += f"|#{','.join(tags)}" if tags else ""
                lines.append(line + (f"|T{int(time.time()) - rng.randrange(500)}" if letter in "cg" and rng.random() < 0.5 else ""))
            r.send("\n".join(lines))

    def test_metrics_are_the_sums_of_their_series(self):
        for seed in range(3):
            with Recorder() as r:
                self.fill(r, seed)
                want = {}
                for s in r.get("series", limit=100000)["series"]:
                    want.setdefault((s["name"], s["type"]), []).append(s)
                for sort in ("name", "type", "series", "samples", "last_at"):
                    got = r.get("metrics", sort=sort)
                    self.assertEqual(got["total"], len(want))
                    keys = [m[sort] for m in got["metrics"]]
                    self.assertEqual(keys, sorted(keys) if sort != "type" else keys)
                    down = r.get("metrics", sort=sort, desc=1)["metrics"]
                    self.assertEqual(down, got["metrics"][::-1])
                    self.assertEqual(r.get("metrics", sort=sort, offset=2, limit=3)["metrics"], got["metrics"][2:5])
                for m in got["metrics"]:
                    rows = want[m["name"], m["type"]]
                    self.assertEqual((m["series"], m["samples"]), (len(rows), sum(s["samples"] for s in rows)))
                    newest = max(rows, key=lambda s: s["last_at"])["last_at"]
                    self.assertEqual(m["last_at"], newest)
                    self.assertIn(m["last"], [s["last"] for s in rows if s["last_at"] == newest])
                    if m["type"] == "set":
                        self.assertIsNone(m["sum"])
                        continue
                    self.assertAlmostEqual(m["sum"], sum(s["sum"] for s in rows), delta=1e-6 * (1 + abs(m["sum"])))
                    self.assertEqual((m["min"], m["max"]), (min(s["min"] for s in rows), max(s["max"] for s in rows)))
                    keys = {t.split(":")[0] for s in rows for t in s["tags"]}
                    self.assertEqual(set(m["tag_keys"]), keys)

    def batches(self, r, samples, **args):
        """The events of a stream of batches until they tell of so many samples."""
        query = "&".join(f"{k}={v}" for k, v in {"every_ms": 100, **args}.items())
        with urllib.request.urlopen(f"{r.ready['http']}/recorder/v1/stream?{query}", timeout=60) as stream:
            yield None
            passed, kind = 0, None
            while passed < samples:
                line = stream.readline().decode().strip()
                if line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: "):
                    self.assertEqual(kind, "batch")
                    batch = json.loads(line[6:])
                    passed += batch["passed"]
                    yield batch

    def test_batches_tell_of_every_sample_once(self):
        for seed in range(3):
            with Recorder() as r:
                self.fill(r, 100 + seed)
                mark = r.ask("POST", "/recorder/v1/marks", {})["mark"]
                self.fill(r, seed)
                r.get("status")
                want = r.get("samples", since=mark, limit=100000)["samples"]
                # In one batch, as it is all there when the stream begins.
                batch = [b for b in self.batches(r, len(want), since=mark, rows=200) if b][0]
                self.assertEqual((batch["passed"], batch["partial"]), (len(want), False))
                groups = {}
                for s in want:
                    groups.setdefault((s["name"], s["type"]), []).append(s)
                self.assertEqual(batch["names"], len(groups))
                self.assertEqual(len(batch["rows"]), len(groups))
                self.assertEqual([b["n"] for b in batch["rows"]], sorted(b["n"] for b in batch["rows"]))
                for row in batch["rows"]:
                    mine = groups[row["name"], row["type"]]
                    self.assertEqual(row["n"], len(mine))
                    self.assertEqual({k: v for k, v in row.items() if k not in ("n", "sum", "new")},
                                     {k: v for k, v in mine[-1].items() if v is not None})
                    if row["type"] == "set":
                        self.assertIsNone(row["sum"])
                    elif row["type"] in ("count", "gauge"):
                        total = sum(s["value"] / (s["sample_rate"] if row["type"] == "count" else 1) for s in mine)
                        self.assertAlmostEqual(row["sum"], total, delta=1e-6 * (1 + abs(total)))
                # Few: each of them, in the order of arrival.
                last = r.get("status")["last_id"]
                r.send("few.a:1|c|@0.5\nfew.b:2|g\na.b:3|g")
                r.get("status")
                batch = [b for b in self.batches(r, 3, since=last) if b][0]
                self.assertEqual([(b["name"], b["n"]) for b in batch["rows"]], [("few.a", 1), ("few.b", 1), ("a.b", 1)])
                self.assertEqual(batch["rows"][0]["sum"], 2)

    def test_batches_count_out_of_chunks_what_samples_say(self):
        """From its second event on, a stream counts what a commit wrote, not each sample."""
        for seed in range(3):
            with Recorder() as r:
                self.fill(r, 300 + seed)
                last = r.get("status")["last_id"]
                stream = self.batches(r, 1 + 3 * 480 + 1, since=last, rows=200)
                next(stream)
                r.send("first:1|c")
                self.assertEqual(next(stream)["rows"][0]["name"], "first")
                for more in range(3):
                    self.fill(r, seed + more)
                r.send("at.the.end:1|c")
                r.get("status")
                n, total, newest = {}, {}, {}
                for row in (row for batch in stream for row in batch["rows"]):
                    key = row["name"], row["type"]
                    n[key], newest[key] = n.get(key, 0) + row["n"], row["id"]
                    total[key] = total.get(key, 0) + (row["sum"] or 0)
                groups = {}
                for s in r.get("samples", since=last, limit=100000)["samples"]:
                    groups.setdefault((s["name"], s["type"]), []).append(s)
                del groups["first", "count"]
                self.assertEqual(n, {key: len(mine) for key, mine in groups.items()})
                self.assertEqual(newest, {key: mine[-1]["id"] for key, mine in groups.items()})
                for (_, kind), mine in groups.items():
                    if kind in ("count", "gauge"):
                        want = sum(s["value"] / (s["sample_rate"] if kind == "count" else 1) for s in mine)
                        self.assertAlmostEqual(total[mine[0]["name"], kind], want, delta=1e-6 * (1 + abs(want)))

    def test_batches_show_what_is_new_first(self):
        with Recorder() as r:
            r.send("\n".join(f"old.{i}:1|c" for i in range(100)))
            r.get("status")
            stream = self.batches(r, 3001, rows=5, name="*")
            next(stream)  # it stands
            for i in range(30):
                r.send("\n".join(f"old.{k}:1|c" for k in range(100)) + ("\nbrand.new:1|c" if i == 15 else ""))
            rows = [(row["name"], row["new"]) for batch in stream for row in batch["rows"]]
            self.assertIn(("brand.new", True), rows)
            self.assertEqual({name for name, new in rows if new}, {"brand.new"})

    def test_batches_refuse_what_they_do_not_take(self):
        with Recorder() as r:
            for query, why in (("rows=3", "every_ms"), ("every_ms=1", "from 100"), ("every_ms=250&rows=0", "rows"), ("every_ms=250&type=event", "samples alone")):
                with self.assertRaises(urllib.error.HTTPError) as caught:
                    urllib.request.urlopen(f"{r.ready['http']}/recorder/v1/stream?{query}", timeout=60)
                self.assertEqual(caught.exception.code, 400)
                self.assertIn(why, caught.exception.read().decode())

    def test_rejects_by_reason_and_the_newest_of_one(self):
        with Recorder() as r:
            rng = random.Random(4)
            for i in range(200):
                r.send(rng.choice([f"a{i}:1|zz", f"b{i}|c", f"c{i}:x|g", f"_e{{{i}", f"ok{i}:1|c"]))
            all_of = r.get("rejects", limit=100000)["rejects"]
            self.assertEqual(r.get("rejects", newest="true", limit=7)["rejects"], all_of[-7:])  # the oldest came once
            grouped = r.get("rejects", group="true")
            self.assertEqual((grouped["total"], grouped["partial"]), (len(all_of), False))
            self.assertEqual([g["n"] for g in grouped["reasons"]], sorted((g["n"] for g in grouped["reasons"]), reverse=True))
            for g in grouped["reasons"]:
                mine = [x for x in all_of if x["reason"] == g["reason"]]
                self.assertEqual((g["n"], g["newest"]), (len(mine), mine[-1]))
                self.assertEqual(r.get("rejects", reason=g["reason"], limit=100000)["rejects"], mine)
                self.assertEqual(r.get("rejects", reason=g["reason"], newest="true", limit=5)["rejects"], mine[-5:])
                pages, cursor = [], 0
                while cursor is not None:
                    page = r.get("rejects", reason=g["reason"], limit=9, cursor=cursor)
                    pages, cursor = pages + page["rejects"], page["next"]
                self.assertEqual(pages, mine)
            self.assertEqual(len(grouped["reasons"]), len({x["reason"] for x in all_of}))
            events = [x for x in all_of if x["family"] == "event"]
            self.assertEqual(r.get("rejects", type="event", newest="true", limit=3)["rejects"], events[-3:])
            r.ask("GET", "/recorder/v1/rejects?reason=bad", status=400)
            r.ask("GET", "/recorder/v1/rejects?group=true&limit=3", status=400)

    def test_words_of_q(self):
        with Recorder() as r:
            r.send("http.time:1|ms|#env:ci", "http.Hits:1|c|#env:prod", "db.time:1|ms|#env:prod", "solo:1|g|#lonely")
            names = lambda q: [m["name"] for m in r.get("metrics", q=q)["metrics"]]
            self.assertEqual(names("time"), ["db.time", "http.time"])
            self.assertEqual(names("hits"), ["http.Hits"])
            self.assertEqual(names("http.*"), ["http.Hits", "http.time"])
            self.assertEqual(names("is:timing env:prod"), ["db.time"])
            self.assertEqual(names("is:incr"), ["http.Hits"])
            self.assertEqual(names("  db   time "), ["db.time"])
            self.assertEqual(names("nothing"), [])
            for q in ("is:nonsense", " ".join("abcdefghijklmnopqrstuvwxyzabcdefgh")):
                self.assertIn("q", r.ask("GET", "/recorder/v1/metrics?q=" + q.replace(" ", "+"), status=400)["error"])

    def test_tags_count_what_the_series_have(self):
        for seed in range(3):
            with Recorder() as r:
                self.fill(r, seed)
                for filters in ({}, {"name": "a.*"}, {"type": "c", "tag": "env:*"}):
                    want = {}
                    rows = r.get("series", limit=100000, **filters)["series"]
                    for s in rows:
                        for t in s["tags"]:
                            one = want.setdefault(t.split(":")[0], {}).setdefault(t, [0, 0])
                            one[0] += 1
                            one[1] += s["samples"]
                    got = r.get("tags", **filters)
                    self.assertEqual(got["series"], len(rows))
                    self.assertEqual({k["key"]: k["distinct"] for k in got["tags"]}, {k: len(v) for k, v in want.items()})
                    for k in got["tags"]:
                        most = sorted((n for _, n in want[k["key"]].values()), reverse=True)[:12]
                        self.assertEqual([v["samples"] for v in k["values"]], most)
                        for v in k["values"]:
                            self.assertEqual([v["series"], v["samples"]], want[k["key"]][v["tag"]])
                            self.assertEqual(v["value"], v["tag"].split(":", 1)[1] if ":" in v["tag"] else None)

    def test_a_timeline_adds_up_to_the_series(self):
        for seed in range(3):
            with Recorder() as r:
                self.fill(r, seed)
                for name in ("a.b", "Web", "x*"):
                    for kind in ("count", "gauge", "timing", "distribution", "set"):
                        rows = r.get("series", name=name, type=kind)["series"]
                        samples = r.get("samples", name=name, type=kind)["samples"]
                        t = r.get("timeline", name=name, type=kind, buckets=40)
                        self.assertLessEqual(t["buckets"], 40)
                        self.assertEqual({len(t[c]) for c in ("n", "count", "sum", "min", "max", "p50", "p95")}, {t["buckets"]})
                        self.assertEqual((sum(t["n"]), t["partial"]), (len(samples), False))
                        if kind == "set" or not rows:
                            self.assertEqual([x for x in t["sum"] if x is not None], [])
                            continue
                        self.assertAlmostEqual(sum(x or 0 for x in t["sum"]), sum(s["sum"] for s in rows), delta=1e-6 * (1 + sum(abs(s["sum"]) for s in rows)))
                        self.assertAlmostEqual(sum(t["count"]), sum(s["count"] for s in rows), delta=1e-6)
                        buckets = {}
                        for s in samples:
                            at = s["timestamp"] or calendar.timegm(time.strptime(s["received_at"][:19], "%Y-%m-%dT%H:%M:%S"))
                            buckets.setdefault((at * 1000 - t["from_ms"]) // t["step_ms"], []).append(s["value"])
                        for i, n in enumerate(t["n"]):
                            values = buckets.get(i, [])
                            self.assertEqual((n, t["min"][i], t["max"][i]), (len(values), min(values, default=None), max(values, default=None)))

    def test_a_timeline_forgets_what_a_reset_forgot(self):
        with Recorder() as r:
            r.send("a:1|c\na:2|c")
            self.assertEqual(r.get("timeline", name="a")["read"], 2)
            r.ask("POST", "/recorder/v1/reset", {})
            self.assertEqual(r.get("timeline", name="a")["read"], 0)

    def test_a_histogram_holds_every_value_once(self):
        for seed in range(3):
            with Recorder() as r:
                self.fill(r, seed)
                for name, bins in (("a.b", 7), ("Web", 64), ("*", 1), ("x y", 2)):
                    for kind in ("gauge", "timing", "distribution"):
                        rows = r.get("series", name=name, type=kind)["series"]
                        g = r.get("histogram", name=name, type=kind, bins=bins)
                        count = sum(s["count"] for s in rows)
                        self.assertAlmostEqual(g["count"], count, delta=1e-6)
                        self.assertAlmostEqual(sum(n for _, _, n in g["bins"]), count, delta=1e-6)
                        self.assertLessEqual(len(g["bins"]), max(bins, 12))
                        self.assertEqual((g["bins"][0][0], g["max"]), (min(s["min"] for s in rows), max(s["max"] for s in rows)))
                        self.assertEqual([b[0] for b in g["bins"]], sorted(b[0] for b in g["bins"]))
                        for p in (50, 75, 90, 95, 99):
                            text = r.ask("POST", "/recorder/v1/expect", {"expect": [f'{kind} "{name}" p{p} == {g["percentiles"][f"p{p}"]!r}']})
                            self.assertEqual(text["verdict"], "pass" if name != "*" else text["verdict"], text)

    def test_an_empty_recording_and_bad_arguments(self):
        with Recorder() as r:
            self.assertEqual(r.get("metrics")["metrics"], [])
            self.assertEqual(r.get("tags")["tags"], [])
            self.assertEqual(sum(r.get("timeline", range=60)["n"]), 0)
            self.assertEqual(r.get("histogram")["bins"], [])
            for question in ("metrics?sort=size", "metrics?offset=-1", "metrics?cursor=1", "timeline?range=0", "timeline?range=1h",
                             "timeline?buckets=301", "histogram?bins=0", "tags?settled=maybe", "status?settled=", "metrics?session=none"):
                status, _, text = r.raw("GET", "/recorder/v1/" + question)
                self.assertIn(status, (400, 404), question)
                self.assertIn("error", json.loads(text))

    def test_settled_no_shows_what_was_committed(self):
        with Recorder() as r:
            r.send("a:1|c")
            self.assertEqual(r.get("status")["counts"]["samples"], 1)
            for what in ("series", "samples", "metrics"):
                self.assertEqual(len(r.get(what, settled="no")[what]), 1)
            self.assertEqual(r.get("status", settled="no")["counts"]["samples"], 1)
            self.assertEqual(r.get("sessions", settled="no")["sessions"][0]["samples"], 1)
            self.assertEqual(r.get("sessions/default", settled="no")["samples"], 1)


class Page(unittest.TestCase):
    def test_looking_records_nothing(self):
        with Recorder() as r:
            before = r.get("status")["last_id"]
            browser = {"Sec-Fetch-Site": "none"}
            status, headers, text = r.raw("GET", "/")
            self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
            files = set(re.findall(rb'"(/page/[a-z.]+)"', text))
            for path in list(files):
                _, _, inside = r.raw("GET", path.decode())
                files |= {b"/page/" + name for name in re.findall(rb"from '\./([a-z]+\.js)'", inside)}
            self.assertGreater(len(files), 10)
            for path in sorted(files) + [b"/favicon.ico"]:
                status, headers, text = r.raw("GET", path.decode())
                self.assertEqual(status, 200, path)
                self.assertTrue(headers["Content-Security-Policy"].endswith("trusted-types 'none'"))
                self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
                for danger in (b"innerHTML", b"outerHTML", b"insertAdjacentHTML", b"document.write", b"eval(", b"http://", b"https://"):
                    text = text.replace(b"http://www.w3.org/2000/svg", b"")
                    self.assertNotIn(danger, text, path)
            for path in ("/.well-known/appspecific/com.chrome.devtools.json", "/apple-touch-icon.png"):
                self.assertEqual(r.raw("GET", path, None, browser)[0], 404)
            self.assertEqual(r.raw("GET", "/page/other.js")[0], 404)
            self.assertEqual(r.get("status")["last_id"], before)
            r.raw("GET", "/who/else")
            self.assertEqual(r.get("requests")["requests"][0]["path"], "/who/else")

    def test_a_foreign_host_gets_no_page(self):
        with Recorder() as r:
            for path in ("/", "/page/app.js", "/favicon.ico"):
                self.assertEqual(r.raw("GET", path, None, {"Host": "evil.example"})[0], 403)


if __name__ == "__main__":
    unittest.main()
