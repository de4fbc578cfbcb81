"""Sentry's metrics and libstatwit make the same calls, each into a session of its own, backend by backend. Then the
recordings must be the same: for `statwit diff`, and sample by sample.

calls.json   calls that record the same on both sides
differs.json what differs by design, why, and what each side records instead

Not compared: times, how metrics are packed into datagrams and requests, what a client tells about itself
(datadog.*), and the container's id, which libstatwit sends only when asked.
"""

import collections
import difflib
import fnmatch
import hashlib
import json
import math
import os
import re
import subprocess
import sys
import urllib.request

VERSION, FOLDER, URL = os.environ["VERSION"], os.environ["CLIENT"], os.environ["STATWIT_URL"]
STATWIT, LIBSTATWIT = os.environ["STATWIT"], os.environ["LIBSTATWIT_EMIT"]
BLOBS = {
    "sentry/utils/metrics.py": "e606e46032c6f5ec2cf29ee12b5d4b08b1a0b5db",
    "sentry/metrics/datadog.py": "34ecd20746b16275357efc248781b131987eb800",
}
CLASSES = {
    "dummy": "sentry.metrics.dummy.DummyMetricsBackend",
    "statsd": "sentry.metrics.statsd.StatsdMetricsBackend",
    "dogstatsd": "sentry.metrics.dogstatsd.DogStatsdMetricsBackend",
    "dogstatsd-unix": "sentry.metrics.dogstatsd.DogStatsdMetricsBackend",
    "datadog": "sentry.metrics.datadog.DatadogMetricsBackend",
}
TAGS = {"deployment": "ci", "region": "eu"}
TRIES = 5
TIMESTAMP = r"\b\d{10}\.0\b"
BUSY_MS = 20  # what the block of each timer takes at least


def check(holds, what):
    if not holds:
        sys.exit(what)


def ask(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(URL + path, data)) as answer:
        return json.load(answer)


def losses():
    """What was lost up to now. A full Unix socket is no loss here: both sides wait for it."""
    counts = ask("/recorder/v1/status")["losses"]
    return {kind: count for kind, count in counts.items() if kind != "unixgram_full"}


def check_blobs():
    for path, wanted in BLOBS.items():
        with open(path, "rb") as file:
            data = file.read()
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        check(blob == wanted, f"{path} is {blob}, not {wanted}")


# ---- recording ----


def options(backend, session, tags):
    """Sentry's options of the backend, so that it sends to the session."""
    host, port = session["dogstatsd"]["udp"].rsplit(":", 1)
    return {
        "dummy": {},
        "statsd": {"host": host, "port": int(port)},
        "dogstatsd": {"statsd_host": host, "statsd_port": int(port), "tags": tags},
        "dogstatsd-unix": {"statsd_socket_path": session["dogstatsd"]["unixgram"], "tags": tags},
        "datadog": {"api_key": session["api_key"], "app_key": "app", "api_host": URL, "host": "web-1", "tags": tags},
    }[backend]


def settings(backend, session, tags):
    return {
        "SENTRY_METRICS_BACKEND": CLASSES[backend],
        "SENTRY_METRICS_OPTIONS": options(backend, session, tags),
        "SENTRY_METRICS_SAMPLE_RATE": 1.0,
        "SENTRY_METRICS_PREFIX": "sentry.",
        "SENTRY_METRICS_SKIP_ALL_INTERNAL": False,
        "SENTRY_METRICS_SKIP_INTERNAL_PREFIXES": ["quiet."],
    }


def emit(side, backend, calls, tags, name):
    """The counts of internal metrics that the side told, which records into a new session of this name."""
    session = ask("/recorder/v1/sessions", {"name": name, "unix": True})
    with open("settings.json", "w") as file:
        json.dump(settings(backend, session, tags), file)
    with open("calls.json", "w") as file:
        json.dump(calls, file)
    program = {"sentry": [sys.executable, FOLDER + "/emit.py"], "statwit": [LIBSTATWIT]}[side]
    arguments = ["settings.json", "calls.json"] + (["sentry"] if side == "sentry" else [])
    # The settings alone decide, not what the environment says about Datadog.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DD_", "DATADOG_", "STATSD_", "STATWIT_"))}
    done = subprocess.run(program + arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check(done.returncode == 0, f"{name} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout), done.stderr


def record(side, backend, calls, tags, what):
    """(samples, rejects, internal counts, complaints, session)"""
    for attempt in range(TRIES):
        lost = losses()
        name = f"sentry-{VERSION}-{backend}-{what}-{side}-{attempt}"
        internal, complaints = emit(side, backend, calls, tags, name)
        samples = ask(f"/recorder/v1/samples?session={name}")["samples"]
        samples = [sample for sample in samples if not sample["name"].startswith("datadog.")]
        # The datadog backend adds up within 10 s of the clock. Calls on both sides of a border are made again, and so
        # are those of which the kernel lost some.
        if len({sample["timestamp"] for sample in samples}) <= 1 and lost == losses():
            return samples, ask(f"/recorder/v1/rejects?session={name}")["rejects"], internal, complaints, name
    sys.exit(f"{backend}: {TRIES} times the calls of {side} fell into two intervals, or some were lost")


# ---- comparing ----


def is_timer(sample):
    return sample["name"].startswith("sentry.timer.") and not sample["name"].endswith(".count")


def time_masked(ms):
    return "TIME"


def time_in_classes(ms):
    """What a block of 20 ms took, with its unit taken for milliseconds."""
    return "20-or-more" if ms >= BUSY_MS else "under-20"


def row(sample, show_time=time_masked):
    """A sample as text. The tags stay in their order."""
    value = sample["text"] if sample["value"] is None else repr(sample["value"])
    if is_timer(sample):
        value = show_time(sample["value"])
    parts = [sample["type"], sample["name"], value]
    for mark, name in (("@", "sample_rate"), ("/", "interval"), ("on ", "host"), ("in ", "unit")):
        if sample[name] not in (None, 1, 1.0, "", 0):
            parts.append(f"{mark}{sample[name]}")
    return " ".join(parts) + (" #" + ",".join(sample["tags"]) if sample["tags"] else "")


def rows(samples, rejects=(), show_time=time_masked):
    refused = [f"reject {reject['reason']} {re.sub(TIMESTAMP, 'TIMESTAMP', reject['text'])}" for reject in rejects]
    return [row(sample, show_time) for sample in samples] + refused


def likely_same(a, b):
    """Whether two counts of random picks can be of one chance: at most seven standard deviations apart."""
    return abs(a - b) <= 7 * math.sqrt((a + b) / 2)


def compare_rows(where, sentry, statwit):
    """Picks at random (half.*, rate 0.5) as far as chance allows; all else exactly, in the order of the calls."""
    def split(all_rows):
        picked = collections.Counter(line for line in all_rows if " @0.5" in line)
        return picked, [line for line in all_rows if line not in picked]

    (picked_a, exact_a), (picked_b, exact_b) = split(sentry), split(statwit)
    for line in sorted(set(exact_a) | set(exact_b)):
        check(exact_a.count(line) == exact_b.count(line),
              f"{where}: recorded {exact_a.count(line)} times of Sentry, {exact_b.count(line)} times of libstatwit:\n  {line}")
    # Within a request, or several at once, the order says nothing.
    check(exact_a == exact_b or where == "datadog", f"{where}: the order differs")
    for line in set(picked_a) | set(picked_b):
        check(likely_same(picked_a[line], picked_b[line]),
              f"{where}: {picked_a[line]} of Sentry and {picked_b[line]} of libstatwit are not one chance:\n  {line}")


def compare_timers(where, sentry, statwit):
    """Sentry's are seconds, libstatwit's milliseconds."""
    for a, b in zip(filter(is_timer, sentry), filter(is_timer, statwit)):
        right = BUSY_MS / 1000 <= a["value"] < BUSY_MS <= b["value"]
        check(right, f"{where}: {a['name']} is {a['value']} and {b['value']}")


def compare_internal(where, sentry, statwit):
    check(sentry.keys() == statwit.keys(), f"{where}: internal metrics {sorted(sentry)} and {sorted(statwit)}")
    for key, count in sentry.items():
        # Each pick of half.internal counts 2 / 0.5.
        same = likely_same(count / 4, statwit[key] / 4) if key.startswith("half.") else count == statwit[key]
        check(same, f"{where}: {key} counts {count} of Sentry, {statwit[key]} of libstatwit")


def set_picks_apart(samples):
    """The datadog backend ignores rates, but the picks for half.internal are still random: their sum is no exact row."""
    def is_pick(sample):
        return "instance:half.internal" in sample["tags"] and sample["type"] == "rate"
    return [s for s in samples if not is_pick(s)], sum(s["value"] * s["interval"] for s in samples if is_pick(s))


def compare_same(backend, calls):
    """calls.json; returns how many samples were compared."""
    sides = [record(side, backend, calls, TAGS, "same") for side in ("sentry", "statwit")]
    (a, rejects_a, internal_a, trouble_a, name_a), (b, rejects_b, internal_b, trouble_b, name_b) = sides
    check(not trouble_a + trouble_b, f"{backend}: {trouble_a}{trouble_b}")
    check(not rejects_a + rejects_b, f"{backend}: refused: {rows([], rejects_a + rejects_b)}")
    check((len(a) > 0) == (backend != "dummy"), f"{backend}: {len(a)} samples")
    (exact_a, picked_a), (exact_b, picked_b) = set_picks_apart(a), set_picks_apart(b)
    check(likely_same(picked_a, picked_b), f"{backend}: {picked_a} and {picked_b} picks of half.internal")
    compare_rows(backend, rows(exact_a), rows(exact_b))
    compare_timers(backend, a, b)
    compare_internal(backend, internal_a, internal_b)
    diff = subprocess.run([STATWIT, "diff", "--url", URL, "session:" + name_a, "session:" + name_b],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    check(diff.returncode == 0, f"{backend}: statwit diff says\n{diff.stdout}")
    return len(a)


def chosen(wanted, backend):
    """The rows of the first pattern that fits "BACKEND VERSION"; none when no pattern does."""
    return next((lines for pattern, lines in wanted.items() if fnmatch.fnmatch(f"{backend} {VERSION}", pattern)), [])


def compare_different(backend, entries):
    """differs.json: each side records what its list says, so a difference that is gone is told, too."""
    calls = [call for entry in entries for call in entry["calls"]]
    for side in ("sentry", "statwit"):
        samples, rejects, *_ = record(side, backend, calls, {}, "differs")
        got = rows(samples, rejects, time_in_classes)
        wanted = [line for entry in entries for line in chosen(entry[side], backend)]
        lines = difflib.unified_diff(sorted(wanted), sorted(got), "differs.json", "recorded", lineterm="")
        check(sorted(got) == sorted(wanted), f"{backend}: {side}\n" + "\n".join(lines))


# ---- the chain: Sentry's DogStatsD backend, statwit as an Agent, statwit as Datadog ----

# What an Agent does not make of a timing, and what datadogpy does not. Timers take a time of their own on each side.
ONE_SIDED = (".min", ".median", ".75percentile", ".85percentile", ".99percentile")


def through_agent(calls, attempt):
    """The samples that reach Datadog when Sentry sends them to an Agent, which a recorder with --forward is."""
    name = f"sentry-{VERSION}-chain-{attempt}"
    upstream = ask("/recorder/v1/sessions", {"name": name})
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DD_", "STATWIT_"))}
    environment["STATWIT_FORWARD_API_KEY"] = upstream["api_key"]
    command = [STATWIT, "serve", "--http-port", "0", "--dogstatsd-port", "0", "--db", ":memory:", "--forward", "agent+" + URL, "--forward-hostname", "web-1"]
    agent = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    session = json.loads(agent.stdout.readline())
    with open("settings.json", "w") as file:
        json.dump(settings("dogstatsd", upstream | {"dogstatsd": session["dogstatsd"]}, TAGS), file)
    with open("calls.json", "w") as file:
        json.dump(calls, file)
    subprocess.run([sys.executable, FOLDER + "/emit.py", "settings.json", "calls.json", "sentry"], env=environment, stdout=subprocess.DEVNULL, check=True)
    agent.terminate()
    _, complaints = agent.communicate(timeout=60)
    check(agent.returncode == 0 and "not passed on" not in complaints, f"the Agent ended with {agent.returncode}: {complaints}")
    return ask(f"/recorder/v1/samples?session={name}")["samples"]


def dashboard(samples):
    """What a dashboard shows of each series that both designs have: the sum of a rate, the last value of a gauge."""
    shown = {}
    for sample in samples:
        name = sample["name"]
        chance = "half." in name or any("half." in tag for tag in sample["tags"])
        if name.startswith("datadog.") or chance or name.endswith(ONE_SIDED) or is_timer(sample):
            continue
        key = (name, sample["type"], sample["host"], tuple(sorted(set(sample["tags"]))))
        rate = sample["type"] == "rate"
        shown[key] = shown.get(key, 0) + sample["value"] * sample["interval"] if rate else sample["value"]
    return shown


def compare_chain(calls):
    """The two ways from Sentry to Datadog; returns how many series were compared."""
    direct = dashboard(record("sentry", "datadog", calls, TAGS, "chain")[0])
    for attempt in range(TRIES):
        samples = through_agent(calls, attempt)
        if len({sample["timestamp"] for sample in samples}) == 1:
            break
    else:
        sys.exit(f"{TRIES} times the calls fell into two intervals of the Agent")
    chained = dashboard(samples)
    for key in sorted(direct.keys() | chained.keys()):
        a, b = direct.get(key), chained.get(key)
        # A rate of 0.9999999 counts for an Agent; Sentry's datadog backend ignores it.
        same = a is not None and b is not None and math.isclose(a, b, rel_tol=1e-6)
        check(same, f"the chain: {key} is {a} straight to Datadog, and {b} through an Agent")
    return len(chained)


def main():
    check_blobs()
    with open(FOLDER + "/calls.json") as file:
        calls = json.load(file)
    with open(FOLDER + "/differs.json") as file:
        entries = json.load(file)
    with open("compared", "w") as compared:
        for backend in CLASSES:
            compared.writelines(f"{backend}\n" for _ in range(compare_same(backend, calls)))
            compare_different(backend, entries)
        compared.writelines("chain\n" for _ in range(compare_chain(calls)))


main()
