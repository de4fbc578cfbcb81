"""What a clause comes to over samples that were received one by one, and over sketches."""

from fractions import Fraction

import exact
import open_points as points
from exact import OPEN, UNTOLD, Number

EMPTY_IS_ZERO = ("samples", "count", "sum", "distinct", "series")
COMPUTED = ("sum", "avg", "count")


class Tally:
    def __init__(self, records, of_rates=False):
        self.records, self.of_rates = records, of_rates
        self.sketches = any(r.sketch for r in records)
        self.sets = any(r.kind == "set" for r in records)

    def matched(self):
        return self.records

    # --- numbers ---------------------------------------------------------------------------------------------

    def number(self, clause):
        """A Number; OPEN; UNTOLD; False when there is no value."""
        stat = clause.stat
        if not self.records and stat not in EMPTY_IS_ZERO:
            return False
        if self.sets and stat in points.UNCLEAR_WITH_SETS and not self.only_sets(stat):
            return OPEN
        if self.of_rates and stat not in points.TOLD_OF_RATES:
            return OPEN
        if self.sketches and stat in ("first", "last", "distinct"):
            return self.vague(stat)
        return getattr(self, "stat_" + stat)(clause)

    def only_sets(self, stat):
        return stat == "distinct" and all(r.kind == "set" for r in self.records)

    def vague(self, stat):
        """A sketch has its values only roughly and in no order; those of one that holds a single value are known."""
        if stat == "distinct":
            untold = any(r.sketch and r.sketch.low != r.sketch.high for r in self.records)
            return UNTOLD if untold else Number(len(set(self.lows())))
        one = self.records[0 if stat == "first" else -1]
        return OPEN if not one.sketch or one.sketch.low == one.sketch.high else UNTOLD

    def stat_samples(self, _):
        return Number(len(self.records))

    def stat_series(self, _):
        finer = {r.series() + (r.device, r.session) for r in self.records}
        number = len({r.series() for r in self.records})
        return Number(number) if len(finer) == number else OPEN  # are those of two devices, or sessions, one series?

    def stat_distinct(self, _):
        return Number(len({r.text if r.kind == "set" else r.value for r in self.records}))

    def added(self, terms):
        """The sum of exact terms, and how far doubles may be from it."""
        if any(t is None for t in terms):
            return OPEN
        total, plain = sum(terms, Fraction(0)), all((t * 1024).denominator == 1 and abs(t) < 2**30 for t in terms)
        slack = Fraction(0) if plain else exact.ROUNDING * sum(abs(t) for t in terms)
        return Number(total, True, slack)

    def stat_count(self, _):
        if any(points.odd_rate(r.rate) for r in self.records if r.kind in points.SAMPLED):
            return OPEN
        return self.added([r.sketch.count if r.sketch else points.weight(r.kind, r.rate) for r in self.records])

    def stat_sum(self, _):
        terms = []
        for r in self.records:
            share = points.share(r.kind, r.rate)
            value = r.sketch.sum if r.sketch else r.value
            if points.odd_rate(r.rate) and r.kind in points.SAMPLED or share is None:
                return OPEN
            terms.append(Fraction(value) * share)
        return self.added(terms)

    def stat_avg(self, clause):
        total, count = self.stat_sum(clause), self.stat_count(clause)
        if total is OPEN or count is OPEN or count.exact == 0:
            return OPEN
        mean = total.exact / count.exact
        slack = Fraction(0)
        if total.slack or count.slack or not exact.is_double(mean):
            slack = exact.ROUNDING * 4 * (abs(mean) + total.slack / exact.ROUNDING / count.exact)
        return Number(mean, True, slack)

    def stat_first(self, _):
        return Number(self.records[0].value)

    def stat_last(self, _):
        return Number(self.records[-1].value)

    def lows(self):
        return [r.sketch.low if r.sketch else r.value for r in self.records]

    def highs(self):
        return [r.sketch.high if r.sketch else r.value for r in self.records]

    def stat_min(self, _):
        return Number(min(self.lows()))

    def stat_max(self, _):
        return Number(max(self.highs()))

    def stat_median(self, _):
        return self.quantile(Fraction(50))

    def stat_p(self, clause):
        return self.quantile(clause.percent)

    def quantile(self, percent):
        """The first value, rising, at which the weights add up to so much of all; OPEN where rounding decides."""
        values = []
        for r in self.records:
            if r.sketch:
                values += r.sketch.values()
            else:
                values.append((Fraction(r.value), points.weight(r.kind, r.rate), Fraction(0)))
            if points.odd_rate(r.rate) and r.kind in points.SAMPLED:
                return OPEN
        if percent == 0:
            return OPEN
        values.sort()
        if len({w for _, w, _ in values}) == 1:  # alike: only their number counts
            values = [(v, Fraction(1), rough) for v, _, rough in values]
        total = sum(w for _, w, _ in values)
        needed, whole = percent / 100 * total, all(w.denominator == 1 for _, w, _ in values)
        blur = Fraction(0) if whole else total * exact.ALIKE
        found = {self.at_rank(values, needed - blur), self.at_rank(values, needed + blur)}
        if len(found) > 1:
            return OPEN
        value, slack = found.pop()
        return Number(value, False, slack)

    @staticmethod
    def at_rank(values, needed):
        reached = Fraction(0)
        for value, weight, rough in values:
            reached += weight
            if reached >= needed:
                break
        return value, rough

    # --- clauses ---------------------------------------------------------------------------------------------

    def outcome(self, clause, negated):
        """Whether a clause holds; under `no`, of each, rate and status: of any one."""
        if clause.stat in ("each", "rate"):
            outcomes = [self.single(clause, r) for r in self.records]
            return one_of(outcomes, negated) if outcomes else False
        if clause.stat == "status":
            words = [r.status for r in (self.records if negated else self.records[-1:])]
            return any((w == clause.value) == (clause.op == "==") for w in words)
        number = self.number(clause)
        if not isinstance(number, Number):
            return number
        if clause.op == "~" and clause.tolerance is None:
            return self.approximately(clause, number)
        return exact.compare(number, clause.op, clause.value, clause.tolerance)

    def one_sample(self, clauses):
        """Whether one sample fulfils all clauses."""
        outcomes = []
        for r in self.records:
            each = [self.single(c, r, True) for c in clauses]
            outcomes.append(next((w for w in (False, UNTOLD, OPEN) if any(o is w for o in each)), True))
        return one_of(outcomes, True) if outcomes else False

    def single(self, clause, record, any_value=None):
        """Whether one sample fulfils a clause. For a sketch a set of outcomes of its values, see spread()."""
        if clause.stat == "rate":
            return OPEN if self.of_rates else exact.compare(Number(record.rate), clause.op, clause.value, clause.tolerance)
        if record.kind == "set":
            return OPEN
        if not record.sketch:
            return exact.compare(Number(record.value), clause.op, clause.value, clause.tolerance)
        found = spread(clause, record.sketch.low, record.sketch.high)
        if any_value is None:
            return found
        return {"all": True, "none": False}.get(found, OPEN)  # which of its values, the other clauses must say too

    def approximately(self, clause, number):
        plain = exact.compare(number, "~", clause.value)
        thinned = [r for r in self.records if r.rate != 1 and r.kind != "gauge"]
        if not any(r.rate < 1 for r in self.records) or plain is True:
            return plain
        odd = self.sketches or any(points.odd_rate(r.rate) for r in self.records)
        if clause.stat not in ("sum", "count") or not thinned or odd:
            return OPEN
        return self.thinned_out(clause, number)

    def thinned_out(self, clause, number):
        """Clopper and Pearson for equal values and rates. Else only what is clear without the exact interval."""
        value = Fraction(clause.value)
        kinds, rates = {r.kind for r in self.records}, {r.rate for r in self.records}
        units = {r.value for r in self.records} if clause.stat == "sum" else {1}
        if len(rates) == len(units) == 1 and not kinds & {"gauge", "set", "rate"}:
            unit = Fraction(units.pop())
            if unit > 0 and (clause.stat == "sum" or "count" in kinds and len(kinds) == 1):
                return exact.explained(len(self.records), float(value / unit), rates.pop()) if value >= 0 else False
        if all(r.value is not None and r.value > 0 for r in self.records):
            least = sum(Fraction(r.value) for r in self.records) if clause.stat == "sum" else Fraction(len(self.records))
            if value < least * Fraction(99, 100):
                return False  # fewer than were received
        return OPEN

    # --- what an answer is checked with ------------------------------------------------------------------------

    def observed(self, clause, negated):
        """A Number, a status, a set of values of which one is shown, or None: nothing to check."""
        if clause.stat == "status":
            words = [r.status for r in self.records]
            telling = {w for w in words if (w == clause.value) == (clause.op == "==")} if negated else set(words[-1:])
            return telling or set(words) or None
        if clause.stat in ("each", "rate"):
            return self.shown(clause, negated)
        number = self.number(clause)
        if isinstance(number, Number) and clause.stat in ("sum", "count"):
            number.bits = self.folded(clause.stat)
        return number if isinstance(number, Number) else None

    def shown(self, clause, negated):
        """The values of which an answer may show one: those that break `each`, or under `no` those that fulfil it."""
        if self.sketches or self.sets or self.of_rates or not self.records:
            return None
        values = [(r.value if clause.stat == "each" else r.rate, self.single(clause, r)) for r in self.records]
        return {v for v, holds in values if holds in (negated, OPEN)} or {v for v, _ in values}

    def folded(self, stat):
        """The doubles that a count or sum comes to when it is added sample by sample, of one series."""
        if self.sketches or self.of_rates or len({r.series() + (r.device, r.session) for r in self.records}) != 1:
            return ()
        ways = [lambda v, rate: v / rate, lambda v, rate: v * (1.0 / rate)]
        out = set()
        for way in ways:
            total = 0.0
            for r in self.records:
                rate = r.rate if r.kind in points.SAMPLED else 1.0
                if stat == "sum":
                    total += way(r.value, rate)
                else:
                    total += float(int(1.0 / rate)) if r.kind in points.CUT else 1.0 / rate
            out.add(total)
        return tuple(out)

    def touches(self, clause):
        """The points of NOT_YET that an answer to this clause depends on."""
        if clause.stat in COMPUTED:
            number = self.number(clause)
            if isinstance(number, Number) and number.slack:
                yield "numbers"
        if clause.stat in ("each", "rate") and clause.op in ("==", "!=", "~"):
            yield "shown"
        if clause.stat in ("first", "last") and any(r.hurried for r in self.records):
            yield "order"


def one_of(outcomes, any_one):
    """Of all samples' outcomes: whether any one holds, or all do. Words are what spread() says of a sketch."""
    sure = (True, "all", "some", "ends") if any_one else (False, "none", "some", "between")
    if any(o in sure for o in outcomes):
        return any_one
    if any(o is OPEN for o in outcomes):
        return OPEN
    if any(o in ("ends", "between") for o in outcomes):
        return UNTOLD
    return not any_one


def spread(clause, low, high):
    """How the values of a sketch fulfil a clause, of which only the least and the greatest are known:
    'all'; 'none'; 'some': one of the two does, the other does not; 'ends': both do, of those between nothing is
    known; 'between': both don't, one between might."""
    ends = [exact.compare(Number(x), clause.op, clause.value, clause.tolerance) for x in (low, high)]
    if OPEN in ends:
        return OPEN
    if ends[0] != ends[1]:
        return "some"
    astride = low < clause.value < high and clause.op in ("==", "!=", "~")
    if ends[0]:
        return "ends" if astride and clause.op == "!=" else "all"
    return "between" if astride and clause.op != "!=" else "none"
