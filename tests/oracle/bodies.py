"""Bodies of requests, as clients of Datadog write them: JSON, and protobuf by a writer of thirty lines."""

import json
import struct
import time

from language import bytes_of

PATHS = {
    "v1_series": "/api/v1/series", "v2_json": "/api/v2/series", "v2_proto": "/api/v2/series",
    "v3": "/api/intake/metrics/v3/series", "v1_points": "/api/v1/distribution_points", "sketches": "/api/beta/sketches",
    "v1_checks": "/api/v1/check_run", "v1_event": "/api/v1/events",
}
CODES = {"count": 1, "rate": 2, "gauge": 3, "distribution": 4}


def body(way, items):
    """(content type, bytes) of a request that holds these items' `sent`."""
    sent = [item.sent for item in items]
    if way in ("v2_proto", "sketches", "v3"):
        return "application/x-protobuf", {"v2_proto": v2_proto, "sketches": sketches, "v3": v3}[way](sent)
    return "application/json", json.dumps(JSON[way](sent)).encode()


def present(**fields):
    return {k: v for k, v in fields.items() if v is not None}


def now():
    return int(time.time()) - 5


# --- JSON --------------------------------------------------------------------------------------------------------

def v1_series(sent):
    return {"series": [present(metric=s["name"], type=s["kind"], host=s["host"], device=s["device"],
                               interval=s["interval"], tags=list(s["tags"]), points=[[now(), v] for v in s["values"]])
                       for s in sent]}


def v2_json(sent):
    return {"series": [present(metric=s["name"], type=CODES[s["kind"]], interval=s["interval"], tags=list(s["tags"]),
                               resources=[{"type": t, "name": n} for t, n in resources(s)],
                               points=[{"timestamp": now(), "value": v} for v in s["values"]]) for s in sent]}


def v1_checks(sent):
    return [dict(check=s["name"], status=s["status"], host_name=s["host"], tags=list(s["tags"]), timestamp=now()) for s in sent]


def v1_event(sent):
    return dict(sent[0], text="some text", tags=list(sent[0]["tags"]))


JSON = {"v1_series": v1_series, "v2_json": v2_json, "v1_points": v1_series, "v1_checks": v1_checks, "v1_event": v1_event}


def resources(s):
    return [(t, s[t]) for t in ("host", "device") if s[t] is not None]


# --- protobuf ----------------------------------------------------------------------------------------------------

def varint(n):
    out = bytearray()
    n &= 2**64 - 1
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def zigzag(n):
    return n << 1 if n >= 0 else (-n << 1) - 1


def number(field, n):
    return varint(field << 3) + varint(n)


def double(field, x):
    return varint(field << 3 | 1) + struct.pack("<d", x)


def block(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content


def text(field, s):
    return block(field, bytes_of(s))


def packed(field, numbers):
    return block(field, b"".join(varint(n) for n in numbers))


def signed(field, numbers):
    return packed(field, [zigzag(n) for n in numbers])


def v2_proto(sent):
    out = b""
    for s in sent:
        series = b"".join(block(1, text(1, t) + text(2, n)) for t, n in resources(s)) + text(2, s["name"])
        series += b"".join(text(3, t) for t in s["tags"]) + number(5, CODES[s["kind"]])
        series += b"".join(block(4, number(2, now()) + double(1, v)) for v in s["values"])
        out += block(1, series + (number(8, s["interval"]) if s["interval"] else b""))
    return out


def sketches(sent):
    out = b""
    for s in sent:
        series = text(1, s["name"]) + text(2, s["host"]) + b"".join(text(4, t) for t in s["tags"])
        for k in s["values"]:
            series += block(7, number(1, now()) + number(2, k.count) + double(3, k.low) + double(4, k.high) +
                            double(5, k.sum / k.count) + double(6, k.sum) +
                            signed(7, [key for key, _ in k.bins]) + packed(8, [n for _, n in k.bins]))
        out += block(1, series)
    return out + b"\x12\x00"


# --- v3: series in columns -----------------------------------------------------------------------------------------

class Dictionary:
    """Texts by number, from 1; 0 is the empty one."""

    def __init__(self):
        self.texts = {}

    def ref(self, s):
        return self.texts.setdefault(s, len(self.texts) + 1) if s else 0

    def column(self, field):
        return block(field, b"".join(varint(len(bytes_of(s))) + bytes_of(s) for s in self.texts))


def deltas(numbers):
    return [n - before for before, n in zip([0] + numbers, numbers)]


def tagset_columns(sets, tags):
    """Of each set its count and the differences of its references; one that begins as an earlier one does refers to that."""
    out, known = [], list(sets)
    for i, tagset in enumerate(known):
        earlier = [j for j in range(i) if known[j] and known[j] == tagset[:len(known[j])]]
        refs = [-(earlier[-1] + 1)] if earlier else []
        refs += [tags.ref(t) for t in tagset[len(known[earlier[-1]]) if earlier else 0:]]
        out += [len(refs)] + deltas(refs)
    return out


def value_code(values):
    if all(v == 0 for v in values):
        return 0x00
    if all(v == int(v) and abs(v) < 2**53 for v in values):
        return 0x10
    if all(struct.unpack("<f", struct.pack("<f", v))[0] == v for v in values):
        return 0x20
    return 0x30


def v3(sent):
    names, tags, strings = Dictionary(), Dictionary(), Dictionary()
    sets, groups = {}, {}
    rows = [(names.ref(s["name"]), sets.setdefault(s["tags"], len(sets) + 1) if s["tags"] else 0,
             groups.setdefault(tuple(resources(s)), len(groups) + 1) if resources(s) else 0) for s in sent]
    tagsets = tagset_columns(sets, tags)
    kinds, refs = [], [[(strings.ref(t), strings.ref(n)) for t, n in g] for g in groups]
    whole, floats, doubles, bins = [], b"", b"", []
    for s in sent:
        sketched = s["kind"] == "distribution"
        points = [[k.sum, k.low, k.high] for k in s["values"]] if sketched else [[v] for v in s["values"]]
        code = value_code([v for p in points for v in p])
        kinds.append(CODES[s["kind"]] | code)
        for i, point in enumerate(points):
            whole += [int(v) for v in point] if code == 0x10 else []
            floats += b"".join(struct.pack("<f", v) for v in point) if code == 0x20 else b""
            doubles += b"".join(struct.pack("<d", v) for v in point) if code == 0x30 else b""
            if sketched:
                whole.append(s["values"][i].count)
                bins.append(s["values"][i].bins)
    moments = [now()] * sum(len(s["values"]) for s in sent)
    columns = [names.column(1), tags.column(2), signed(3, tagsets), strings.column(4), packed(5, [len(g) for g in refs]),
               signed(6, [d for g in refs for d in deltas([t for t, _ in g])]),
               signed(7, [d for g in refs for d in deltas([n for _, n in g])]), packed(10, kinds),
               signed(11, deltas([r[0] for r in rows])), signed(12, deltas([r[1] for r in rows])),
               signed(13, deltas([r[2] for r in rows])), packed(14, [s["interval"] or 0 for s in sent]),
               packed(15, [len(s["values"]) for s in sent]), signed(16, deltas(moments)), signed(17, whole), block(18, floats),
               block(19, doubles), packed(20, [len(b) for b in bins]),
               signed(21, [d for b in bins for d in deltas([k for k, _ in b])]), packed(22, [n for b in bins for _, n in b]),
               signed(23, [0] * len(sent)), signed(24, [0] * len(sent))]
    return block(3, b"".join(columns))
