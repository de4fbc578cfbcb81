/* Loopback is not quite synchronous: send() puts a datagram on its CPU's backlog, which is normally worked off before
 * send returns, but under load is left to ksoftirqd. /proc/net/softnet_stat tells for each CPU how many packets it has
 * processed and how many wait in its input and process queues. What waited when the
 * question was asked has arrived once `processed` has grown by as much.
 */
#include "ingest/loop.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#define CPUS_MAX   1024
#define TEXT_MAX   (CPUS_MAX * 140)
#define YIELDS_MAX 20000 /* a bound on waiting for a CPU that never gets to its backlog */
/* Columns, from 0; the latter two since Linux 6.4. */
#define COLUMN_PROCESSED     0
#define COLUMN_INPUT_QUEUE   13
#define COLUMN_PROCESS_QUEUE 14

int softnet_open(void) {
    return open("/proc/net/softnet_stat", O_RDONLY | O_CLOEXEC);
}

/* 0000a1b2 00000000 00000000 … : hexadecimal columns, one line a CPU. Returns the number of CPUs. */
static size_t read_stat(int fd, uint32_t *processed, uint32_t *waiting) {
    static _Thread_local char text[TEXT_MAX];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    size_t cpus = 0;
    char *at = text;
    while (cpus < CPUS_MAX && *at) {
        processed[cpus] = waiting[cpus] = 0;
        for (int column = 0; *at && *at != '\n'; column++) {
            char *end;
            uint32_t value = (uint32_t)strtoul(at, &end, 16);
            if (end == at)
                return cpus;
            if (column == COLUMN_PROCESSED)
                processed[cpus] = value;
            else if (column == COLUMN_INPUT_QUEUE || column == COLUMN_PROCESS_QUEUE)
                waiting[cpus] += value;
            at = end;
            while (*at == ' ')
                at++;
        }
        cpus++;
        if (*at == '\n')
            at++;
    }
    return cpus;
}

void softnet_settle(int fd) {
    if (fd < 0)
        return;
    uint32_t processed[CPUS_MAX], waiting[CPUS_MAX], now[CPUS_MAX], still[CPUS_MAX];
    size_t cpus = read_stat(fd, processed, waiting);
    bool pending = false;
    for (size_t i = 0; i < cpus; i++)
        pending = pending || waiting[i] > 0;
    for (int tries = 0; pending && tries < YIELDS_MAX; tries++) {
        sched_yield();
        size_t n = read_stat(fd, now, still);
        pending = false;
        for (size_t i = 0; i < n && i < cpus; i++)
            pending = pending || (still[i] > 0 && now[i] - processed[i] < waiting[i]);
    }
}
