/* A session as Datadog has it. */
#include "core/clock.h"
#include "flushed/feed.h"
#include "flushed/private.h"

struct flushed_building {
    struct flushed *f;
    struct span session;
    struct feed *feed;
    struct err err;
};

static int no_memory(struct flushed_building *b) {
    return err_set(&b->err, 0,
                   "out of memory, or the series that Datadog would have take more than %zu MB of text",
                   FLUSHED_BYTES_MAX >> 20);
}

/* --- what an Agent sends --------------------------------------------------------------------------------------------- */

static void begin_flush(void *arg, int64_t at_ns) {
    (void)arg, (void)at_ns;
}

static void end_flush(void *arg) {
    (void)arg;
}

/* When a point came about: with its newest sample, or for a zero that goes on, now. */
static void date_point(const struct flushed_building *b, struct flushed_point *p, uint64_t id,
                       int64_t newest_ns) {
    p->id = id ? id : feed_id(b->feed);
    p->received_at = id ? newest_ns : feed_at_ns(b->feed);
}

/* The series of a flush, in *p; false: it failed. */
static bool begin_series(struct flushed_building *b, enum metric_type type, struct span name,
                         struct span host, struct span device, size_t n_tags, const struct span *tags,
                         struct flushed_point *p) {
    if (b->err.set)
        return false;
    struct metric m = {.type = type,
                       .name = name,
                       .sample_rate = 1,
                       .n_tags = n_tags,
                       .tags = tags,
                       .device = device,
                       .interval = AGENT_BUCKET_S};
    if (host.n)
        m.origin.host = host;
    *p = (struct flushed_point){.source = SOURCE_HTTP};
    p->series = flushed_series_of(b->f, b->session, &m);
    p->spelling = p->series == NO_POINT ? NULL : flushed_spelling_of(b->f, p->series, &m);
    if (!p->spelling)
        no_memory(b);
    return p->spelling;
}

static void take_series(void *arg, const struct agent_series *s) {
    struct flushed_building *b = arg;
    struct flushed_point p;
    if (!begin_series(b, s->type[0] == 'r' ? METRIC_RATE : METRIC_GAUGE, s->metric, s->host, s->device,
                      s->n_tags, s->tags, &p))
        return;
    for (size_t i = 0; i < s->n_points && !b->err.set; i++) {
        date_point(b, &p, s->points[i].id, s->points[i].newest_ns);
        p.timestamp = s->points[i].at_s;
        p.number = s->points[i].value;
        flushed_add(b->f, &p, &b->err);
    }
}

static void take_sketch(void *arg, const struct agent_sketch_series *s) {
    struct flushed_building *b = arg;
    struct flushed_point p;
    if (!begin_series(b, METRIC_DISTRIBUTION, s->metric, s->host, span_of(NULL, 0), s->n_tags, s->tags, &p))
        return;
    for (size_t i = 0; i < s->n_points && !b->err.set; i++) {
        const struct agent_sketch_point *from = &s->points[i];
        struct sketch sketch = {.count = from->count,
                                .sum = from->sum,
                                .min = from->min,
                                .max = from->max,
                                .avg = from->avg,
                                .n_bins = from->n_bins,
                                .keys = from->keys,
                                .counts = from->counts};
        date_point(b, &p, from->id, from->newest_ns);
        p.timestamp = from->at_s;
        p.number = from->avg;
        p.sketch = &sketch;
        flushed_add(b->f, &p, &b->err);
    }
}

/* --- what came as it is ------------------------------------------------------------------------------------------------ */

static int take_other(void *arg, const struct sample_row *row) {
    struct flushed_building *b = arg;
    struct flushed *f = b->f;
    uint32_t *known = table_get(&f->by_id, row->series_id);
    uint32_t series = known ? *known : flushed_series_of(f, b->session, row->spelling);
    const struct metric *spelling = NULL;
    if (series != NO_POINT && (known || table_set(&f->by_id, row->series_id, series) == 0))
        spelling = flushed_spelling_of(f, series, row->spelling);
    if (b->err.set)
        return -1;
    if (!spelling)
        return no_memory(b);
    return flushed_add(f,
                       &(struct flushed_point){.id = row->id,
                                               .received_at = row->received_at,
                                               .timestamp = row->value.timestamp,
                                               .number = row->value.number,
                                               .sketch = row->value.sketch,
                                               .spelling = spelling,
                                               .source = row->source,
                                               .series = series},
                       &b->err);
}

int flushed_build(struct flushed *f, struct span session, const struct flushed_options *options,
                  struct err *err) {
    static const struct agent_sink sink = {begin_flush, take_series, take_sketch, take_series, end_flush};
    struct flushed_building b = {.f = f, .session = session};
    struct feed_question q = {
        .filter = {.session = session, .since = options->since, .until = options->until},
        .interval_ns = AGENT_FLUSH_INTERVAL_S * NS_PER_S};
    agent_defaults(&q.agent);
    agent_histogram_use(&q.agent, options->histograms);
    q.agent.hostname = span_of(NULL, 0); /* which name the Agent's host has is nobody's claim */
    b.feed = feed_new(&q, &(struct feed_taker){.sink = &sink, .other = take_other, .arg = &b}, err);
    int more = b.feed ? 1 : -1;
    while (more > 0 && !b.err.set)
        more = feed_step(b.feed, f->recording, err);
    feed_free(b.feed);
    if (b.err.set)
        *err = b.err;
    return more == 0 && !b.err.set ? 0 : -1;
}
