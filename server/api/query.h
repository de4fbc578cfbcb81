/* Private to api/: Datadog's query language, the part that tests use, and its evaluation over a recording.
 *
 *     avg:http.time{env:ci,!host:b*} by {route}.rollup(max, 60).as_count()
 *     ^   ^         ^                   ^       ^
 *     |   name      scope               groups  functions: rollup, as_count, as_rate, fill (no effect)
 *     over the series of a group: avg sum min max count
 *
 * Evaluation: each series' samples fall into buckets of `interval` seconds, are put together over time
 * (counts: sum; all others: average; or as rollup says), then over the series of each group. Distributions,
 * histograms and timings are put together from their values at once. Limits: QUERY_* below; memory
 * QUERY_MEMORY_MAX.
 */
#ifndef API_QUERY_H
#define API_QUERY_H

#include "api/read.h"
#include "core/arena.h"

#define QUERY_SCOPE_MAX   32
#define QUERY_GROUPS_MAX  16 /* keys after `by` */
#define QUERY_BUCKETS_MAX 11000
#define QUERY_MEMORY_MAX  ((size_t)256 << 20)

enum aggregate {
    AGGREGATE_AVG,
    AGGREGATE_SUM,
    AGGREGATE_MIN,
    AGGREGATE_MAX,
    AGGREGATE_COUNT,
    AGGREGATE_LAST
};

struct query {
    struct span text;
    enum aggregate over_series;
    struct span name;
    struct span scope_text; /* between the braces */
    size_t n_scope;
    struct {
        struct span tag; /* a glob */
        bool negated;
    } scope[QUERY_SCOPE_MAX];
    size_t n_by;
    struct span by[QUERY_GROUPS_MAX];
    bool as_count, as_rate, has_rollup;
    enum aggregate over_time;
    int64_t rollup_s; /* 0: not given */
};

/* Spans point into text. false: *at is where reading failed and *expected what was expected there. */
bool query_parse(struct span text, struct query *q, size_t *at, const char **expected);
/* -1: none */
int query_aggregate_of(struct span word);

struct query_group {
    size_t n_tags;
    struct span tags[QUERY_GROUPS_MAX]; /* "key:value", in the order of `by` */
    double *values;                     /* NaN: no data */
};

struct query_result {
    struct arena arena; /* of everything here */
    int64_t start_s, interval_s;
    size_t n_buckets;
    size_t n_groups;
    struct query_group **groups; /* only those with data */
    struct span unit;            /* p == NULL: none */
};

/* interval_s 0: as suits the window. -1 with err. */
int query_run(struct read *r, const struct query *q, double from_s, double to_s, int64_t interval_s,
              struct query_result *result, struct err *err);
void query_result_free(struct query_result *result);

#endif
