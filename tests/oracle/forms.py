"""What an aggregating client made of a timing, histogram or distribution: gauges NAME.avg and so on, a rate NAME.count."""

import re
from fractions import Fraction

import exact
import open_points as points
from exact import OPEN, UNTOLD, Number
from tally import one_of, spread

SUFFIX = re.compile(r"(avg|min|max|median|count|\d+(\.\d+)?percentile)")


def form_of(record, name):
    """The form's word when the record is one of NAME's: `avg`, `count`, `95percentile`."""
    if not record.name.startswith(name + "."):
        return None
    word = record.name[len(name) + 1:]
    if not SUFFIX.fullmatch(word) or record.kind != ("rate" if word == "count" else "gauge"):
        return None
    return word


def any_form(records):
    """Whether a server that lets a wildcard reach forms could find any."""
    return any(r.kind in ("gauge", "rate") and SUFFIX.search(r.name) for r in records)


def forms_of(name, records):
    """({(tags, host): {form: [record]}} of those that have `.count`, whether there are others)."""
    groups = {}
    for record in records:
        word = form_of(record, name)
        if word:
            groups.setdefault((frozenset(record.tags), record.host), {}).setdefault(word, []).append(record)
    whole = {k: g for k, g in groups.items() if "count" in g}
    return whole, len(whole) < len(groups)


class FormsTally:
    def __init__(self, groups):
        self.groups = list(groups.values())
        self.odd = any(r.device or r.source != "http" for g in self.groups for rs in g.values() for r in rs)

    def matched(self):
        return [r for g in self.groups for rs in g.values() for r in rs]

    def points_of(self, form):
        """Values of all groups' points; None when one of the groups has no such form."""
        if any(form not in g for g in self.groups):
            return None
        return [r.value for g in self.groups for r in g[form]]

    def form_word(self, clause):
        if clause.stat != "p":
            return clause.stat
        return f"{float(clause.percent):g}percentile"

    def number(self, clause):
        stat = clause.stat
        if stat == "series":
            return Number(len(self.groups))
        if stat == "samples":
            sizes = [{len(rs) for rs in g.values()} for g in self.groups]
            return Number(sum(max(s) for s in sizes)) if all(len(s) == 1 for s in sizes) else OPEN
        if stat == "count":
            rates = [r for g in self.groups for r in g["count"]]
            if any(not r.interval for r in rates):
                return OPEN
            terms = [Fraction(r.value) * Fraction(r.interval) for r in rates]
            return Number(sum(terms), True, exact.ROUNDING * sum(abs(t) for t in terms))
        if stat in points.NOT_OF_FORMS:
            return UNTOLD
        values = self.points_of(self.form_word(clause))
        if values is None:
            return UNTOLD
        if stat in ("min", "max"):
            return Number(min(values) if stat == "min" else max(values))
        return [Number(v) for v in values]

    def outcome(self, clause, negated):
        if self.odd:
            return OPEN
        if clause.stat == "each":
            lows, highs = self.points_of("min"), self.points_of("max")
            if lows is None or highs is None:
                return self.half_told(clause, lows, highs)
            return one_of([spread(clause, min(lows), max(highs))], negated)
        number = self.number(clause)
        if isinstance(number, list):
            return one_of([exact.compare(n, clause.op, clause.value, clause.tolerance) for n in number], negated)
        if not isinstance(number, Number):
            return number
        if clause.stat == "samples" and clause.op == ">=" and clause.value <= 1 and clause.tolerance is None:
            return True
        return exact.compare(number, clause.op, clause.value, clause.tolerance)

    def half_told(self, clause, lows, highs):
        """With `.max` alone `each <= 5` can be told, and `each >= 0` not; which the docs don't spell out."""
        return OPEN if lows or highs else UNTOLD

    def one_sample(self, clauses):
        return OPEN

    def observed(self, clause, _):
        number = None if self.odd else self.number(clause)
        return number if isinstance(number, Number) else None

    def touches(self, _):
        return ()
