"""What asking costs beside the size of the recording and the number of those who wait: `make bench-scale`. Each figure stands beside its limit
of the same run. CPU is the server's own time, which other work on the machine does not lengthen. Nothing here is a test:
tests/unit/http/growth_test.c counts the work."""

import os
import resource
import select
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from recorder import Recorder  # noqa: E402

SERIES = 1000
HEAD = b"%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"


def cpu_s(r):
    with open(f"/proc/{r.process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kb(r):
    with open(f"/proc/{r.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def address(r):
    return "127.0.0.1", r.port


def ask_raw(s, line, body=b""):
    s.sendall(HEAD % (line, len(body), body))


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
    print(f"export of {samples:9,} samples   {samples / wall / 1e6:6.2f} M lines/s, {samples / cpu / 1e6:6.2f} M for each second of CPU", flush=True)


def lists(r, sender):
    sent = 0
    for samples in (100_000, 1_000_000):
        sender.send(samples - sent)
        sent = samples
        r.ask("GET", "/recorder/v1/status")
        page = fastest_us(r, b"GET /recorder/v1/samples?limit=100", rounds=60)
        bare = fastest_us(r, b"GET /healthz")
        print(f"first page of {samples:9,}       {page / 1000:6.2f} ms, {page / bare:6.1f} bare round trips", flush=True)
        export(r, samples)


def asking(r):
    one = fastest_us(r, b"GET /recorder/v1/series?name=m.7")
    for title, claims in (("one claim", ["incr m.7 samples >= 1"]), ("100 claims", [f"incr m.{i} samples >= 1" for i in range(100)])):
        took = fastest_us(r, b"POST /recorder/v1/expect", expect(*claims), 200)
        print(f"{title:30} {took / len(claims):6.0f} us a claim, {took / len(claims) / one:6.2f} of a GET of one series", flush=True)


def waiting(r, sender, n):
    before = memory_kb(r)
    waiters = []
    for i in range(n):
        waiters.append(socket.create_connection(address(r)))
        ask_raw(waiters[i], b"POST /recorder/v1/expect", expect(f"incr wait.{i}", within_ms=120000))
    r.ask("GET", "/recorder/v1/status")
    kb, times, first = (memory_kb(r) - before) / n, [], min(200, n // 2)
    for i in range(first):
        sender.send(2000)
        start = time.perf_counter()
        sender.socket.send(b"wait.%d:1|c" % i)
        waiters[i].recv(1 << 16)
        times.append(time.perf_counter() - start)
    times.sort()
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
    print(f"{n:6,} waiting, 2,000 others     woken in {times[first // 2] * 1000:.2f} ms median, {times[-3] * 1000:.2f} ms 99th; all at once "
          f"{(time.perf_counter() - start) * 1000:.0f} ms, CPU {(cpu_s(r) - cpu) * 1e6 / (n - first):.0f} us each; {kb:.1f} KB each", flush=True)
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


def streams(r, n, rate):
    subscribers = [socket.create_connection(address(r)) for _ in range(n)]
    poll, got, tails = select.epoll(), {}, {}
    for s in subscribers:
        ask_raw(s, b"GET /recorder/v1/stream")
        s.setblocking(False)
        poll.register(s.fileno(), select.EPOLLIN)
        got[s.fileno()], tails[s.fileno()] = 0, b""
    by_fd = {s.fileno(): s for s in subscribers}
    r.ask("GET", "/recorder/v1/status")
    before, start = cpu_s(r), time.monotonic()
    with subprocess.Popen([sys.executable, "-c", SEND_PACED, r.ready["dogstatsd"]["unixgram"], str(rate)]):
        while time.monotonic() < start + 20 and (not got or min(got.values()) < 2 * rate):
            for fd, _ in poll.poll(0.2):
                data = tails[fd] + by_fd[fd].recv(1 << 20)
                got[fd] += data.count(b"event: sample")
                tails[fd] = data[-12:] if not data.endswith(b"event: sample") else b""
    share = min(got.values()) / (2 * rate)
    print(f"{n:4} streams, {rate:6,} samples/s     {(cpu_s(r) - before) / 2:6.2f} cores while they were sent, all got {100 * share:.0f} %", flush=True)
    for s in subscribers:
        s.close()


def quantile(r, sender):
    line = "\n".join(f"t.x:{(i * 7919) % 1000}.{i % 97}|d" for i in range(50)).encode()
    for _ in range(20000):
        sender.socket.send(line)
    r.ask("GET", "/recorder/v1/status")
    for title, n in (("p95 of a million samples", 1), ("100 percentiles of the same", 100)):
        before = cpu_s(r)
        for _ in range(3):
            r.ask("POST", "/recorder/v1/expect", {"expect": [f"distribution t.x p{1 + i % 99} < 1e9" for i in range(n)]})
        print(f"{title:30} {(cpu_s(r) - before) / 3 * 1000:6.0f} ms of CPU", flush=True)


def main():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for step in (lambda r, s: (lists(r, s), asking(r)),  # each on a new recording
                 lambda r, s: waiting(r, s, 1000), lambda r, s: waiting(r, s, min(10000, most - 500)),
                 lambda r, s: streams(r, 1, 1000), lambda r, s: streams(r, 100, 20000), quantile):
        with tempfile.TemporaryDirectory() as folder:
            with Recorder("--dogstatsd-socket", os.path.join(folder, "d.sock")) as r:
                sender = Sender(r)
                sender.send(SERIES)
                step(r, sender)


if __name__ == "__main__":
    main()
