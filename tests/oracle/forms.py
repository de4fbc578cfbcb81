"""What an aggregating client made of a timing, histogram or distribution: gauges NAME.avg and so on, a rate NAME.count."""

import re
from fractions import Fraction

import exact
import open_points as points
from exact import OPEN, UNTOLD, Number
from tally import one_of, spread

SUFFIX = re.compile(r"(avg|min|max|median|sum|count|\d+(\.\d+)?percentile)")


def form_of(record, name):
    """The form's word when the record is one of NAME's: `avg`, `count`, `95percentile`."""
    if record.source != "http" or not record.name.startswith(name + "."):
        return None
    word = record.name[len(name) + 1:]
    if not SUFFIX.fullmatch(word) or record.kind != ("rate" if word == "count" else "gauge"):
        return None
    return word


def any_form(records):
    """Whether a server that lets a wildcard reach forms could find any."""
    return any(r.kind in ("gauge", "rate") and SUFFIX.search(r.name) for r in records)


def forms_of(name, records):
    """({(tags, host, device): {form: [record]}} of those that have `.count`, whether there are others)."""
    groups = {}
    for record in records:
        word = form_of(record, name)
        if word:
            key = frozenset(record.tags), record.host, record.device
            groups.setdefault(key, {}).setdefault(word, []).append(record)
    whole = {k: g for k, g in groups.items() if "count" in g}
    return whole, len(whole) < len(groups)


class FormsTally:
    def __init__(self, groups):
        self.groups = list(groups.values())

    def matched(self):
        return [r for g in self.groups for rs in g.values() for r in rs]

    def points_of(self, form):
        """Values of all groups' points; None when one of the groups has no such form."""
        if any(form not in g for g in self.groups):
            return None
        return [r.value for g in self.groups for r in g[form]]

    def some_have(self, *forms):
        return any(f in g for f in forms for g in self.groups)

    def form_word(self, clause):
        return clause.stat if clause.stat != "p" else f"{float(clause.percent):g}percentile"

    def number(self, clause):
        """A Number, UNTOLD, or a list: of each point."""
        stat = clause.stat
        if stat == "series":
            return Number(len(self.groups))
        if stat == "per_series":
            return Number(max(len(g["count"]) for g in self.groups))
        if stat == "samples":
            return Number(len(self.points_of("count")))
        if stat == "count":
            rates = [r for g in self.groups for r in g["count"]]
            if any(not r.interval for r in rates):
                return UNTOLD
            return added([Fraction(r.value) * r.interval for r in rates])
        values = None if stat in points.NOT_OF_FORMS else self.points_of(self.form_word(clause))
        if values is None:  # "can't be told"; though the least of some may settle what the least of all is not
            return OPEN if stat in ("min", "max") and self.some_have(stat) else UNTOLD
        if stat == "sum":
            return added([Fraction(v) for v in values])
        if stat in ("min", "max"):
            return Number(min(values) if stat == "min" else max(values))
        return [Number(v, stat == "avg") for v in values]

    def outcome(self, clause, negated):
        if clause.stat == "each":
            lows, highs = self.points_of("min"), self.points_of("max")
            if lows is None or highs is None:
                return OPEN if self.some_have("min", "max") else UNTOLD
            return one_of([spread(clause, min(lows), max(highs))], negated)
        number = self.number(clause)
        if isinstance(number, list):  # of every point; what lies between the least and the greatest may have been
            values = sorted(n.exact for n in number)
            inner = [exact.compare(n, clause.op, clause.value, clause.tolerance) for n in number]
            return one_of(inner + [spread(clause, values[0], values[-1], clause.stat == "avg")], negated)
        if not isinstance(number, Number):
            return number
        return exact.compare(number, clause.op, clause.value, clause.tolerance)

    def one_sample(self, clauses):
        return OPEN

    def observed(self, clause, _):
        number = self.number(clause)
        return number if isinstance(number, Number) else None

    def touches(self, _):
        return ()


def added(terms):
    return Number(sum(terms), True, exact.ROUNDING * sum(abs(t) for t in terms))
