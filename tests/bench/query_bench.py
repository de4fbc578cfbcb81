"""How long queries take, beside reading the same rows one by one (an expectation that must look at each): `make
bench-query`. CPU is the server's own time, which other work on the machine does not lengthen. Nothing here is a test."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from recorder import Recorder  # noqa: E402

NOW = int(time.time())
SERIES, POINTS = 1000, 1000


def fill(r):
    """1,000 series of 1,000 points, some series to a body; and as many points in one series as a day has at 10 s."""
    for first in range(0, SERIES, 50):
        series = [{"metric": "many", "type": "gauge", "host": f"h{i}", "tags": [f"shard:{i % 10}", "env:bench"],
                   "points": [[NOW - 3100 + 3 * k, (i * 7919 + k) % 1000 / 8] for k in range(POINTS)]}
                  for i in range(first, first + 50)]
        r.ask("POST", "/api/v1/series", {"series": series}, status=202)
    points = [[NOW - 3500 + 2 * (k // 5), k % 977] for k in range(8640)]
    r.ask("POST", "/api/v1/series", {"series": [{"metric": "one", "type": "gauge", "points": points}]}, status=202)


def cpu_ms(r):
    with open(f"/proc/{r.process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def measure(r, title, ask, plain=None, rounds=20):
    ask()
    before, times = cpu_ms(r), []
    for _ in range(rounds):
        start = time.perf_counter()
        ask()
        times.append((time.perf_counter() - start) * 1000)
    cpu = (cpu_ms(r) - before) / rounds
    ratio = f", {cpu / plain:.2f} of the plain read" if plain else ""
    print(f"{title:36} {sorted(times)[rounds // 2]:8.1f} ms median, {min(times):8.1f} ms fastest, CPU {cpu:7.1f} ms{ratio}", flush=True)
    return cpu


def main():
    with Recorder() as r:
        fill(r)
        distinct = lambda name: r.ask("POST", "/recorder/v1/expect", {"expect": [f"any {name} p95 >= 0"]})
        query = lambda text: r.raw("GET", f"/api/v1/query?from={NOW - 3600}&to={NOW}&query=" + text)
        plain = measure(r, "plain read of 1 M points", lambda: distinct("many"), rounds=5)
        for title, text in (("1 M points, 1,000 series", "avg:many%7B*%7D"),
                            ("the same by {host}", "avg:many%7B*%7Dby%7Bhost%7D"),
                            ("half of it by {shard}", "avg:many%7Bshard+IN+(1,2,3,4,5)%7Dby%7Bshard%7D"),
                            ("ewma_5(a) / b, both all of it", "ewma_5(avg:many%7B*%7D)/max:many%7B*%7D")):
            measure(r, title, lambda text=text: query(text), plain)
        plain = measure(r, "plain read of 8,640 points", lambda: distinct("one"))
        measure(r, "8,640 points in one series", lambda: query("avg:one%7B*%7D.rollup(2)"), plain)
        measure(r, "no such metric", lambda: query("avg:none%7B*%7D"))


if __name__ == "__main__":
    main()
