/* Lines per second of the DogStatsD decoder, beside a bare memchr scan for newlines over the same bytes in
 * the same run: what only looking at every byte costs. Medians of ROUNDS.
 */
#include "core/clock.h"
#include "decode/dogstatsd.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS         7
#define N_DATAGRAMS    4096
#define DATAGRAM_BYTES 1432

struct datagrams {
    char bytes[N_DATAGRAMS][DATAGRAM_BYTES];
    size_t n[N_DATAGRAMS];
    size_t lines;
};

/* Lines of one kind; %d stands for one of 1,000 names, then for a changing value. */
static const struct {
    const char *title, *format;
} kinds[] = {
    {"bare counter", "page.views.%d:%d|c"},
    {"counter, 3 tags", "http.requests.%d:%d|c|#env:ci,service:checkout,status:200"},
    {"sampled timing, 4 tags",
     "http.latency.%d:%d.734512|ms|@0.5|#env:ci,service:checkout,region:eu-1,canary"},
    {"17-digit gauge, origin",
     "queue.depth.%d:1.%d60983276367188|g|#env:ci|c:ci-0123456789abcdef|e:cn-web|card:low"},
    {"distribution of 10", "db.rows.%d:%d:2:3.5:4:5.25:6:7:8:9.125:10|d|#env:ci,table:users"},
    {"gauge with timestamp", "cpu.load.%d:%d|g|#env:ci,host:web-1|T1657100430"},
    {"rejected", "page views %d %d"},
};

static void fill(struct datagrams *all, const char *format) {
    all->lines = 0;
    unsigned serial = 0;
    for (size_t i = 0; i < N_DATAGRAMS; i++)
        for (size_t n = all->n[i] = 0;; n = all->n[i]) {
            char line[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            int length =
                snprintf(line, sizeof line, format, (int)(serial * 7919 % 1000), (int)(serial % 977));
#pragma GCC diagnostic pop
            line[length++] = '\n';
            if (n + (size_t)length > DATAGRAM_BYTES)
                break;
            memcpy(all->bytes[i] + n, line, (size_t)length);
            all->n[i] += (size_t)length;
            all->lines++;
            serial++;
        }
}

static size_t scan(const struct datagrams *all) {
    size_t lines = 0;
    for (size_t i = 0; i < N_DATAGRAMS; i++) {
        const char *end = all->bytes[i] + all->n[i];
        for (const char *p = all->bytes[i]; p < end; lines++) {
            const char *newline = memchr(p, '\n', (size_t)(end - p));
            p = newline ? newline + 1 : end;
        }
    }
    return lines;
}

static void count(void *arg, const struct record *record) {
    size_t *records = arg;
    *records += record->kind == RECORD_METRIC ? record->metric.n_values : 1;
}

static size_t decode(struct dogstatsd *d, const struct datagrams *all, size_t *records) {
    size_t lines = 0;
    for (size_t i = 0; i < N_DATAGRAMS; i++)
        lines += dogstatsd_decode(d, span_of(all->bytes[i], all->n[i]), count, records);
    return lines;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void) {
    struct datagrams *all = malloc(sizeof *all);
    struct dogstatsd *d = dogstatsd_new(&(struct dogstatsd_options){0});
    if (!all || !d)
        return 1;
    printf("%-24s %12s %12s %8s %8s\n", "line", "memchr M/s", "decode M/s", "ratio", "ns/line");
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        fill(all, kinds[k].format);
        double scanned[ROUNDS], decoded[ROUNDS];
        size_t records = 0;
        for (int round = 0; round < ROUNDS; round++) {
            int64_t start = clock_mono_ns();
            size_t lines = scan(all);
            int64_t middle = clock_mono_ns();
            if (decode(d, all, &records) != lines || lines != all->lines)
                return 1;
            scanned[round] = (double)(middle - start) / (double)lines;
            decoded[round] = (double)(clock_mono_ns() - middle) / (double)lines;
        }
        qsort(scanned, ROUNDS, sizeof scanned[0], by_value);
        qsort(decoded, ROUNDS, sizeof decoded[0], by_value);
        double bare = scanned[ROUNDS / 2], ours = decoded[ROUNDS / 2];
        printf("%-24s %12.1f %12.1f %8.2f %8.1f\n", kinds[k].title, 1e3 / bare, 1e3 / ours, bare / ours,
               ours);
    }
    dogstatsd_free(d);
    free(all);
    return 0;
}
