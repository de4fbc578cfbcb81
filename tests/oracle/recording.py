"""The model of a recording: what was sent, step by step, and the records that it makes. Random ones, by seed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction

from language import bytes_of, text_of

GAMMA, BIAS = 1.015625, 1338  # of the Agent's sketches


@dataclass
class Sketch:
    count: int
    sum: float
    low: float
    high: float
    bins: list  # (key, n)

    def values(self):
        """(value, weight, how rough it is), roughly: a bin spans 1.6 %."""
        out = []
        for key, n in self.bins:
            value = 0.0 if key == 0 else math.copysign(GAMMA ** (abs(key) - BIAS), key)
            value = min(max(value, self.low), self.high)
            out.append((Fraction(value), Fraction(n), Fraction(abs(value)) / 50))
        return out


@dataclass
class Record:
    """A sample, an event, a check or a reject, as it is asked about. Texts as in language.py."""
    kind: str
    name: str
    tags: tuple = ()
    host: str | None = None
    device: str | None = None
    value: float | None = None
    text: str | None = None  # of a set
    rate: float = 1.0
    interval: int | None = None
    sketch: Sketch | None = None
    status: str | None = None
    fields: dict | None = None  # of events, checks and rejects: their other texts; None: not looked at
    way: str = ""  # the word of its source
    source: str = "dogstatsd"
    session: int = 0
    hurried: bool = False  # came by a request right after datagrams, or before one

    def series(self):
        return self.name, self.kind, frozenset(self.tags), self.host


@dataclass
class Item:
    """The least thing that is sent: a line, or a series (or check, event) of a request's body."""
    sent: object  # bytes of the line; for requests what bodies.py writes
    records: list


@dataclass
class Step:
    """A datagram, a frame, a request, a mark, or a restart of the server on the same file."""
    way: str              # udp, unixgram, unixstream; a route of bodies.py; mark; restart
    session: int = 0      # number of the session; of a mark its own
    items: list = field(default_factory=list)
    coding: str = ""      # Content-Encoding
    wait: bool = True     # a question stands before it, so that the order of records is known


    def records(self):
        return [r for item in self.items for r in item.records]


@dataclass
class Recording:
    sessions: int
    steps: list
    memory: bool

    def records(self, session, steps=None):
        """Of a session (None: of every one), in order, that the first so many steps made."""
        return [r for step in self.steps[:steps] if session in (None, step.session) for r in step.records()]

    def restarted(self):
        """How many steps there are up to the last restart."""
        return max((i + 1 for i, step in enumerate(self.steps) if step.way == "restart"), default=0)

    def marks(self):
        """Number of each mark -> how many steps come before it."""
        return {step.session: i for i, step in enumerate(self.steps) if step.way == "mark"}


# --- what is in it ---------------------------------------------------------------------------------------------

PLAIN = ["app.hits", "app.hits.ok", "app.hit", "db.query.time", "queue", "users", "sentry.login", "login",
         "Deploy_finished"]
ODD = ["login attempt", 'we"ird', "curly{x", "square[1]", "\u00fcn\u00ef.code", "star*s", "what?", "back\\slash", "#hash",
       "a,b}c", text_of(b"raw\xff\xfe.bytes"), "\u4e2d\u6587", "datadog.dogstatsd.client.metrics", "no", "and", "tab\tname",
       " lead"]
KEYS = ["env", "region", "k", "team", "Env", "sp ace", "\u00fc", 'q"uote', "!neg", "host2"]
VALUES = ["ci", "ci-1", "ci-22", "prod", "", "a:b", "x y", "\u00e9t\u00e9", 'say "hi"', "*", "?", "br]ack}et", "back\\", "1"]
RAW_VALUES = [text_of(b"\xfe"), text_of(b"ok\xc3"), "nul\0"]
HOSTS = ["h1", "h2", "web-1.example", "h\u00f6st"]
TEXTS = ["alice", "bob", "1", "a:b:c", "\u00fc", "", "alice "]
STATUS = ["ok", "warning", "critical", "unknown"]
WIRE = {"count": "c", "gauge": "g", "timing": "ms", "histogram": "h", "distribution": "d", "set": "s"}
REJECTED = [(b"bad", "", "no_pipe"), (b"app.hits:1", "app.hits", "no_pipe"), (b":1|c", "", "empty_name"),
            (b"app.hits:|c", "app.hits", "empty_value"), (b"app.hits:x|c", "app.hits", "invalid_value"),
            (b"app.hits:1|q", "app.hits", "invalid_type"), (b"app.hits:1|c|@x", "app.hits", "invalid_sample_rate"),
            (b"queue:nan|g", "queue", "non_finite_value"), (b"app.hits:1::x|c", "app.hits", "invalid_value"),
            (b"_sc|app|9", "app", "sc_invalid_status"), (b"_e{0,1}:|x", "", "event_empty_title"),
            (b"queue:1 |g", "queue", "invalid_value"), (b"queue:1e999|g", "queue", "value_out_of_range"),
            (b"queue:1|g|T0", "queue", "timestamp_not_positive"),
            (b"db.query.time:1|ms|T1700000000", "db.query.time", "timestamp_unsupported_type")]
NOW = "9999999999"  # stands in a line for the time at which it is sent
DOGSTATSD = ("udp", "unixgram", "unixstream")


class Maker:
    def __init__(self, rng):
        self.rng = rng
        self.names = rng.sample(PLAIN, rng.randint(3, 6)) + rng.sample(ODD, rng.randint(0, 3))
        self.kinds = {n: rng.choice(list(WIRE)) for n in self.names}
        self.rates = {n: rng.choice([1.0] * 5 + [0.5, 0.1, 0.25, 0.3, 0.9]) for n in self.names}
        self.style = {n: rng.choice(["small", "small", "fractions", "wide", "same", "negative"]) for n in self.names}
        for n in self.names:  # what sampling explains is only exact for equal values and rates
            if self.rates[n] != 1 and rng.random() < 0.5:
                self.style[n], self.kinds[n] = "same", rng.choice(["count", "count", "timing"])
        self.tagsets = [self.random_tags() for _ in range(rng.randint(2, 5))] + [()]

    def random_tags(self):
        rng, tags = self.rng, []
        for _ in range(rng.randint(1, 4)):
            key = rng.choice(KEYS[:4] if rng.random() < 0.7 else KEYS)
            value = rng.choice(VALUES[:4] if rng.random() < 0.7 else VALUES + RAW_VALUES)
            tags.append(key if rng.random() < 0.15 else key + ":" + value)
        if rng.random() < 0.1:
            tags.append(rng.choice(tags))
        return tuple(tags)

    def tags(self, http=False):
        """Those of one sample: order and repetition vary."""
        tags = list(self.rng.choice(self.tagsets))
        if http:
            tags = [t for t in tags if t and is_text(t)]
        if self.rng.random() < 0.3:
            self.rng.shuffle(tags)
        return tuple(tags)

    def name(self, http=False):
        while True:
            name = self.rng.choice(self.names)
            if not http or (is_text(name) and any(c.isascii() and c.isalpha() for c in name)):
                return name

    def value(self, name):
        rng, style = self.rng, self.style[name]
        if style == "same":
            return 2.0
        if style == "fractions":
            return rng.choice([0.1, 0.2, 0.3, 0.7, 1.1, 2.675, 1e-3])
        if style == "wide":
            return rng.choice([1e-9, 0.5, 3.0, 1e6, 123456789.0, 1e15, 2.0**53, 99.99])
        if style == "negative":
            return float(rng.randint(-5, 5))
        return float(rng.randint(0, 12))

    # --- DogStatsD ---------------------------------------------------------------------------------------------

    def line(self):
        rng, roll = self.rng, self.rng.random()
        if roll < 0.06:
            line, name, reason = rng.choice(REJECTED)
            return Item(line, [Record("reject", name or text_of(line), fields={"text": text_of(line), "reason": reason})])
        if roll < 0.10:
            return self.event_line()
        if roll < 0.14:
            return self.check_line()
        name = self.name()
        kind = self.kinds[name] if rng.random() < 0.85 else rng.choice(list(WIRE))
        rate = self.rates[name] if rng.random() < 0.9 else rng.choice([1.0, 0.5, 0.1])
        if rng.random() < 0.01:
            rate = rng.choice([0.0, 2.0, -1.0])
        tags, host = self.tags(), rng.choice(HOSTS) if rng.random() < 0.12 else None
        if rng.random() < 0.05:
            tags += ("device:sda",)
        if kind == "set":
            texts = [rng.choice([t for t in TEXTS if t])]
            values, body = [None], texts[0]
        else:
            values = [self.value(name) for _ in range(rng.choice([1, 1, 1, 2, 3, 6]))]
            texts, body = [None] * len(values), ":".join(number_text(rng, v) for v in values)
        fields = [("@" + repr(rate)) if rate != 1 or rng.random() < 0.1 else "",
                  "#" + ",".join(with_host(rng, tags, host)) if tags or host or rng.random() < 0.05 else ""]
        if kind in ("gauge", "count") and rate == 1 and rng.random() < 0.05:
            fields.append("T" + NOW)
        fields = [f for f in fields if f]
        if rng.random() < 0.2:
            rng.shuffle(fields)
        if rng.random() < 0.05:
            fields.append(rng.choice(["c:ci-abc", "e:it-false", "x", ""]))
        line = "|".join([f"{name}:{body}|{WIRE[kind]}"] + fields)
        return Item(bytes_of(line), [Record(kind, name, tags, host, None, v, t, rate) for v, t in zip(values, texts)])

    def event_line(self):
        rng, title = self.rng, self.name()
        tags, host, body = self.tags(), rng.choice(HOSTS) if rng.random() < 0.3 else None, "some text"
        line = f"_e{{{len(bytes_of(title))},{len(body)}}}:{title}|{body}"
        extra, told = rng.choice([("", {}), ("|p:low", {"priority": "low"}), ("|t:error", {"alert_type": "error"}),
                                  ("|k:key 1|s:jenkins", {"aggregation_key": "key 1", "source_type_name": "jenkins"})])
        told = {"text": body, "priority": "normal", "alert_type": "info", "aggregation_key": "", "source_type_name": "", **told}
        return Item(bytes_of(line + extra + fields_of(host, tags)), [Record("event", title, tags, host, fields=told)])

    def check_line(self):
        rng, name, status = self.rng, self.name(), self.rng.randrange(4)
        tags, host = self.tags(), rng.choice(HOSTS) if rng.random() < 0.3 else None
        line = f"_sc|{name}|{status}" + fields_of(host, tags)
        message = rng.choice(["", "all is well", "a timeout"])
        line += "|m:" + message if message else ""
        return Item(bytes_of(line), [Record("check", name, tags, host, status=STATUS[status], fields={"message": message})])

    # --- HTTP ----------------------------------------------------------------------------------------------------

    def series(self, way):
        """A series as any of the routes for series takes it."""
        rng, name = self.rng, self.name(http=True)
        kind = rng.choice(["count", "gauge", "rate", "gauge", "count"])
        host = rng.choice(HOSTS) if rng.random() < 0.4 else None
        device = "sda" if rng.random() < 0.08 else None
        interval = 10 if kind == "rate" or rng.random() < 0.2 else None
        if kind == "rate" and rng.random() < 0.15:
            interval = None
        values = [self.value(name) for _ in range(rng.choice([1, 1, 2, 3]))]
        return self.series_item(name, kind, self.tags(http=True), host, device, interval, values)

    @staticmethod
    def series_item(name, kind, tags, host, device, interval, values):
        sent = dict(name=name, kind=kind, tags=tags, host=host, device=device, interval=interval, values=values)
        return Item(sent, [Record(kind, name, tags, host, device, v, interval=interval, source="http") for v in values])

    def forms(self):
        """What an aggregating client sends of a timing; sometimes not all of it."""
        rng, name = self.rng, self.rng.choice(["lat", "lat.ency", "queue"])
        words = ["avg", "min", "max", "median", "sum", "95percentile", "99percentile", "count"]
        if rng.random() < 0.5:
            words = rng.sample(words, rng.randint(1, 6))
        if rng.random() < 0.7 and "count" not in words:
            words.append("count")
        tags, host, flushes = self.tags(http=True), rng.choice(HOSTS[:2] + [None]), rng.choice([1, 1, 2])
        values = [sorted(float(rng.randint(1, 9)) for _ in range(rng.randint(1, 9))) for _ in range(flushes)]
        told = {"avg": lambda v: sum(v) / len(v), "sum": sum, "min": min, "max": max, "median": lambda v: v[(len(v) - 1) // 2],
                "count": lambda v: len(v) / 10}
        items = []
        for word in words:
            points = [told.get(word, max)(v) for v in values]
            kind, interval = ("rate", 10) if word == "count" else ("gauge", None)
            items.append(self.series_item(f"{name}.{word}", kind, tags, host, None, interval, points))
        rng.shuffle(items)
        return items

    def distribution(self, way):
        rng, name = self.rng, self.name(http=True)
        host, tags = rng.choice(HOSTS), self.tags(http=True)
        points = [[self.value(name) for _ in range(rng.choice([1, 2, 5]))] for _ in range(rng.choice([1, 1, 2]))]
        sent = dict(name=name, kind="distribution", tags=tags, host=host, device=None, interval=None, values=points)
        if way == "v1_points":
            return Item(sent, [Record("distribution", name, tags, host, value=v, source="http") for p in points for v in p])
        sent["values"] = [sketch_of(p) for p in points]
        records = [Record("distribution", name, tags, host, sketch=s, source="http") for s in sent["values"]]
        return Item(sent, records)

    def check(self):
        rng, name, status = self.rng, self.name(http=True), self.rng.randrange(4)
        tags, host = self.tags(http=True), rng.choice(HOSTS)
        sent = dict(name=name, status=status, tags=tags, host=host)
        return Item(sent, [Record("check", name, tags, host, status=STATUS[status], fields={"message": ""})])

    def event(self):
        name, tags, host = self.name(http=True), self.tags(http=True), self.rng.choice(HOSTS)
        return Item(dict(title=name, tags=tags, host=host), [Record("event", name, tags, host)])

    # --- steps ---------------------------------------------------------------------------------------------------

    def step(self, session):
        rng = self.rng
        if rng.random() < 0.62:
            return Step(rng.choice(DOGSTATSD), session, [self.line() for _ in range(rng.choice([1, 1, 2, 4, 8]))])
        way = rng.choice(["v1_series", "v1_series", "v2_json", "v2_proto", "v3", "v3", "v1_points", "sketches", "v1_checks",
                          "v1_event"])
        if way in ("v1_points", "sketches"):
            items = [self.distribution(way) for _ in range(rng.choice([1, 2]))]
        elif way == "v1_checks":
            items = [self.check() for _ in range(rng.choice([1, 2]))]
        elif way == "v1_event":
            items = [self.event()]
        elif rng.random() < 0.2:
            items = self.forms()
        else:
            items = [self.series(way) for _ in range(rng.choice([1, 2, 3]))]
            if way == "v3" and rng.random() < 0.5:
                items.append(self.distribution("v3"))
        return Step(way, session, items, rng.choice(["", "", "gzip", "deflate"]))

    def echo(self, before):
        """A gauge or count that the datagram before had too: which of them is the last?"""
        told = [r for r in before.records() if r.kind in ("gauge", "count") and r.rate == 1
                and is_text("".join((r.name,) + r.tags)) and any(c.isascii() and c.isalpha() for c in r.name)]
        told = [r for r in told if not any(t.startswith("device:") for t in r.tags)]
        return [self.series_item(r.name, r.kind, r.tags, r.host, None, None, [r.value + 1]) for r in told[-1:]]

    def next_step(self, recording, before):
        """A step, and whether a question must stand before it for the order to be known: one socket keeps it, and so does
        a request that was answered. A request that hurries after its own session's datagrams comes after them."""
        rng, step = self.rng, self.step(self.rng.randrange(recording.sessions))
        step.wait = before is not None and before.way in DOGSTATSD and (before.way, before.session) != (step.way, step.session)
        if step.wait and step.way not in DOGSTATSD and step.session == before.session and rng.random() < 0.6:
            step.wait = False
            if step.way in ("v1_series", "v2_json", "v2_proto", "v3"):
                step.items += self.echo(before)
            for r in before.records() + step.records():
                r.hurried = True
        for r in step.records():
            r.session = step.session
            r.way = step.way if step.way in DOGSTATSD else "http"
        return step

    def recording(self):
        rng = self.rng
        recording, marks, before = Recording(rng.choice([1, 2, 3]), [], rng.random() < 0.5), 0, None
        for _ in range(rng.randint(8, 34)):
            if rng.random() < 0.06:
                before = Step("mark", marks)
                marks += 1
            else:
                before = self.next_step(recording, before)
            recording.steps.append(before)
        if not recording.memory and rng.random() < 0.12:
            recording.steps.insert(rng.randrange(len(recording.steps)), Step("restart"))
        return recording


def is_text(text):
    return not any("\ud800" <= c <= "\udfff" for c in text)


def fields_of(host, tags):
    """Of an event or a check."""
    return (f"|h:{host}" if host else "") + ("|#" + ",".join(tags) if tags else "")


def with_host(rng, tags, host):
    tags = list(tags)
    if host is not None:
        tags.insert(rng.randint(0, len(tags)), "host:" + host)
    return tags


def number_text(rng, value):
    """Spellings that clients use of the same double."""
    spellings = [repr(value)]
    if value == int(value) and abs(value) < 1e6:
        spellings += [str(int(value)), str(int(value)), f"{value:.6f}", f"+{int(value)}" if value >= 0 else str(int(value))]
    return rng.choice(spellings)


def sketch_of(values):
    counts = {}
    for v in values:
        counts[key_of(v)] = counts.get(key_of(v), 0) + 1
    return Sketch(len(values), float(sum(values)), min(values), max(values), sorted(counts.items()))


def key_of(value):
    if abs(value) < GAMMA ** (1 - BIAS):
        return 0
    key = round(math.log(abs(value)) / math.log(GAMMA)) + BIAS
    return key if value > 0 else -key


def random_recording(rng):
    return Maker(rng).recording()
