#include "flushed/private.h"

#include "core/glob.h"
#include <stdlib.h>

/* --- which rows ----------------------------------------------------------------------------------------------------- */

static bool has_tags(const struct filter *q, size_t n, const struct span *tags) {
    for (size_t i = 0; i < q->n_tags; i++) {
        size_t k = 0;
        while (k < n && !(glob_is_pattern(q->tags[i]) ? glob_match(q->tags[i], tags[k])
                                                      : span_eq(q->tags[i], tags[k])))
            k++;
        if (k == n)
            return false;
    }
    return true;
}

static bool name_matters(const struct filter *q, struct span name) {
    for (size_t i = 0; i < q->n_names; i++)
        if (glob_match(q->names[i], name))
            return true;
    return q->n_names == 0;
}

/* What all samples of a series have in common. */
static bool wants_series(const struct filter *q, const struct series_row *s) {
    return (!q->session.p || span_eq(q->session, s->session)) && (!q->has_type || q->type == s->type) &&
           (!q->series_id || q->series_id == s->id) && s->id > q->after_series &&
           (!q->name.p || glob_match(q->name, s->name)) && name_matters(q, s->name) &&
           has_tags(q, s->n_tags, s->tags);
}

static bool wants_point(const struct filter *q, const struct flushed_point *p) {
    return p->id > q->since && (!q->until || p->id <= q->until) &&
           (!q->has_source || q->source == p->source) && (!q->timed || p->timestamp) &&
           (!q->remarked || p->spelling->remarks) && (!q->sampled || p->spelling->sample_rate != 1);
}

/* What a series is asked for beyond wants_series: whether one of its points has it. */
static bool has_wanted_point(const struct flushed *f, const struct filter *q,
                             const struct flushed_series *s) {
    struct filter any = {.has_source = q->has_source, .source = q->source, .remarked = q->remarked};
    if (!q->has_source && !q->remarked)
        return true;
    for (uint32_t i = s->first; i != NO_POINT; i = f->points[i].next)
        if (wants_point(&any, &f->points[i]))
            return true;
    return false;
}

/* --- series and samples ----------------------------------------------------------------------------------------------- */

static int read_series(struct reader *r, const struct filter *q,
                       int (*row)(void *, const struct series_row *), void *arg, struct err *err) {
    const struct flushed *f = (struct flushed *)r;
    uint64_t n = 0, skip = 0;
    (void)err;
    for (int pass = q->limit && q->newest ? 0 : 1; pass < 2; pass++) {
        for (size_t i = 0; i < f->n_series; i++) {
            const struct flushed_series *s = &f->series[i];
            if (!wants_series(q, &s->row) || (q->sampled && !s->row.sampled) || !has_wanted_point(f, q, s))
                continue;
            n++;
            if (pass && q->limit && !q->newest && n > q->limit)
                return 0;
            if (pass && n > skip && row(arg, &s->row))
                return 0;
        }
        skip = n > q->limit && !pass ? n - q->limit : 0;
        n = 0;
    }
    return 0;
}

struct flushed_walk {
    const struct flushed *f;
    const struct filter *q;
    int (*row)(void *, const struct sample_row *);
    void *arg;
    uint64_t n, skip;
    bool counts; /* rows are counted, not handed out */
};

static int walk_point(struct flushed_walk *w, const struct flushed_point *p) {
    const struct flushed_series *s = &w->f->series[p->series];
    if (!wants_point(w->q, p))
        return 0;
    w->n++;
    if (w->counts || w->n <= w->skip)
        return 0;
    if (w->q->limit && !w->q->newest && w->n > w->q->limit)
        return 1;
    struct sample_row row = {.id = p->id,
                             .series_id = s->row.id,
                             .received_at = p->received_at,
                             .source = p->source,
                             .session = s->row.session,
                             .value = {p->number, {NULL, 0}, p->timestamp, p->sketch},
                             .spelling = p->spelling};
    return w->row(w->arg, &row);
}

static int by_id(const void *a, const void *b, void *flushed) {
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    const struct flushed_point *x = &((const struct flushed *)flushed)->points[i];
    const struct flushed_point *y = &((const struct flushed *)flushed)->points[k];
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (i > k) - (i < k);
}

/* A flush makes points by name, long after their samples. */
static int sort_points(struct flushed *f, struct err *err) {
    if (f->order)
        return 0;
    f->order = malloc((f->n_points + 1) * sizeof *f->order);
    if (!f->order)
        return err_set(err, 0, "out of memory");
    for (size_t i = 0; i < f->n_points; i++)
        f->order[i] = (uint32_t)i;
    if (f->n_points)
        qsort_r(f->order, f->n_points, sizeof *f->order, by_id, f);
    return 0;
}

static void walk_ordered(struct flushed_walk *w) {
    for (size_t i = 0; i < w->f->n_points; i++) {
        const struct flushed_point *p = &w->f->points[w->f->order[i]];
        if (wants_series(w->q, &w->f->series[p->series].row) && walk_point(w, p))
            return;
    }
}

static void walk_series(struct flushed_walk *w) {
    size_t from = w->q->series_id ? w->q->series_id - 1 : w->q->after_series;
    for (size_t i = from; i < w->f->n_series; i++) {
        const struct flushed_series *s = &w->f->series[i];
        if (w->q->series_id && i != from)
            return;
        if (!wants_series(w->q, &s->row))
            continue;
        for (uint32_t k = s->first; k != NO_POINT; k = w->f->points[k].next)
            if (walk_point(w, &w->f->points[k]))
                return;
    }
}

static int read_samples(struct reader *r, const struct filter *q, bool ordered,
                        int (*row)(void *, const struct sample_row *), void *arg, struct err *err) {
    struct filter filter = *q;
    struct flushed_walk w = {.f = (struct flushed *)r, .q = &filter, .row = row, .arg = arg};
    void (*walk)(struct flushed_walk *) = ordered && !q->series_id ? walk_ordered : walk_series;
    if (ordered)
        filter.after_series = 0;
    if (walk == walk_ordered && sort_points((struct flushed *)r, err) != 0)
        return -1;
    if (q->limit && q->newest) {
        w.counts = true;
        walk(&w);
        w.skip = w.n > q->limit ? w.n - q->limit : 0;
        w.counts = false;
        w.n = 0;
    }
    walk(&w);
    return 0;
}

static const struct flushed_series *find_series(const struct flushed *f, uint64_t id) {
    return id && id <= f->n_series ? &f->series[id - 1] : NULL;
}

#define POINTS_TOGETHER 256

static int read_points(struct reader *r, uint64_t series_id, int (*row)(void *, const struct points_row *),
                       void *arg, struct err *err) {
    const struct flushed *f = (struct flushed *)r;
    const struct flushed_series *s = find_series(f, series_id);
    int64_t at_s[POINTS_TOGETHER];
    double values[POINTS_TOGETHER];
    uint64_t ids[POINTS_TOGETHER];
    struct points_row together = {.at_s = at_s, .values = values, .ids = ids};
    (void)err;
    for (uint32_t i = s ? s->first : NO_POINT; i != NO_POINT; i = f->points[i].next) {
        const struct flushed_point *p = &f->points[i];
        bool ends = together.n == POINTS_TOGETHER || p->sketch || together.sketch ||
                    p->spelling != together.spelling || p->source != together.source;
        if (together.n && ends && row(arg, &together))
            return 0;
        together.n = ends ? 0 : together.n;
        together.spelling = p->spelling;
        together.source = p->source;
        together.sketch = p->sketch;
        at_s[together.n] = p->timestamp ? p->timestamp : p->received_at / 1000000000;
        ids[together.n] = p->id;
        values[together.n++] = p->number;
    }
    if (together.n)
        row(arg, &together);
    return 0;
}

static int read_spellings(struct reader *r, const struct filter *q,
                          int (*row)(void *, const struct spelling_row *), void *arg, struct err *err) {
    const struct flushed *f = (struct flushed *)r;
    (void)err;
    for (size_t i = 0; i < f->n_series; i++) {
        const struct flushed_series *s = &f->series[i];
        const struct metric *last = NULL;
        if (!wants_series(q, &s->row))
            continue;
        for (uint32_t k = s->first; k != NO_POINT; k = f->points[k].next) {
            const struct flushed_point *p = &f->points[k];
            if (p->spelling == last || !wants_point(q, p))
                continue;
            last = p->spelling;
            if (row(arg, &(struct spelling_row){0, s->row.id, s->row.session, last}))
                return 0;
        }
    }
    return 0;
}

static int read_cadence(struct reader *r, uint64_t series_id, uint64_t first_id, struct cadence *cadence,
                        struct err *err) {
    const struct flushed *f = (struct flushed *)r;
    const struct flushed_series *s = find_series(f, series_id);
    (void)err, (void)first_id;
    *cadence =
        (struct cadence){.source = s && s->first != NO_POINT ? f->points[s->first].source : SOURCE_HTTP};
    for (uint32_t i = s ? s->first : NO_POINT; i != NO_POINT; i = f->points[i].next)
        if (f->points[i].spelling->interval > cadence->interval_s)
            cadence->interval_s = f->points[i].spelling->interval;
    return 0;
}

/* --- all else is the recording's ---------------------------------------------------------------------------------------- */

#define HAND_ON(op, type)                                                                                    \
    static int hand_on_##op(struct reader *r, const struct filter *q,                                        \
                            int (*row)(void *, const struct type *), void *arg, struct err *err) {           \
        struct reader *to = ((struct flushed *)r)->recording;                                                \
        return to->ops->op(to, q, row, arg, err);                                                            \
    }
HAND_ON(events, event_row)
HAND_ON(checks, check_row)
HAND_ON(rejects, reject_row)
HAND_ON(requests, request_row)
HAND_ON(payloads, payload_row)
HAND_ON(datagrams, datagram_row)
HAND_ON(losses, loss_row)

static int hand_on_large(struct reader *r, struct span session, int (*row)(void *, const struct large_row *),
                         void *arg, struct err *err) {
    struct reader *to = ((struct flushed *)r)->recording;
    return to->ops->large(to, session, row, arg, err);
}

static int hand_on_posted(struct reader *r, struct span session, bool payloads,
                          int (*row)(void *, const struct posted_row *), void *arg, struct err *err) {
    struct reader *to = ((struct flushed *)r)->recording;
    return to->ops->posted(to, session, payloads, row, arg, err);
}

static int hand_on_sessions(struct reader *r, int (*row)(void *, const struct session_row *), void *arg,
                            struct err *err) {
    struct reader *to = ((struct flushed *)r)->recording;
    return to->ops->sessions(to, row, arg, err);
}

static int hand_on_session_id(struct reader *r, struct span name, uint64_t *id, struct err *err) {
    struct reader *to = ((struct flushed *)r)->recording;
    return to->ops->session_id(to, name, id, err);
}

static int hand_on_runs(struct reader *r, uint64_t limit, int (*row)(void *, const struct run_row *),
                        void *arg, struct err *err) {
    struct reader *to = ((struct flushed *)r)->recording;
    return to->ops->runs(to, limit, row, arg, err);
}

static int hand_on_last_id(struct reader *r, uint64_t *id, struct err *err) {
    struct reader *to = ((struct flushed *)r)->recording;
    return to->ops->last_id(to, id, err);
}

static int hand_on_first_at(struct reader *r, int64_t wall_ns, uint64_t *id, struct err *err) {
    struct reader *to = ((struct flushed *)r)->recording;
    return to->ops->first_at(to, wall_ns, id, err);
}

static const char *hand_on_note(struct reader *r) {
    struct reader *to = ((struct flushed *)r)->recording;
    return to->ops->note(to);
}

/* --- life ----------------------------------------------------------------------------------------------------------------- */

static int begin(struct reader *r, struct err *err) {
    (void)r, (void)err;
    return 0;
}

static void end(struct reader *r) {
    (void)r;
}

static void close_flushed(struct reader *r) {
    struct flushed *f = (struct flushed *)r;
    arena_free(&f->arena);
    table_free(&f->by_hash);
    table_free(&f->by_id);
    buf_free(&f->key);
    free(f->series);
    free(f->points);
    free(f->order);
    free(f->tags);
    free(f);
}

const struct reader_ops flushed_ops = {
    .close = close_flushed,
    .note = hand_on_note,
    .begin = begin,
    .end = end,
    .series = read_series,
    .samples = read_samples,
    .points = read_points,
    .spellings = read_spellings,
    .cadence = read_cadence,
    .events = hand_on_events,
    .checks = hand_on_checks,
    .rejects = hand_on_rejects,
    .requests = hand_on_requests,
    .payloads = hand_on_payloads,
    .posted = hand_on_posted,
    .datagrams = hand_on_datagrams,
    .losses = hand_on_losses,
    .large = hand_on_large,
    .sessions = hand_on_sessions,
    .session_id = hand_on_session_id,
    .runs = hand_on_runs,
    .last_id = hand_on_last_id,
    .first_at = hand_on_first_at,
};
