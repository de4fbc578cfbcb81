"""The expectation language as statwit-expect(7) describes it: text -> Expectation. Knows nothing of recordings.

Texts are strings in which a byte that is not UTF-8 stands as a lone surrogate (Python's `surrogateescape`), so
that `?` matches one character, or one byte where it is not UTF-8.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from fractions import Fraction

TYPES = {
    "count": "count", "incr": "count", "c": "count", "gauge": "gauge", "g": "gauge", "timing": "timing", "ms": "timing",
    "histogram": "histogram", "h": "histogram", "distribution": "distribution", "d": "distribution",
    "set": "set", "s": "set", "rate": "rate", "any": "any", "event": "event", "check": "check", "reject": "reject",
}
STATS = {"samples", "count", "sum", "last", "first", "min", "max", "avg", "median", "distinct", "series", "per_series", "each",
         "rate", "status"}
OPERATORS = ("==", "!=", "<=", ">=", "<", ">", "~")
STATUSES = ("ok", "warning", "critical", "unknown")
# Behind `where`: the fields of each kind of record.
TEXT_FIELDS = {"text", "unit", "host", "device", "source", "priority", "alert_type", "aggregation_key", "source_type_name", "message",
               "reason"}
FIELDS = {"metric": ["value", "rate", "unit", "interval", "host", "device", "timestamp", "source"],
          "set": ["value", "text", "rate", "unit", "interval", "host", "device", "timestamp", "source"],
          "event": ["text", "priority", "alert_type", "aggregation_key", "source_type_name", "host", "timestamp"],
          "check": ["status", "message", "host", "timestamp"], "reject": ["reason", "text", "source"]}
FIELDS["any"] = list(FIELDS["set"])
SOURCES = ("udp", "unixgram", "unixstream", "http")
REASONS = """no_pipe no_colon empty_name empty_value invalid_type no_value_found invalid_value value_out_of_range invalid_sample_rate
invalid_timestamp timestamp_not_positive non_finite_value timestamp_unsupported_type event_no_colon event_header_invalid
event_empty_title event_too_short sc_format sc_empty_name sc_invalid_status invalid_body unknown_session event_too_old
missing_field empty_series invalid_field unknown_type name_without_letter name_too_long too_many_tags tags_too_large
tag_too_long too_many_resources host_too_long no_points flat_points invalid_point timestamp_too_old timestamp_too_new
invalid_sketch points_missing unterminated bad_frame""".split()
TELEMETRY = "datadog.dogstatsd.client."

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


class Malformed(Exception):
    pass


def text_of(raw):
    return raw.decode("utf-8", "surrogateescape")


def bytes_of(text):
    return text.encode("utf-8", "surrogateescape")


@functools.lru_cache(maxsize=20000)
def glob(pattern):
    """A compiled pattern: `*` any bytes, `?` one character, everything else itself."""
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(c) or re.escape(c) for c in pattern), re.DOTALL)


def has_wildcards(pattern):
    return "*" in pattern or "?" in pattern


@functools.lru_cache(maxsize=20000)
def regex(text):
    """A compiled regular expression; what it can't be is malformed. The generator keeps to what both dialects have."""
    try:
        return re.compile(text.removeprefix("^").removesuffix("$"), re.DOTALL)
    except re.error as error:
        raise Malformed(str(error)) from error


def tag_key(tag):
    return tag.partition(":")[0]


@dataclass(frozen=True)
class TagPattern:
    negated: bool
    key: str            # a glob
    globs: tuple | None  # of the value, one must match; None: any value or none
    regex: str | None = None

    def fits(self, tag):
        key, colon, value = tag.partition(":")
        if not self.key and self.any_value():
            return tag == ""  # "" is the empty tag
        if glob(self.key).fullmatch(key) is None:
            return False
        return self.any_value() or (colon == ":" and self.fits_value(value))

    def any_value(self):
        return self.globs is None and self.regex is None

    def fits_value(self, value):
        if self.regex is not None:
            return regex(self.regex).fullmatch(value) is not None
        return self.globs is None or any(glob(g).fullmatch(value) is not None for g in self.globs)


@dataclass(frozen=True)
class Condition:
    field: str
    op: str
    number: float | None = None  # numbers are compared with it
    tolerance: float | None = None
    text: str | None = None      # texts are: a glob, a regular expression, the word of a status


@dataclass(frozen=True)
class Clause:
    stat: str  # a word of STATS, or "p"
    op: str
    value: float | str  # a word of STATUSES
    tolerance: float | None = None
    percent: Fraction | None = None  # of "p"


@dataclass
class Expectation:
    text: str
    negated: bool
    type: str
    name: str
    tags: list = field(default_factory=list)
    exact: bool = False  # [] instead of {}
    conditions: list = field(default_factory=list)
    clauses: list = field(default_factory=list)

    def named(self, prefix):
        """The name with the file's prefix before it."""
        if not prefix or self.type in ("event", "check", "reject") or self.name.startswith(prefix):
            return self.name
        return prefix + self.name


class Reader:
    """Reads an expectation from left to right."""

    def __init__(self, text):
        self.text, self.at = text, 0

    def skip_blanks(self):
        while self.at < len(self.text) and self.text[self.at] in " \t":
            self.at += 1

    def blanks(self):
        self.skip_blanks()
        comment = self.at < len(self.text) and self.text[self.at] == "#" and (self.at == 0 or self.text[self.at - 1] in " \t")
        if comment:
            self.at = len(self.text)

    def peek(self):
        return self.text[self.at] if self.at < len(self.text) else ""

    def until(self, stops):
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in stops:
            self.at += 1
        return self.text[start:self.at]

    def word(self):
        self.blanks()
        return self.until(" \t")

    def quoted(self):
        """The text in double quotes, in which \\" and \\\\ are a quote and a backslash."""
        out, self.at = "", self.at + 1
        while self.peek() != '"':
            if not self.peek():
                raise Malformed("a quote that does not end")
            if self.peek() == "\\" and self.text[self.at + 1:self.at + 2] in ('"', "\\"):
                self.at += 1
            out += self.peek()
            self.at += 1
        self.at += 1
        return out

    def name(self):
        self.blanks()
        text = self.quoted() if self.peek() == '"' else self.until(" \t{[")
        if not text or self.peek() not in (" ", "\t", "{", "[", ""):
            raise Malformed("no name, or something right behind its quotes")
        return text

    def regular(self, key, negated):
        """Behind a key: =~"…" or !~"…"."""
        unlike = self.peek() == "!"
        if unlike and negated:
            raise Malformed("'!' and '!~' together")
        self.at += 2
        self.skip_blanks()
        if self.peek() != '"':
            raise Malformed("a regular expression stands in double quotes")
        text = self.quoted()
        regex(text)
        return TagPattern(negated or unlike, key, None, text)

    def alternatives(self):
        """(a|"b c"|d*)"""
        self.at += 1
        found = []
        while True:
            self.skip_blanks()
            if self.peek() == '"':
                text = self.quoted()
            else:
                text = self.until("|)").strip(" \t")
                if not text:
                    raise Malformed("a value is missing in the parentheses")
            self.skip_blanks()
            if self.peek() not in ("|", ")"):
                raise Malformed("parentheses that do not end")
            found.append(text)
            self.at += 1
            if self.text[self.at - 1] == ")":
                return tuple(found)

    def starts(self, *texts):
        return self.text.startswith(texts, self.at)

    def quoted_tag(self, negated):
        text, before = self.quoted(), self.at
        self.skip_blanks()
        key, colon, value = text.partition(":")
        if self.starts("=~", "!~"):
            if colon:
                raise Malformed("the key of a tag holds no colon")
            return self.regular(text, negated)
        self.at = before
        return TagPattern(negated, key, (value,) if colon else None)

    def tag(self, closer):
        negated = self.peek() == "!" and not self.starts("!~")
        self.at += negated
        if self.peek() == '"':
            return self.quoted_tag(negated)
        start = self.at
        while self.peek() not in (",", ":", "=", closer, "") and not self.starts("!~"):
            self.at += 1
        key = self.text[start:self.at]
        if self.starts("=~", "!~"):
            return self.regular(key.rstrip(" \t"), negated)
        if self.peek() == "=":
            raise Malformed("a '=' in a key needs quotes")
        if self.peek() == ":":
            self.at += 1
            return TagPattern(negated, key, self.tag_value(closer))
        key = key.rstrip(" \t")
        if not key:
            raise Malformed("a tag is missing")
        return TagPattern(negated, key, None)

    def tag_value(self, closer):
        if self.peek() == "(":
            return self.alternatives()
        if self.peek() == '"':
            return (self.quoted(),)
        value = self.until("," + closer).rstrip(" \t")
        if value[:1] in (" ", "\t") or value.startswith(("=~", "!~")) or "|" in value:
            raise Malformed("a value that needs quotes")
        return (value,)

    def tags(self):
        """(patterns, exact); nothing stands for {}."""
        self.blanks()
        closer = {"{": "}", "[": "]"}.get(self.peek())
        if not closer:
            return [], False
        self.at += 1
        patterns = []
        self.skip_blanks()
        while self.peek() != closer:
            patterns.append(self.tag(closer))
            self.skip_blanks()
            if self.peek() == ",":
                self.at += 1
                self.skip_blanks()
                if self.peek() == closer:
                    raise Malformed("a comma before the end")
            elif self.peek() != closer:
                raise Malformed("a tag is malformed")
        self.at += 1
        return patterns, closer == "]"

    def number(self):
        self.blanks()
        found = NUMBER.match(self.text, self.at)
        if not found:
            raise Malformed("expected a number")
        self.at = found.end()
        if self.peek() not in (" ", "\t", "") and not self.text.startswith("+-", self.at):
            raise Malformed("a number ends before a blank")
        return float(found.group())

    def operator(self):
        self.blanks()
        for op in OPERATORS:
            if self.text.startswith(op, self.at):
                self.at += len(op)
                return op
        raise Malformed("expected an operator")

    def text_value(self, regular):
        self.blanks()
        if not self.peek():
            raise Malformed("expected a text")
        quoted = self.peek() == '"'
        if regular and not quoted:
            raise Malformed("a regular expression stands in double quotes")
        text = self.quoted() if quoted else self.word()
        if quoted and self.peek() not in (" ", "\t", ""):
            raise Malformed("something right behind the quotes")
        if regular:
            regex(text)
        return text

    def condition(self, fields):
        self.skip_blanks()
        start = self.at
        while self.peek().isascii() and (self.peek().isalpha() or self.peek() == "_"):
            self.at += 1
        name = self.text[start:self.at]
        if name not in fields:
            raise Malformed(f"no field {name!r}")
        self.skip_blanks()
        op = next((o for o in ("==", "!=", "=~", "!~", "<=", ">=", "<", ">", "~") if self.starts(o)), None)
        if op is None or self.starts("<>"):
            raise Malformed("expected an operator")
        self.at += len(op)
        regular, equality = op in ("=~", "!~"), op in ("==", "!=")
        if name == "status":
            value = self.word()
            if value not in STATUSES or not equality:
                raise Malformed("a status")
            return Condition(name, op, text=value)
        if name in TEXT_FIELDS or name == "value" and fields is FIELDS["set"]:
            return self.of_text(name, op, equality or regular, regular)
        if name != "value" or fields is not FIELDS["any"]:
            if regular:
                raise Malformed("a number is no text")
            return self.of_number(name, op)
        self.skip_blanks()
        word = re.match("[^ \t]*", self.text[self.at:]).group()
        if regular or equality and (word[:1] == '"' or not NUMBER.match(word) or
                                    not (NUMBER.fullmatch(word) or "+-" in word)):
            return self.of_text(name, op, True, regular)
        return self.of_number(name, op, word if equality else None)

    def of_text(self, name, op, fits, regular):
        if not fits:
            raise Malformed("texts are not greater or less")
        text = self.text_value(regular)
        known = {"source": SOURCES, "reason": REASONS}.get(name)
        if known and not regular and not has_wildcards(text) and text not in known:
            raise Malformed("a word that there is not")
        return Condition(name, op, text=text)

    def of_number(self, name, op, word=None):
        value, tolerance = self.number(), self.tolerance()
        return Condition(name, op, value, tolerance, word if tolerance is None else None)

    def tolerance(self):
        self.blanks()
        if not self.starts("+-"):
            return None
        self.at += 2
        tolerance = self.number()
        if tolerance < 0:
            raise Malformed("a tolerance must be 0 or more")
        return tolerance

    def where(self, fields):
        """The conditions: they end at the first word that no `and` precedes."""
        before = self.at
        if self.word() != "where":
            self.at = before
            return []
        conditions, more = [], True
        while more:
            conditions.append(self.condition(fields))
            before = self.at
            more = self.word() == "and"
            if not more:
                self.at = before
        return conditions

    def clause(self):
        self.blanks()
        stat, percent = self.until(" \t=!<>~"), None
        if re.fullmatch(r"p\d+(\.\d+)?", stat):
            stat, percent = "p", Fraction(stat[1:])
            if percent > 100:
                raise Malformed("a percentile is from p0 to p100")
        elif stat not in STATS:
            raise Malformed(f"unknown stat {stat!r}")
        op = self.operator()
        if stat == "status":
            value = self.word()
            if value not in STATUSES or op not in ("==", "!="):
                raise Malformed("a status")
            return Clause(stat, op, value)
        value = self.number()
        return Clause(stat, op, value, self.tolerance(), percent)


def parse(text):
    reader = Reader(text)
    word = reader.word()
    negated = word == "no"
    if negated:
        word = reader.word()
    if word not in TYPES:
        raise Malformed(f"unknown type {word!r}")
    kind = TYPES[word]
    name = reader.name()
    reader.blanks()
    if kind == "reject" and reader.peek() in ("{", "["):
        raise Malformed("a reject has no tags")
    tags, exact = reader.tags()
    conditions = reader.where(FIELDS[kind if kind in FIELDS else "metric"])
    expectation = Expectation(text, negated, kind, name, tags, exact, conditions)
    reader.blanks()
    while reader.peek():
        expectation.clauses.append(reader.clause())
        reader.blanks()
        if reader.peek():
            if reader.word() != "and":
                raise Malformed("expected 'and'")
            reader.blanks()
            if not reader.peek():
                raise Malformed("nothing after 'and'")
    if not expectation.clauses:
        expectation.clauses.append(Clause("samples", ">=", 1.0))
    return expectation
