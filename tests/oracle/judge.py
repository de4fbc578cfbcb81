"""Judges an Expectation over the records of a session, in exact fractions. Written from statwit-expect(7)."""

from __future__ import annotations

from dataclasses import dataclass, field

import where
from exact import OPEN, UNTOLD
from forms import FormsTally, any_form, forms_of
from language import TELEMETRY, glob, has_wildcards, tag_key
from tally import Tally

PER_SAMPLE = ("each", "rate", "status")
FORMED = ("timing", "histogram", "distribution")


@dataclass
class Question:
    """What one request asks about: a session's records since a mark, with the file's settings."""
    records: list           # of the session, in order, those before the mark too
    since: int = 0          # how many records of the session came before the mark
    prefix: str = ""
    ignored: tuple = ()     # keys
    touches: frozenset = frozenset()  # points of NOT_YET, whatever is asked

    def __post_init__(self):
        self.recent = self.records[self.since:]


@dataclass
class Verdict:
    word: str | None                            # pass, fail, or None: undecided
    clauses: list = field(default_factory=list)  # (holds, observed: what an answer is checked with), by clause
    touches: set = field(default_factory=set)    # words of open_points.NOT_YET


# --- which records match ---------------------------------------------------------------------------------------

def has_tag(pattern, record):
    if any(pattern.fits(tag) for tag in record.tags):
        return True
    aside = {"host": record.host, "device": record.device}.get(pattern.key)  # spelt out
    return aside is not None and pattern.fits_value(aside)


def tags_match(expectation, record, ignored):
    if any(has_tag(p, record) == p.negated for p in expectation.tags):
        return False
    if not expectation.exact:
        return True
    asked = [p for p in expectation.tags if not p.negated]
    kept = [t for t in record.tags if tag_key(t) not in ignored]
    return all(any(p.fits(t) for p in asked) for t in kept)


def name_matches(pattern, name):
    if name.startswith(TELEMETRY) and not pattern.startswith(TELEMETRY):
        return False
    return glob(pattern).fullmatch(name) is not None


def kind_matches(wanted, kind):
    if wanted == "any":
        return kind not in ("event", "check", "reject")
    return wanted == kind


def select(expectation, question):
    """(records of the type itself, rates with an interval that an incr expectation takes as counts, whether the conditions leave open
    which)."""
    name, own, rates, unsure = expectation.named(question.prefix), [], [], False
    for record in question.recent:
        if not name_matches(name, record.name) or not tags_match(expectation, record, question.ignored):
            continue
        if kind_matches(expectation.type, record.kind):
            kept = where.keeps(expectation.conditions, record)
            unsure |= kept is OPEN
            own += [record] if kept else []
        elif expectation.type == "count" and record.kind == "rate" and record.interval:
            rates.append(record)
    return own, rates, unsure


class Unsure(Tally):
    """Of which nothing can be said: conditions over what is only roughly known, or beside what was aggregated."""

    def outcome(self, clause, negated):
        return OPEN

    def one_sample(self, clauses):
        return OPEN

    def observed(self, clause, negated):
        return None


def tally_of(expectation, question):
    """(what the clauses are told by, the points touched)."""
    own, rates, unsure = select(expectation, question)
    if unsure or expectation.conditions and (rates or expectation.type in FORMED and any_form(question.recent)):
        return Unsure(own), {"where"}
    if expectation.type in FORMED:
        return formed_tally(expectation, question, own)
    if not rates:
        return Tally(own), set()
    return Tally(own, rates), {"rates"}


def formed_tally(expectation, question, own):
    name = expectation.named(question.prefix)
    if has_wildcards(name):
        return Tally(own), {"forms"} if any_form(question.recent) else set()
    groups, loose = forms_of(name, [r for r in question.recent if tags_match(expectation, r, question.ignored)])
    if not groups:
        return Tally(own), {"forms"} if loose else set()
    named = {r.session for r in question.recent if r.name == name and kind_matches("any", r.kind)}
    if named:  # under `*`: whether forms of another session than that of the name itself count is left open
        apart = any(r.session not in named for g in groups.values() for rs in g.values() for r in rs)
        return (Unsure(own) if apart else Tally(own)), {"forms"}
    return FormsTally(groups), {"forms"}


# --- verdicts --------------------------------------------------------------------------------------------------

def all_of(outcomes):
    """Whether all hold. UNTOLD is stronger than OPEN, and False than both."""
    for word in (False, UNTOLD, OPEN):
        if any(o is word for o in outcomes):
            return word
    return True


def judge(expectation, question):
    tally, touched = tally_of(expectation, question)
    clauses = expectation.clauses
    outcomes = [tally.outcome(c, expectation.negated) for c in clauses]
    single = [c for c in clauses if c.stat in PER_SAMPLE]
    touched |= {p for c in clauses for p in tally.touches(c)} | question.touches
    told = [(o, tally.observed(c, expectation.negated)) for c, o in zip(clauses, outcomes)]
    if not expectation.negated:
        return Verdict({True: "pass", False: "fail", UNTOLD: "fail", OPEN: None}[all_of(outcomes)], told, touched)
    if len(single) > 1:  # of one and the same sample: what each of them comes to alone says nothing
        touched.add("same")
        told = [(OPEN, None) if c in single else t for c, t in zip(clauses, told)]
        outcomes = [o for c, o in zip(clauses, outcomes) if c not in single] + [tally.one_sample(single)]
    return Verdict(no_verdict(outcomes), told, touched)


def no_verdict(outcomes):
    """Of `no`: passes when one of the clauses does not hold."""
    if any(o is False for o in outcomes):
        return "pass"
    return None if any(o is OPEN for o in outcomes) else "fail"
