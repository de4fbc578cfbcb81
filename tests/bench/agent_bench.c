/* Samples per second of the Agent's aggregation: N_SAMPLES in N_SERIES series over ten minutes, flushed every 15 s as JSON, beside
 * adding the same values to an array of sums: what only looking at each sample costs. Processor time, medians of ROUNDS.
 */
#include "agent/payload.h"
#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS    3
#define N_SAMPLES 10000000
#define N_SERIES  1000
#define SECONDS   600

static const struct {
    const char *title;
    enum metric_type type;
    bool mixed;
} kinds[] = {
    {"counts", METRIC_COUNT, false},
    {"gauges", METRIC_GAUGE, false},
    {"sets of 100", METRIC_SET, false},
    {"timings", METRIC_TIMING, false},
    {"distributions", METRIC_DISTRIBUTION, false},
    {"all of them", METRIC_COUNT, true},
};

static char names[N_SERIES][32];
static char texts[100][16];
static double sums[N_SERIES];

static struct agent_sample sample_at(size_t i, enum metric_type type, bool mixed) {
    static const enum metric_type types[] = {METRIC_COUNT, METRIC_GAUGE, METRIC_TIMING, METRIC_DISTRIBUTION};
    static const struct span tags[] = {{"env:ci", 6}, {"service:checkout", 16}};
    size_t series = i * 7919 % N_SERIES;
    return (struct agent_sample){.id = i + 1,
                                 .series_id = series + 1,
                                 .at_ns =
                                     1700000000 * NS_PER_S + (int64_t)i * (SECONDS * NS_PER_S / N_SAMPLES),
                                 .type = mixed ? types[series % 4] : type,
                                 .name = span_str(names[series]),
                                 .n_tags = 2,
                                 .tags = tags,
                                 .value = (double)(i * 2654435761U % 100003) / 16,
                                 .rate = 1,
                                 .text = span_str(texts[i % 100])};
}

static double aggregate(size_t kind, size_t *bytes) {
    struct agent_options options;
    struct err err = {0};
    struct buf out = {.max = 1 << 30};
    struct agent_payload payload = {.format = PAYLOAD_JSON, .out = &out};
    agent_defaults(&options);
    struct agent *a = agent_new(&options);
    int64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID), next_ns = 1700000010 * NS_PER_S;
    *bytes = 0;
    for (size_t i = 0; a && i <= N_SAMPLES; i++) {
        struct agent_sample s = sample_at(i, kinds[kind].type, kinds[kind].mixed);
        if (s.at_ns >= next_ns || i == N_SAMPLES) {
            if (agent_flush(a, next_ns, &payload_sink, &payload, &err) != 0)
                break;
            next_ns += AGENT_FLUSH_INTERVAL_S * NS_PER_S;
            *bytes += out.n;
            buf_clear(&out);
        }
        if (i < N_SAMPLES && agent_take(a, &s, &err) != 0)
            break;
    }
    if (err.set)
        fprintf(stderr, "%s\n", err.text);
    double took = (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) / 1e9;
    agent_free(a);
    buf_free(&out);
    return took;
}

static double only_add(size_t kind) {
    int64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct agent_sample s = sample_at(i, kinds[kind].type, kinds[kind].mixed);
        sums[s.series_id - 1] += s.value;
    }
    return (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) / 1e9;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void) {
    for (size_t i = 0; i < N_SERIES; i++)
        snprintf(names[i], sizeof names[i], "http.requests.%zu", i);
    for (size_t i = 0; i < 100; i++)
        snprintf(texts[i], sizeof texts[i], "user-%zu", i);
    printf("%-16s %10s %12s %12s %12s\n", "10 M samples", "sums s", "flushes s", "ns/sample", "JSON MB");
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        double bare[ROUNDS], ours[ROUNDS];
        size_t bytes = 0;
        for (int round = 0; round < ROUNDS; round++) {
            bare[round] = only_add(k);
            ours[round] = aggregate(k, &bytes);
        }
        qsort(bare, ROUNDS, sizeof bare[0], by_value);
        qsort(ours, ROUNDS, sizeof ours[0], by_value);
        printf("%-16s %10.2f %12.2f %12.1f %12.1f\n", kinds[k].title, bare[ROUNDS / 2], ours[ROUNDS / 2],
               ours[ROUNDS / 2] * 1e9 / N_SAMPLES, (double)bytes / 1e6);
    }
    return sums[0] < 0;
}
