"""A base URL for each session: /s/NAME before any path, of Datadog's API and of the recorder's; what conflicts with it is refused
by name. Run by `make e2e-prefix`, with STATWIT naming the binary."""

import json
import unittest

from recorder import Recorder

SERIES = {"series": [{"metric": "a", "type": "gauge", "points": [[0, 1]]}]}


def now(body):
    import time
    text = json.dumps(body).replace("[0, 1]", f"[{int(time.time())}, 1]")
    return json.loads(text)


class Prefix(unittest.TestCase):
    def test_a_path_with_the_name_is_that_sessions(self):
        with Recorder() as r:
            made = r.ask("POST", "/recorder/v1/sessions", {"name": "checkout"}, status=201)
            self.assertEqual(made["env"]["STATWIT_SESSION_URL"], r.ready["http"] + "/s/checkout")
            r.ask("POST", "/s/checkout/api/v1/series", now(SERIES), {"DD-API-KEY": "any"}, status=202)
            r.ask("POST", "/s/checkout//api/v2/series/", {"series": []}, {"DD-API-KEY": made["api_key"]}, status=202)
            self.assertEqual([s["name"] for s in r.ask("GET", "/s/checkout/recorder/v1/series")["series"]], ["a"])
            self.assertEqual(r.ask("GET", "/recorder/v1/series")["series"], [])
            verdict = r.ask("POST", "/s/checkout/recorder/v1/expect", {"expect": ["gauge a samples == 1"]})
            self.assertEqual(verdict["verdict"], "pass")
            self.assertEqual(r.ask("POST", "/recorder/v1/expect", {"expect": ["gauge a"]})["verdict"], "fail")
            # the path is recorded without the prefix, so that it is the endpoint that the client meant
            self.assertEqual([q["path"] for q in r.ask("GET", "/s/checkout/recorder/v1/requests")["requests"]],
                             ["/api/v1/series", "//api/v2/series/"])
            self.assertTrue(r.ask("GET", "/s/checkout/api/v1/validate")["valid"])
            status, headers, _ = r.raw("GET", "/s/checkout/")
            self.assertEqual((status, headers["Location"]), (302, "/#/metrics?session=checkout"))
            r.ask("POST", "/s/checkout/recorder/v1/reset", {})
            self.assertEqual(r.ask("GET", "/s/checkout/recorder/v1/series")["series"], [])
            self.assertEqual(r.ask("GET", "/s/default/recorder/v1/series")["series"], [])

    def test_a_key_or_token_of_another_session_is_refused_by_name(self):
        with Recorder() as r:
            one = r.ask("POST", "/recorder/v1/sessions", {"name": "one"}, status=201)
            two = r.ask("POST", "/recorder/v1/sessions", {"name": "two"}, status=201)
            text = "the path names the session 'one', but the API key is that of 'two'"
            got = r.ask("POST", "/s/one/api/v1/series", now(SERIES), {"DD-API-KEY": two["api_key"]}, status=409)
            self.assertEqual(got, {"errors": [text]})
            got = r.ask("POST", "/s/one/api/v1/series", now(SERIES), {"X-Datadog-Test-Session-Token": "two"}, status=409)
            self.assertIn("but the token is 'two'", got["errors"][0])
            r.ask("DELETE", "/recorder/v1/sessions/two")
            got = r.ask("POST", "/s/one/api/v1/series", now(SERIES), {"DD-API-KEY": two["api_key"]}, status=409)
            self.assertIn("of a session that has ended", got["errors"][0])
            # nothing of it is lost in silence
            rejects = r.get("rejects")["rejects"]
            self.assertEqual([x["reason"] for x in rejects], ["session_conflict"] * 3)
            self.assertIn(text, rejects[0]["detail"])
            for session in ("one", "default"):
                self.assertEqual(r.get("series", session=session)["series"], [])
            # a question about another session is a mistake too
            for method, path, body in (("GET", "series?session=default", None), ("GET", "series?session=*", None), ("GET", "sessions/default", None),
                                       ("POST", "expect", {"expect": ["no any *"], "session": "default"}), ("POST", "marks?session=*", {}),
                                       ("POST", "reset?session=*", {}), ("DELETE", "sessions/default", None)):
                got = r.ask(method, "/s/one/recorder/v1/" + path, body, status=409)
                self.assertIn("the path names the session 'one'", got["error"])
            r.ask("POST", "/s/one/recorder/v1/expect", {"expect": ["no any *"], "session": "one"})
            self.assertEqual(one["name"], "one")

    def test_names_that_are_none(self):
        with Recorder() as r:
            for name, words in (("nope", "the path names the session 'nope', and there is none"), ("", "the path names no session"),
                                ("a%2Fb", "'a/b'"), ("..", "'..'"), ("%2e%2e", "'..'"), ("%00", "none of that name"), ("%zz", "'%zz'"),
                                ("x" * 9000, "x" * 64), ("a%20b", "'a b'"), ("%C3%A9", "'é'"), ("*", "'*'")):
                got = r.ask("POST", f"/s/{name}/api/v1/series", now(SERIES), status=404)
                self.assertIn(words, got["errors"][0])
                got = r.ask("GET", f"/s/{name}/recorder/v1/series", status=404)
                self.assertIn(words, got["error"])
            for path in ("/s", "/S/default/api/v1/validate", "//s/default/api/v1/validate"):
                self.assertEqual(r.raw("GET", path)[0], 404)
            self.assertEqual({x["reason"] for x in r.get("rejects")["rejects"]}, {"unknown_session"})
            self.assertEqual(len(r.get("rejects")["rejects"]), 11)

    def test_auto_sessions_exist_by_being_used(self):
        with Recorder("--auto-sessions") as r:
            r.ask("POST", "/s/made/api/v1/series", now(SERIES), status=202)
            r.ask("POST", "/api/v1/series", now(SERIES), {"X-Datadog-Test-Session-Token": "t1"}, status=202)
            r.ask("POST", "/api/v1/series?test_session_token=t1", now(SERIES), status=202)
            self.assertEqual(sorted(s["name"] for s in r.get("sessions")["sessions"]), ["default", "made", "t1"])
            self.assertEqual(r.get("series", session="t1")["series"][0]["samples"], 2)
            self.assertEqual(r.ask("POST", "/s/quiet/recorder/v1/expect", {"expect": ["no any *"]})["verdict"], "pass")
            r.ask("GET", "/recorder/v1/series?test_session_token=typo", status=404)  # questions make none
            r.ask("GET", "/s/typo/recorder/v1/series", status=404)
            r.ask("POST", "/s/a%2Fb/api/v1/series", now(SERIES), status=202)  # no session's name, but a token
            made = [s for s in r.get("sessions")["sessions"] if s["label"] == "a/b"]
            self.assertRegex(made[0]["name"], "^a_b-[0-9a-f]{16}$")
            self.assertEqual((len(made), made[0]["samples"]), (1, 1))
        with Recorder() as r:
            r.ask("POST", "/api/v1/series", now(SERIES), {"X-Datadog-Test-Session-Token": "t1"}, status=404)


if __name__ == "__main__":
    unittest.main()
