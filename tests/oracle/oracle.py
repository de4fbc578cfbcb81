"""Compares statwit's verdicts with those of an independent judge: see README.md. Standard library only.

    python3 tests/oracle/oracle.py [-n PAIRS] [--seed SEED] [--without WORD,…] [--out FOLDER]
"""

import argparse
import collections
import concurrent.futures
import os
import random
import re
import sys
import time

from open_points import NOT_YET
from pairs import pairs_of
from shrink import report, shrink

PER_RECORDING = 120
UNDECIDED_AT_MOST = 0.10
REPORTS = 5
TRIES = 3  # of a recording, while the kernel drops packets on their way to the sockets: any program's, as tests/support/dropped says
DROPPED = re.compile("on the(ir)? way to the sockets")


def work(job):
    seed, number, without = job
    for _ in range(TRIES):
        recording, pairs = pairs_of(seed, number, PER_RECORDING, without)
        wrong = [p for p in pairs if p.complaints and not p.left_out]
        if not any(DROPPED.search(c) for p in wrong for c in p.complaints):
            break
    return number, recording, pairs, wrong


class Tallies:
    def __init__(self, wanted):
        self.wanted, self.passed, self.failed, self.undecided, self.left_out = wanted, 0, 0, 0, 0
        self.words = collections.Counter()

    def full(self):
        return self.passed + self.failed >= self.wanted

    def add(self, pair):
        if pair.left_out:
            self.left_out += 1
        elif pair.complaints:
            self.failed += 1
        elif pair.verdict.word is None:
            self.undecided += 1
        else:
            self.passed += 1
            self.words[pair.verdict.word] += 1

    def share(self):
        return self.undecided / max(1, self.undecided + self.passed + self.failed)


def recordings(seed, without, workers):
    """Results of work(), in order, made by some processes at once; ends when the caller stops asking."""
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        waiting, number = collections.deque(), 0
        try:
            while True:
                while len(waiting) < 2 * workers:
                    waiting.append(pool.submit(work, (seed, number, without)))
                    number += 1
                yield waiting.popleft().result()
        finally:
            for w in waiting:
                w.cancel()


def tell(folder, seed, number, recording, pair, without, count):
    smallest, wrong = shrink(recording, pair, without)
    text = report(smallest, pair, wrong, seed, number)
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"disagreement-{seed}-{count}.txt")
    with open(path, "w", encoding="utf-8", errors="backslashreplace") as out:
        out.write(text)
    print(f"--- {path}\n{text}", flush=True)


def main():
    parser = argparse.ArgumentParser(description="statwit's verdicts against an independent judge")
    parser.add_argument("-n", type=int, default=20000, help="pairs of an expectation and a recording")
    parser.add_argument("--seed", default="", help="repeats a run; random when left out")
    parser.add_argument("--without", default="", help="points to leave out, joined by commas: " +
                        "; ".join(f"{word}: {about}" for word, about in NOT_YET.items()))
    parser.add_argument("--out", default="build/oracle", help="folder for reproductions")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    args = parser.parse_args()
    seed = args.seed or str(random.SystemRandom().randrange(10**9))
    without = frozenset(w for w in args.without.split(",") if w)
    if without - set(NOT_YET):
        parser.error(f"--without takes {', '.join(NOT_YET)}")
    print(f"oracle: seed {seed}, {args.n} pairs", flush=True)
    sys.stdout.reconfigure(errors="backslashreplace")
    begin, tallies, told = time.monotonic(), Tallies(args.n), []
    for number, recording, pairs, wrong in recordings(seed, without, args.workers):
        for pair in pairs:
            if not tallies.full():
                tallies.add(pair)
        told += [(number, recording, pair) for pair in wrong[:REPORTS - len(told)]]
        if tallies.full() or len(told) >= REPORTS and tallies.failed > 200:
            break
    for count, (number, recording, pair) in enumerate(told):
        tell(args.out, seed, number, recording, pair, without, count)
    words = ", ".join(f"{word} {n}" for word, n in tallies.words.most_common())
    print(f"oracle: {number + 1} recordings, {time.monotonic() - begin:.0f} s; {words}; "
          f"undecided {tallies.undecided} ({100 * tallies.share():.1f} %)" +
          (f"; left out by --without {tallies.left_out}" if without else ""))
    too_open = tallies.share() > UNDECIDED_AT_MOST
    if too_open:
        print(f"oracle: more than {100 * UNDECIDED_AT_MOST:.0f} % undecided proves too little")
    print(f"{tallies.passed} passed, {tallies.failed} failed")
    return 1 if tallies.failed or too_open or not tallies.passed else 0


if __name__ == "__main__":
    sys.exit(main())
