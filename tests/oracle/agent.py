#!/usr/bin/env python3
"""A model of the Agent's aggregation (schema/protocol/dogstatsd.md section 7), sharing no code with the server.

    agent.py random N [SEED]    N random cases as JSON lines, in the form of fixtures/agent
    agent.py fill FILE          the cases of FILE again, with what the model expects of each

The model keeps plain maps and recomputes everything at each flush: slow, and easy to hold against the text."""
import json
import math
import random
import sys

BUCKET = 10
HOST = 'default-hostname'
LN_GAMMA = math.log1p(2 / 128)
BIAS = 1338
SMALLEST = 1.015625 ** (1 - BIAS)
BIN_MAX = 2 ** 32 - 1


def div(a, b):
    """Division of whole numbers as C and Go have it: towards zero."""
    q = abs(a) // abs(b)
    return q if (a >= 0) == (b >= 0) else -q


def quotient(a, b):
    if b != 0:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)


def inverse(rate):
    return quotient(1.0, rate)


# --- lines -----------------------------------------------------------------------------------------------------------

def number(text):
    return float(text)


class Sample:
    def __init__(self, name, kind, value, rate, tags, timestamp):
        self.name, self.kind, self.value, self.rate, self.timestamp = name, kind, value, rate, timestamp
        self.host, self.tags = HOST, []
        for tag in tags:
            if tag.startswith('host:'):
                self.host = tag[5:]
            elif not tag.startswith('dd.internal.entity_id:'):
                self.tags.append(tag)


def parse(line):
    """Well-formed lines only; the decoder has tests of its own."""
    head, *fields = line.split('|')
    name, value = head.split(':', 1)
    kind, rate, tags, timestamp = fields[0], 1.0, [], None
    for field in fields[1:]:
        if field.startswith('@'):
            rate = number(field[1:])
        elif field.startswith('#'):
            tags = field[1:].split(',') if field[1:] else []
        elif field.startswith('T'):
            timestamp = int(field[1:])
    values = [value] if kind == 's' else [number(v) for v in value.split(':') if v]
    if timestamp is not None and kind not in 'gc':
        return []
    return [Sample(name, kind, v, rate, tags, timestamp) for v in values]


# --- what a bucket holds ---------------------------------------------------------------------------------------------

class Count:
    def __init__(self):
        self.sum = 0.0

    def add(self, value, text, rate):
        self.sum += value * inverse(rate)

    def flush(self, options):
        yield '', 'rate', self.sum / BUCKET


class Gauge:
    def add(self, value, text, rate):
        self.last = value

    def flush(self, options):
        yield '', 'gauge', self.last


class Set:
    def __init__(self):
        self.texts = set()

    def add(self, value, text, rate):
        self.texts.add(text)

    def flush(self, options):
        yield '', 'gauge', float(len(self.texts))


class Histogram:
    def __init__(self):
        self.samples, self.sum, self.n = [], 0.0, 0

    def add(self, value, text, rate):
        times = inverse(rate if rate != 0 else 1.0)
        self.samples.append((value, int(times)))
        self.sum += value * times
        self.n += int(times)

    def above(self, target):
        weight = 0
        for value, w in self.samples:
            weight += w
            if weight > target:
                return value
        return None

    def flush(self, options):
        self.samples.sort(key=lambda s: s[0])
        found = {'max': self.samples[-1][0], 'min': self.samples[0][0], 'sum': self.sum,
                 'avg': quotient(self.sum, self.n), 'count': self.n / BUCKET,
                 'median': self.above(div(self.n - 1, 2)) or 0.0}
        for word in options['aggregates']:
            yield '.' + word, 'rate' if word == 'count' else 'gauge', found[word]
        for p in options['percentiles']:
            value = self.above(div(p * self.n - 1, 100))
            if value is not None:
                yield '.%dpercentile' % p, 'gauge', value


def key_of(v):
    if v < 0:
        return -key_of(-v)
    if v < SMALLEST:
        return 0
    return min(max(round(math.log(v) / LN_GAMMA) + BIAS, 1), 32767)


class Sketch:
    """Bins in a map; split up and cut only at the end, as the limits are met by no case of the generator but `many`."""

    def __init__(self):
        self.n, self.sum, self.avg, self.min, self.max, self.bins = 0, 0.0, 0.0, None, None, {}

    def add(self, value, rate):
        if not 0 < rate < 1:
            count, amount = 1, value
        else:
            count, amount = int(1 / rate), value * (1 / rate)
        first = self.n == 0
        self.n += count
        self.sum = amount if first else self.sum + amount
        self.min = value if first else min(self.min, value)
        self.max = value if first else max(self.max, value)
        if first:
            self.avg = value
        elif count == 1:
            self.avg += (value - self.avg) / self.n
        else:
            self.avg += (value - self.avg) * count / self.n
        k = key_of(value)
        self.bins[k] = self.bins.get(k, 0) + count

    def point(self, ts):
        k, n = [], []
        for key in sorted(self.bins):
            left = self.bins[key]
            parts = [BIN_MAX] * (left // BIN_MAX)
            if left % BIN_MAX:
                parts.insert(0, left % BIN_MAX)
            k += [key] * len(parts)
            n += parts
        return {'ts': ts, 'cnt': self.n, 'min': self.min, 'max': self.max, 'avg': self.avg, 'sum': self.sum,
                'k': k, 'n': n}


KINDS = {'c': Count, 'g': Gauge, 's': Set, 'h': Histogram, 'ms': Histogram}


# --- the Agent -------------------------------------------------------------------------------------------------------

class Agent:
    def __init__(self, options):
        self.options = options
        self.contexts = {}  # key: [kind first seen, last seen]
        self.buckets = {}   # start: {key: object}
        self.sketches = {}  # start: {key: sketch}
        self.timed = []
        self.last_cutoff = 0

    def take(self, at, s):
        if s.timestamp is not None:
            self.timed.append(s)
            return
        at = int(at)
        key = (s.name, s.host, tuple(sorted(set(s.tags), key=lambda t: t.encode())))
        self.contexts.setdefault(key, [s.kind, at])[1] = at
        start = at - at % BUCKET
        value, text = (0.0, s.value) if s.kind == 's' else (s.value, '')
        if s.kind == 'd':
            if math.isfinite(value):
                self.sketches.setdefault(start, {}).setdefault(key, Sketch()).add(value, s.rate)
            return
        bucket = self.buckets.setdefault(start, {})
        if math.isfinite(value):
            if key not in bucket:
                bucket[key] = KINDS[s.kind]()
            bucket[key].add(value, text, s.rate)

    def zeros(self, start, bucket):
        for key, (kind, seen) in self.contexts.items():
            if kind == 'c' and seen + 300 > start:
                if key not in bucket:
                    bucket[key] = Count()
                bucket[key].add(0.0, '0.0', 1.0)

    def flush(self, at):
        cutoff = int(at) - int(at) % BUCKET
        over = {}
        if self.buckets:
            for start in [b for b in self.buckets if b + BUCKET <= cutoff]:
                over[start] = self.buckets.pop(start)
                self.zeros(start, over[start])
        elif self.last_cutoff + BUCKET <= cutoff:
            over[cutoff - BUCKET] = {}
            self.zeros(cutoff - BUCKET, over[cutoff - BUCKET])
        series, sketches = {}, {}
        for start in sorted(over):
            for key, thing in over[start].items():
                if key not in self.contexts:
                    continue
                for suffix, kind, value in thing.flush(self.options):
                    series.setdefault((key, suffix, kind), []).append([start, value])
        for start in sorted(b for b in self.sketches if b + BUCKET <= cutoff):
            for key, sketch in self.sketches.pop(start).items():
                if key in self.contexts:
                    sketches.setdefault(key, []).append(sketch.point(start))
        result = {'flush_at': at,
                  'series': sorted((dict(one_series(key[0] + suffix, kind, key[1], key[2], points), suffixed=suffix != '')
                                    for (key, suffix, kind), points in series.items()), key=order),
                  'sketches': sorted(({'metric': key[0], 'host': key[1], 'tags': list(key[2]), 'interval': BUCKET,
                                       'points': points} for key, points in sketches.items()), key=order),
                  'no_aggregation_series': [
                      one_series(s.name, 'rate' if s.kind == 'c' else 'gauge', s.host, s.tags,
                                 [[s.timestamp, s.value / BUCKET if s.kind == 'c' else s.value]])
                      for s in self.timed]}
        self.timed = []
        for key, (kind, seen) in list(self.contexts.items()):
            if seen + (320 if kind == 'c' else 20) < int(at):
                del self.contexts[key]
        self.last_cutoff = cutoff
        return result


def one_series(metric, kind, host, tags, points):
    device, kept = None, []
    for tag in tags:
        if tag.startswith('device:'):
            device = tag[7:]
        else:
            kept.append(tag)
    return {'metric': metric, 'type': kind, 'interval': BUCKET, 'host': host, 'device': device, 'tags': kept,
            'points': points, 'all_tags': list(tags)}


def order(s):
    tags = s.get('all_tags', s['tags'])
    return (s['metric'].encode(), s['host'].encode(), [t.encode() for t in tags], s.get('type', ''), s.get('suffixed', False))


def plain(x):
    """JSON has no infinities."""
    if isinstance(x, float) and not math.isfinite(x):
        return 'NaN' if math.isnan(x) else '+Inf' if x > 0 else '-Inf'
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items() if k not in ('all_tags', 'suffixed')}
    return [plain(v) for v in x] if isinstance(x, (list, tuple)) else x


def options_of(cfg):
    words = cfg.get('histogram_aggregates', 'max,median,avg,count')
    shares = cfg.get('histogram_percentiles', '0.95')
    return {'aggregates': [w for w in words.replace(' ', ',').split(',') if w],
            'percentiles': sorted({int(float(p) * 100 + 0.5) for p in shares.replace(' ', ',').split(',') if p})}


def run(case):
    agent = Agent(options_of(case.get('cfg', {})))
    flushes = []
    for step in case['steps']:
        if 'send' in step:
            for line in step['send'].split('\n'):
                for sample in parse(line):
                    agent.take(step['at'], sample)
        else:
            flushes.append(plain(agent.flush(step['at'])))
    return flushes


# --- random cases ----------------------------------------------------------------------------------------------------

RATES = [1, 1, 1, 1, 0.5, 0.1, 0.3, 0.01, 2, 0, -1, -0.5, 1e-4, 0.7]


def random_value(r):
    pick = r.random()
    if pick < 0.5:
        return str(r.randint(-5, 20))
    if pick < 0.8:
        return repr(r.uniform(-1e3, 1e3))
    if pick < 0.9:
        return repr(r.choice([1, -1]) * 10 ** r.uniform(-12, 15))
    return r.choice(['0', '1e-9', '1e-10', 'NaN', '+Inf', '-inf', '1e300', '1e-300', '-0'])


def random_line(r, names):
    name, kind = r.choice(names), r.choice(['c', 'c', 'c', 'g', 'h', 'ms', 'd', 'd', 's'])
    if r.random() < 0.8:
        kind = {'a': 'c', 'b': 'g', 'h': 'h', 'd': 'd', 's': 's', 'a.avg': 'ms'}[name]
    if kind == 's':
        value = r.choice(['x', 'y', '1', '1.0', 'a:b', '0.0'])
    else:
        value = ':'.join(random_value(r) for _ in range(r.choice([1, 1, 1, 2, 3])))
    line = '%s:%s|%s' % (name, value, kind)
    if r.random() < 0.3:
        line += '|@%s' % r.choice(RATES)
    if r.random() < 0.4:
        tags = [r.choice(['x', 'X', 'env:ci', 'env:b', 'é', '', 'host:web1', 'host:', 'device:sda', 'z'])
                for _ in range(r.choice([1, 1, 2, 3]))]
        line += '|#' + ','.join(tags)
    # A packed line with a timestamp and a value that is not finite: the recording has that value behind the others.
    if kind in 'gc' and value.count(':') == 0 and r.random() < 0.07:
        line += '|T%d' % r.randint(1, 2000)
    return line


def random_case(number_of, r):
    names = r.sample(['a', 'b', 'h', 'd', 's', 'a.avg'], r.randint(1, 4))
    at, steps = r.choice([1000, 1003, 17]), []
    for _ in range(r.randint(2, 25)):
        at += r.choice([0, 0, 1, 2, 3, 5, 8, 9.5, 12, 15, 15, 25, 40, 310, 400] if r.random() < 0.5 else [0, 1, 0.25])
        if r.random() < 0.35:
            at = math.ceil(at)
            # What arrives at the very time of a flush is flushed before: the recording has no other order.
            steps.append({'at': at, 'flush': True})
            at += 0.5
        else:
            steps.append({'at': at, 'send': '\n'.join(random_line(r, names) for _ in range(r.randint(1, 4)))})
    steps += [{'at': math.ceil(at) + 20, 'flush': True}, {'at': math.ceil(at) + 35, 'flush': True}]
    case = {'id': 'random-%d' % number_of, 'steps': steps}
    if r.random() < 0.2:
        case['cfg'] = {'histogram_aggregates': r.choice(['min,max,sum', 'count', 'avg median', '']),
                       'histogram_percentiles': r.choice(['0.5,0.99', '1', '0.01 0.95', ''])}
    return case


def main():
    if sys.argv[1] == 'random':
        seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
        cases = (random_case(i, random.Random(seed * 1000003 + i)) for i in range(int(sys.argv[2])))
    else:
        cases = map(json.loads, open(sys.argv[2], encoding='utf-8'))
    for case in cases:
        case['expect'] = run(case)
        print(json.dumps(case, ensure_ascii=False))


if __name__ == '__main__':
    main()
