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
    "set": "set", "s": "set", "rate": "rate", "any": "any", "event": "event", "check": "check",
}
STATS = {"samples", "count", "sum", "last", "first", "min", "max", "avg", "median", "distinct", "series", "each", "rate",
         "status"}
OPERATORS = ("==", "!=", "<=", ">=", "<", ">", "~")
STATUSES = ("ok", "warning", "critical", "unknown")
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


def tag_key(tag):
    return tag.partition(":")[0]


@dataclass(frozen=True)
class TagPattern:
    negated: bool
    key: str
    value: str | None  # None: any value or none

    def fits(self, tag):
        key, colon, value = tag.partition(":")
        if key != self.key:
            return False
        return self.value is None or (colon == ":" and self.fits_value(value))

    def fits_value(self, value):
        return self.value is None or glob(self.value).fullmatch(value) is not None


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
    clauses: list = field(default_factory=list)

    def named(self, prefix):
        """The name with the file's prefix before it."""
        if not prefix or self.type in ("event", "check") or self.name.startswith(prefix):
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

    def tag(self, closer):
        negated = self.peek() == "!"
        self.at += negated
        if self.peek() == '"':
            text = self.quoted()
        else:
            text = self.until(",:" + closer)
            if self.peek() == ":":
                self.at += 1
                text += ":" + (self.quoted() if self.peek() == '"' else self.until("," + closer))
            text = text.rstrip(" \t") if self.text[self.at - 1] != '"' else text
        key, colon, value = text.partition(":")
        if not text:
            raise Malformed("a tag is malformed")
        return TagPattern(negated, key, value if colon else None)

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
        value, tolerance = self.number(), None
        self.blanks()
        if self.text.startswith("+-", self.at):
            self.at += 2
            tolerance = self.number()
            if tolerance < 0:
                raise Malformed("a tolerance must be 0 or more")
        return Clause(stat, op, value, tolerance, percent)


def parse(text):
    reader = Reader(text)
    word = reader.word()
    negated = word == "no"
    if negated:
        word = reader.word()
    if word not in TYPES:
        raise Malformed(f"unknown type {word!r}")
    name = reader.name()
    tags, exact = reader.tags()
    expectation = Expectation(text, negated, TYPES[word], name, tags, exact)
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
