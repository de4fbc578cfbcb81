"""dd-apm-test-agent's session routes, as its clients use them. Run by `make e2e-test-agent`, with STATWIT naming the binary."""

import base64
import unittest
import urllib.parse

from recorder import Recorder

T1 = {"X-Datadog-Test-Session-Token": "t1"}


def bodies(requests):
    return [base64.b64decode(q["body"]) for q in requests]


class Sessions(unittest.TestCase):
    def test_a_token_exists_by_being_used(self):
        with Recorder("--auto-sessions") as r:
            got, _, text = r.raw("GET", "/test/session/requests?test_session_token=t9")
            self.assertEqual((got, text), (400, b'{"errors":["No session found for token \'t9\'"]}'))
            self.assertEqual(r.raw("GET", "/test/session/stats?test_session_token=t9")[0], 400)
            got, head, text = r.raw("GET", "/test/session/start?test_session_token=t1&agent_sample_rate_by_service={}")
            self.assertEqual((got, text, head["Content-Type"]), (200, b"200: OK", "text/plain; charset=utf-8"))
            r.raw("POST", "/dogstatsd/v2/proxy?a=b", "hit:1|c", {"X-Datadog-Test-Session-Token": "t2"})
            self.assertEqual(bodies(r.ask("GET", "/test/session/requests?test_session_token=t2")), [b"hit:1|c"])
            self.assertEqual(r.ask("POST", "/recorder/v1/expect", {"expect": ["incr hit sum == 1"], "session": "t2"})["verdict"], "pass")

    def test_a_token_need_not_be_a_name(self):
        """Tests' own names are long, and have brackets."""
        tokens = ["tests.shop.test_login[v1]", "tests.shop.test_login[v2]", "tests/x.py::test_é[a b]", "t" * 65, "t" * 66, "x" * 3000, ".."]
        with Recorder("--auto-sessions") as r:
            for i, token in enumerate(tokens):
                headers = {"X-Datadog-Test-Session-Token": token.encode()}
                self.assertEqual(r.raw("GET", "/test/session/start", None, headers)[0], 200)
                self.assertEqual(r.raw("POST", "/dogstatsd/v2/proxy", f"m{i}:1|c", headers)[0], 200)
            for i, token in enumerate(tokens):
                query = urllib.parse.urlencode({"test_session_token": token})
                self.assertEqual(bodies(r.ask("GET", "/test/session/requests?" + query)), [f"m{i}:1|c".encode()])
                self.assertEqual([s["name"] for s in r.ask("GET", "/recorder/v1/series?" + query)["series"]], [f"m{i}"])
                path = "/s/" + urllib.parse.quote(token, safe="")
                self.assertEqual([s["name"] for s in r.ask("GET", path + "/recorder/v1/series")["series"]], [f"m{i}"])
                self.assertEqual([s["name"] for s in r.get("series", session=token)["series"]], [f"m{i}"])
                question = {"expect": [f"incr m{i} sum == 1"], "session": token}
                self.assertEqual(r.ask("POST", "/recorder/v1/expect", question)["verdict"], "pass")
                self.assertEqual(r.ask("POST", path + "/recorder/v1/expect", question)["verdict"], "pass")
                self.assertIn(f"m{i}", r.ask("POST", "/recorder/v1/infer", {"session": token})["catalog"])
                self.assertEqual(r.ask("GET", "/recorder/v1/sessions/" + urllib.parse.quote(token, safe=""))["samples"], 1)
            self.assertIn("no session is named 't[9]'", r.ask("GET", "/recorder/v1/series?session=t[9]", status=404)["error"])
            sessions = {s["label"]: s["name"] for s in r.get("sessions")["sessions"]}
            self.assertLessEqual({token[:1024] for token in tokens}, set(sessions))
            self.assertRegex(sessions[tokens[0]], "^tests.shop.test_login_v1_-[0-9a-f]{16}$")
            r.raw("POST", "/dogstatsd/v2/proxy", "m:1|c", {"X-Datadog-Test-Session-Token": "test_\xe9[a]"})  # Latin-1
            self.assertIn("test_\ufffd[a]", [s["label"] for s in r.get("sessions")["sessions"]])
            both = f"/s/{sessions[tokens[0]]}/dogstatsd/v2/proxy"  # of one session
            self.assertEqual(r.raw("POST", both, "m:1|c", {"X-Datadog-Test-Session-Token": tokens[0]})[0], 200)
            self.assertEqual(r.raw("POST", both, "m:1|c", {"X-Datadog-Test-Session-Token": tokens[1]})[0], 409)
            got, _, text = r.raw("GET", "/test/session/requests?test_session_token=t[9]")
            self.assertEqual((got, text), (400, b'{"errors":["No session found for token \'t[9]\'"]}'))
        with Recorder() as r:
            self.assertEqual(r.raw("POST", "/dogstatsd/v2/proxy", "m:1|c", {"X-Datadog-Test-Session-Token": "t[9]"})[0], 404)

    def test_requests_since_the_newest_start_and_those_without_a_token(self):
        with Recorder("--auto-sessions") as r:
            def requests(headers):
                return r.ask("GET", "/test/session/requests", None, headers)
            r.raw("GET", "/test/session/start", None, T1)
            for i, headers in enumerate((T1, {}, {"X-Datadog-Test-Session-Token": "t2"}, T1)):
                r.raw("POST", "/api/v2/logs", f"[{i}]", headers)
            self.assertEqual(bodies(requests(T1)), [b"[0]", b"[1]", b"[3]"])
            self.assertEqual(bodies(requests({})), [b"[1]"])
            first = requests(T1)[0]
            self.assertEqual((first["method"], first["url"]), ("POST", r.ready["http"] + "/api/v2/logs"))
            self.assertEqual((first["headers"]["X-Datadog-Test-Session-Token"], first["headers"]["Content-Length"]), ("t1", "3"))
            r.raw("GET", "/test/session/start", None, T1)
            self.assertEqual(requests(T1), [])
            r.raw("POST", "/api/v2/logs", "[5]", T1)
            self.assertEqual(bodies(requests(T1)), [b"[5]"])
            self.assertEqual(bodies(r.ask("GET", "/s/t1/test/session/requests")), [b"[5]"])

    def test_clear_is_of_one_session_or_of_all(self):
        with Recorder("--auto-sessions") as r:
            for token in ("t1", "t2"):
                r.raw("POST", "/dogstatsd/v2/proxy", f"{token}:1|c", {"X-Datadog-Test-Session-Token": token})
            self.assertEqual(r.raw("GET", "/test/session/clear", None, T1)[::2], (200, b"200: OK"))
            self.assertEqual(r.ask("GET", "/test/session/requests", None, T1), [])
            self.assertEqual([s["name"] for s in r.get("series", session="*")["series"]], ["t2"])
            r.raw("GET", "/test/session/clear")
            self.assertEqual(r.get("series", session="*")["series"], [])
            self.assertEqual(r.raw("GET", "/test/session/clear?test_session_token=t9")[0], 400)

    def test_what_is_not_there_is_an_honest_404(self):
        with Recorder("--auto-sessions") as r:
            self.assertEqual(r.ask("GET", "/test/session/stats"), [])
            for path in ("/test/session/traces", "/test/session/snapshot", "/v1/metrics", "/v0.4/traces"):
                self.assertEqual(r.raw("GET", path)[0], 404)

    def test_info_says_where_dogstatsd_is(self):
        with Recorder("--auto-sessions") as r:
            r.raw("GET", "/test/session/start", None, T1)
            info, env = r.ask("GET", "/info", None, T1), r.get("sessions/t1")["env"]
            self.assertEqual(info["config"]["statsd_port"], int(env["DD_DOGSTATSD_PORT"]))
            self.assertIn("/dogstatsd/v2/proxy", info["endpoints"])

    def test_without_bodies_the_list_says_so(self):
        with Recorder() as r:
            self.assertIn("--auto-sessions", r.ask("GET", "/test/session/requests", status=409)["errors"][0])


if __name__ == "__main__":
    unittest.main()
