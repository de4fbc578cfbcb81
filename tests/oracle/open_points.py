"""What statwit-expect(7) says in few words, or leaves open, all in one place: align it with the man page here.

Where the oracle would have to guess, the judge gives OPEN for the verdict and such pairs are counted as undecided.
NOT_YET are the points that a server of before a change answers otherwise: `--without` leaves such pairs out, to
try the rest of the language against it.
"""

from fractions import Fraction

NOT_YET = {
    "forms": "aggregated forms count only with `.count`, for a name without globs, without samples of the name itself",
    "rates": "an incr expectation matches a rate with an interval: value times interval",
    "same": "each, rate and status clauses joined by `and` speak of one and the same sample, under `no` too",
    "numbers": "count and sum go on sample by sample; == and != of sum, avg, count allow 1e-9",
    "sets": "under `any` a set has no value, and its texts are left out of what is calculated",
    "odd": "sample rates that mean no thinning out; values that weigh nothing",
    "shown": "a report of `each` shows a value that breaks the claim",
    "runs": "without `since` a live server looks at its own run; a session of an earlier run's name is empty",
    "every": "the session `*` is every session",
    "where": "conditions, rejects, and every form of a tag but key, key:value and !tag",
    "order": "last and first when a request follows datagrams at once",
}

# --- sample rates ("Sample rates") ---------------------------------------------------------------------------------

CUT = ("timing", "histogram", "distribution")  # whose weights the Agent cuts to whole numbers
SAMPLED = ("count",) + CUT                     # whose rate plays a part


def odd_rate(rate):
    """Rates that mean no thinning out."""
    return not 0 < rate <= 1


def agent_rate(kind, rate):
    """The rate that the Agent calculates with."""
    if kind not in SAMPLED or (kind in CUT and rate == 0) or (kind == "distribution" and odd_rate(rate)):
        return 1.0
    return rate


def weight(kind, rate):
    """How many values a sample stands for, in `count` and quantiles. None: infinitely many."""
    rate = agent_rate(kind, rate)
    if kind in CUT:
        return Fraction(int(1.0 / rate))  # in doubles, as the Agent does: 1/0.1 is 10
    return 1 / Fraction(rate) if rate else None


def share(kind, rate):
    """What a value is multiplied with in `sum`. None: infinity."""
    rate = agent_rate(kind, rate)
    return 1 / Fraction(rate) if rate else None


# --- texts -------------------------------------------------------------------------------------------------------

# Stats that look at numbers alone, where `any` matches sets too. `last` and `first` have no value where that sample
# is of a set; the others count texts as well.
OF_NUMBERS = {"sum", "min", "max", "avg", "median", "p", "each"}

# --- rates and aggregated forms ------------------------------------------------------------------------------------

# What a rate tells that an incr expectation takes as a count. Other stats are of single increments: untold.
TOLD_OF_RATES = {"samples", "sum", "count", "series", "per_series"}

# What can't be told of aggregated forms, whatever came.
NOT_OF_FORMS = {"first", "last", "distinct", "rate"}

# Left open, and judged OPEN in tally.py and forms.py:
# - `series`: whether two devices, or two sessions under `*`, make two series
# - a sum or count that is infinite; an `avg` over a count of 0 or less; quantiles where something weighs less than nothing
# - conditions on the value of a sketch ("by the bin that it is in"), and beside what was aggregated
# - `per_series` where two devices, or sessions, might be one series
# - under `*`, forms in one session beside samples of the name itself in another
# - `~` of what was sampled with different values ("made of the first two moments") or with odd rates, unless it is clear
# - quantiles of a sketch within 2 %; several `each` under `no` of which no single sketch can fulfil all
# - `min max distinct` of counts and rates together where no increment could break the claim
# - `each min max` of forms of which `.min` or `.max` did not come for all series; several of them under `no`
