/* GET /recorder/v1/timeline: the samples chosen, over time, in buckets of a whole number of seconds. */
#include "control/control.h"
#include "control/glance.h"
#include "core/clock.h"
#include "core/json.h"
#include "judge/evaluate/bag.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define BUCKETS_MAX     300
#define BUCKETS_DEFAULT 60
#define RANGE_MAX_S     (366LL * 24 * 3600)
#define DAY_S           (24LL * 3600)

struct bucket {
    uint64_t n;
    double count, sum, min, max;
    struct bag values;
};

/* The shortest step in which people think that makes no more than `buckets` of the span. */
static int64_t step_of(int64_t span_s, int64_t buckets) {
    static const int64_t steps[] = {1,   2,   5,   10,   15,   30,   60,    120,
                                    300, 600, 900, 1800, 3600, 7200, 21600, 43200};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (span_s / steps[i] + 2 <= buckets)
            return steps[i];
    int64_t days = 1;
    while (span_s / (days * DAY_S) + 2 > buckets)
        days *= 2;
    return days * DAY_S;
}

static int fill_buckets(struct bucket *list, const struct glance_points *points, int64_t from_s,
                        int64_t step_s, int64_t n_buckets) {
    for (size_t i = 0; i < points->n; i++) {
        const struct glance_point *p = &points->list[i];
        int64_t at_s = p->at_ns / NS_PER_S;
        if (at_s < from_s || (at_s - from_s) / step_s >= n_buckets)
            continue;
        struct bucket *k = &list[(at_s - from_s) / step_s];
        k->n++;
        k->count += p->weight;
        if (isnan(p->value))
            continue;
        k->sum += p->value * p->factor;
        k->min = fmin(k->min, p->value);
        k->max = fmax(k->max, p->value);
        if (bag_add(&k->values, p->value, p->weight) != 0)
            return -1;
    }
    for (int64_t i = 0; i < n_buckets; i++)
        if (bag_settle(&list[i].values) != 0)
            return -1;
    return 0;
}

static double n_of(const struct bucket *k) {
    return (double)k->n;
}
static double count_of(const struct bucket *k) {
    return k->count;
}
static double sum_of(const struct bucket *k) {
    return k->values.n ? k->sum : NAN;
}
static double min_of(const struct bucket *k) {
    return k->min;
}
static double max_of(const struct bucket *k) {
    return k->max;
}
static double p50_of(const struct bucket *k) {
    return bag_percentile(&k->values, 50);
}
static double p95_of(const struct bucket *k) {
    return bag_percentile(&k->values, 95);
}

static void put_column(struct buf *b, const char *name, const struct bucket *list, int64_t n,
                       double (*of)(const struct bucket *)) {
    buf_printf(b, ",\n\"%s\":[", name);
    for (int64_t i = 0; i < n; i++) {
        buf_str(b, i ? "," : "");
        json_put_number(b, of(&list[i]));
    }
    buf_char(b, ']');
}

static void put_buckets(struct buf *b, const struct bucket *list, int64_t n) {
    put_column(b, "n", list, n, n_of);
    put_column(b, "count", list, n, count_of);
    put_column(b, "sum", list, n, sum_of);
    put_column(b, "min", list, n, min_of);
    put_column(b, "max", list, n, max_of);
    put_column(b, "p50", list, n, p50_of);
    put_column(b, "p95", list, n, p95_of);
}

/* The seconds of the chart: of all points, or the last range_s seconds. In a recording that is over, these end with its last point. */
static void find_span(const struct glance_points *points, int64_t range_s, bool over, int64_t *from_s,
                      int64_t *to_s) {
    *to_s = clock_wall_ns() / NS_PER_S;
    *from_s = *to_s - range_s;
    if ((range_s && !over) || points->n == 0)
        return;
    *from_s = INT64_MAX;
    *to_s = 0;
    for (size_t i = 0; i < points->n; i++) {
        int64_t at_s = points->list[i].at_ns / NS_PER_S;
        *from_s = at_s < *from_s ? at_s : *from_s;
        *to_s = at_s > *to_s ? at_s : *to_s;
    }
    if (range_s)
        *from_s = *to_s - range_s;
}

static int read_range(struct http_request *rq, uint64_t *range_s) {
    *range_s = 0; /* all */
    return span_eq(http_arg(rq, "range"), SPAN("all")) ? 0 : ask_number(rq, "range", 1, RANGE_MAX_S, range_s);
}

static int fill_timeline(struct glance *g, struct buf *b, struct err *err) {
    struct glance_points points = {0};
    uint64_t range_s, buckets = BUCKETS_DEFAULT;
    int64_t from_s, to_s;
    read_range(g->rq, &range_s);
    ask_number(g->rq, "buckets", 2, BUCKETS_MAX, &buckets);
    if (glance_points(g, &points, err) != 0) {
        free(points.list);
        return -1;
    }
    find_span(&points, (int64_t)range_s, g->rq->http->options.view, &from_s, &to_s);
    int64_t step_s = step_of(to_s - from_s, (int64_t)buckets);
    from_s -= from_s % step_s;
    int64_t n = (to_s - from_s) / step_s + 1;
    struct bucket *list = calloc((size_t)n, sizeof *list);
    for (int64_t i = 0; list && i < n; i++)
        list[i].min = list[i].max = NAN;
    int failed = !list || fill_buckets(list, &points, from_s, step_s, n) != 0;
    if (!failed) {
        buf_printf(b,
                   "{\"from_ms\":%" PRId64 ",\"step_ms\":%" PRId64 ",\"buckets\":%" PRId64
                   ",\"read\":%zu,\"last_id\":%" PRIu64 ",\"partial\":%s",
                   from_s * 1000, step_s * 1000, n, points.n, g->last_id, points.partial ? "true" : "false");
        put_buckets(b, list, n);
        buf_str(b, "}\n");
    }
    for (int64_t i = 0; list && i < n; i++)
        bag_free(&list[i].values);
    free(list);
    free(points.list);
    return failed ? -1 : 0;
}

void control_timeline(struct http_request *rq) {
    struct ask ask;
    uint64_t range_s, buckets;
    if (ask_some(rq, ASK_NAMES(GLANCE_ARGS, "range", "buckets"), &ask) != 0 ||
        read_range(rq, &range_s) != 0 || ask_number(rq, "buckets", 2, BUCKETS_MAX, &buckets) != 0)
        return;
    glance_answer(rq, &ask, fill_timeline);
}
