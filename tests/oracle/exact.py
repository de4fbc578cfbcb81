"""Comparing exact numbers as the language says, and knowing where only rounding would decide."""

import math
from fractions import Fraction

OPEN = None          # the docs, or rounding, leave it open
UNTOLD = "untold"    # it can't be told: no expectation passes by it, nor a `no`

ROUNDING = Fraction(1, 10**12)  # what adding up doubles may be off by, relative to the sum of the absolute values
ALIKE = Fraction(1, 10**9)      # `==` and `!=` of sum, avg and count
ROUGHLY = Fraction(1, 10**6)    # `~` of what was not sampled


class Number:
    """An exact value. `slack`: by how much a calculation in doubles (or a sketch) may miss it; 0 for values as sent."""

    bits = ()  # the doubles that adding sample by sample can give, where that is sure

    def __init__(self, exact, computed=False, slack=Fraction(0)):
        self.exact, self.computed, self.slack = Fraction(exact), computed, slack

    def near(self, observed):
        return abs(Fraction(observed) - self.exact) <= self.slack


def is_double(x):
    try:
        return Fraction(float(x)) == x
    except OverflowError:
        return False


def ulps(*numbers):
    """A few units in the last place of the largest."""
    return 4 * Fraction(math.ulp(float(max(abs(n) for n in numbers))))


def between(x, low, high, blur, closed):
    """Whether low <= x <= high (or < of an open border); OPEN within `blur` of a border."""
    for border in (low, high):
        if border is not None and blur and abs(x - border) <= blur:
            return OPEN
    over = low is None or (x >= low if closed else x > low)
    under = high is None or (x <= high if closed else x < high)
    return over and under


def compare_tolerant(number, op, value, tolerance):
    """`OP VALUE +- TOLERANCE`: the value may be off by so much, either way."""
    x, blur = number.exact, number.slack
    low, high = value - tolerance, value + tolerance
    if not (is_double(low) and is_double(high) and is_double(x - value)):
        blur += ulps(x, value, tolerance)
    if op in ("==", "~", "!="):
        holds = between(x, low, high, blur, True)
        return holds if op != "!=" or holds is OPEN else not holds
    if op in ("<", "<="):
        return between(x, None, high, blur, op == "<=")
    return between(x, low, None, blur, op == ">=")


def alike(x, value, share):
    """Relative equality; the larger of the two counts. OPEN near the border."""
    off, room = abs(x - value), share * max(abs(x), abs(value))
    if off and room * Fraction(1, 2) <= off <= room * 2:
        return OPEN
    return off <= room


def compare(number, op, value, tolerance=None):
    if number.bits and number.slack:  # the doubles that it can be are known: judge those
        found = {compare(Number(b, True), op, value, tolerance) for b in number.bits}
        return found.pop() if len(found) == 1 else OPEN
    value = Fraction(value)
    if tolerance is not None:
        return compare_tolerant(number, op, value, Fraction(tolerance))
    x = number.exact
    if not number.computed and number.slack and abs(x - value) <= number.slack:
        return OPEN  # of a sketch, roughly
    if op == "~":
        return alike(x, value, ROUGHLY)
    if number.computed and op in ("==", "!="):
        equal = same_sum(number, value)
        return equal if equal is OPEN else equal == (op == "==")
    if number.slack and abs(x - value) <= number.slack:
        return OPEN
    return {"==": x == value, "!=": x != value, "<": x < value, "<=": x <= value, ">": x > value, ">=": x >= value}[op]


def same_sum(number, value):
    """`==` of a sum, count or avg: the rounding of fractions is allowed for, but two whole numbers are what they are."""
    x = number.exact
    if x == value and not number.slack:
        return True
    close, maybe_whole = alike(x, value, ALIKE), abs(x - round(x)) <= number.slack or abs(x) >= 2**53
    if close and maybe_whole and value.denominator == 1:
        if abs(x - value) <= ulps(x) / 8:
            return True
        return OPEN if number.slack or abs(x) >= 2**53 else False
    return close


# --- what random sampling explains ---------------------------------------------------------------------------

TAIL = 0.5 * (1 - 0.9999)


def tails(received, sent, rate):
    """P(at most `received`), P(at least `received`) of `sent` values kept with probability `rate`."""
    if sent < received:
        return 1.0, 0.0

    def exactly(k):
        if rate >= 1:
            return float(k == sent)
        return math.exp(math.lgamma(sent + 1) - math.lgamma(k + 1) - math.lgamma(sent - k + 1) +
                        k * math.log(rate) + (sent - k) * math.log1p(-rate))

    below = sum(exactly(k) for k in range(received))
    return below + exactly(received), 1.0 - below


def explained(received, sent, rate):
    """Whether `received` of `sent` values is within 99.99 % for both whole numbers around `sent`; OPEN when they differ."""
    if sent < received:
        return False if sent < received * (1 - 2e-6) else OPEN
    verdicts = set()
    for whole in {math.floor(sent), math.ceil(sent)}:
        low = min(tails(received, whole, rate))
        verdicts.add(OPEN if abs(low / TAIL - 1) < 1e-6 else low >= TAIL)
    return verdicts.pop() if len(verdicts) == 1 else OPEN
