"""Datadog's fakeintake, as its clients and its own tests of the server see it. Each fact is one of schema/protocol/fakeintake.md.
Run by `make e2e-fakeintake`, with STATWIT naming the binary."""

import base64
import gzip
import http.client
import json
import threading
import time
import unittest
import zlib

from recorder import Recorder

OLD = 1600000000  # frozen clocks and recorded bodies
V1 = {"series": [{"metric": "a", "type": "gauge", "points": [[OLD, 1.5]], "tags": ["x:1"], "host": "h", "interval": 10}]}
V2 = {"series": [{"metric": "b", "type": 3, "points": [{"timestamp": OLD, "value": 7}], "tags": ["y:2"]}]}
CHECK = [{"check": "up", "host_name": "h", "timestamp": OLD, "status": 0, "message": "", "tags": ["t:1"]}]
NONE = {"DD-API-KEY": None}


def payloads(r, endpoint, more="", prefix=""):
    return r.ask("GET", f"{prefix}/fakeintake/payloads?endpoint={endpoint}{more}")["payloads"]


def body(payload):
    data = base64.b64decode(payload["data"])
    return {"gzip": gzip.decompress, "deflate": zlib.decompress}.get(payload["encoding"], lambda d: d)(data)


def routes(r, prefix=""):
    stats = r.ask("GET", prefix + "/fakeintake/routestats")["routes"]
    assert all(path == s["id"] for path, s in stats.items())
    return {path: s["count"] for path, s in stats.items()}


class Facts(unittest.TestCase):
    def setUp(self):
        self.r = Recorder("--fakeintake").__enter__()

    def tearDown(self):
        self.r.__exit__()

    def post(self, path, data=b"", headers=None, status=200):
        got, head, text = self.r.raw("POST", path, data, {**NONE, **(headers or {})})
        self.assertEqual(got, status, text)
        return head, text

    def test_any_post_on_any_path_is_taken_and_kept_as_it_came(self):
        head, text = self.post("/totoro", b"totoro|7|tag:valid,owner:pducolin", {"Content-Type": "text/plain"})
        self.assertEqual((text, head["Content-Type"]), (b'{"errors":[]}', "application/json"))
        (p,) = payloads(self.r, "/totoro")
        self.assertEqual(base64.b64decode(p["data"]), b"totoro|7|tag:valid,owner:pducolin")
        self.assertEqual((p["encoding"], p["content_type"]), ("text/plain", "text/plain"))
        self.assertRegex(p["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$")
        for path in ("/api/v1/query", "/api/v2/metrics", "/", "/api/v1/hosts", "/fakeintake", "/api/v1/query/x"):
            self.post(path, b"x")
            self.assertEqual(len(payloads(self.r, path)), 1, path)

    def test_order_and_exact_endpoints(self):
        for i in range(30):
            self.post("/in/order" + ("/" if i % 3 == 0 else ""), str(i))
        self.assertEqual([base64.b64decode(p["data"]) for p in payloads(self.r, "/in/order/")], [str(i).encode() for i in range(0, 30, 3)])
        self.assertEqual(routes(self.r), {"/in/order": 20, "/in/order/": 10})
        self.post("/a%20b?q=1", b"1")
        self.assertEqual(len(payloads(self.r, "/a%20b")), 1)
        for endpoint in ("/never", "", "in/order", "/in/order?x", "*", "/in/*"):
            self.assertEqual(payloads(self.r, endpoint), [])
        self.assertEqual(self.r.ask("GET", "/fakeintake/payloads?endpoint=/in/order/&endpoint=/never")["payloads"][0]["encoding"], "")

    def test_missing_endpoint_and_health(self):
        got, head, text = self.r.raw("GET", "/fakeintake/payloads")
        self.assertEqual((got, text, head["Content-Type"]), (400, b"missing endpoint query parameter", "text/plain"))
        for method in ("GET", "POST", "HEAD"):
            self.assertEqual(self.r.raw(method, "/fakeintake/health")[::2], (200, b""))

    def test_other_methods(self):
        for path in ("/any/thing", "/api/v2/series", "/api/v1/check_run"):
            self.assertEqual(self.r.raw("GET", path)[::2], (200, b""), path)
            for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
                got, _, text = self.r.raw(method, path)
                self.assertEqual((got, json.loads(text)), (400, {"errors": [f"invalid request with route {path} and method {method}"]}))
            self.assertEqual(self.r.raw("HEAD", path)[0], 400)
        self.assertEqual(self.r.raw("GET", "/api/v1/validate")[0], 200)
        self.assertEqual(self.r.raw("GET", "/api/v1/validate", None, NONE)[0], 200)
        self.assertEqual(self.r.raw("HEAD", "/support/flare")[0], 200)
        self.assertEqual(self.r.raw("GET", "/metrics")[0], 200)
        self.assertEqual(routes(self.r), {})

    def test_an_identity_for_the_life_of_the_process(self):
        ids = {self.r.raw(*ask)[1]["Fakeintake-ID"] for ask in (("GET", "/fakeintake/health"), ("POST", "/x"), ("PUT", "/x"), ("GET", "/fakeintake/payloads"),
                                                               ("GET", "/recorder/v1/none"), ("GET", "/metrics"))}
        self.assertEqual(len(ids), 1)
        self.assertRegex(ids.pop(), "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$")
        with Recorder("--fakeintake") as other:
            self.assertNotEqual(other.raw("GET", "/fakeintake/health")[1]["Fakeintake-ID"], self.r.raw("GET", "/x")[1]["Fakeintake-ID"])

    def test_every_encoding_is_given_back_as_it_came_and_judged(self):
        text = json.dumps(V2).encode()
        encodings = {"gzip": gzip.compress(text), "deflate": zlib.compress(text), "identity": text}
        for name, data in encodings.items():
            self.post("/api/v2/series", data, {"Content-Encoding": name, "Content-Type": "application/json"})
        got = payloads(self.r, "/api/v2/series")
        self.assertEqual([base64.b64decode(p["data"]) for p in got], list(encodings.values()))
        self.assertEqual([p["encoding"] for p in got], list(encodings))
        self.assertEqual([body(p) for p in got], [text] * 3)
        self.assertEqual(self.r.ask("POST", "/recorder/v1/expect", {"expect": ["gauge b{y:2} samples == 3 and each == 7"]})["verdict"], "pass")

    def test_what_cannot_be_read_is_kept_too_and_said_to_be_so(self):
        for path, data, headers in (("/api/v2/series", b"\xff\xfe", {}), ("/api/v1/series", b"{", {}), ("/api/v1/check_run", b"no", {}),
                                    ("/api/v2/series", b"not gzip", {"Content-Encoding": "gzip"}), ("/intake/", b"[", {}),
                                    ("/api/v2/series", b"x" * 700000, {})):
            self.post(path, data, headers)
            self.assertEqual(base64.b64decode(payloads(self.r, path)[-1]["data"]), data)
        self.assertGreaterEqual(len(self.r.get("rejects")["rejects"]), 4)

    def test_keys(self):
        self.post("/api/v1/series", json.dumps(V1), {"DD-API-KEY": "abcdefabcdefabcdefabcdefabcdef12"})
        self.post("/api/v1/series?api_key=second", json.dumps(V1))
        self.assertEqual([p["api_key"] for p in payloads(self.r, "/api/v1/series")], ["abcdefabcdefabcdefabcdefabcdef12", "second"])
        self.assertNotIn("abcdefabcdef", json.dumps(self.r.get("requests")))

    def test_flush_forgets_payloads_and_keeps_overrides(self):
        self.r.ask
        self.post("/fakeintake/configure/override", json.dumps({"endpoint": "/o", "status_code": 418, "content_type": "text/tea", "body": base64.b64encode(b"tea").decode()}))
        self.post("/api/v1/series", json.dumps(V1))
        self.post("/other", b"1")
        self.r.send("d:1|c")
        self.assertEqual(self.r.raw("GET", "/fakeintake/flushPayloads")[::2], (200, b""))
        self.assertEqual(routes(self.r), {})
        self.assertEqual(payloads(self.r, "/other"), [])
        self.assertEqual(self.r.get("series")["series"], [])
        head, text = self.post("/o", b"x", status=418)
        self.assertEqual((text, head["Content-Type"]), (b"tea", "text/tea"))
        self.assertEqual(self.r.raw("DELETE", "/fakeintake/flushPayloads")[0], 200)

    def test_overrides(self):
        def override(status=200, **fields):
            got, _, text = self.r.raw("POST", "/fakeintake/configure/override", fields, NONE)
            self.assertEqual(got, status, text)
            return text
        override(endpoint="/totoro", status_code=200, content_type="text/plain", method="POST", body=base64.b64encode(b"catbus").decode())
        head, text = self.post("/totoro", b"totoro|5|tag:valid,owner:mei", {"Content-Type": "text/plain"})
        self.assertEqual((text, head["Content-Type"]), (b"catbus", "text/plain"))
        self.assertEqual(routes(self.r), {"/totoro": 1})
        override(endpoint="/totoro", status_code=403)  # the method is POST; it replaces the one before
        head, text = self.post("/totoro", b"y", status=403)
        self.assertEqual((text, routes(self.r)), (b"", {"/totoro": 2}))
        # metrics that are answered 403 are kept, too
        override(endpoint="/api/v1/series", status_code=429, content_type="application/json", body=base64.b64encode(b"{}").decode())
        self.post("/api/v1/series", json.dumps(V1), status=429)
        self.assertEqual(len(payloads(self.r, "/api/v1/series")), 1)
        self.assertEqual(self.r.get("series")["series"][0]["name"], "a")
        for method in ("GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"):
            override(endpoint="/m", status_code=299, method=method, body=base64.b64encode(b"m").decode())
            self.assertEqual(self.r.raw(method, "/m")[0], 299, method)
        override(endpoint="/api/v2/series", status_code=201, method="OPTIONS")
        self.assertEqual(self.r.raw("OPTIONS", "/api/v2/series")[0], 201)
        for bad, words in ((dict(endpoint="/x", status_code=200, body="@@@"), b"base64"), (dict(endpoint="/x", status_code=200, body="YQ"), b"base64"),
                           (dict(endpoint="/x", status_code=200, method="BREW"), b"'BREW'"), (dict(endpoint="/x", status_code=200, method="post"), b"'post'"),
                           (dict(endpoint="/x"), b"status_code"), (dict(endpoint="/x", status_code=99), b"status_code"), (dict(endpoint="/x", status_code=1000), b"status_code"),
                           (dict(status_code=200), b"endpoint"), (dict(endpoint="x", status_code=200), b"endpoint"), (dict(endpoint="/" + "x" * 999, status_code=200), b"endpoint"),
                           (dict(endpoint="/x", status_code=200, content_type="a\nb"), b"content_type"), (dict(endpoint="/x", status_code=200, more=1), b"more")):
            self.assertIn(words, override(400, **bad))
        self.assertEqual(self.r.raw("PUT", "/fakeintake/configure/override", {})[0], 400)
        self.post("/fakeintake/configure/override", b"{", status=400)
        self.post("/x", b"1")

    def test_many_overrides_have_a_limit_that_is_named(self):
        for i in range(300):
            got, _, text = self.r.raw("POST", "/fakeintake/configure/override", {"endpoint": f"/e{i}", "status_code": 204})
            if got != 200:
                break
        self.assertEqual((got, i), (429, 256))
        self.assertIn(b"256 faults and overrides", text)
        self.r.ask("DELETE", "/recorder/v1/faults")
        self.post("/fakeintake/configure/override", json.dumps({"endpoint": "/again", "status_code": 204}))

    def test_format_json(self):
        self.post("/api/v1/series", json.dumps(V1))
        self.post("/api/v1/series", b"{}")
        self.post("/api/v2/series", gzip.compress(json.dumps(V2).encode()), {"Content-Encoding": "gzip", "Content-Type": "application/json"})
        self.post("/api/v1/check_run", json.dumps(CHECK))
        self.post("/api/v2/logs", json.dumps([{"message": "m"}]))
        one, two = payloads(self.r, "/api/v1/series", "&format=json")
        self.assertEqual((one["data"], two["data"]), (V1["series"], []))
        self.assertEqual(payloads(self.r, "/api/v2/series", "&format=json")[0]["data"], V2["series"])
        self.assertEqual(payloads(self.r, "/api/v1/check_run", "&format=json")[0]["data"], CHECK)
        self.assertEqual(payloads(self.r, "/api/v2/logs", "&format=json")[0]["data"], [{"message": "m"}])
        self.assertEqual(self.r.ask("GET", "/fakeintake/payloads?endpoint=/foo&format=json", status=400), {"errors": ["invalid route parameter"]})
        self.post("/api/v1/series", b"[")
        self.assertIn("not JSON", self.r.ask("GET", "/fakeintake/payloads?endpoint=/api/v1/series&format=json", status=400)["errors"][0])
        self.assertEqual(len(payloads(self.r, "/api/v1/series", "&format=raw")), 3)

    def test_connections_are_answered_in_their_own_protocol(self):
        head, text = self.post("/api/v1/connections", b"\x03\x00\x16")
        self.assertEqual((head["Content-Type"], text[:8], text[16:]), ("application/x-protobuf", b"\x03\x00\x17\x02\xf7\x01\x00\x00", b"\x0a\x02\x08\x17\x1a\x04\x08\x01\x10\x1e"))

    def test_points_of_any_age_are_kept(self):
        self.post("/api/v1/series", json.dumps(V1))
        self.assertEqual(self.r.get("samples")["samples"][0]["timestamp"], OLD)
        self.assertEqual(self.r.get("rejects")["rejects"], [])

    def test_dogstatsd_as_series(self):
        self.post("/api/v2/series", json.dumps(V2), {"Content-Type": "application/json"})
        self.r.send("c:3|c|@0.5|#a:1,host:web", "g:-2.5|g\nh:1:2|h", "s:x|s", "_sc|up|0")
        self.assertEqual(len(payloads(self.r, "/api/v2/series")), 1)
        real, made = payloads(self.r, "/api/v2/series", "&dogstatsd=1")
        self.assertEqual(json.loads(body(real)), V2)
        self.assertEqual(made["content_type"], "application/json")
        series = {(s["metric"], s["type"], s["points"][0]["value"]): s for s in json.loads(body(made))["series"]}
        self.assertEqual(set(series), {("c", 1, 6), ("g", 3, -2.5), ("h", 3, 1), ("h", 3, 2), ("s", 3, 1)})
        self.assertEqual(series["c", 1, 6]["tags"], ["a:1"])
        self.assertEqual(series["c", 1, 6]["resources"], [{"type": "host", "name": "web"}])
        for _ in range(25):
            self.r.send("\n".join(f"many{i}:1|c" for i in range(100)))
        made = payloads(self.r, "/api/v2/series", "&dogstatsd=1")[1:]
        self.assertEqual(sum(len(json.loads(body(p))["series"]) for p in made), 2505)
        self.assertEqual(len(made), 3)

    def test_sessions_have_their_own(self):
        self.r.ask("POST", "/recorder/v1/sessions", {"name": "one"}, status=201)
        self.post("/s/one/foo/bar", b"1")
        self.post("/foo/bar", b"2")
        self.assertEqual((routes(self.r), routes(self.r, "/s/one")), ({"/foo/bar": 1}, {"/foo/bar": 1}))
        self.assertEqual([base64.b64decode(p["data"]) for p in payloads(self.r, "/foo/bar", prefix="/s/one")], [b"1"])
        self.post("/s/one/fakeintake/configure/override", json.dumps({"endpoint": "/foo/bar", "status_code": 202}))
        self.post("/s/one/foo/bar", b"3", status=202)
        self.post("/foo/bar", b"4")
        self.r.raw("GET", "/s/one/fakeintake/flushPayloads")
        self.assertEqual((routes(self.r), routes(self.r, "/s/one")), ({"/foo/bar": 2}, {}))
        self.post("/s/none/foo/bar", b"1", status=404)

    def test_a_large_body(self):
        data = bytes(range(256)) * (80 << 10)  # 20 MiB, past every limit of Datadog's
        self.post("/api/v2/series", data)
        self.post("/large", data)
        for endpoint in ("/api/v2/series", "/large"):
            (p,) = payloads(self.r, endpoint)
            self.assertEqual(base64.b64decode(p["data"]), data)

    def test_many_posts_at_once_are_all_there(self):
        def some(k):
            c = http.client.HTTPConnection("127.0.0.1", self.r.port)
            for i in range(200):
                c.request("POST", f"/path/{k}", f"{i}")
                c.getresponse().read()
            c.close()
        threads = [threading.Thread(target=some, args=(k,)) for k in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(routes(self.r), {f"/path/{k}": 200 for k in range(4)})
        for k in range(4):
            self.assertEqual([base64.b64decode(p["data"]) for p in payloads(self.r, f"/path/{k}")], [str(i).encode() for i in range(200)])


class Bounds(unittest.TestCase):
    def test_the_oldest_bodies_go_with_their_requests_and_are_counted(self):
        with Recorder("--fakeintake", "--retention-bodies", "64K") as r:
            for i in range(200):
                r.raw("POST", f"/p/{i % 50}", b"x" * 1024)
            stats = routes(r)
            kept = sum(stats.values())
            self.assertTrue(40 <= kept <= 64, kept)
            losses = r.get("status")["losses"]
            self.assertEqual([n for word, n in losses.items() if word == "evicted_bodies"] if isinstance(losses, dict) else
                             [x["n"] for x in losses if x["loss"] == "evicted_bodies"], [200 - kept])
            self.assertEqual(len(r.get("requests")["requests"]), kept)
            self.assertEqual(r.ask("POST", "/recorder/v1/expect", {"expect": ["no any *"]})["verdict"], "pass")

    def test_a_flood_of_paths(self):
        with Recorder("--fakeintake") as r:
            for i in range(3000):
                r.raw("POST", f"/flood/{i}/{'x' * 200}", b"")
            self.assertEqual(len(routes(r)), 3000)


class Ordinary(unittest.TestCase):
    def test_without_the_mode_the_control_api_is_there_and_honest(self):
        with Recorder() as r:
            r.ask("POST", "/api/v2/series", {"series": []}, status=202)
            self.assertEqual(routes(r), {"/api/v2/series": 1})
            self.assertIn("--fakeintake", r.ask("GET", "/fakeintake/payloads?endpoint=/api/v2/series", status=409)["errors"][0])
            self.assertEqual(r.raw("POST", "/totoro", b"x")[0], 404)
            r.raw("POST", "/fakeintake/configure/override", {"endpoint": "/totoro", "status_code": 200, "body": "Y2F0YnVz"})
            self.assertEqual(r.raw("POST", "/totoro", b"x")[::2], (200, b"catbus"))
            self.assertIsNone(r.raw("GET", "/fakeintake/health")[1]["Fakeintake-ID"])
            self.assertEqual(r.raw("POST", "/api/v1/series", "{", {})[0], 400)

    def test_keep_bodies_alone_keeps_what_was_accepted(self):
        with Recorder("--keep-bodies") as r:
            now = int(time.time())
            r.ask("POST", "/api/v1/series", {"series": [{"metric": "a", "points": [[now, 1]]}]}, status=202)
            self.assertEqual(r.raw("POST", "/api/v1/series", "{", {})[0], 400)
            self.assertEqual(len(payloads(r, "/api/v1/series")), 1)
            self.assertEqual(r.get("requests")["requests"][0]["status"], 202)

    def test_the_token_guards_payloads_unless_it_is_a_fakeintake(self):
        with Recorder("--keep-bodies", "--token", "t") as r:
            self.assertEqual(r.raw("GET", "/fakeintake/routestats")[0], 401)
        with Recorder("--fakeintake", "--token", "t") as r:
            self.assertEqual(r.raw("GET", "/fakeintake/routestats")[0], 200)
            self.assertEqual(r.raw("GET", "/recorder/v1/status")[0], 401)


if __name__ == "__main__":
    unittest.main()
