/* Loopback is not quite synchronous: send() puts a datagram on its CPU's backlog, which is normally worked off before
 * send returns, but under load is left to ksoftirqd. /proc/net/softnet_stat tells for each CPU how many packets it has
 * processed, how many it has dropped because its backlog was full, and how many wait there. What waited when the
 * question was asked has arrived once `processed` has grown by as much.
 *
 * Where it can't be read nothing is waited for: that is a kernel of another make, with no such backlog (a sandbox's).
 */
#include "ingest/loop.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#define CPUS_MAX   1024
#define TEXT_MAX   (CPUS_MAX * 140)
#define YIELDS_MAX 20000 /* a bound on waiting for a CPU that never gets to its backlog */
/* Columns, from 0; the third since Linux 5.10. Those behind it are of newer ones alone. */
#define COLUMN_PROCESSED 0
#define COLUMN_DROPPED   1
#define COLUMN_WAITING   11

int softnet_open(void) {
    return open("/proc/net/softnet_stat", O_RDONLY | O_CLOEXEC);
}

/* 0000a1b2 00000000 00000000 … : hexadecimal columns, one line a CPU. */
size_t softnet_read(int fd, struct softnet_cpu *cpus, size_t most) {
    static _Thread_local char text[TEXT_MAX];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    size_t n_cpus = 0;
    char *at = text;
    while (n_cpus < most && *at) {
        struct softnet_cpu *cpu = &cpus[n_cpus];
        *cpu = (struct softnet_cpu){0};
        for (int column = 0; *at && *at != '\n'; column++) {
            char *end;
            uint32_t value = (uint32_t)strtoul(at, &end, 16);
            if (end == at)
                return n_cpus;
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
        n_cpus++;
        if (*at == '\n')
            at++;
    }
    return n_cpus;
}

uint32_t softnet_settle(int fd) {
    struct softnet_cpu before[CPUS_MAX], now[CPUS_MAX];
    size_t n_cpus = fd < 0 ? 0 : softnet_read(fd, before, CPUS_MAX);
    bool pending = false;
    uint32_t dropped = 0;
    for (size_t i = 0; i < n_cpus; i++) {
        pending = pending || before[i].waiting > 0;
        dropped += before[i].dropped;
    }
    for (int tries = 0; pending && tries < YIELDS_MAX; tries++) {
        sched_yield();
        size_t n = softnet_read(fd, now, CPUS_MAX);
        pending = false;
        for (size_t i = 0; i < n && i < n_cpus; i++)
            pending =
                pending || (now[i].waiting > 0 && now[i].processed - before[i].processed < before[i].waiting);
    }
    return dropped;
}
