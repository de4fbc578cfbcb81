"""What statwit-expect(7) left open or says in few words, all in one place: align it with the man page here.

Each point names what the oracle takes as the natural reading. Where even that is a guess, the judge gives OPEN
for the verdict and such pairs are counted as undecided. NOT_YET are the points that a server of before the change
answers otherwise: `--without` leaves such pairs out, to try the rest of the language against it.
"""

from fractions import Fraction

CUT = ("timing", "histogram", "distribution")  # whose weights the Agent cuts to whole numbers
SAMPLED = ("count",) + CUT                     # whose rate means anything: gauges and sets are taken as they come

NOT_YET = {
    "forms": "aggregated forms count only with `.count`, for a name without globs, without samples of the name itself",
    "rates": "an incr expectation matches a rate with an interval: value times interval",
    "same": "each and rate clauses joined by `and` speak of one and the same sample, under `no` too",
    "numbers": "count and sum go on sample by sample; == and != of sum, avg, count allow 1e-9",
    "shown": "a report of `each` shows a value that breaks the claim",
    "runs": "without `since` a live server looks at its own run; a session of an earlier run's name is empty",
    "every": "the session `*` is every session",
    "order": "last and first when a request follows datagrams at once",
}


def odd_rate(rate):
    """Rates that mean no thinning out."""
    return not 0 < rate <= 1


def agent_rate(kind, rate):
    """The rate that the Agent calculates with: histograms and timings take 0 as 1, distributions all odd ones."""
    if kind in ("timing", "histogram") and rate == 0:
        return 1.0
    if kind == "distribution" and odd_rate(rate):
        return 1.0
    return rate


def weight(kind, rate):
    """How many values a sample stands for (`count`, quantiles). None: not a number."""
    if kind not in SAMPLED:
        return Fraction(1)
    rate = agent_rate(kind, rate)
    if rate == 0:
        return None
    if kind in CUT:
        return Fraction(int(1.0 / rate))  # in doubles, as the Agent does: 1/0.1 is 10
    return 1 / Fraction(rate)


def share(kind, rate):
    """What a value is multiplied with in `sum`: 1/rate, which is not cut. None: not a number."""
    if kind not in SAMPLED:
        return Fraction(1)
    rate = agent_rate(kind, rate)
    return None if rate == 0 else 1 / Fraction(rate)


# Stats that `any` can't clearly tell when a set is among what matched: a set holds texts.
UNCLEAR_WITH_SETS = {"sum", "last", "first", "min", "max", "avg", "median", "p", "each", "distinct"}

# What an incr expectation tells of a rate with an interval; the other stats are open.
TOLD_OF_RATES = {"samples", "sum", "last", "first", "min", "max", "each", "series"}

# What can't be told of aggregated forms, whatever came.
NOT_OF_FORMS = {"first", "last", "distinct", "rate", "sum"}
