/* Private to api/query: one metric of a query, from its samples to a table.
 *
 * leaf.c chooses the series and lays out the buckets; bucket.c fills them, series by series, so that no more than one
 * series' buckets are held besides those of the groups.
 */
#ifndef API_QUERY_LEAF_H
#define API_QUERY_LEAF_H

#include "api/query/group.h"
#include "api/query/query.h"

#define LEAF_FLUSH_S 10 /* dogstatsd.md section 7.1 */

struct query_bucket {
    double sum, n, min, max;
};

struct query_chosen {
    uint64_t id, first_id;
    enum metric_type type;
    size_t group;
    size_t
        set; /* those of one set are one series to Datadog: they differ before their words are normalized */
    struct cadence cadence;
};

/* Counts and gauges that came as lines: the Agent would have sent one point for each 10 s, the sum or the last value. */
struct flush {
    bool has_point, has_id;
    int64_t at_s;
    double value;
    uint64_t id; /* of the last line in it */
};

/* A point. Where a series has two of one time, the later one replaces the earlier one. */
struct stamped {
    int64_t at_s;
    double value;
    uint64_t nth;     /* as they came */
    uint64_t part_of; /* 0, or the series whose lines made it: all of such a time are added up */
};

/* For percentiles: a value of a group's bucket. */
struct weighed {
    size_t cell; /* group * buckets + bucket */
    double value, weight;
};

struct leaf {
    struct query_run *run;
    const struct query_metric *metric;
    int64_t shift_s;
    struct arena scratch;
    struct arena words; /* of the series that is being chosen */
    struct query_chosen *chosen;
    size_t n_chosen, cap_chosen;
    struct group_index groups;
    struct group_index sets;            /* by a hash of what Datadog tells series apart by */
    int64_t start_s, end_s, interval_s; /* samples of [start, end) */
    size_t n_buckets;
    struct query_bucket *cells; /* of each group, one behind the other */
    struct weighed *weighed;
    size_t n_weighed, cap_weighed;
    struct span unit;
    /* the series that is being read */
    const struct query_chosen *series;
    struct query_bucket *buckets;
    double *values;
    struct flush flush;
    int64_t last_s;           /* of its points so far */
    bool has_amounts;         /* its rates, or weighted gauges, were multiplied by their intervals */
    bool is_mixed;            /* those of its set have different intervals */
    bool is_unordered, sorts; /* its times don't ascend; so its points are gathered and sorted */
    struct stamped *stamped;
    size_t n_stamped, cap_stamped;
};

static inline bool leaf_is_pooled(enum metric_type type) {
    return type == METRIC_DISTRIBUTION || type == METRIC_HISTOGRAM || type == METRIC_TIMING;
}

/* Reads all chosen series into cells and weighed. 0, or -1 with the run's error. */
int bucket_series(struct leaf *leaf);
double bucket_value(const struct query_bucket *b, enum query_aggregate how);
/* Sorts `weighed` and sets the percentile of each cell that has some; the others stay as they are. */
void bucket_percentiles(struct leaf *leaf, double *values);

#endif
