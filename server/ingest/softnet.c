/* Loopback is not quite synchronous: send() puts a datagram on its CPU's backlog, which is normally worked off before
 * send returns, but under load is left to ksoftirqd. /proc/net/softnet_stat tells for each CPU how many packets it has
 * processed, how many it has dropped because its backlog was full, and how many wait there. What waited when the
 * question was asked has arrived once `processed` has grown by as much.
 *
 * The kernel gives at most one page at a time, which is the lines of some 30 CPUs: so it is read to its end.
 *
 * Where it can't be read nothing is waited for: that is a kernel of another make, with no such backlog (a sandbox's).
 */
#include "ingest/loop.h"

#include "core/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE            4096              /* bytes of one read */
#define LINE_SIZE        512               /* bytes of one CPU's line: 15 columns are 135 */
#define SETTLE_NS        (300 * NS_PER_MS) /* a bound on waiting for a CPU that never gets to its backlog */
#define COLUMN_PROCESSED 0
#define COLUMN_DROPPED   1
#define COLUMN_WAITING   11 /* since Linux 5.10. Those behind it are of newer ones alone. */

int softnet_open(void) {
    return open("/proc/net/softnet_stat", O_RDONLY | O_CLOEXEC);
}

/* 0000a1b2 00000000 00000000 … : hexadecimal columns. False: it is none. */
static bool read_line(char *at, struct softnet_cpu *cpu) {
    *cpu = (struct softnet_cpu){0};
    for (int column = 0; *at; column++) {
        char *end;
        uint32_t value = (uint32_t)strtoul(at, &end, 16);
        if (end == at)
            return false;
        if (column == COLUMN_PROCESSED)
            cpu->processed = value;
        else if (column == COLUMN_DROPPED)
            cpu->dropped = value;
        else if (column == COLUMN_WAITING)
            cpu->waiting = value;
        at = end;
        while (*at == ' ')
            at++;
    }
    return true;
}

static ssize_t read_piece(int fd, char *to, size_t n) {
    ssize_t got;
    do
        got = read(fd, to, n);
    while (got < 0 && errno == EINTR);
    return got;
}

size_t softnet_read(int fd, struct softnet_cpu *cpus, size_t most) {
    char text[LINE_SIZE + PIECE + 1];
    size_t n = 0, n_cpus = 0;
    lseek(fd, 0, SEEK_SET); /* a pipe has no start to go to */
    for (ssize_t got; (got = read_piece(fd, text + n, PIECE)) > 0;) {
        n += (size_t)got;
        char *at = text;
        for (char *end; (end = memchr(at, '\n', n - (size_t)(at - text))); at = end + 1) {
            struct softnet_cpu cpu;
            *end = '\0';
            if (n_cpus == most || !read_line(at, &cpu))
                return n_cpus;
            cpus[n_cpus++] = cpu;
        }
        n -= (size_t)(at - text);
        if (n > LINE_SIZE)
            break;
        memmove(text, at, n);
    }
    return n_cpus;
}

/* Whether a CPU has something before it that waited then. */
static bool is_pending(const struct softnet_cpu *before, const struct softnet_cpu *now) {
    return now->waiting > 0 && now->processed - before->processed < before->waiting;
}

/* Whether one of them is. */
static bool any_pending(int fd, const struct softnet_cpu *before, size_t n_cpus) {
    struct softnet_cpu now[SOFTNET_CPUS_MAX];
    size_t n = softnet_read(fd, now, n_cpus);
    for (size_t i = 0; i < n; i++)
        if (is_pending(&before[i], &now[i]))
            return true;
    return false;
}

uint32_t softnet_settle(int fd, const char **unsure) {
    struct softnet_cpu before[SOFTNET_CPUS_MAX + 1];
    size_t n_cpus = fd < 0 ? 0 : softnet_read(fd, before, SOFTNET_CPUS_MAX + 1);
    *unsure = NULL;
    if (n_cpus > SOFTNET_CPUS_MAX) {
        n_cpus = SOFTNET_CPUS_MAX;
        *unsure = SOFTNET_TOO_MANY;
    }
    bool waiting = false;
    uint32_t dropped = 0;
    for (size_t i = 0; i < n_cpus; i++) {
        waiting = waiting || before[i].waiting > 0;
        dropped += before[i].dropped;
    }
    for (int64_t end_ns = 0; waiting; waiting = any_pending(fd, before, n_cpus)) {
        int64_t now_ns = clock_mono_ns();
        if (end_ns == 0)
            end_ns = now_ns + SETTLE_NS;
        if (now_ns > end_ns) {
            *unsure = "packets still waited on their way to the sockets";
            break;
        }
        sched_yield();
    }
    return dropped;
}
