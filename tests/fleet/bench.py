"""How fast a fleet is pushed: bench.py push SAMPLES. Records so many samples in 480 series and pushes them, packed and, as to an engine on this
host, unpacked; beside that, the engine alone takes the same rows from one table into another.

How fast a fleet is asked: bench.py RECORDINGS [series]. Makes so many recordings of 10,000 samples in 250 series each inside the engine (200 repositories,
51 branches, 1,770 names, 30 days) and asks them with the real binary. Prints seconds of the clock, and of the processor (engine and statwit): on a
machine with other work only the latter mean something. `series`: leaves the samples out, which most questions do not look at."""

import json
import os
import resource
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from engine import Engine  # noqa: E402

STATWIT = os.environ["STATWIT"]
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("STATWIT_", "DD_", "CLICKHOUSE_"))}
N, SERIES, EACH = int(sys.argv[2] if sys.argv[1] == "push" else sys.argv[1]), 250, 40
DAY0 = int(time.time()) // 86400 - 30


def uuid_of(n):
    return f"toUUID(concat('00000000-0000-4000-8000-', substring(concat('000000000000', hex(toUInt64({n}))), -12)))"


def fill(node):
    """A recording's series have names of its repository; a name is in one repository in ten."""
    r, s = "intDiv(number, 250)", "number % 250"
    name = f"concat(arrayElement(['db','http','cache','queue','login','page'], toUInt32(({r} + {s}) % 6 + 1)), '.n', toString(({r} % 200 * 37 + {s} * 7) % 295))"
    typ = f"toUInt8(({s}) % 5)"
    at = f"toInt64(({DAY0} + {r} % 30) * 86400 + 3600) * 1000000000 + {r} * 1000"
    day = f"toDate({DAY0} + {r} % 30)"
    tags = f"[concat('env:', arrayElement(['ci','dev','prod'], toUInt32({s} % 3 + 1))), concat('instance:', toString({s} % 40))]"
    node.ask(f"""INSERT INTO statwit.recordings SELECT toUInt32(number), {uuid_of('number')}, {uuid_of('number')}, toDate({DAY0} + number % 30), 1,
        toInt64(({DAY0} + number % 30) * 86400 + 3600) * 1000000000 + number * 1000, 2, {SERIES * EACH}, {SERIES}, {SERIES}, {SERIES * EACH}, 1, 0,
        concat('repo', toString(number % 200)), if(number % 3 = 0, 'main', concat('b', toString(number % 50))), '', 'unit', toString(number), 'h', '1', [], []
        FROM numbers({N})""")
    node.ask(f"""INSERT INTO statwit.records SELECT toUInt32(number), {uuid_of('number')}, toDate({DAY0} + number % 30), 5, 1, 3, 'default', 0, 0, 'default', [], [],
        [0, 0, 0] FROM numbers({N})""")
    node.ask(f"""INSERT INTO statwit.series SELECT toUInt32({r}), {uuid_of(r)}, {day}, 'default', {s} + 1, {name}, {typ}, {tags}, '', '', 0, {EACH}, {EACH},
        {EACH} * 1.5, 0, 3, 1.5, {at}, {at}, {s} + 1, {s} + 1, 0 FROM numbers({N * SERIES})""")
    node.ask(f"""INSERT INTO statwit.spellings SELECT toUInt32({r}), {uuid_of(r)}, {day}, {s} + 1, {s} + 1, {tags}, 1, 0, '', '', '', '', '', 0, '', '', '', '', 0,
        [], [], [] FROM numbers({N * SERIES})""")
    if "series" in sys.argv:
        return
    number = f"intDiv(number, {EACH})"
    r, s = f"intDiv({number}, 250)", f"{number} % 250"
    name = f"concat(arrayElement(['db','http','cache','queue','login','page'], toUInt32(({r} + {s}) % 6 + 1)), '.n', toString(({r} % 200 * 37 + {s} * 7) % 295))"
    at, day, typ = (x.replace("intDiv(number, 250)", r).replace("number % 250", s) for x in (at, day, typ))
    step = 5_000_000
    for first in range(0, N * SERIES * EACH, step):
        n = min(step, N * SERIES * EACH - first)
        node.ask(f"""INSERT INTO statwit.samples SELECT toUInt32({r}), {uuid_of(r)}, {day}, 0, {name}, {typ}, {s} + 1, number % {SERIES * EACH} + 1, toUInt32({s} + 1),
            {at}, 0, 1, toFloat64(intHash32(number) % 1000), '', 0, 0, 0, 0, 0, [], [] FROM (SELECT number + {first} AS number FROM numbers({n}))""")


def cpu_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ask(node, what, *args):
    took = []
    for _ in range(2):
        engine, own, began = cpu_of(node.process.pid), resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run([STATWIT, *args], env=CLEAN, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append((time.monotonic() - began, cpu_of(node.process.pid) - engine,
                     after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime))
    clock, engine, own = min(took)
    print(f"{what:42} {clock:8.2f} s  engine {engine:6.2f}  statwit {own:6.2f}  exit {done.returncode}  {done.stdout.count(10)} lines  {done.stderr[-80:]!r}", flush=True)


def timed(node, what, do):
    """The second of two runs: (seconds of the clock, of the engine's processor time, of ours)."""
    for _ in range(2):
        engine, own, began = cpu_of(node.process.pid), resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        do()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        clock, engine, own = time.monotonic() - began, cpu_of(node.process.pid) - engine, \
            after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime
    print(f"{what:42} {clock:8.2f} s  engine {engine:6.2f}  statwit {own:6.2f}  {N / (engine + own) / 1000:8.0f} thousand samples each second of processor time",
          flush=True)
    return engine + own


def bench_push():
    os.environ.setdefault("COMPARE", "")
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
    import fleet_test as fleet
    with Engine() as (node,):
        subprocess.run([STATWIT, "push", "--init", "-q", "--to", node.url("statwit")], env=CLEAN, check=True)
        path = os.path.join(node.home, "r.db")
        with fleet.Recorder("--db", path) as r:
            sent = list(fleet.lines(N, 1))
            for i in range(0, N, 20000):
                fleet.post(r, *sent[i:i + 20000])
            r.get("status")
        run = iter(range(100))

        def push(host, label=None):
            subprocess.run([STATWIT, "push", "-q", path, "--label", f"run={label or next(run)}", "--to", f"clickhouse://{host}:{node.http}/statwit"], env=CLEAN,
                           check=True)

        near = timed(node, "push, unpacked (127.0.0.1)", lambda: push("127.0.0.1"))
        timed(node, "push, packed (by the host's name)", lambda: push(socket.gethostname()))
        node.ask("CREATE TABLE statwit.bare AS statwit.samples")
        alone = timed(node, "the engine alone, table to table", lambda: node.ask(
            "INSERT INTO statwit.bare SELECT * FROM statwit.samples WHERE push IN (SELECT push FROM statwit.recordings LIMIT 1)", max_insert_block_size=500000))
        again = timed(node, "again, unchanged", lambda: push("127.0.0.1", "same"))
        size = node.ask("SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts WHERE active AND table = 'samples' AND database = 'statwit'")
        print(f"{size[:5]} bytes a sample; a push takes {near / alone:.1f} times the processor time of the engine alone, an unchanged one {again / near:.2f} of a push")


def main():
    if sys.argv[1] == "push":
        bench_push()
        return
    with Engine() as (node,):
        subprocess.run([STATWIT, "push", "--init", "-q", "--to", node.url("statwit")], env=CLEAN, check=True)
        began = time.monotonic()
        fill(node)
        print(f"{N} recordings, {N * SERIES} series, {N * SERIES * EACH} samples, made in {time.monotonic() - began:.0f} s")
        week = "since=7d"
        catalog = os.path.join(node.home, "catalog.json")
        with open(catalog, "w", encoding="ascii") as file:
            names = [f"{a}.n{i}" for a in ("db", "http", "cache", "queue") for i in range(295)][:1000]
            json.dump({"metrics": {name: {} for name in names}}, file)
        ask(node, "who emits a name", "ls", "login.n17", "--by", "repo,branch,job", "--db", node.url("statwit"))
        ask(node, "who emits a name, a week of main", "ls", "login.n17", "--by", "repo,branch,job", "--db", node.url("statwit", week + "&branch=main"))
        ask(node, "series counts by repository", "ls", "--by", "repo", "--db", node.url("statwit"))
        ask(node, "series counts by repository, a week", "ls", "--by", "repo", "--db", node.url("statwit", week))
        if "series" not in sys.argv:
            ask(node, "p95 of a name", "value", "timing db.n14 p95", "--db", node.url("statwit"))
        ask(node, "five claims", "expect", *(f"any {n} samples > 0" for n in ("db.n1", "db.n2", "http.n3", "cache.n4", "queue.n5")), "--db",
            node.url("statwit"))
        ask(node, "a glob", "expect", "any login.* samples > 0", "--db", node.url("statwit"))
        ask(node, "catalog of 1,000 names", "verify", "--catalog", catalog, "--db", node.url("statwit"))
        ask(node, "catalog of 1,000 names, a week", "verify", "--catalog", catalog, "--db", node.url("statwit", week))
        ask(node, "diff of two branches", "diff", node.url("statwit", "branch=b7"), node.url("statwit", "branch=b8"))
        size = node.ask("SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts WHERE active AND table = 'samples'")
        print(f"{size} bytes a sample (made up: real ones are in the README)")


if __name__ == "__main__":
    main()
