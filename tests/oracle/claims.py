"""Random expectations over a recording, most of them near the truth, so that both verdicts occur."""

from dataclasses import replace
from fractions import Fraction

import where
from exact import Number
from forms import SUFFIX
from judge import Question, tally_of
from language import Clause, parse, tag_key
from recording import KEYS, PLAIN, STATUS, VALUES, is_text

WORDS = {"count": ["incr", "count", "c"], "gauge": ["gauge", "g"], "timing": ["timing", "ms"], "histogram": ["histogram", "h"],
         "distribution": ["distribution", "d"], "set": ["set", "s"], "rate": ["rate"], "event": ["event"], "check": ["check"],
         "reject": ["reject"]}
STATS = ["samples", "count", "sum", "sum", "last", "first", "min", "max", "avg", "median", "p", "p", "distinct", "series", "per_series",
         "each", "each", "rate"]
PERCENTS = ["50", "95", "99", "99.9", "25", "100", "33", "0.1", "75"]
OF = {"set": ["samples", "count", "distinct", "series", "per_series", "rate"], "event": ["samples", "count"],
      "reject": ["samples", "count"],
      "check": ["samples", "count", "status", "status"]}


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def bare(text):
    return text and all(c.isalnum() or c in "._-*?:/" for c in text)


BEGINNING, FUTURE = -1, -2  # instead of a mark's number: `since` 0, and beyond the newest record


def question_of(recording, session, mark, prefix, ignored):
    if mark is None:
        steps = recording.restarted()
    else:
        steps = recording.marks().get(mark, 0)
    touches = {"runs"} if recording.restarted() else set()
    if session is None:
        touches.add("every")
    return Question(recording.records(session), len(recording.records(session, steps)), prefix, ignored, frozenset(touches))


class Claims:
    def __init__(self, rng, recording):
        self.rng, self.recording = rng, recording

    def question(self):
        """(session, mark, Question)"""
        rng, recording = self.rng, self.recording
        session, mark = rng.randrange(recording.sessions), None
        if rng.random() < 0.08:
            session = None
        # What a session of an earlier run's name holds of that run is only clear for `default`, which is always there.
        marks = [m for m, at in recording.marks().items() if session == 0 or at >= recording.restarted()]
        if session == 0 or not recording.restarted():
            marks.append(BEGINNING)
        if marks and rng.random() < 0.3:
            mark = rng.choice(marks)
        prefix = rng.choice(["app.", "sentry.", "db"]) if rng.random() < 0.15 else ""
        ignored = tuple(rng.sample(KEYS[:4], rng.randint(1, 2))) if rng.random() < 0.25 else ()
        return session, mark, question_of(recording, session, mark, prefix, ignored)

    # --- the parts -------------------------------------------------------------------------------------------

    def globbed(self, text):
        """A pattern that matches the text: `*` for some of it, `?` for a character."""
        rng = self.rng
        if not text:
            return rng.choice(["*", ""])
        a = rng.randrange(len(text))
        b = rng.randint(a, len(text))
        return rng.choice([text[:a] + "*" + text[b:], text[:a] + "?" + text[a + 1:], text[:a] + "*", "*" + text[a:], "*"])

    def sendable(self, text):
        """An expectation is UTF-8 without NUL: other bytes can only be asked for by wildcards."""
        return "".join(c if is_text(c) and c != "\0" else self.rng.choice("?*") for c in text)

    def name(self, target, prefix):
        rng, roll = self.rng, self.rng.random()
        name = target.name if target and roll < 0.93 else rng.choice(PLAIN + ["nothing.like.it"])
        if roll < 0.25:
            name = self.globbed(name)
        name = self.sendable(name)
        if prefix and name.startswith(prefix) and rng.random() < 0.5 and len(name) > len(prefix):
            name = name[len(prefix):]
        return name if bare(name) and rng.random() < 0.9 else quote(name)

    def tag(self, tag, negated=False):
        """The text of a pattern that fits the tag, mostly."""
        rng, (key, colon, value) = self.rng, tag.partition(":")
        roll = rng.random()
        mark = "!" if negated else ""
        if not tag:
            return mark + '""'
        if not is_text(key) or "*" in key or "?" in key or not key:
            return None
        if roll > 0.88 and colon:
            return self.odd_tag(key, value, mark)
        if roll < 0.15 or not colon:
            pattern = None
        elif roll < 0.35:
            pattern = self.sendable(self.globbed(value))
        else:
            pattern = self.sendable(value)
        if pattern is None:
            return mark + (key if bare(key) else quote(key))
        whole = key + ":" + pattern
        if bare(whole) and rng.random() < 0.85:
            return mark + whole
        return mark + (key + ":" + quote(pattern) if bare(key) and rng.random() < 0.5 else quote(whole))

    def described(self, value):
        """A regular expression that describes the value, or nearly; of what both dialects have."""
        rng = self.rng
        if not value or not all(c.isascii() and (c.isalnum() or c in "-_ .:") for c in value):
            return rng.choice([".*", ".+", "a|b.*"])
        plain = value.replace(".", "\\.")
        at = rng.randrange(len(value))
        return rng.choice([plain, f"{plain}|zz", ".*", value[:at].replace(".", "\\.") + ".*", f"({plain})+", "[a-z0-9-]+",
                           r"\w+-?\d*", "[^x]*", f"x?{plain}$", "^" + plain])

    def odd_tag(self, key, value, mark):
        """A regular expression, alternatives, or a pattern in the key."""
        rng, spelt = self.rng, key if bare(key) else quote(key)
        roll = rng.random()
        if roll < 0.4:
            op = rng.choice(["=~", "!~"]) if not mark else "=~"
            return mark + spelt + rng.choice(["", " "]) + op + rng.choice(["", " "]) + quote(self.described(value))
        if roll < 0.7 and bare(key):
            values = [self.sendable(rng.choice([value, self.globbed(value), rng.choice(VALUES[:4])])) for _ in range(rng.randint(1, 3))]
            return mark + key + ":(" + rng.choice(["|", " | "]).join(v if bare(v) else quote(v) for v in values) + ")"
        whole = self.globbed(key) + ":" + self.sendable(value)
        return mark + (whole if bare(whole) else quote(whole))

    def text_condition(self, field, text):
        rng = self.rng
        if text is None or rng.random() < 0.1:
            text = "nothing"
        if rng.random() < 0.3:
            return f"{field} {rng.choice(['=~', '!~'])} {quote(self.described(text))}"
        closed = field in ("source", "reason")
        pattern = self.sendable(text if rng.random() < 0.6 or closed else self.globbed(text))
        pattern = pattern if not closed or pattern != "nothing" else "no*thing"
        return f"{field} {rng.choice(['==', '==', '!='])} {pattern if bare(pattern) and rng.random() < 0.8 else quote(pattern)}"

    def condition(self, target, kind):
        """One that the target fulfils, or nearly."""
        rng = self.rng
        fields = {"event": ["text", "priority", "alert_type", "aggregation_key", "source_type_name", "host"],
                  "check": ["status", "message", "host"], "reject": ["reason", "text", "source"]}.get(
                      kind, ["value", "value", "value", "rate", "host", "source", "interval", "device"])
        field = rng.choice(fields)
        if field == "status":
            return f"status {rng.choice(['==', '!='])} {rng.choice([target.status or 'ok'] + STATUS)}"
        of_text = field == "value" and (kind == "set" or kind == "any" and target.kind == "set")
        if field in ("value", "rate", "interval") and not of_text:
            truth = target.sketch.low if field == "value" and target.sketch else getattr(target, field)
            return self.clause(field, [truth] if truth is not None else [])
        return self.text_condition(field, where.text_of(field, target))

    def where(self, target, kind):
        rng = self.rng
        if target is None or rng.random() > (0.6 if kind in ("event", "check", "reject") else 0.3):
            return ""
        some = [self.condition(target, kind) for _ in range(rng.choice([1, 1, 2, 3]))]
        if any("=~" in c or "!~" in c for c in some) and kind not in ("set", "any", "event", "check", "reject"):
            some = [c for c in some if not c.startswith("value")] or some[:1]
        return " where " + " and ".join(some)

    def other_tag(self):
        return self.rng.choice(KEYS[:4]) + ":" + self.rng.choice(VALUES[:4])

    def tags(self, target, ignored):
        rng = self.rng
        roll = rng.random()
        if roll < 0.45 or not target:
            return ""
        mine = list(target.tags)
        chosen = rng.sample(mine, rng.randint(0, len(mine)))
        exact = roll > 0.75
        if exact or ignored and rng.random() < 0.5:
            exact, chosen = True, mine if rng.random() < 0.75 else chosen
            if rng.random() < 0.6:
                chosen = [t for t in chosen if tag_key(t) not in ignored]
        patterns = [self.tag(t) for t in chosen]
        if target.host and rng.random() < 0.3:
            patterns.append(self.tag("host:" + target.host))
        if target.device and rng.random() < 0.3:
            patterns.append(self.tag("device:" + target.device))
        if rng.random() < 0.25:
            patterns.append(self.tag(self.other_tag(), negated=rng.random() < 0.8))
        if rng.random() < 0.05:
            patterns.append("!host")
        patterns = [p for p in patterns if p]
        rng.shuffle(patterns)
        return ("[%s]" if exact else "{%s}") % ",".join(patterns)

    def stat(self, kind):
        stat = self.rng.choice(OF.get(kind, STATS))
        return stat + self.rng.choice(PERCENTS) if stat == "p" else stat

    def value_text(self, x):
        x = float(x)
        if x == int(x) and abs(x) < 2**53:
            return self.rng.choice([str(int(x)), str(int(x)), repr(x)])
        return repr(x)

    def near(self, truth, op=""):
        """A value at the truth or beside it; of `~` at the distances that matter to it, sampled or not."""
        rng, x = self.rng, float(truth)
        if op == "~" and rng.random() < 0.6:
            factors = [1, 1 + 1e-7, 1 - 1e-7, 1 + 1e-5, 1 - 1e-5, 0.5, 0.7, 0.8, 1.25, 1.5, 2, 3, 5]
            return x * rng.choice(factors + [rng.uniform(0.3, 4), rng.uniform(1, 8)])
        beside = [x + 1, x - 1, x + 0.5, -x, x * (1 + 1e-7), x * (1 + 1e-4), x * (1 + 1e-11), x * 2, 0.0]
        return rng.choice([x] * 4 + beside + [float(rng.randint(-3, 20))])

    def clause(self, stat, truths, op=None):
        rng = self.rng
        if stat == "status":
            return f"status {rng.choice(['==', '==', '!='])} {rng.choice([t for t in truths if t] or STATUS)}"
        op = op or rng.choice(["==", "==", "!=", "<", "<=", ">", ">=", "~"])
        value = self.near(rng.choice(truths), op) if truths else float(rng.randint(0, 5))
        text = f"{stat}{rng.choice([' ', ' ', ''])}{op}{rng.choice([' ', ' ', ''])}"
        tolerance = ""
        if rng.random() < 0.15:
            room = rng.choice([0.5, 1.0, 1e-6, 0.1, 10.0])
            value += rng.choice([0, 0, room, -room, room / 2])
            tolerance = " +- " + self.value_text(room)
        return text + self.value_text(value) + tolerance

    def two_samples(self, values, rates):
        """Clauses of which each holds for some sample, and perhaps both for none."""
        rng = self.rng
        low, high = sorted(rng.sample(sorted(set(values)), 2))
        return rng.choice([["each <= " + repr(low), "each >= " + repr(high)], ["each < " + repr(high), "each > " + repr(low)],
                           ["each == " + repr(low), "rate == " + repr(rng.choice(rates))]])

    def truths(self, selector, stat, question):
        """What the stat comes to over what the selector matches; [] where nothing can be said."""
        tally, _ = tally_of(parse(selector), question)
        if not tally.matched():
            return []
        if stat == "status":
            return [r.status for r in tally.records]
        if stat == "rate":
            return [r.rate for r in tally.matched()]
        if stat == "each":
            values = [x for r in tally.matched() for x in ((r.sketch.low, r.sketch.high) if r.sketch else (r.value,))]
            return [x for x in values if x is not None]
        percent = Fraction(stat[1:]) if stat[1:2].isdigit() else None
        number = tally.number(Clause("p" if percent else stat, "==", 0.0, None, percent))
        if isinstance(number, list):
            return [n.exact for n in number]
        return [number.exact] if isinstance(number, Number) else []

    def damaged(self, text):
        """One mistake in it: something left out, or put in."""
        rng, at, then = self.rng, self.rng.randrange(len(text)), self.rng.randrange(len(text))
        return rng.choice([text[:at] + text[at + 1:], text[:at] + rng.choice(' "{}[],:!=<>~+-.#\\0an') + text[at:],
                           text[:min(at, then)] + text[max(at, then):]])

    def target(self, question):
        """(a record that the expectation is about, or nothing; the kind to ask for)."""
        rng, records = self.rng, question.recent
        if not records or rng.random() < 0.05:
            return None, rng.choice(list(WORDS))
        hurried = [r for r in records if r.hurried and r.kind in ("gauge", "count")]
        checks = [r for r in records if r.kind == "check"]
        if hurried and rng.random() < 0.08:
            records = hurried
        elif checks and rng.random() < 0.04:
            records = checks
        target = rng.choice(records)
        name, _, form = target.name.rpartition(".")
        if name and target.source == "http" and SUFFIX.fullmatch(form) and rng.random() < 0.5:
            return replace(target, name=name), rng.choice(["timing", "histogram", "distribution"])
        if target.kind == "rate" and rng.random() < 0.5:
            return target, "count"
        return target, target.kind if rng.random() < 0.92 else rng.choice(list(WORDS))

    def clauses(self, target, kind, selector, question):
        rng, out = self.rng, []
        for _ in range(rng.choice([0, 1, 1, 1, 1, 1, 1, 2, 2, 3])):
            stat, op = self.stat(kind), None
            if target and target.kind == kind == "count" and target.rate < 1 and rng.random() < 0.25:
                stat, op = rng.choice(["sum", "count"]), "~"
            elif target and target.hurried and kind in ("gauge", "count") and rng.random() < 0.3:
                stat = rng.choice(["last", "first"])
            out.append(self.clause(stat, self.truths(selector, stat, question), op))
        return out

    def expectation(self, question):
        rng = self.rng
        target, kind = self.target(question)
        numeric = kind not in ("event", "check", "reject")
        word = rng.choice(WORDS[kind])
        if numeric and rng.random() < 0.12:
            word = kind = "any"
        selector = f"{word} " + self.name(target, question.prefix if numeric else "") + (
            self.tags(target, question.ignored) if kind != "reject" else "")
        selector += self.where(target, kind)
        clauses, negated = self.clauses(target, kind, selector, question), rng.random() < 0.25
        values = self.truths(selector, "each", question) if kind not in OF else []
        if negated and len(set(values)) > 1 and rng.random() < 0.3:
            clauses += self.two_samples(values, self.truths(selector, "rate", question))
        text = ("no " if negated else "") + selector + (" " + " and ".join(clauses) if clauses else "")
        return text + ("  # why" if rng.random() < 0.02 else "")
