"""The control API: every path of schema/openapi.yaml answers as described there, the server has no other, and what the
questions promise holds. Run by `make e2e-api`, with STATWIT naming the binary."""

import base64
import gzip
import http.client
import json
import os
import re
import socket
import threading
import time
import unittest

import yaml

from recorder import Recorder

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
with open(os.path.join(TOP, "schema", "openapi.yaml"), encoding="utf-8") as file:
    API = yaml.safe_load(file)


def resolve(node):
    while "$ref" in node:
        target = API
        for part in node["$ref"].lstrip("#/").split("/"):
            target = target[part]
        node = target
    return node


JSON_TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")


def mismatch(value, schema, where="answer"):
    """The first place where a value is not what the schema says, as text; None when it is."""
    schema = resolve(schema)
    if value is None:
        return None if schema.get("nullable") or "type" not in schema else f"{where} is null"
    kind = schema.get("type")
    if kind and (not isinstance(value, JSON_TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return f"{where} is {value!r}, not of type {kind}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{where} is {value!r}, none of {schema['enum']}"
    if schema.get("format") == "date-time" and not RFC3339.fullmatch(value):
        return f"{where} is {value!r}, not a time"
    if kind == "array" and "items" in schema:
        return next(filter(None, (mismatch(v, schema["items"], f"{where}[{i}]") for i, v in enumerate(value))), None)
    if kind != "object":
        return None
    missing = set(schema.get("required", ())) - set(value)
    if missing:
        return f"{where} lacks {sorted(missing)}"
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for key, field in value.items():
        if key not in properties and others is False:
            return f"{where} has {key!r}, which is not described"
        wrong = mismatch(field, properties.get(key, others if isinstance(others, dict) else {}), f"{where}.{key}")
        if wrong:
            return wrong
    return None


class Described(unittest.TestCase):
    """The server and schema/openapi.yaml."""

    BODIES = {
        ("/recorder/v1/sessions", "post"): {"name": "described", "unix": True, "ttl_s": 3600},
        ("/recorder/v1/expect", "post"): {"expect": ["incr a.count", "gauge missing"], "all_covered": True},
        ("/recorder/v1/verify", "post"): {"catalog": {"metrics": {"a.cont": {"type": "gauge"}}}, "strict": True},
        ("/recorder/v1/lint", "post"): {"catalog": "metric_name,metric_type\na.count,count\n", "silence": ["mixed-types"]},
        ("/recorder/v1/snapshot", "post"): {"check": "# statwit snapshot 1: counts\ncount b[] samples == 1\n"},
        ("/recorder/v1/diff", "post"): {"a": {"session": "default"}, "b": {"catalog": {"metrics": {"a.cont": {}}}}},
        ("/recorder/v1/faults", "put"): {
            "http": [{"path": "/x", "session": "default", "status": 500, "delay_ms": 1, "cut": "after", "times": 1,
                      "probability": 0.5, "seed": 3}],
            "dogstatsd": [{"drop": 0, "session": "default", "seed": 2}]},
    }

    def check(self, path, method, operation, status, headers, text):
        responses = operation["responses"]
        response = resolve(responses.get(str(status), responses.get("default", {})))
        self.assertTrue(response, f"{method} {path}: {status} is not described")
        kind = headers["Content-Type"].split(";")[0]
        self.assertIn(kind, response["content"], f"{method} {path}")
        if kind == "application/json":
            self.assertIsNone(mismatch(json.loads(text), response["content"][kind]["schema"], f"{method} {path}"))

    def test_every_path_answers_as_described(self):
        with Recorder("--keep-datagrams") as r:
            r.send("a.count:1:2|c|@0.5|#k:v,host:h|c:ci-1", "a.set:x|s", b"bad\xff|c", "_e{1,1}:t|x|#a", "_sc|s|0|m:fine",
                   b"\xff.name:1|g|#\xfe")
            r.raw("POST", "/api/v1/series", {"series": [{"metric": "h", "points": [[1, 1]]}]})
            ordered = sorted(API["paths"].items(), key=lambda item: "{" in item[0])
            for wanted in ("get", "post", "put", "delete"):
                for path, item in ordered:
                    if wanted not in item or path == "/recorder/v1/stream" or (wanted, path) == ("delete", "/reset"):
                        continue
                    url = path.replace("{name}", "default" if wanted == "get" else "described")
                    status, headers, text = r.raw(wanted.upper(), url, self.BODIES.get((path, wanted)))
                    self.assertLess(status, 300, f"{wanted} {url}: {text[:300]}")
                    self.check(path, wanted, item[wanted], status, headers, text)

    def test_a_malformed_catalog_says_where(self):
        with Recorder() as r:
            body = {"catalog": [{"file": "c.json", "text": '{"include":["m.csv"]}'},
                                {"file": "m.csv", "text": "metric_name,metric_type\na,gage\n"}]}
            status, _, text = r.raw("POST", "/recorder/v1/verify", body)
            answer = json.loads(text)
            self.assertEqual((status, answer["file"], answer["line"], answer["column"]), (400, "m.csv", 2, 3))
            body = {"catalog": [{"file": "./x/../c.json", "text": '{"include":["m.csv"]}'},
                                {"file": "./m.csv", "text": "metric_name,metric_type\na,gauge\n"}]}
            status, _, text = r.raw("POST", "/recorder/v1/verify", body)
            self.assertEqual(status, 200, text)  # the names are compared as paths
            body = {"catalog": {"metrics": {}}, "session": "nobody"}
            self.assertEqual(r.raw("POST", "/recorder/v1/verify", body)[0], 404)
            status, _, text = r.raw("POST", "/recorder/v1/lint", {"strickt": True})
            self.assertEqual(status, 400)
            self.assertIn(b"did you mean 'strict'", text)

    def test_lint_and_infer_of_one_name_tell_of_no_other(self):
        with Recorder() as r:
            r.send("Bad Name:1|c", "bad_name:1|c", "other name:1|g", "good.one:1|ms|#env:ci", "x" * 2000 + ":1|c")
            whole = json.loads(r.raw("POST", "/recorder/v1/lint", {})[2])
            one = json.loads(r.raw("POST", "/recorder/v1/lint", {"name": "Bad*"})[2])
            self.assertEqual({x["name"] for x in one["results"]}, {"Bad Name"})
            # What lint says of it is the same: it was compared with all the others.
            self.assertEqual(one["results"], [x for x in whole["results"] if x.get("name") == "Bad Name"])
            self.assertTrue(one["summary"].startswith("1 series"), one["summary"])
            catalog = json.loads(json.loads(r.raw("POST", "/recorder/v1/infer", {"name": "good.*"})[2])["catalog"])
            self.assertEqual(list(catalog["metrics"]), ["good.one"])
            self.assertEqual(r.raw("POST", "/recorder/v1/lint", {"name": 7})[0], 400)

    def test_questions_about_names_can_do_without_the_barrier(self):
        with Recorder() as r:
            r.send("Bad Name:1|c")
            r.get("status")
            barriers = lambda: re.search(rb"\nstatwit_questions_total (\d+)", r.raw("GET", "/metrics")[2]).group(1)
            for path, body in (("lint", {}), ("infer", {}), ("snapshot", {}), ("verify", {"catalog": {"metrics": {}}}),
                               ("diff", {"a": {"session": "default"}, "b": {"session": "default"}})):
                settled = json.loads(r.raw("POST", f"/recorder/v1/{path}", body)[2])
                before = barriers()
                status, _, text = r.raw("POST", f"/recorder/v1/{path}?settled=no", body)
                self.assertEqual((status, json.loads(text)), (200, settled), path)
                self.assertEqual(barriers(), before, path)
                status, _, text = r.raw("POST", f"/recorder/v1/{path}?settled=perhaps", body)
                self.assertEqual((status, b"yes or no" in text), (400, True), path)

    def test_a_refused_expectation_answers_as_described(self):
        with Recorder() as r:
            for body in ({"expect": ["incr a sum = 1"]}, {"expect": [{"text": "incr", "file": "f"}]}, {"since": "x"}):
                status, headers, text = r.raw("POST", "/recorder/v1/expect", body)
                self.assertEqual((status, json.loads(text)["verdict"]), (400, "error"))
                self.check("/recorder/v1/expect", "post", API["paths"]["/recorder/v1/expect"]["post"], status, headers, text)

    def test_every_method_that_is_not_described_is_refused(self):
        with Recorder() as r:
            for path, item in API["paths"].items():
                for method in ("get", "post", "put", "delete", "patch"):
                    if method in item:
                        continue
                    status, headers, text = r.raw(method.upper(), path.replace("{name}", "x"))
                    self.assertEqual(status, 405, f"{method} {path}")
                    allowed = {m.strip().lower() for m in headers["Allow"].split(",")} - {"head"}
                    self.assertEqual(allowed, {m for m in item if m in ("get", "post", "put", "delete", "patch")}, path)
                    self.assertIn("error", json.loads(text))

    def test_every_route_of_the_server_is_described(self):
        with open(os.path.join(TOP, "server", "control", "control.c"), encoding="utf-8") as source:
            routes = {p.replace("V1 ", "/recorder/v1").replace('"', "")
                      for p in re.findall(r'(?:V1 )?"/[a-z_.{}/]+"', source.read())} - {"/recorder/v1"}
        self.assertEqual(routes, set(API["paths"]))

    def test_every_argument_is_taken_and_no_other(self):
        values = {"session": "default", "name": "a*", "type": "count", "tag": "k:v", "source": "udp", "since": "0",
                  "until": "1", "p95": "true", "limit": "5", "cursor": "1", "newest": "true", "format": "csv",
                  "interval_s": "5", "flush_at": "10", "hostname": "h", "explain": "a", "histogram_aggregates": "max",
                  "histogram_percentiles": "0.5", "settled": "no", "q": "a",
                  "sort": "series", "desc": "1", "offset": "2", "range": "60", "buckets": "9", "bins": "9"}
        with Recorder("--keep-datagrams") as r:
            r.send("a:1|c")
            for path, item in API["paths"].items():
                if "get" not in item or "{" in path:
                    continue
                described = {resolve(p)["name"]: resolve(p) for p in item["get"].get("parameters", ())}
                for name, value in values.items():
                    words = described.get(name, {}).get("schema", {}).get("enum", [value])
                    value = value if value in words else words[0]
                    if path == "/recorder/v1/stream" and name in described:
                        continue  # an answer without end
                    status, _, text = r.raw("GET", f"{path}?{name}={value}")
                    self.assertEqual(status, 200 if name in described else 400, f"{path}?{name}: {text[:100]}")
                status, _, text = r.raw("GET", path + "?never_heard_of=1")
                self.assertEqual(status, 400, path)
                self.assertIn(b"never_heard_of", text)


class Questions(unittest.TestCase):
    def test_what_was_sent_before_is_in_the_answer(self):
        with Recorder() as r:
            for i in range(1, 501):
                r.send(f"n:{i}|g")
                [series] = r.get("series", name="n")["series"]
                self.assertEqual((series["samples"], series["last"]), (i, i))

    def test_cursors_walk_through_everything_once(self):
        with Recorder() as r:
            for i in range(100):
                r.send("\n".join(f"m{i}.{k}:{i}:{k}|d|#t:{k}" for k in range(20)))
            for what, total in (("samples", 4000), ("series", 2000)):
                ids, cursor = [], None
                while True:
                    page = r.get(what, limit=333, **({"cursor": cursor} if cursor else {}))
                    ids += [row["id"] for row in page[what]]
                    cursor = page["next"]
                    if cursor is None:
                        break
                    self.assertEqual(len(page[what]), 333)
                self.assertEqual(len(ids), total)
                self.assertEqual(ids, sorted(set(ids)))

    def test_filters(self):
        with Recorder() as r:
            r.send("web.hits:1|c|#env:ci,path:/a", "web.hits:2|c|#env:prod", "web.load:3|g|#env:ci", "db.hits:4|c")
            values = lambda **filters: [s["value"] for s in r.get("samples", **filters)["samples"]]
            self.assertEqual(values(), [1, 2, 3, 4])
            self.assertEqual(values(name="web.*"), [1, 2, 3])
            self.assertEqual(values(name="*.h?ts"), [1, 2, 4])
            self.assertEqual(values(type="c"), [1, 2, 4])
            self.assertEqual(values(type="incr", name="db.*"), [4])
            self.assertEqual(values(tag="env:ci"), [1, 3])
            self.assertEqual(values(tag=["env:*", "path:/a"]), [1])
            self.assertEqual(values(source="http"), [])
            self.assertEqual(values(limit=2), [1, 2])
            self.assertEqual(values(limit=2, newest="true"), [3, 4])
            mark = r.ask("POST", "/recorder/v1/marks")["mark"]
            r.send("later:5|c")
            self.assertEqual(values(since=mark), [5])

    def test_bytes_that_are_not_utf8(self):
        with Recorder() as r:
            r.send(b"na\xffme\x00:1|g|#t\xe9g", b"\xc3\x28 nonsense")
            [sample] = r.get("samples")["samples"]
            self.assertEqual(sample["name"], "na\ufffdme\0")
            self.assertEqual(base64.b64decode(sample["name_b64"]), b"na\xffme\x00")
            self.assertEqual([base64.b64decode(t) for t in sample["tags_b64"]], [b"t\xe9g"])
            [reject] = r.get("rejects")["rejects"]
            self.assertEqual(base64.b64decode(reject["text_b64"]), b"\xc3\x28 nonsense")

    def test_names_cannot_inject(self):
        name = "x'); DROP TABLE sample; --\"\\ </script>"
        with Recorder() as r:
            r.send(f"{name}:1|c|#a'\":b")
            [series] = r.get("series", name=name)["series"]
            self.assertEqual((series["name"], series["tags"]), (name, ["a'\":b"]))
            self.assertEqual(r.get("series", tag="' OR 1=1 --")["series"], [])
            r.ask("GET", "/recorder/v1/series?session=%27%20OR%201%3D1", status=404)

    def test_sessions_see_only_their_own(self):
        import socket
        with Recorder() as r, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            opened = [r.ask("POST", "/recorder/v1/sessions", {"name": f"s{i}"}, status=201) for i in range(50)]
            for session in opened:
                to = ("127.0.0.1", int(session["env"]["DD_DOGSTATSD_PORT"]))
                for k in range(20):
                    udp.sendto(f"{session['name']}.hit:{k}|c".encode(), to)
            for session in opened:
                [series] = r.get("series", session=session["name"])["series"]
                self.assertEqual((series["name"], series["samples"]), (session["name"] + ".hit", 20))
                body = {"session": session["name"], "expect": [f"incr {session['name']}.hit samples == 20", "no incr s*x"]}
                self.assertEqual(r.ask("POST", "/recorder/v1/expect", body)["verdict"], "pass")
            self.assertEqual(r.get("series")["series"], [])
            for session in opened:
                r.ask("DELETE", "/recorder/v1/sessions/" + session["name"])
            self.assertEqual([s["name"] for s in r.get("sessions")["sessions"]], ["default"])
            self.assertEqual(r.get("samples", session="*")["samples"], [])

    def test_a_session_by_key_and_by_token(self):
        with Recorder() as r:
            session = r.ask("POST", "/recorder/v1/sessions", {"name": "web"}, status=201)
            body = {"series": [{"metric": "via.key", "points": [[int(time.time()), 1]], "type": "gauge"}]}
            r.ask("POST", "/api/v1/series", body, {"DD-API-KEY": session["api_key"]}, status=202)
            body["series"][0]["metric"] = "via.token"
            headers = {"DD-API-KEY": "0" * 32, "X-Datadog-Test-Session-Token": "web", "Content-Encoding": "gzip"}
            status, _, _ = r.raw("POST", "/api/v1/series", gzip.compress(json.dumps(body).encode()), headers)
            self.assertEqual(status, 202)
            names = sorted(s["name"] for s in r.get("series", session="web")["series"])
            self.assertEqual(names, ["via.key", "via.token"])

    def test_reset_forgets_one_session_only(self):
        with Recorder() as r:
            r.ask("POST", "/recorder/v1/sessions", {"name": "other"}, status=201)
            r.send("a:1|c", "b:1|c", "nonsense")
            self.assertEqual(r.ask("POST", "/recorder/v1/reset?session=other")["removed"]["samples"], 0)
            removed = r.ask("POST", "/recorder/v1/reset")["removed"]
            self.assertEqual((removed["samples"], removed["series"], removed["rejects"]), (2, 2, 1))
            self.assertEqual(r.get("series")["series"], [])
            r.send("a:1|c")
            self.assertEqual(len(r.get("series")["series"]), 1)
            r.raw("POST", "/api/v1/series?test_session_token=other",
                  {"series": [{"metric": "b", "points": [[int(time.time()), 1]]}]})
            removed = r.ask("POST", "/recorder/v1/reset?session=*")["removed"]
            self.assertEqual((removed["samples"], removed["requests"]), (2, 1))
            self.assertEqual(r.get("series", session="other")["series"], [])
            self.assertEqual(r.get("series")["series"], [])

    def test_an_export_can_be_sent_again(self):
        lines = ["a.b:1.5|ms|@0.5|#k:v,x", "g:-3|g|T1700000000", "s:a:b|s", "_sc|c|1|d:5|m:why", "_e{1,4}:t|a\\nb|k:z|p:low|t:error"]
        with Recorder() as first, Recorder() as second:
            first.send(*lines)
            _, _, text = first.raw("GET", "/recorder/v1/export?format=dogstatsd")
            second.send(*text.splitlines())
            strip = lambda rows: [{k: v for k, v in row.items() if k not in ("id", "received_at")} for row in rows]
            for what in ("samples", "events", "service_checks"):
                self.assertEqual(strip(first.get(what)[what]), strip(second.get(what)[what]))
                self.assertTrue(first.get(what)[what])


class Streams(unittest.TestCase):
    def events(self, r, last_event_id, n):
        """The ids of the first n events of a client that comes back."""
        connection = http.client.HTTPConnection("127.0.0.1", r.port, timeout=60)
        try:
            connection.request("GET", "/recorder/v1/stream", headers={"Last-Event-ID": str(last_event_id)})
            answer, ids, pauses = connection.getresponse(), [], 0
            while len(ids) < n and pauses < 2: # the first one comes at once
                line = answer.readline()
                pauses += line.startswith(b":")
                if line.startswith(b"id:"):
                    ids.append(int(line[3:]))
            return ids
        finally:
            connection.close()

    def test_a_client_comes_back(self):
        with Recorder() as r:
            r.send("a:1|c", "b:1|c", "c:1|c")
            ids = [row["id"] for row in r.get("samples")["samples"]]
            self.assertEqual(self.events(r, 0, 3), ids)
            self.assertEqual(self.events(r, ids[0], 2), ids[1:])
            # An id of a recorder that was here before: nothing of this one was told yet.
            self.assertEqual(self.events(r, ids[-1] + 1000, 3), ids)


class Removal(unittest.TestCase):
    """A session that is removed while it is asked about: what is answered was so at some moment, or it is not found."""
    QUESTIONS = [("GET", path, None, want) for path, want in (
        ("/recorder/v1/metrics?session=x", b"mine"), ("/recorder/v1/series?session=x", b"mine"), ("/recorder/v1/samples?session=x", b"mine"),
        ("/recorder/v1/rejects?session=x", b"bad"), ("/recorder/v1/export?session=x", b"mine"), ("/recorder/v1/export?session=x&format=openmetrics", b"mine"),
        ("/recorder/v1/flush?session=x", b"mine"), ("/recorder/v1/tags?session=x&name=mine", b'"series":1'), ("/recorder/v1/sessions/x", b'"samples":1'),
        ("/recorder/v1/histogram?session=x&name=mine", b'"n":1'), ("/s/x/api/v1/metrics?from=0", b"mine"))] + [
        ("POST", "/recorder/v1/" + path, {"session": "x", **body}, want) for path, body, want in (
            ("expect", {"expect": ["no any mine"]}, b'"fail"'), ("verify", {"catalog": {"metrics": {}}}, b"mine"),
            ("infer", {}, b"mine"), ("snapshot", {}, b"mine"))]

    def test_nothing_is_told_of_what_is_gone(self):
        with Recorder() as r, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            for question in self.QUESTIONS * 3:
                session = r.ask("POST", "/recorder/v1/sessions", {"name": "x"}, status=201)
                udp.sendto(b"mine:1|c\nbad:x|c", ("127.0.0.1", int(session["dogstatsd"]["udp"].rsplit(":", 1)[1])))
                self.assertIn(question[3], self.ask(r, question)[1])
                asker = threading.Thread(target=self.ask_until_gone, args=(r, question))
                self.answers = []
                asker.start()
                r.ask("DELETE", "/recorder/v1/sessions/x")
                asker.join(60)
                *told, (status, text) = self.answers
                self.assertEqual(status, 404, text)
                self.assertRegex(text, rb"has ended while it was asked about|no session is named|there is none of that name")
                for status, text in told:
                    self.assertIn(question[3], text, question)

    @staticmethod
    def ask(r, question):
        method, path, body, _ = question
        connection = http.client.HTTPConnection("127.0.0.1", r.port, timeout=60)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, {"DD-API-KEY": "0" * 32, "DD-APPLICATION-KEY": "0" * 40})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ask_until_gone(self, r, question):
        while True:
            self.answers.append(self.ask(r, question))
            if self.answers[-1][0] != 200:
                return


class Waiting(unittest.TestCase):
    def waiting(self, r, *claims):
        """A thread that waits for them on a connection of its own, and the list that its answer goes to."""
        answers = []
        body = {"expect": claims, "within_ms": 60000}

        def wait():
            connection = http.client.HTTPConnection("127.0.0.1", r.port, timeout=60)
            connection.request("POST", "/recorder/v1/expect", json.dumps(body))
            answers.append(json.loads(connection.getresponse().read()))
            connection.close()

        return threading.Thread(target=wait), answers

    def test_it_ends_at_the_first_moment_that_all_holds(self):
        with Recorder() as r:
            thread, answers = self.waiting(r, "incr step sum == 3", "gauge level samples == 1 and last == 7")
            r.send("level:7|g")
            r.get("series")
            thread.start()
            r.ask("POST", "/recorder/v1/reset")  # what was counted before is forgotten
            r.send("step:1|c")
            r.get("series")
            r.send("step:2|c")
            r.get("series")
            r.send("level:7|g")
            thread.join(60)
            [answer] = answers
            self.assertEqual(answer["verdict"], "pass")
            self.assertLess(answer["waited_ms"], 60000)

    def test_events_and_checks_are_waited_for_too(self):
        with Recorder() as r:
            thread, answers = self.waiting(r, "event Deploy{env:ci} samples == 2", "check app status == ok and samples == 3")
            r.send("_sc|app|2", "_e{6,1}:Deploy|x")
            r.get("series")
            thread.start()
            for lines in (("_e{6,1}:Deploy|x|#env:ci", "_sc|app|1"), ("bad line", "_e{5,1}:Other|x|#env:ci"),
                          ("_sc|other|1", "_e{6,1}:Deploy|x|#env:ci"), ("_sc|app|0",)):
                r.get("series")
                r.send(*lines)
            thread.join(60)
            [answer] = answers
            self.assertEqual((answer["verdict"], answer["results"][1]["observed"]), ("pass", "status ok, samples 3"))

    def test_what_cannot_be_mended_fails_early(self):
        with Recorder() as r:
            r.send("errors.db:1|c", "n:5|c")
            for claim in ("no any errors.*", "incr n sum <= 4", "incr n samples == 0"):
                answer = r.ask("POST", "/recorder/v1/expect", {"expect": [claim], "within_ms": 3000000})
                self.assertEqual(answer["verdict"], "fail", claim)

    def test_settling(self):
        with Recorder() as r:
            r.send("n:1|c")
            answer = r.ask("POST", "/recorder/v1/expect", {"expect": ["incr n samples == 1"], "settle_ms": 50})
            self.assertEqual(answer["verdict"], "pass")
            self.assertGreaterEqual(answer["waited_ms"], 50)

    def test_a_malformed_one_says_where(self):
        with Recorder() as r:
            answer = r.ask("POST", "/recorder/v1/expect", {"expect": ["incr fine", "incr a sum >= x"]}, status=400)
            self.assertIsNone(mismatch(answer, API["components"]["schemas"]["Malformed"]))
            self.assertIn("^", answer["excerpt"])
            self.assertEqual(answer["column"], 15)


class Faults(unittest.TestCase):
    SERIES = {"series": [{"metric": "m", "points": [[int(time.time()), 1]], "type": "gauge"}]}

    def post(self, r):
        return r.raw("POST", "/api/v1/series", self.SERIES, {"DD-API-KEY": "k"})[0]

    def test_a_status_a_number_of_times(self):
        with Recorder() as r:
            r.ask("PUT", "/recorder/v1/faults", {"http": [{"status": 503, "times": 2}]})
            self.assertEqual([self.post(r) for _ in range(3)], [503, 503, 202])
            self.assertEqual(len(r.get("samples")["samples"]), 1)
            self.assertEqual(r.get("faults")["http"][0]["applied"], 2)

    def test_a_delay(self):
        with Recorder() as r:
            r.ask("PUT", "/recorder/v1/faults", {"http": [{"delay_ms": 30, "path": "/api/v1/*"}]})
            self.assertEqual(self.post(r), 202)

    def test_cuts(self):
        for cut, stored in (("before", 0), ("during", 1), ("after", 1)):
            with Recorder() as r:
                r.ask("PUT", "/recorder/v1/faults", {"http": [{"cut": cut}]})
                with self.assertRaises((http.client.HTTPException, ConnectionError)):
                    self.post(r)
                r.connection.close()
                self.assertEqual(len(r.get("samples")["samples"]), stored, cut)

    def test_the_same_seed_gives_the_same_choices(self):
        with Recorder() as r:
            runs = []
            for _ in range(2):
                r.ask("PUT", "/recorder/v1/faults", {"http": [{"status": 500, "probability": 0.5, "seed": 7}]})
                runs.append([self.post(r) for _ in range(30)])
            self.assertEqual(runs[0], runs[1])
            self.assertEqual(set(runs[0]), {500, 202})

    def test_the_control_api_never_misbehaves(self):
        with Recorder() as r:
            r.ask("PUT", "/recorder/v1/faults", {"http": [{"status": 500}]})
            r.get("status")
            r.ask("DELETE", "/recorder/v1/faults")
            self.assertEqual(self.post(r), 202)


class Attacks(unittest.TestCase):
    def test_a_body_without_end(self):
        with Recorder() as r, r.tcp() as connection:
            connection.sendall(b"POST /recorder/v1/marks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            piece = b"100000\r\n" + b"x" * (1 << 20) + b"\r\n"
            sent = 0
            try:
                for _ in range(200):
                    connection.sendall(piece)
                    sent += 1
            except OSError:
                pass
            self.assertLess(sent, 200)
            r.get("status")

    def test_a_token(self):
        with Recorder("--token", "s3cret") as r:
            r.ask("GET", "/healthz")
            r.ask("GET", "/recorder/v1/status", status=401)
            r.ask("GET", "/recorder/v1/status", None, {"Authorization": "Bearer s3crex"}, status=401)
            r.ask("GET", "/recorder/v1/status", None, {"Authorization": "Bearer s3cret"})

    def test_a_page_of_another_site(self):
        with Recorder() as r:
            r.ask("GET", "/recorder/v1/status", None, {"Host": "rebound.example"}, status=403)
            r.ask("POST", "/recorder/v1/reset", None, {"Origin": "http://rebound.example"}, status=403)
            r.ask("POST", "/api/v1/series", {}, {"Origin": "http://rebound.example"}, status=403)


if __name__ == "__main__":
    unittest.main()
