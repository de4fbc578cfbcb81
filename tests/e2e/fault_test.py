"""Faults that say what to answer: over the API, by `statwit fault`, and from a file of stubs. Run by `make e2e-fault`, with STATWIT
naming the binary."""

import base64
import json
import os
import subprocess
import time
import unittest

from recorder import Recorder


def series():
    return {"series": [{"metric": "a", "points": [[int(time.time()), 1]]}]}


class Contents(unittest.TestCase):
    def test_what_is_answered_and_what_is_kept(self):
        with Recorder() as r:
            r.ask("PUT", "/recorder/v1/faults", {"http": [
                {"method": "POST", "endpoint": "/api/v1/series", "status": 413, "body": "too much", "content_type": "text/x", "kept": True, "times": 1,
                 "headers": {"X-One": "1", "Retry-After": "7"}},
                {"path": "/api/v1/*", "status": 429, "times": 1},
                {"path": "/api/v1/check*", "body_b64": base64.b64encode(b"\x00\xff").decode()}]})
            got, head, text = r.raw("POST", "/api/v1/series", series())
            self.assertEqual((got, text, head["Content-Type"], head["X-One"], head["Retry-After"]), (413, b"too much", "text/x", "1", "7"))
            got, head, text = r.raw("POST", "/api/v1/series", series())
            self.assertEqual((got, head["Retry-After"], json.loads(text)), (429, "1", {"errors": ["Too Many Requests"]}))
            self.assertEqual(r.raw("POST", "/api/v1/series", series())[0], 202)
            self.assertEqual(r.raw("POST", "/api/v1/check_run", [{"check": "c", "host_name": "h", "status": 0}])[::2], (200, b"\x00\xff"))
            self.assertEqual(r.get("series")["series"][0]["samples"], 2)  # the first, which was kept, and the third
            self.assertEqual(r.get("service_checks")["service_checks"], [])
            self.assertEqual([q["status"] for q in r.get("requests")["requests"]], [413, 429, 202, 200])
            self.assertEqual([f["applied"] for f in r.get("faults")["http"]], [1, 1, 1])

    def test_get_gives_what_put_takes(self):
        with Recorder() as r:
            rules = [{"method": "GET", "path": "/api/*", "body": "", "probability": 1, "seed": 1}, {"endpoint": "/x/", "content_type": "a/b", "probability": 1, "seed": 1},
                     {"method": "TRACE", "headers": {"A": "b"}, "status": 500, "probability": 1, "seed": 1}, {"endpoint": "/y", "body_b64": "//4=", "kept": True, "probability": 1, "seed": 1}]
            r.ask("PUT", "/recorder/v1/faults", {"http": rules})
            for _ in range(2):
                got = r.get("faults")["http"]
                self.assertEqual([{k: v for k, v in rule.items() if k != "applied"} for rule in got], rules)
                r.ask("PUT", "/recorder/v1/faults", {"http": rules})

    def test_what_is_refused_changes_nothing(self):
        with Recorder() as r:
            r.ask("PUT", "/recorder/v1/faults", {"http": [{"status": 500}]})
            for rule, words in (({"body": "a", "body_b64": "YQ=="}, "exclude"), ({"body_b64": "Y"}, "base64"), ({"body": "x" * (1 << 20) + "y"}, "1048576"),
                                ({"method": "brew"}, "'brew'"), ({"endpoint": "x"}, "endpoint"), ({"endpoint": "/" + "x" * 300}, "endpoint"),
                                ({"headers": ["a"]}, "headers"), ({"headers": {"Content-Length": "1"}}, "Content-Length"), ({"headers": {"a": "b\r\nc"}}, "headers"),
                                ({"headers": {f"h{i}": "" for i in range(9)}}, "8 headers"), ({"content_type": "a\n"}, "content_type"), ({"kept": 1}, "kept"), ({"keep": True}, "keep")):
                self.assertIn(words, r.ask("PUT", "/recorder/v1/faults", {"http": [rule]}, status=400)["error"])
            self.assertEqual(len(r.get("faults")["http"]), 1)
            self.assertEqual(r.raw("PUT", "/recorder/v1/faults", {"http": [{}] * 257})[0], 400)

    def test_of_one_session(self):
        with Recorder() as r:
            r.ask("POST", "/recorder/v1/sessions", {"name": "one"}, status=201)
            r.ask("PUT", "/s/one/recorder/v1/faults", {"http": [{"status": 418}]})
            self.assertEqual((r.raw("POST", "/s/one/api/v1/series", series())[0], r.raw("POST", "/api/v1/series", series())[0]), (418, 202))


class Commands(unittest.TestCase):
    def fault(self, r, *args, code=0):
        done = subprocess.run([os.environ["STATWIT"], "fault", *args, "--url", r.ready["http"]], capture_output=True, text=True)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout + done.stderr

    def test_one_by_one(self):
        with Recorder() as r:
            page = os.path.join(r.folder.name, "page")
            with open(page, "wb") as f:
                f.write(b"\x00\x01")
            self.fault(r, "http", "--method", "POST", "--endpoint", "/totoro", "--body", "catbus", "--content-type", "text/plain", "--header", "X-A: b", "--kept")
            self.fault(r, "http", "--endpoint", "/page", "--body", "@" + page)
            got, head, text = r.raw("POST", "/totoro", b"hi")
            self.assertEqual((got, text, head["Content-Type"], head["X-A"]), (200, b"catbus", "text/plain", "b"))
            self.assertEqual(r.raw("GET", "/page")[::2], (200, b"\x00\x01"))
            self.assertIn('endpoint="/totoro"', self.fault(r, "ls"))
            self.assertIn("NAME: VALUE", self.fault(r, "http", "--header", "bad", code=2))
            self.assertIn("needs --status", self.fault(r, "http", "--method", "POST", code=2))
            self.fault(r, "http", "--body", "@/nowhere/at/all", code=2)
            self.assertIn("no faults", self.fault(r, "clear"))

    def test_a_file_of_stubs(self):
        with Recorder() as r:
            path = os.path.join(r.folder.name, "stubs.json")

            def load(content, code=0):
                with open(path, "w", encoding="utf-8") as f:
                    f.write(content if isinstance(content, str) else json.dumps(content))
                return self.fault(r, "load", path, code=code)
            load({"mappings": [
                {"id": "1", "name": "n", "request": {"method": "POST", "url": "/one"}, "response": {"status": 201, "jsonBody": {"a": [1]}, "headers": {"X-B": "c"}}},
                {"request": {"method": "ANY", "urlPathPattern": "/two/.*"}, "response": {"status": 503, "body": "no", "headers": {"Content-Type": "text/t"}, "fixedDelayMilliseconds": 1}}]})
            load({"request": {"urlPath": "/three"}, "response": {"base64Body": "AAE="}})
            load({"http": [{"endpoint": "/four", "status": 204}], "dogstatsd": [{"drop": 0}]})
            got, head, text = r.raw("POST", "/one")
            self.assertEqual((got, text, head["Content-Type"], head["X-B"]), (201, b'{"a":[1]}', "application/json", "c"))
            got, head, text = r.raw("PUT", "/two/x/y")
            self.assertEqual((got, text, head["Content-Type"]), (503, b"no", "text/t"))
            self.assertEqual((r.raw("GET", "/three")[::2], r.raw("POST", "/four")[0], r.raw("GET", "/one")[0]), ((200, b"\x00\x01"), 204, 404))
            for bad, words in (("{", "line 1"), ({}, "neither"), ([], "neither"), ({"mappings": [{}]}, "a request and a response"), ({"mappings": [1]}, "a request"),
                               ({"request": {"headers": {}}, "response": {}}, "request.headers"), ({"request": {"url": "/a?b=1"}, "response": {}}, "has a query"),
                               ({"request": {"urlPattern": "/a[0-9]"}, "response": {}}, "literal text"), ({"request": {}, "response": {"transformers": []}}, "response.transformers"),
                               ({"request": {}, "response": {"fault": "WHAT"}}, "WHAT"), ({"request": {"method": "BREW"}, "response": {"status": 200}}, "BREW")):
                self.assertIn(words, load(bad, code=2))
            self.fault(r, "load", code=2)
            self.fault(r, "load", "/nowhere/at/all", code=2)
            self.assertEqual(len(r.get("faults")["http"]), 4)


if __name__ == "__main__":
    unittest.main()
