"""What a clause comes to over samples that were received one by one, and over sketches."""

from collections import Counter
from fractions import Fraction

import exact
import open_points as points
from exact import OPEN, UNTOLD, Number

EMPTY_IS_ZERO = ("samples", "count", "sum", "distinct", "series", "per_series")
COMPUTED = ("sum", "avg", "count")


class Tally:
    def __init__(self, records, rates=()):
        """`rates` are those that an incr expectation takes as counts."""
        self.records, self.rates = records, list(rates)
        self.sketches = any(r.sketch for r in records)
        self.numbers = [r for r in records if r.kind != "set"]

    def matched(self):
        return self.records

    # --- numbers ---------------------------------------------------------------------------------------------

    def number(self, clause):
        """A Number; OPEN; UNTOLD; False when there is no value."""
        stat = clause.stat
        if self.rates and stat not in points.TOLD_OF_RATES:
            return UNTOLD
        if not self.records and not self.rates:
            return Number(0) if stat in EMPTY_IS_ZERO else False
        if stat in points.OF_NUMBERS and not self.numbers and not self.rates:
            return False
        if self.sketches and stat in ("first", "last", "distinct"):
            return self.vague(stat)
        number = getattr(self, "stat_" + stat)(clause)
        if isinstance(number, Number) and stat in ("sum", "count"):
            number.bits = self.folded(stat)
        return number

    def vague(self, stat):
        """A sketch has its values only roughly and in no order; those of one that holds a single value are known."""
        if stat == "distinct":
            untold = any(r.sketch and r.sketch.low != r.sketch.high for r in self.records)
            return UNTOLD if untold else self.different(self.lows())
        one = self.records[0 if stat == "first" else -1]
        return OPEN if not one.sketch or one.sketch.low == one.sketch.high else UNTOLD

    def different(self, values):
        return Number(len(set(values)) + len({r.text for r in self.records if r.kind == "set"}))

    def stat_samples(self, _):
        return Number(len(self.records) + len(self.rates))

    def stat_series(self, _):
        finer = {r.series() + (r.device, r.session) for r in self.records + self.rates}
        number = len({r.series() for r in self.records + self.rates})
        return Number(number) if len(finer) == number else OPEN  # are those of two devices, or sessions, one series?

    def stat_per_series(self, _):
        coarse, fine = Counter(), Counter()
        for r in self.records + self.rates:
            coarse[r.series()] += 1
            fine[r.series() + (r.device, r.session)] += 1
        most = max(coarse.values())
        return Number(most) if most == max(fine.values()) else OPEN

    def stat_distinct(self, _):
        return self.different([r.value for r in self.numbers])

    def added(self, terms):
        """The sum of exact terms, and how far doubles may be from it."""
        if any(t is None for t in terms):
            return OPEN
        total, plain = sum(terms, Fraction(0)), all((t * 64).denominator == 1 for t in terms)
        size = sum(abs(t) for t in terms)
        return Number(total, True, Fraction(0) if plain and size < 2**45 else exact.ROUNDING * size)

    def of_rates(self):
        return [Fraction(r.value) * r.interval for r in self.rates]

    def counted(self, records):
        return [r.sketch.count if r.sketch else points.weight(r.kind, r.rate) for r in records]

    def stat_count(self, _):
        return self.added([Fraction(t) if t is not None else t for t in self.counted(self.records)] + self.of_rates())

    def stat_sum(self, _):
        terms = []
        for r in self.numbers:
            share = points.share(r.kind, r.rate)
            terms.append(None if share is None else Fraction(r.sketch.sum if r.sketch else r.value) * share)
        return self.added(terms + self.of_rates())

    def stat_avg(self, clause):
        total, count = self.stat_sum(clause), self.added(self.counted(self.numbers))
        if total is OPEN or count is OPEN or count.exact <= 0:
            return OPEN
        mean = total.exact / count.exact
        slack = Fraction(0)
        if total.slack or count.slack or not exact.is_double(mean):
            slack = exact.ROUNDING * 4 * (abs(mean) + total.slack / exact.ROUNDING / count.exact)
        return Number(mean, True, slack)

    def stat_first(self, _):
        return Number(self.records[0].value) if self.records[0].kind != "set" else False

    def stat_last(self, _):
        return Number(self.records[-1].value) if self.records[-1].kind != "set" else False

    def lows(self):
        return [r.sketch.low if r.sketch else r.value for r in self.numbers]

    def highs(self):
        return [r.sketch.high if r.sketch else r.value for r in self.numbers]

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
        for r in self.numbers:
            if r.sketch:
                values += r.sketch.values()
            else:
                values.append((Fraction(r.value), points.weight(r.kind, r.rate), Fraction(0)))
        if any(w is None or w < 0 for _, w, _ in values):
            return OPEN
        values = [v for v in values if v[1]]  # what weighs nothing is none of them
        if not values:
            return False
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
            return self.of_samples([self.single(clause, r) for r in self.samples(clause)], negated)
        if clause.stat == "status":
            words = [r.status for r in (self.records if negated else self.records[-1:])]
            return any((w == clause.value) == (clause.op == "==") for w in words)
        number = self.number(clause)
        if number is UNTOLD and self.rates and self.records and clause.stat in ("min", "max", "distinct"):
            return Tally(self.records).for_good(clause)
        if not isinstance(number, Number):
            return number
        if clause.op == "~" and clause.tolerance is None:
            return self.approximately(clause, number)
        return exact.compare(number, clause.op, clause.value, clause.tolerance)

    def one_sample(self, clauses):
        """Whether one sample fulfils all clauses."""
        outcomes = []
        for r in self.records:
            each = [self.single(c, r, True) if c.stat != "each" or r.kind != "set" else False for c in clauses]
            outcomes.append(next((w for w in (False, UNTOLD, OPEN) if any(o is w for o in each)), True))
        found = self.of_samples(outcomes, True)
        if found is False and self.sketches and not any(self.outcome(c, True) is False for c in clauses):
            return OPEN  # no sketch can have such a value, but "one value between the least and the greatest can't be told"
        return found

    def samples(self, clause):
        """Those that `each` and `rate` look at."""
        return self.records if clause.stat == "rate" else self.numbers

    def of_samples(self, outcomes, any_one):
        """Single increments of a rate are not known, but may be such as to break a claim, or to fulfil one under `no`."""
        unknown = [UNTOLD] if self.rates else []
        return one_of(outcomes + unknown, any_one) if outcomes or unknown else False

    def single(self, clause, record, any_value=None):
        """Whether one sample fulfils a clause. For a sketch a set of outcomes of its values, see spread()."""
        if clause.stat == "status":
            return (record.status == clause.value) == (clause.op == "==")
        if clause.stat == "rate":
            return exact.compare(Number(record.rate), clause.op, clause.value, clause.tolerance)
        if not record.sketch:
            return exact.compare(Number(record.value), clause.op, clause.value, clause.tolerance)
        found = spread(clause, record.sketch.low, record.sketch.high)
        if any_value is None:
            return found
        return {"all": True, "none": False}.get(found, OPEN)  # which of its values, the other clauses must say too

    def for_good(self, clause):
        """Of single increments some of which are not known: False where no further one can mend it."""
        number, falls = self.number(clause), clause.stat == "min"
        holds = exact.compare(number, clause.op, clause.value, clause.tolerance)
        past = number.exact < clause.value if falls else number.exact > clause.value
        if holds is False:
            return False if past and clause.op != "!=" or clause.op in ((">", ">=") if falls else ("<", "<=")) else UNTOLD
        for_good = past and clause.op == "!=" or clause.op in (("<", "<=") if falls else (">", ">="))
        return OPEN if holds is OPEN or for_good else UNTOLD  # "can't be told", though nothing could break it

    def approximately(self, clause, number):
        plain = exact.compare(number, "~", clause.value)
        if plain is True or all(r.rate == 1 for r in self.records):
            return plain
        odd = self.sketches or self.rates or any(points.odd_rate(r.rate) for r in self.records)
        if clause.stat not in ("sum", "count") or odd or not all(r.kind in points.SAMPLED for r in self.records):
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
        return number if isinstance(number, Number) else None

    def shown(self, clause, negated):
        """The values of which an answer may show one: those that break `each`, or under `no` those that fulfil it."""
        if self.sketches or self.rates or not self.samples(clause):
            return None
        values = [(r.value if clause.stat == "each" else r.rate, self.single(clause, r)) for r in self.samples(clause)]
        if not any(holds is negated for _, holds in values):
            return {v for v, _ in values}
        return {v for v, holds in values if holds is negated or holds is OPEN}

    def folded(self, stat):
        """The doubles that a count or sum comes to when it is added sample by sample, of one series."""
        series = {r.series() + (r.device, r.session) for r in self.records}
        if self.sketches or self.rates or len(series) != 1 or any(points.odd_rate(r.rate) for r in self.records):
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
        if any(points.odd_rate(r.rate) for r in self.records):
            yield "odd"
        if len(self.numbers) < len(self.records) and self.numbers:
            yield "sets"
        if clause.stat in COMPUTED:
            number = self.number(clause)
            if isinstance(number, Number) and (number.slack or exact.alike(number.exact, Fraction(clause.value), exact.ALIKE)):
                yield "numbers"
        if clause.stat in ("each", "rate") and clause.op in ("==", "!=", "~"):
            yield "shown"
        if clause.stat in ("first", "last") + COMPUTED and any(r.hurried for r in self.records):
            yield "order"


def one_of(outcomes, any_one):
    """Of all samples' outcomes: whether any one holds, or all do. Words are what spread() says of a sketch."""
    sure = (True, "all", "some", "ends") if any_one else (False, "none", "some", "between")
    if any(o in sure for o in outcomes):
        return any_one
    if any(o is OPEN for o in outcomes):
        return OPEN
    if any(o in (UNTOLD, "ends", "between") for o in outcomes):
        return UNTOLD
    return not any_one


def spread(clause, low, high, computed=False):
    """How the values of a sketch fulfil a clause, of which only the least and the greatest are known:
    'all'; 'none'; 'some': one of the two does, the other does not; 'ends': both do, of those between nothing is
    known; 'between': both don't, one between might."""
    ends = [exact.compare(Number(x, computed), clause.op, clause.value, clause.tolerance) for x in (low, high)]
    if OPEN in ends:
        return OPEN
    if ends[0] != ends[1]:
        return "some"
    astride = low < clause.value < high and clause.op in ("==", "!=", "~")
    if ends[0]:
        return "ends" if astride and clause.op == "!=" else "all"
    return "between" if astride and clause.op != "!=" else "none"
