"""The conditions behind `where`: whether a record is one that an expectation looks at. Written from statwit-expect(7)."""

import exact
from exact import OPEN, Number
from language import TEXT_FIELDS, glob, regex

UNLIKE = ("!=", "!~")


def keeps(conditions, record):
    """True, False, or OPEN where one can't be sure."""
    outcomes = [holds(c, record) for c in conditions]
    return False if False in outcomes else OPEN if OPEN in outcomes else True


def holds(condition, record):
    field = condition.field
    if field == "status":
        return (record.status == condition.text) == (condition.op == "==")
    if field in TEXT_FIELDS or field == "value" and record.kind == "set":
        text = text_of(field, record)
        return OPEN if text is None else like(condition, text)
    if field == "timestamp" or condition.number is None and field != "value":
        return OPEN
    if field == "value":
        return of_value(condition, record)
    number = record.rate if field == "rate" else record.interval
    return compare(condition, number)


def text_of(field, record):
    """None: it is not told here."""
    if field in ("value", "text") and record.kind == "set":
        return record.text
    if field == "text" and record.fields is None and record.kind not in ("event", "reject"):
        return ""  # a number is no text
    if field in ("host", "device"):
        return getattr(record, field) or ""
    if field == "source":
        return record.way
    if field == "unit":
        return ""
    return (record.fields or {}).get(field)


def like(condition, text):
    if condition.text is None:
        return False  # compared with a number alone
    if condition.op in ("=~", "!~"):
        return (regex(condition.text).fullmatch(text) is not None) == (condition.op == "=~")
    if condition.op not in ("==", "!="):
        return False
    return (glob(condition.text).fullmatch(text) is not None) == (condition.op == "==")


def compare(condition, number):
    """A number that there is not is unlike all."""
    if number is None or condition.number is None:
        return condition.op in UNLIKE
    return exact.compare(Number(number), condition.op, condition.number, condition.tolerance)


def of_value(condition, record):
    if not record.sketch:
        return compare(condition, record.value)
    if record.sketch.low == record.sketch.high:
        return compare(condition, record.sketch.low)
    return OPEN  # by its bins
