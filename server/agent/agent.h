/* What a Datadog Agent would flush: samples in, in the order in which they arrived; series and sketches out, by flush time.
 *
 * Pure: no I/O, no clock. Time is what the samples and agent_flush say, so a recording gives the same flushes on every machine.
 * Only DogStatsD samples belong here: series and sketches that came over HTTP are what somebody else has flushed already.
 *
 * Ownership: agent_take copies what it keeps. What a sink is handed is valid until its function returns.
 * Threads: one at a time.
 * Errors: -1 with err: out of memory, or past a limit; the agent is of no more use then but for agent_free.
 * Units: seconds since 1970 where a name ends in _s, nanoseconds where it ends in _ns.
 * Limits: AGENT_CONTEXTS_MAX contexts (name, host and tags) at a time, AGENT_BUCKETS_MAX unflushed buckets, and max_bytes of memory
 * in all. A flush forgets what has expired, so a recording of any length fits that is flushed now and then.
 * Source: schema/protocol/dogstatsd.md section 7; fixtures/agent.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "core/buf.h"
#include "core/err.h"
#include "core/metric.h"
#include <stdint.h>

#define AGENT_BUCKET_S         10
#define AGENT_CONTEXTS_MAX     1000000
#define AGENT_BUCKETS_MAX      100000
#define AGENT_BYTES_MAX        ((size_t)512 << 20)
#define AGENT_PERCENTILES_MAX  100
#define AGENT_CONTEXT_EXPIRY_S 20  /* dogstatsd_context_expiry_seconds */
#define AGENT_COUNTER_EXPIRY_S 300 /* dogstatsd_expiry_seconds */
#define AGENT_FLUSH_INTERVAL_S 15
#define AGENT_HOSTNAME         "default-hostname"
#define AGENT_SAMPLES_SHOWN    1000 /* of each point that is explained */

/* What a histogram becomes, by the words of the Agent's option histogram_aggregates: enum, word, by default. */
#define AGENT_AGGREGATES(X)                                                                                  \
    X(AGENT_MAX, "max", true)                                                                                \
    X(AGENT_MEDIAN, "median", true)                                                                          \
    X(AGENT_AVG, "avg", true)                                                                                \
    X(AGENT_COUNT, "count", true)                                                                            \
    X(AGENT_MIN, "min", false)                                                                               \
    X(AGENT_SUM, "sum", false)

enum agent_aggregate {
#define X(id, word, is_default) id,
    AGENT_AGGREGATES(X)
#undef X
        AGENT_N_AGGREGATES
};

/* What a histogram becomes; {0}: as the Agent does by default. */
struct agent_histogram_options {
    bool given;
    unsigned aggregates; /* 1 << enum agent_aggregate */
    size_t n_percentiles;
    int percentiles[AGENT_PERCENTILES_MAX]; /* 1 to 100, rising, each once */
};

struct agent_options {
    struct span hostname; /* of samples that name none; at most 255 bytes count */
    unsigned aggregates;  /* 1 << enum agent_aggregate */
    size_t n_percentiles;
    int percentiles[AGENT_PERCENTILES_MAX]; /* 1 to 100, rising, each once */
    int64_t context_expiry_s, counter_expiry_s;
    size_t max_bytes;
    struct span
        explain; /* a glob: of metrics with such a name the samples are kept and shown; p == NULL: of none */
};
/* The Agent's defaults. */
void agent_defaults(struct agent_options *options);
/* Both texts, of which one may be NULL for the default. -1 with err. */
int agent_histogram_read(struct agent_histogram_options *histograms, const char *aggregates,
                         const char *percentiles, struct err *err);
void agent_histogram_use(struct agent_options *options, const struct agent_histogram_options *histograms);
/* Reads histogram_aggregates ("max,median") and histogram_percentiles ("0.95,0.99"), separated by commas or blanks. -1 with
 * err, which names the word. An empty text stands for none. */
int agent_read_aggregates(struct agent_options *options, struct span text, struct err *err);
int agent_read_percentiles(struct agent_options *options, struct span text, struct err *err);

struct agent_sample {
    uint64_t id; /* for the explanation */
    uint64_t
        series_id; /* not 0: equal ids mean equal name, host and tags. Then these are not looked at again. */
    int64_t at_ns; /* when it arrived; not before 1970 */
    enum metric_type type;
    struct span name, host; /* host.p == NULL: none given; "": given as empty */
    size_t n_tags;
    const struct span *tags;
    double value, rate; /* any: what is not finite is known by its name and then dropped */
    struct span text;   /* of a set */
    int64_t timestamp;  /* 0: none */
};

/* A sample behind a point. */
struct agent_cause {
    uint64_t id;
    int64_t at_ns;
    enum metric_type type;
    double value, rate;
    struct span text;
};
struct agent_causes {
    uint64_t n; /* how many there were */
    size_t n_shown;
    const struct agent_cause *shown;
};

struct agent_point {
    int64_t at_s;
    double value;
    const struct agent_causes *causes; /* NULL: not asked for */
    uint64_t id;                       /* of its newest sample, 0: it has none (a zero that goes on) */
    int64_t newest_ns;                 /* when that arrived */
};
/* type: "gauge" or "rate". tags: sorted, each once; in a timestamped series as they came. device.p == NULL: none. */
struct agent_series {
    struct span metric, host, device;
    const char *type;
    int64_t interval;
    size_t n_tags;
    const struct span *tags;
    size_t n_points;
    const struct agent_point *points;
};
struct agent_sketch_point {
    int64_t at_s, count;
    double min, max, avg, sum;
    size_t n_bins;
    const int32_t *keys;
    const uint32_t *counts;
    const struct agent_causes *causes;
    uint64_t id; /* as of a point */
    int64_t newest_ns;
};
struct agent_sketch_series {
    struct span metric, host;
    int64_t interval;
    size_t n_tags;
    const struct span *tags;
    size_t n_points;
    const struct agent_sketch_point *points;
};

/* Who takes a flush: the series by name, host and tags, then the sketches likewise, then the samples that came with a
 * timestamp, in the order of arrival. */
struct agent_sink {
    void (*begin)(void *arg, int64_t at_ns);
    void (*series)(void *arg, const struct agent_series *series);
    void (*sketch)(void *arg, const struct agent_sketch_series *sketch);
    void (*timed)(void *arg, const struct agent_series *series);
    void (*end)(void *arg);
};

struct agent;
/* NULL: out of memory. */
struct agent *agent_new(const struct agent_options *options);
void agent_free(struct agent *a);
int agent_take(struct agent *a, const struct agent_sample *sample, struct err *err);
/* Flush times may not fall. */
int agent_flush(struct agent *a, int64_t at_ns, const struct agent_sink *sink, void *arg, struct err *err);
/* Whether nothing is left: then a flush has nothing to send, at any time. */
bool agent_idle(const struct agent *a);
/* The earliest whole second at which everything that was taken is flushed; 0: nothing waits. */
int64_t agent_due_s(const struct agent *a);

#endif
