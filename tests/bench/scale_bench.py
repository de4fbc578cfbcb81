"""What asking costs beside the size of the recording and the number of those who wait: `make bench-scale`. Each figure stands beside its limit
of the same run. CPU is the server's own time, which other work on the machine does not lengthen. Nothing here is a test:
tests/unit/http/growth_test.c counts the work."""

import os
import resource
import select
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from recorder import Recorder  # noqa: E402

SERIES = 1000
HEAD = b"%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"


def cpu_s(r):
    """What all threads have used; the kernel's ticks of 10 ms are too coarse for a question."""
    total, tasks = 0, f"/proc/{r.process.pid}/task"
    for task in os.listdir(tasks):
        with open(f"{tasks}/{task}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def memory_kb(r):
    with open(f"/proc/{r.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def address(r):
    return "127.0.0.1", r.port


def ask_raw(s, line, body=b""):
    s.sendall(HEAD % (line, len(body), body))


def of(value, limit):
    """A figure beside its limit (README.md): up to 1.0 it is met."""
    return f"{value / limit:5.2f} of its limit"


def expect(*claims, within_ms=0):
    text = ",".join('"%s"' % claim for claim in claims)
    return b'{"expect":[%s],"within_ms":%d}' % (text.encode(), within_ms)


def fastest_us(r, line, body=b"", rounds=500):
    with socket.create_connection(address(r)) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            ask_raw(s, line, body)
            s.recv(1 << 16)
            times.append(time.perf_counter() - start)
        return sorted(times)[rounds // 20] * 1e6


class Sender:
    def __init__(self, r):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.connect(r.ready["dogstatsd"]["unixgram"])
        lines = [f"m.{i}:{i % 97}|c|#env:ci,shard:{i % 7}" for i in range(SERIES)]
        self.bodies = ["\n".join(lines[i:i + 20]).encode() for i in range(0, SERIES, 20)]

    def send(self, n):
        for i in range(n // 20):
            self.socket.send(self.bodies[i % len(self.bodies)])


def export(r, samples):
    before, start, got = cpu_s(r), time.perf_counter(), 0
    with socket.create_connection(address(r)) as s:
        ask_raw(s, b"GET /recorder/v1/export")
        while got < samples:
            got += s.recv(1 << 20).count(b'"kind":"sample"')
            if not samples - got > samples // 1000:
                break
    wall, cpu = time.perf_counter() - start, cpu_s(r) - before
    print(f"export of {samples:9,} samples   {samples / wall / 1e6:6.2f} M lines/s, {samples / cpu / 1e6:6.2f} M for each second of CPU; "
          f"{of(700_000, samples / wall)} (0.7 M lines/s)", flush=True)


def lists(r, sender):
    sent = 0
    for samples in (100_000, 1_000_000):
        sender.send(samples - sent)
        sent = samples
        r.ask("GET", "/recorder/v1/status")
        page = fastest_us(r, b"GET /recorder/v1/samples?limit=100", rounds=60)
        bare = fastest_us(r, b"GET /healthz")
        print(f"first page of {samples:9,}       {page / 1000:6.2f} ms, {page / bare:6.1f} bare round trips; {of(page, 1000)} (1 ms)", flush=True)
        export(r, samples)
        before = cpu_s(r)
        for _ in range(10):
            r.ask("POST", "/recorder/v1/lint", {})
        print(f"lint of {samples:9,} samples     {(cpu_s(r) - before) * 100:6.1f} ms of CPU, {SERIES:,} series", flush=True)


def cpu_us(r, n_askers, line, body=b"", rounds=4000):
    """The server's time for each of `rounds` questions of so many clients that ask all the time."""
    askers = {}
    poll = select.epoll()
    for _ in range(n_askers):
        s = socket.create_connection(address(r))
        askers[s.fileno()] = s
        poll.register(s.fileno(), select.EPOLLIN)
        ask_raw(s, line, body)
    before, n = cpu_s(r), 0
    while n < rounds:
        for fd, _ in poll.poll(10):
            askers[fd].recv(1 << 16)
            n += 1
            if n <= rounds - n_askers:
                ask_raw(askers[fd], line, body)
    for s in askers.values():
        s.close()
    return (cpu_s(r) - before) / n * 1e6


ONE_SERIES = b"GET /recorder/v1/series?name=m.7"


def asking(r):
    one = fastest_us(r, ONE_SERIES)
    for title, claims in (("one claim", ["incr m.7 samples >= 1"]), ("100 claims", [f"incr m.{i} samples >= 1" for i in range(100)])):
        took = fastest_us(r, b"POST /recorder/v1/expect", expect(*claims), 200)
        print(f"{title:30} {took / len(claims):6.0f} us a claim, {took / len(claims) / one:6.2f} of a GET of one series", flush=True)


def asking_of_many(r, sender, n):
    for i in range(SERIES, n, 20):
        sender.socket.send("\n".join(f"m.{k}:1|c|#env:ci" for k in range(i, i + 20)).encode())
    r.ask("GET", "/recorder/v1/status")
    for askers in (1, 16):
        times = [(cpu_us(r, askers, ONE_SERIES, rounds=400),
                  cpu_us(r, askers, b"POST /recorder/v1/expect", expect("incr m.7 samples >= 1"), rounds=400)) for _ in range(15)]
        one, took = (min(column) for column in zip(*times))  # in turn, for other work on the machine lengthens both
        print(f"{n:9,} series, {askers:2} askers    {took:6.0f} us of CPU a claim, {took / one:6.2f} of a GET of one series; {of(took / one, 3)} (3 GETs)",
              flush=True)


FLOOD = """
import socket, sys, time
s = socket.socket(socket.AF_UNIX if sys.argv[1].startswith("/") else socket.AF_INET, socket.SOCK_DGRAM)
s.connect(sys.argv[1] if sys.argv[1].startswith("/") else ("127.0.0.1", int(sys.argv[1].split(":")[1])))
bodies, rate = ["\\n".join(f"m.{i + k}:{k}|c|#env:ci" for k in range(50)).encode() for i in range(0, 1000, 50)], int(sys.argv[2])
n, start = 0, time.monotonic()
while True:
    for body in bodies:
        s.send(body)
    n += 1000
    time.sleep(max(0, start + n / rate - time.monotonic()))
"""


def wake(sender, waiters, which):
    times = []
    for i in which:
        start = time.perf_counter()
        sender.socket.send(b"wait.%d:1|c" % i)
        waiters[i].recv(1 << 16)
        times.append((time.perf_counter() - start) * 1000)
        time.sleep(0.005)
    times.sort()
    return f"{times[len(times) // 2]:.2f} ms median, {times[-1 - len(times) // 100]:.2f} ms 99th; {of(times[-1 - len(times) // 100], 5)} (5 ms)"


def waiting(r, sender, n):
    before, each = memory_kb(r), min(100, n // 8)
    waiters = []
    for i in range(n):
        waiters.append(socket.create_connection(address(r)))
        ask_raw(waiters[i], b"POST /recorder/v1/expect", expect(f"incr wait.{i}", within_ms=120000))
    r.ask("GET", "/recorder/v1/status")
    kb = (memory_kb(r) - before) / n
    print(f"{n:6,} waiting                   {kb:.1f} KB each; {of(kb, 4)} (4 KB)", flush=True)
    print(f"{n:6,} waiting, nothing else     woken in {wake(sender, waiters, range(each))}", flush=True)
    flood = r.ask("POST", "/recorder/v1/sessions", {"name": "flood"}, status=201)["dogstatsd"]["udp"]
    for k, (title, to) in enumerate((("another", flood), ("the same", r.ready["dogstatsd"]["unixgram"]))):
        with subprocess.Popen([sys.executable, "-c", FLOOD, to, "1000000"]) as other:
            time.sleep(1)
            text = wake(sender, waiters, range((k + 1) * each, (k + 2) * each))
            other.kill()
        print(f"  beside 1 M/s in {title:8} session   {text}", flush=True)
        r.ask("GET", "/recorder/v1/status")
    first = 3 * each
    cpu, start, left = cpu_s(r), time.perf_counter(), {s.fileno(): s for s in waiters[first:]}
    for i in range(first, n, 20):
        sender.socket.send("\n".join(f"wait.{k}:1|c" for k in range(i, min(n, i + 20))).encode())
    poll = select.epoll()
    for fd in left:
        poll.register(fd, select.EPOLLIN)
    while left:
        for fd, _ in poll.poll(60):
            left.pop(fd).recv(1 << 16)
            poll.unregister(fd)
    took = (time.perf_counter() - start) * 1000
    print(f"  all at once in {took:.0f} ms, CPU {(cpu_s(r) - cpu) * 1e6 / (n - first):.0f} us each; {of(took, 300)} (300 ms)", flush=True)
    for s in waiters:
        s.close()


SEND_PACED = """
import socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(sys.argv[1])
rate, n, start = int(sys.argv[2]), 0, time.monotonic()
while n < 2 * rate:
    s.send("\\n".join(f"m.{(n + k) % 1000}:1|c|#env:ci" for k in range(10)).encode())
    n += 10
    time.sleep(max(0, start + n / rate - time.monotonic()))
"""


class Samples:
    """Counts the samples of a stream. Its chunks end anywhere, also inside the words that are counted."""

    WORDS = b"event: sample"

    def __init__(self):
        self.n, self.left, self.head, self.rest, self.tail = 0, 0, True, b"", b""

    def take(self, data):
        data, at, text = self.rest + data, 0, [self.tail]
        if self.head:
            at = data.find(b"\r\n\r\n") + 2  # from here on a line's end and a size stand before each chunk
            self.head = at < 2
        while not self.head and at < len(data):
            if self.left == 0:
                end = data.find(b"\r\n", at + 2)
                if end < 0:
                    break
                self.left, at = int(data[at + 2:end], 16), end + 2
            text.append(data[at:at + self.left])
            at += len(text[-1])
            self.left -= len(text[-1])
        self.rest = data[at:] if not self.head else data
        text = b"".join(text)
        self.n += text.count(self.WORDS)
        self.tail = b"" if text.endswith(self.WORDS) else text[1 - len(self.WORDS):]


def streams(r, n, rate):
    subscribers = [socket.create_connection(address(r)) for _ in range(n)]
    poll, got = select.epoll(), {}
    for s in subscribers:
        ask_raw(s, b"GET /recorder/v1/stream")
        s.setblocking(False)
        poll.register(s.fileno(), select.EPOLLIN)
        got[s.fileno()] = Samples()
    by_fd = {s.fileno(): s for s in subscribers}
    r.ask("GET", "/recorder/v1/status")
    before, start = cpu_s(r), time.monotonic()
    with subprocess.Popen([sys.executable, "-c", SEND_PACED, r.ready["dogstatsd"]["unixgram"], str(rate)]):
        while time.monotonic() < start + 20 and min(one.n for one in got.values()) < 2 * rate:
            for fd, _ in poll.poll(0.2):
                got[fd].take(by_fd[fd].recv(1 << 20))
    share = min(one.n for one in got.values()) / (2 * rate)
    print(f"{n:4} streams, {rate:6,} samples/s     {(cpu_s(r) - before) / 2:6.2f} cores while they were sent, all got {100 * share:.0f} %; {of((cpu_s(r) - before) / 2, 1)} (one core)", flush=True)
    for s in subscribers:
        s.close()


def percentiles(r, name, title):
    one = 0
    for n in (1, 100):
        claims, times = {"expect": [f"distribution {name} p{1 + i % 99} < 1e9" for i in range(n)]}, []
        for _ in range(5):
            before = cpu_s(r)
            r.ask("POST", "/recorder/v1/expect", claims)
            times.append((cpu_s(r) - before) * 1000)
        limit = 100 * one or 20
        print(f"p95 of a million, {title:13} {min(times):6.1f} ms of CPU{' for 100 percentiles' if one else ''}; "
              f"{of(min(times), limit)} ({'a hundred times one' if one else '20 ms'})", flush=True)
        one = min(times)


def quantile(r, sender):
    few = "\n".join(f"t.few:{(i * 7919) % 1000}.{i % 97}|d" for i in range(50)).encode()
    for i in range(20000):
        sender.socket.send(few)
        sender.socket.send("\n".join(f"t.all:{(i * 50 + k) * 7919 % 1000003 / 1000:.3f}|d" for k in range(50)).encode())
    for i in range(20000):
        sender.socket.send("\n".join(f"t.long:{(i * 50 + k) * 7919 % 1000003 / 1000003}|d" for k in range(50)).encode())
    r.ask("GET", "/recorder/v1/status")
    for name, title in (("t.few", "50 different"), ("t.all", "all different"), ("t.long", "17 digits")):
        percentiles(r, name, title)


def starting(r, sender):
    n, db, before = 1_000_000, os.path.join(r.folder.name, "r.db"), memory_kb(r)
    for i in range(SERIES, n, 20):
        sender.socket.send("\n".join(f"m.{k}:1|c|#env:ci" for k in range(i, i + 20)).encode())
    r.ask("GET", "/recorder/v1/status")
    each = (memory_kb(r) - before) * 1024 / n
    print(f"{n:9,} series               {each:6.0f} bytes of memory each; {of(each, 330)} (330 bytes)", flush=True)
    copy = os.path.join(r.folder.name, "copy.db")
    with sqlite3.connect(db) as whole, sqlite3.connect(copy) as to:
        whole.backup(to)
    times = {}
    for at in (os.path.join(r.folder.name, "empty.db"), copy):
        for _ in range(5):
            start = time.perf_counter()
            with Recorder("--db", at) as again:
                times[at] = min(times.get(at, 1e9), (time.perf_counter() - start) * 1000)
                first = time.perf_counter()
                again.ask("GET", "/recorder/v1/series?name=m.7")
                first = (time.perf_counter() - first) * 1000
    print(f"{n:9,} series               ready in {times[copy]:.1f} ms, {times[copy] / min(times.values()):.1f} of an empty start; "
          f"{of(times[copy], 50)} (50 ms); the first question {first:.0f} ms", flush=True)


def writer_cpu_s(r):
    """Of the thread that stores: while samples come it has used most."""
    tasks = f"/proc/{r.process.pid}/task"
    used = []
    for task in os.listdir(tasks):
        with open(f"{tasks}/{task}/schedstat", encoding="ascii") as file:
            used.append(int(file.read().split()[0]))
    return max(used) / 1e9


def steady(n, samples):
    """What a sample of n series costs the writer, in us, once all of them are known."""
    with tempfile.TemporaryDirectory() as folder, Recorder("--dogstatsd-socket", os.path.join(folder, "d.sock")) as r:
        send = Sender(r).socket.send
        bodies = ["\n".join(f"m.{k}:{k % 97}|c|#env:ci,shard:{k % 7}" for k in range(i, i + 20)).encode() for i in range(0, n, 20)]
        before = 0
        for times in (1, samples // n):
            before = writer_cpu_s(r)
            for _ in range(times):
                for body in bodies:
                    send(body)
            r.ask("GET", "/recorder/v1/status")
        return (writer_cpu_s(r) - before) / samples * 1e6


def steadily():
    few, many = steady(1000, 3_000_000), steady(100_000, 3_000_000)
    print(f"  100,000 series, steady       {many:6.2f} us of CPU a sample, {few / many:.2f} of the rate of 1,000 series ({few:.2f} us); "
          f"{of(0.8, few / many)} (0.8)", flush=True)


def main():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for step in (lambda r, s: (lists(r, s), asking(r)),  # each on a new recording
                 lambda r, s: [asking_of_many(r, s, n) for n in (1000, 100_000, 1_000_000)],
                 lambda r, s: waiting(r, s, 1000), lambda r, s: waiting(r, s, min(10000, most - 500)),
                 lambda r, s: streams(r, 1, 1000), lambda r, s: streams(r, 100, 20000), quantile, starting):
        with tempfile.TemporaryDirectory() as folder:
            with Recorder("--dogstatsd-socket", os.path.join(folder, "d.sock")) as r:
                sender = Sender(r)
                sender.send(SERIES)
                step(r, sender)
    steadily()


if __name__ == "__main__":
    main()
