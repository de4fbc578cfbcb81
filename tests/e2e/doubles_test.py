"""fixtures/doubles: each assertion of each in-process double, as expectations, with recordings that fulfil and break it.

Run by `make e2e-doubles`, with STATWIT naming the binary."""

import json
import os
import time
import unittest

from recorder import Recorder

CASES = os.path.join(os.path.dirname(__file__), "../../fixtures/doubles/assertions.jsonl")


class Doubles(unittest.TestCase):
    def verdict(self, r, case, recording):
        r.ask("POST", "/recorder/v1/reset", {})
        for sent in recording:
            if isinstance(sent, str):
                r.send(sent)
                continue
            body = json.loads(json.dumps(sent["body"]).replace('"@now"', str(int(time.time()))))
            r.ask("POST", sent["path"], body, {"DD-API-KEY": "x", "Content-Type": "application/json"}, status=202)
        question = {"expect": case["expect"], **case.get("question", {})}
        answer = r.ask("POST", "/recorder/v1/expect", question)
        return answer["verdict"], answer["text"]

    def test_every_assertion_has_its_expectation(self):
        broken = 0
        with Recorder() as r, open(CASES, encoding="utf-8") as cases:
            for case in map(json.loads, cases):
                for wanted, recording in [("pass", case["fulfils"])] + [("fail", b) for b in case["breaks"]]:
                    with self.subTest(case["double"] + ": " + case["assertion"], recording=recording):
                        verdict, text = self.verdict(r, case, recording)
                        self.assertEqual(verdict, wanted, text)
                        broken += wanted == "fail"
        self.assertGreater(broken, 80)


class Manual(unittest.TestCase):
    def test_every_assertion_stands_in_the_manual(self):
        with open(os.path.join(os.path.dirname(__file__), "../../server/statwit-doubles.7"), encoding="utf-8") as page:
            text = page.read().replace("\\-", "-").replace("\\e", "\\")
        with open(CASES, encoding="utf-8") as cases:
            for case in map(json.loads, cases):
                said = case["assertion"].replace("…", "...").replace("⊆", " (at least)")
                self.assertIn(said + "\n" + "".join(f"    {e}\n" for e in case["expect"]), text)


if __name__ == "__main__":
    unittest.main()
