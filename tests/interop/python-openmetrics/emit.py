"""10,000 random recordings, each exported as OpenMetrics, which the parser of Prometheus' client library must read.

Names, tags and values are made of few pieces, so that they collide once they are made to fit. What is read is compared with what was
sent: as many lines as there are series, none like another, and the values. A number as argument is the seed.
"""
import http.client
import json
import os
import random
import socket
import sys
import urllib.parse

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse

ROUNDS = 10_000
NAMES = ["a", "a_total", "a.total", "a-b", "a_b", "a_count", "a.count", "a_sum", "a_created", "1a", "_1a", "é", "ö", "a_2", "\x01", "a_total_2"]
KEYS = ["k", "K", "k-y", "k_y", "k.y", "__name__", "le", "quantile", "", "=", "host", "device", "series", "session", "1", "_1", "é", "k_y_2"]
VALUES = ["", "1", "2", 'quote"', "back\\slash", "cr\rin", "é", "\x85", "\udcff", "\udcfe", "a=b", "true", "{}", " "]
NUMBERS = ["1", "-1", "0", "2.5", "1e300", "1e-300", "-0", "12345678901234567890"]
RATES = ["", "", "", "", "|@0.5", "|@0.3", "|@2", "|@0", "|@-1", "|@NaN", "|@inf"]


def lines(rng):
    for _ in range(rng.randint(1, 12)):
        kind = rng.choice(["c", "c", "g", "ms", "h", "d", "s"])
        tags = [rng.choice(KEYS) + rng.choice(["", ":", ":" + rng.choice(VALUES)]) for _ in range(rng.randint(0, 3))]
        yield f"{rng.choice(NAMES)}:{rng.choice(NUMBERS)}|{kind}{rng.choice(RATES)}" + ("|#" + ",".join(tags) if tags else "")


class Recorder:
    def __init__(self, url, rng):
        self.rng = rng
        self.http = http.client.HTTPConnection(urllib.parse.urlparse(url).netloc)
        session = json.loads(self.ask("POST", "/recorder/v1/sessions", "{}"))
        self.name = session["name"]
        host, port = session["dogstatsd"]["udp"].rsplit(":", 1)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.connect((host, int(port)))

    def ask(self, method, path, body=None):
        self.http.request(method, path, body)
        answer = self.http.getresponse()
        text = answer.read()
        assert answer.status < 300, (path, answer.status, text)
        return text

    def record(self, sent):
        self.ask("POST", f"/recorder/v1/reset?session={self.name}")
        for line in sent:
            self.udp.send(line.encode("utf-8", "surrogateescape"))


def check(recorder, sent, every):
    recorder.record(sent)
    text = recorder.ask("GET", f"/recorder/v1/export?format=openmetrics&session={every or recorder.name}").decode()
    samples = [s for family in parse(text) for s in family.samples]
    seen = [(s.name, tuple(sorted(s.labels.items()))) for s in samples]
    assert len(set(seen)) == len(seen), ("two lines are alike", text)
    if not every and recorder.rng.random() < 0.9:  # the rest of the check asks once more
        return len(sent)
    series = json.loads(recorder.ask("GET", f"/recorder/v1/series?session={every or recorder.name}"))["series"]
    pooled = sum(s["type"] in ("timing", "histogram", "distribution") for s in series)
    assert len(samples) == len(series) + pooled, ("lines are missing", text)
    return len(series)


def main():
    rng = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    recorder = Recorder(os.environ["STATWIT_URL"], random.Random(0))
    total = 0
    for i in range(ROUNDS):
        sent = list(lines(rng))
        try:
            total += check(recorder, sent, "*" if i % 100 == 0 else None)
        except Exception:
            print(i, sent)
            raise
    assert total > ROUNDS, total


main()
