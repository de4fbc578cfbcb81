"""What a suite pays for `statwit run` around a command that does nothing: RUNS times in a row, beside the command alone and beside a
program that opens a database and ends. Wall time and CPU time, children included; medians of five rounds that take turns."""
import os
import resource
import statistics
import sys
import time

RUNS = int(os.environ.get("RUNS", "100"))
ROUNDS = 5
CASES = [("true", ["true"]), ("sqlite3 :memory: 'select 1'", ["sqlite3", ":memory:", "select 1"])]
for binary in sys.argv[1:]:
    CASES += [("%s --version" % binary, [binary, "--version"]), ("%s run -- true" % binary, [binary, "run", "-q", "--", "true"])]


def spent():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime, usage.ru_stime


def measure(command, runs):
    nothing = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
    user, system = spent()
    start = time.monotonic()
    for _ in range(runs):
        _, status = os.waitpid(os.posix_spawnp(command[0], command, os.environ, file_actions=nothing), 0)
        if status:
            sys.exit("%s: status %d" % (command, status))
    wall = time.monotonic() - start
    after = spent()
    return [1000 * value / runs for value in (wall, after[0] - user, after[1] - system)]


figures = {name: [] for name, _ in CASES}
for _ in range(ROUNDS):
    for name, command in CASES:
        figures[name].append(measure(command, max(1, RUNS // ROUNDS)))
print("%-52s %9s %9s %9s" % ("milliseconds each", "wall", "user", "system"))
for name, rounds in figures.items():
    print("%-52s %9.2f %9.2f %9.2f" % (name, *(statistics.median(column) for column in zip(*rounds))))
