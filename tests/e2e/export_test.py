"""Exports: lines that are sent again give the same recording byte for byte, and say nothing that was not there. CSV that is defused."""

import csv
import io
import json
import os
import random
import subprocess
import unittest

from recorder import Recorder

ROUNDS = int(os.environ.get("EXPORTS", "60"))
SEED = int(os.environ.get("SEED", "1"))

# Few pieces, so that the odd ones meet: what ends a line, separates, is no UTF-8, or is taken out by the Agent.
TEXT = [b"a", b"b.c", b"x y", b"\r", b"\0", b"\xff", b"\xc3\xa9", b"-", b"=", b"\\", b"\x1b"]
TAGS = [b"", b"", b"k:v", b"k:", b"host:h", b"host:", b"device:d", b"dd.internal.entity_id:e", b"dd.internal.entity_id:",
        b"dd.internal.card:low", b"dd.internal.card:", b"dd.internal.jmx_check_name:j", b"dd.internal.jmx_check_name:"]
NUMBERS = [b"1", b"-0", b"+4", b"1e-7", b"0.1", b"1_000", b"0x1p4", b"12345678901234567890", b"5e-324", b"1.7976931348623157e308"]
FIELDS = [b"@0.5", b"@NaN", b"@inf", b"@-1", b"@0", b"@1", b"c:ci-1,in-7", b"c:cid-2", b"c:plain", b"c:in-99999999999999999999",
          b"c:", b"e:it-true,cn-x", b"e:", b"card:high", b"card:", b"unknown"]


class Random:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.pick = self.random.choice

    def text(self, least=1):
        return b"".join(self.pick(TEXT) for _ in range(self.random.randint(least, 3)))

    def tags(self):
        return b"#" + b",".join(self.pick(TAGS + [self.text()]) for _ in range(self.random.randint(0, 4)))

    def fields(self, more):
        chosen = [self.pick(FIELDS + more) for _ in range(self.random.randint(0, 3))]
        if self.random.random() < 0.6:
            chosen.insert(self.random.randint(0, len(chosen)), self.tags())
        return b"".join(b"|" + field for field in chosen)

    def metric(self):
        kind = self.pick([b"c", b"g", b"ms", b"h", b"d", b"s"])
        value = b":".join(self.pick(NUMBERS) for _ in range(self.random.randint(1, 3)))
        if kind == b"s":
            value = self.text() + self.pick([b"", b":", b":x"])
        return self.text() + b":" + value + b"|" + kind + self.fields([b"T1795000000"] if kind in b"cg" else [])

    def event(self):
        title, text = self.text() + self.pick([b"", b"\\n|"]), self.text(0) + self.pick([b"", b"\\n", b"|x|", b"\\\\n"])
        more = [b"d:5", b"d:-5", b"h:web", b"k:key", b"k:", b"p:low", b"p:normal", b"s:src", b"t:error", b"t:info", b"t:none"]
        return b"_e{%d,%d}:%s|%s" % (len(title), len(text), title, text) + self.fields(more)

    def check(self):
        return b"_sc|" + self.text() + b"|" + self.pick([b"0", b"1", b"2", b"3"]) + self.fields([b"d:5", b"h:web", b"m:" + self.text(), b"m:"])

    def line(self):
        return self.pick([self.metric, self.metric, self.event, self.check])() + self.pick([b"", b"\r"])


class Exports(unittest.TestCase):
    def setUp(self):
        self.recorder = Recorder()
        self.r = self.recorder.__enter__()
        self.addCleanup(self.recorder.__exit__)

    def export(self, form, **args):
        query = "&".join(f"{key}={value}" for key, value in args.items())
        status, _, text = self.r.raw("GET", f"/recorder/v1/export?format={form}&{query}")
        self.assertEqual(status, 200, text)
        return text

    def rows(self, session):
        """What was recorded, but for where and when, for what was refused, and for what an Agent ignores."""
        rows = []
        for line in self.export("jsonl", session=session).split(b"\n"):
            row = json.loads(line) if line else {"kind": "reject"}
            if row["kind"] != "reject":
                rows.append({k: v for k, v in row.items() if k not in (
                    "id", "session", "received_at", "source", "remarks", "remarked_line", "remarked_line_b64")})
        return rows

    def replay(self, text):
        command = [os.environ["STATWIT"], "replay", "-", "-q", "--url", self.r.ready["http"], "--session", "copy"]
        done = subprocess.run(command, input=text, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_replayed_it_is_the_same(self):
        self.r.ask("POST", "/recorder/v1/sessions", {"name": "copy"}, status=201)
        for round_ in range(ROUNDS):
            rng = Random(SEED * 1_000_000 + round_)
            lines = [rng.line() for _ in range(30)]
            for session in ("default", "copy"):
                self.r.ask("POST", f"/recorder/v1/reset?session={session}")
            self.r.send(*lines)
            text = self.export("dogstatsd")
            self.replay(text)
            self.assertEqual(self.rows("default"), self.rows("copy"), f"SEED={SEED}, round {round_}: {lines}")
            self.assertEqual(self.export("dogstatsd", session="copy"), text)

    def test_nothing_is_added(self):
        plain = [b"a:1|c", b"a:2|g|#", b"_e{1,1}:t|u", b"_sc|n|0", b"cr:1|c|#a\rb\r\r"]
        self.r.send(*plain)
        self.assertEqual(self.export("dogstatsd"), b"a:1|c\na:2|g\ncr:1|c|#a\rb\r\r\n_e{1,1}:t|u\n_sc|n|0\n")

    def test_formulas_in_csv(self):
        texts = ['=HYPERLINK("http://x","y")', "+1", "-1", "@SUM(A1)", "fine", "a=b"]
        for text in texts:
            self.r.send(f"{text}:-1|c")
        for safe, before in (("false", ""), ("true", "'")):
            rows = list(csv.DictReader(io.StringIO(self.export("csv", csv_safe=safe).decode(), newline="")))
            # A name ends at its first colon: '=HYPERLINK("http' is refused, as its value is none.
            self.assertEqual([row["name"] for row in rows], [before + t for t in texts[1:4]] + texts[4:])
            self.assertEqual({row["value"] for row in rows}, {"-1"})
        status, _, text = self.r.raw("GET", "/recorder/v1/export?format=jsonl&csv_safe=true")
        self.assertEqual(status, 400)
        self.assertIn(b"csv_safe", text)

    def test_csv_is_utf8(self):
        self.r.send(b'bad\xff"\xf0\x9f\x98,:1|c', "gut\u00e9:2|c", b"texts:\xc3\x28|s")
        rows = list(csv.DictReader(io.StringIO(self.export("csv").decode(), newline="")))
        self.assertEqual([(row["name"], row["text"]) for row in rows], [('bad\ufffd"\ufffd,', ""), ("gut\u00e9", ""), ("texts", "\ufffd(")])


if __name__ == "__main__":
    unittest.main()
