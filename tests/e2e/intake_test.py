"""Every case of fixtures/intake sent to the real binary over HTTP: the exact answer, and what was recorded; then what a
body cannot say: paths, encodings, lengths that lie, uploads that never end. Run by `make e2e-intake`, with STATWIT naming
the binary and CLOCK_SHIFT the library that stops its clock at the time the cases are told."""

import glob
import gzip
import http.client
import json
import os
import resource
import time
import unittest
import zlib

from recorder import Recorder

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "fixtures", "intake")
NOW = 1700000030
OK = ("text/json", b'{"status": "ok"}')
NO_ERRORS = ("application/json", b'{"errors":[]}')
ACCEPTED = {"v1_series": OK, "v1_distribution_points": OK, "v1_check_run": OK, "intake": OK, "v2_series": NO_ERRORS,
            "beta_sketches": NO_ERRORS, "v3_series": ("application/x-protobuf", b"")}
STATUSES = ("ok", "warning", "critical", "unknown")
UNREADABLE = "Payload is not in the expected format: "


def refusal(route, error):
    """Content-Type and body of a 400."""
    plain = error.startswith(("The event must", "Event too far", "JSON validation", "title must"))
    said = error if plain else UNREADABLE + error
    as_text = {"v1_events": {"errors": [said]}, "v2_events": {"errors": [{"status": "400", "title": "Bad Request", "detail": said}]}}
    body = as_text.get(route, {"errors": [said]})
    if route in ("v1_series", "v1_distribution_points", "v1_check_run", "intake"):
        return "text/plain; charset=utf-8", said.encode()
    kind = "text/plain; charset=utf-8" if route == "v1_events" else "application/json"
    return kind, json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def given(fields):
    """A record without what was not given: null, an empty text, no tags."""
    return {k: v for k, v in fields.items() if v not in (None, "", []) and v is not False}


def wanted(want):
    """What the lists should show for want.json's records, as four lists."""
    lists = {"samples": [], "events": [], "service_checks": [], "rejects": []}
    for record in want.get("records", ()):
        r = dict(record)
        if "metric" in r:
            kind, values = r.pop("metric"), r.pop("values")
            for timestamp, value, *sketch in values:
                lists["samples"].append(given({**r, "type": kind, "value": value, "sketch": sketch[0] if sketch else None,
                                               "timestamp": timestamp or None}))
        elif "check" in r:
            r["status"] = STATUSES[r.pop("check")]
            r["timestamp"] = r["timestamp"] or None
            lists["service_checks"].append(given(r))
        elif "event" in r:
            r["timestamp"] = r.pop("event") or None
            lists["events"].append(given(r))
        else:
            r["reason"] = r.pop("reject")
            lists["rejects"].append(given(r))
    return lists


def shown(answer, want):
    """The fields of a list's rows that a case can speak of; of a reject's sentence the part that it does."""
    keep = ("name", "type", "value", "timestamp", "tags", "host", "device", "unit", "interval", "source_type", "resources", "sketch",
            "title", "text", "priority", "alert_type", "aggregation_key", "source_type_name", "status", "message", "reason", "detail")
    rows = [given({k: v for k, v in row.items() if k in keep}) for row in answer]
    for row, expected in zip(rows, want):
        if "reason" in row and "detail" not in expected:
            del row["detail"]
        elif "reason" in row and row["detail"].endswith(": " + expected["detail"]):
            row["detail"] = expected["detail"]
    return rows


class Cases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.recorder = Recorder(LD_PRELOAD=os.environ["CLOCK_SHIFT"], CLOCK_STOPPED_AT=str(NOW),
                                ASAN_OPTIONS="verify_asan_link_order=0")
        cls.recorder.__enter__()
        cls.addClassCleanup(cls.recorder.__exit__)

    def check(self, route, path):
        r = self.recorder
        with open(os.path.join(path, "request"), "rb") as file:
            head, _, body = file.read().partition(b"\n\n")
        with open(os.path.join(path, "want.json"), encoding="utf-8") as file:
            want = json.load(file)
        self.assertEqual(want["now"], NOW)
        first, *headers = head.decode().split("\n")
        method, target, _ = first.split(" ")
        status, got, answer = r.raw(method, target, body, dict(line.split(": ", 1) for line in headers))
        self.assertEqual(status, want["status"], answer)
        self.assertEqual(got["Date"], "Tue, 14 Nov 2023 22:13:50 GMT")
        self.assertEqual(int(got["Content-Length"]), len(answer))
        error = want.get("error")
        if error:
            self.assertEqual((got["Content-Type"], answer), refusal(route, error))
        elif route in ACCEPTED:
            self.assertEqual((got["Content-Type"], answer), ACCEPTED[route])
        else:
            self.event_answer(route, json.loads(answer), want["records"][0])
        for name, expected in wanted(want).items():
            rows = r.get(name)[name]
            if error and name == "rejects":
                self.assertEqual(len(rows), 1)
                self.assertTrue(rows[0]["detail"].endswith(error), rows)
            else:
                self.assertEqual(shown(rows, expected), expected)
        request, = (q for q in r.get("requests")["requests"] if not q["path"].startswith("/recorder/"))
        self.assertEqual((request["status"], request["body_bytes"], request["path"]), (status, len(body), target))

    def event_answer(self, route, answer, record):
        if route == "v2_events":
            self.assertEqual(answer["data"]["type"], "event")
            self.assertRegex(answer["data"]["attributes"]["attributes"]["evt"]["uid"], "^[0-9a-f]{16}$")
            return
        event = answer["event"]
        self.assertEqual((answer["status"], event["id_str"]), ("ok", str(event["id"])))
        if "reject" in record:  # lost, and the sender is not told
            self.assertEqual(event["title"], record["name"])
            return
        self.assertEqual((event["title"], event["text"], event["date_happened"], event["tags"]),
                         (record["title"], record["text"], record["event"] or NOW, record.get("tags")))


def add_case(route, path):
    def test(self):
        try:
            self.check(route, path)
        finally:
            self.recorder.ask("POST", "/recorder/v1/reset")
    setattr(Cases, f"test_{route}_{os.path.basename(path)}", test)


for found in sorted(glob.glob(os.path.join(CASES, "*", "*"))):
    add_case(os.path.basename(os.path.dirname(found)), found)


class Paths(unittest.TestCase):
    """The paths and encodings that carry the same bodies."""

    def test_routes_without_a_body_of_their_own(self):
        kept = ("/api/v1/metadata", "/api/v2/host_metadata", "/api/v1/collector", "/api/v1/connections", "/api/v2/orch",
                "/api/v2/service_checks", "/support/flare", "/intake/metrics")
        with Recorder() as r:
            for path in kept:
                self.assertLess(r.raw("POST", path, b'{"a":1}')[0], 300, path)
            requests = r.get("requests")["requests"]
            self.assertEqual([q["path"] for q in requests if q["path"] in kept], list(kept))
            self.assertEqual(r.raw("HEAD", "/support/flare")[0::2], (202, b""))
            self.assertEqual(r.raw("POST", "/api/v9/nothing", b"{}")[0], 404)
            self.assertEqual(r.raw("GET", "/api/v1/series")[0], 405)

    def test_the_agents_probe(self):
        with Recorder() as r:
            for path in ("/api/v2/series", "/api/beta/sketches"):
                for kind in ("application/json", "application/x-protobuf"):
                    for body in (b"{}", b"{ }", b"{}\n"):
                        self.assertEqual(r.raw("POST", path, body, {"Content-Type": kind})[0], 202, (path, kind))
            self.assertEqual(r.get("rejects")["rejects"], [])

    def test_lines_over_http(self):
        with Recorder() as r:
            self.assertEqual(r.raw("POST", "/dogstatsd/v2/proxy", b"a:1|c\nbad line\nb:2|g|#x:y\n")[0::2], (200, b""))
            self.assertEqual(r.raw("POST", "/dogstatsd/v2/proxy", b"")[0], 200)
            self.assertEqual([(s["name"], s["type"], s["value"], s["tags"]) for s in r.get("samples")["samples"]],
                             [("a", "count", 1, []), ("b", "gauge", 2, ["x:y"])])
            self.assertEqual([x["text"] for x in r.get("rejects")["rejects"]], ["bad line"])

    def test_metadata_of_a_metric(self):
        with Recorder() as r:
            status, _, answer = r.raw("PUT", "/api/v1/metrics/none", {"type": "gauge"})
            self.assertEqual(status, 404)
            self.assertIn(b"metric_name not found", answer)
            r.send("m:1|g")
            r.get("samples")
            r.ask("PUT", "/api/v1/metrics/m", {"type": "count", "description": "d", "unit": "byte"})
            got = r.ask("GET", "/api/v1/metrics/m")
            self.assertEqual((got["type"], got["description"], got["unit"]), ("count", "d", "byte"))
            for bad in (b"{", b"[]", b""):
                self.assertEqual(r.raw("PUT", "/api/v1/metrics/m", bad)[0], 400, bad)
            for bad in ("timer", "", 3, "GAUGE"):
                r.ask("PUT", "/api/v1/metrics/m", {"type": bad, "unit": "hit"}, status=400)
            self.assertEqual(r.ask("PUT", "/api/v1/metrics/m", {"type": None})["unit"], "byte")

    def test_slashes_and_encodings(self):
        once = {"deflate": zlib.compress, "gzip": gzip.compress}
        chains = [("gzip", "deflate"), ("deflate", "gzip"), ("gzip", "gzip")]
        with Recorder() as r:
            body = json.dumps({"series": [{"metric": "m", "points": [[int(time.time()), 1]], "type": "gauge"}]}).encode()
            sent = 0
            for path in ("/api/v1/series", "/api/v1/series/", "//api//v1/series"):
                for encoding, encode in {"identity": bytes, "": bytes, **once}.items():
                    self.assertEqual(r.raw("POST", path, encode(body), {"Content-Encoding": encoding})[0], 202, (path, encoding))
                    sent += 1
            for chain in chains:
                coded = body
                for encoding in chain:
                    coded = once[encoding](coded)
                self.assertEqual(r.raw("POST", "/api/v1/series", coded, {"Content-Encoding": ", ".join(chain)})[0], 202, chain)
                sent += 1
            members = gzip.compress(body[:20]) + gzip.compress(body[20:])
            self.assertEqual(r.raw("POST", "/api/v1/series", members, {"Content-Encoding": "gzip"})[0], 202)
            self.assertEqual(len(r.get("samples")["samples"]), sent + 1)
            for encoding, bad in (("gzip", body), ("deflate", zlib.compress(body)[:-6]), ("br", body), ("zstd", b"\x28\xb5\x2f\xfd\xff")):
                self.assertEqual(r.raw("POST", "/api/v1/series", bad, {"Content-Encoding": encoding})[0], 400, encoding)


POST = b"POST /api/v1/series HTTP/1.1\r\nHost: localhost\r\nDD-API-KEY: k\r\n"


def answer_of(connection):
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, response.read()


def memory_kib(r):
    with open(f"/proc/{r.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


class BadClients(unittest.TestCase):
    """After each, and meanwhile, a neighbour is answered."""

    def neighbour(self, r):
        self.assertEqual(r.raw("POST", "/api/v1/series", b'{"series":[]}')[0], 202)

    def test_ten_thousand_idle_connections(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        n = min(10000, hard - 200)
        with Recorder() as r:
            self.neighbour(r)
            before = memory_kib(r)
            idle = []
            try:
                for _ in range(n):
                    idle.append(r.tcp())
                    idle[-1].send(POST)
                self.neighbour(r)
                if os.environ.get("VARIANT", "release") == "release":  # sanitizers have memory of their own for each
                    self.assertLess(memory_kib(r) - before, n * 16)
            finally:
                for connection in idle:
                    connection.close()
            self.neighbour(r)
        if n < 10000:
            self.skipTest(f"held with {n}; the limit of open files does not allow more")

    def test_a_byte_at_a_time(self):
        request = POST + b"Content-Length: 13\r\n\r\n" + b'{"series":[]}'
        with Recorder() as r, r.tcp() as slow:
            for at in range(len(request)):
                slow.sendall(request[at:at + 1])
                self.neighbour(r)
            self.assertEqual(answer_of(slow), (202, b'{"status": "ok"}'))

    def test_half_open_uploads(self):
        with Recorder() as r:
            left = [r.tcp() for _ in range(100)]
            for i, connection in enumerate(left):
                connection.sendall(POST + b'Content-Length: 1000000\r\n\r\n{"series":' + b"[" * i)
                self.neighbour(r)
            for connection in left:
                connection.close()
            self.neighbour(r)
            self.assertEqual(r.get("samples")["samples"], [])

    def test_a_header_of_64_kib(self):
        with Recorder() as r, r.tcp() as large:
            large.sendall(POST + b"X-Large: " + b"x" * 131072 + b"\r\nContent-Length: 0\r\n\r\n")
            self.assertIn(answer_of(large)[0], (400, 413, 431))
            self.neighbour(r)

    def test_lengths_that_lie(self):
        body = b'{"series":[]}'
        lies = ((b"Content-Length: 5\r\n", 400), (b"Content-Length: -1\r\n", 400), (b"Content-Length: 1e3\r\n", 400),
                (b"Content-Length: 99999999999999999999999\r\n", 413), (b"Transfer-Encoding: chunked\r\n", 400))
        with Recorder() as r:
            for lie, status in lies:
                with r.tcp() as liar:
                    liar.sendall(POST + lie + b"\r\n" + body)
                    self.assertEqual(answer_of(liar)[0], status, lie)
                self.neighbour(r)

    def test_nested_100000_deep(self):
        with Recorder() as r:
            for path in ("/api/v1/series", "/api/v2/series", "/api/v1/check_run", "/api/v1/events", "/api/v2/events", "/intake",
                         "/api/v1/distribution_points"):
                for opening in (b"[", b'{"series":[', b'{"a":'):
                    body = opening + b"[" * 100000
                    status, _, answer = r.raw("POST", path, body, {"Content-Type": "application/json"})
                    self.assertEqual(status, 400, (path, opening))
                    self.assertIn(b"exceeded max depth", answer)
            self.neighbour(r)


if __name__ == "__main__":
    unittest.main()
