/* What a flush sends, and what it forgets. schema/protocol/dogstatsd.md section 7.1. */
#include "agent/private.h"

static bool is_over(int64_t bucket_s, int64_t cutoff_s) {
    return bucket_s + AGENT_BUCKET_S <= cutoff_s;
}

/* --- zeros ---------------------------------------------------------------------------------------------------------- */

/* Each counter that was seen lately gets a zero in this bucket, whatever its object there is. */
static int add_zeros(struct agent *a, int64_t bucket_s, struct err *err) {
    const struct agent_sample zero = {.type = METRIC_COUNT, .rate = 1, .text = SPAN("0.0")};
    for (uint32_t i = 0; i < a->n_contexts; i++) {
        const struct agent_context *c = &a->contexts[i];
        if (!c->used || !c->tracked || c->type != METRIC_COUNT ||
            c->last_seen_s + a->options.counter_expiry_s <= bucket_s)
            continue;
        struct agent_object *o = agent_object_of(a, i, bucket_s, METRIC_COUNT, err);
        if (!o || agent_object_add(a, o, &zero, err) != 0)
            return -1;
    }
    return 0;
}

static bool has_counters(const struct agent *a) {
    for (size_t i = 0; i < a->n_contexts; i++)
        if (a->contexts[i].used && a->contexts[i].tracked && a->contexts[i].type == METRIC_COUNT)
            return true;
    return false;
}

static int add_all_zeros(struct agent *a, int64_t cutoff_s, struct err *err) {
    bool any = has_counters(a);
    if (a->n_buckets == 0)
        return any && a->last_cutoff_s + AGENT_BUCKET_S <= cutoff_s
                   ? add_zeros(a, cutoff_s - AGENT_BUCKET_S, err)
                   : 0;
    size_t n = 0;
    while (n < a->n_buckets && is_over(a->buckets[n].start_s, cutoff_s)) {
        if (any && add_zeros(a, a->buckets[n].start_s, err) != 0)
            return -1;
        n++;
    }
    a->n_buckets -= n;
    memmove(a->buckets, a->buckets + n, a->n_buckets * sizeof *a->buckets);
    return 0;
}

/* --- collecting ----------------------------------------------------------------------------------------------------- */

/* Takes the objects out of the list whose buckets are over, and puts them before `taken`. */
static struct agent_object *take_over(struct agent_object **list, int64_t cutoff_s,
                                      struct agent_object *taken) {
    for (struct agent_object **link = list, *o; (o = *link);) {
        if (!is_over(o->bucket_s, cutoff_s)) {
            link = &o->next;
            continue;
        }
        *link = o->next;
        o->next_in_list = taken;
        taken = o;
    }
    return taken;
}

static struct agent_object *take_objects(struct agent *a, int64_t cutoff_s, bool sketches) {
    struct agent_object *taken = NULL;
    for (size_t i = 0; i < a->n_contexts; i++)
        taken = take_over(sketches ? &a->contexts[i].sketches : &a->contexts[i].objects, cutoff_s, taken);
    return taken;
}

static void free_objects(struct agent *a, struct agent_object *taken) {
    for (struct agent_object *o = taken, *next; o; o = next) {
        next = o->next_in_list;
        agent_object_free(a, o);
    }
}

static int add_rows(struct agent *a, struct agent_object *o, struct err *err) {
    switch (o->type) {
    case METRIC_TIMING:
    case METRIC_HISTOGRAM:
        return agent_histogram_rows(a, o, err);
    case METRIC_COUNT:
        return agent_row_add(a, o, 0, true, o->number / AGENT_BUCKET_S, err);
    case METRIC_SET:
        return agent_row_add(a, o, 0, false, (double)o->texts.n, err);
    case METRIC_DISTRIBUTION:
        return agent_sketch_settle(a, &o->sketch, err) || agent_row_add(a, o, 0, false, 0, err) ? -1 : 0;
    case METRIC_GAUGE:
    case METRIC_RATE:
    case METRIC_N_TYPES:
        break;
    }
    return agent_row_add(a, o, 0, false, o->number, err);
}

/* The Agent drops what is left of a context that has expired. */
static int make_rows(struct agent *a, struct agent_object *taken, struct err *err) {
    a->n_rows = 0;
    for (struct agent_object *o = taken; o; o = o->next_in_list)
        if (a->contexts[o->context].tracked && add_rows(a, o, err) != 0)
            return -1;
    return 0;
}

/* --- order ---------------------------------------------------------------------------------------------------------- */

static unsigned char byte_at(struct span name, struct span suffix, size_t i) {
    return (unsigned char)(i < name.n ? name.p[i] : suffix.p[i - name.n]);
}

/* As span_cmp of the two names with their suffixes. */
static int compare_names(struct span a, struct span a_suffix, struct span b, struct span b_suffix) {
    size_t both = a.n < b.n ? a.n : b.n, n_a = a.n + a_suffix.n, n_b = b.n + b_suffix.n;
    int order = both ? memcmp(a.p, b.p, both) : 0;
    for (size_t i = both; !order && i < n_a && i < n_b; i++)
        order = byte_at(a, a_suffix, i) - byte_at(b, b_suffix, i);
    return order ? order : (n_a > n_b) - (n_a < n_b);
}

static int compare_tags(const struct agent_context *a, const struct agent_context *b) {
    size_t n = a->n_tags < b->n_tags ? a->n_tags : b->n_tags;
    int order = 0;
    for (size_t i = 0; i < n && !order; i++)
        order = span_cmp(a->tags[i], b->tags[i]);
    return order ? order : (a->n_tags > b->n_tags) - (a->n_tags < b->n_tags);
}

/* Equal but for the bucket: points of one series. */
static int compare_series(const struct agent *agent, const struct agent_row *x, const struct agent_row *y) {
    const struct agent_context *a = &agent->contexts[x->object->context];
    const struct agent_context *b = &agent->contexts[y->object->context];
    if (a == b && x->suffix == y->suffix)
        return x->is_rate - y->is_rate;
    int order = compare_names(a->name, agent->suffixes[x->suffix], b->name, agent->suffixes[y->suffix]);
    order = order ? order : span_cmp(a->host, b->host);
    order = order ? order : compare_tags(a, b);
    order = order ? order : x->is_rate - y->is_rate;
    return order ? order : (x->suffix > y->suffix) - (x->suffix < y->suffix);
}

static int compare_rows(const void *x, const void *y, void *agent) {
    const struct agent_row *a = x, *b = y;
    int order = compare_series(agent, a, b);
    if (order)
        return order;
    return (a->object->bucket_s > b->object->bucket_s) - (a->object->bucket_s < b->object->bucket_s);
}

/* --- sending -------------------------------------------------------------------------------------------------------- */

/* Arrays that grow with the longest series, and the name that is put together. */
struct sending {
    const struct agent_sink *sink;
    void *arg;
    struct agent_point *points;
    struct agent_sketch_point *sketches;
    int32_t *keys;
    uint32_t *counts;
    size_t cap_points, cap_sketches, cap_keys, cap_counts;
    struct span *tags;
    size_t cap_tags;
    struct buf name;
};

static void sending_free(struct agent *a, struct sending *s) {
    a->bytes -= s->cap_points * sizeof *s->points + s->cap_sketches * sizeof *s->sketches +
                s->cap_keys * sizeof *s->keys + s->cap_counts * sizeof *s->counts +
                s->cap_tags * sizeof *s->tags;
    free(s->points);
    free(s->sketches);
    free(s->keys);
    free(s->counts);
    free(s->tags);
    buf_free(&s->name);
}

static const struct agent_causes *causes_of(const struct agent_object *o) {
    return o->kept ? &o->kept->causes : NULL;
}

/* A series names its device apart; the last of several counts. */
static int split_device(struct agent *a, struct sending *s, struct agent_series *series, struct err *err) {
    size_t n = 0;
    for (size_t i = 0; i < series->n_tags; i++) {
        struct span tag = series->tags[i];
        if (span_starts(tag, SPAN("device:"))) {
            series->device = span_from(tag, 7);
            continue;
        }
        if (span_starts(tag, SPAN("dd.internal.resource:")))
            continue;
        if (agent_room(a, &s->tags, n, &s->cap_tags, sizeof *s->tags, err) != 0)
            return -1;
        s->tags[n++] = tag;
    }
    series->tags = s->tags;
    series->n_tags = n;
    return 0;
}

static int send_series(struct agent *a, struct sending *s, size_t n, const struct agent_row *rows,
                       struct err *err) {
    const struct agent_context *c = &a->contexts[rows->object->context];
    for (size_t i = 0; i < n; i++) {
        if (agent_room(a, &s->points, i, &s->cap_points, sizeof *s->points, err) != 0)
            return -1;
        s->points[i] =
            (struct agent_point){rows[i].object->bucket_s, rows[i].value, causes_of(rows[i].object),
                                 rows[i].object->id, rows[i].object->newest_ns};
    }
    buf_clear(&s->name);
    buf_span(&s->name, c->name);
    buf_span(&s->name, a->suffixes[rows->suffix]);
    if (s->name.failed)
        return agent_no_memory(err);
    struct agent_series series = {.metric = buf_view(&s->name),
                                  .host = c->host,
                                  .type = rows->is_rate ? "rate" : "gauge",
                                  .interval = AGENT_BUCKET_S,
                                  .n_tags = c->n_tags,
                                  .tags = c->tags,
                                  .n_points = n,
                                  .points = s->points};
    if (split_device(a, s, &series, err) != 0)
        return -1;
    s->sink->series(s->arg, &series);
    return 0;
}

/* The bins of point i go behind those of the points before; `at` counts them. */
static int put_sketch_point(struct agent *a, struct sending *s, size_t i, const struct agent_object *o,
                            size_t *at, struct err *err) {
    const struct agent_sketch *k = &o->sketch;
    if (agent_room(a, &s->sketches, i, &s->cap_sketches, sizeof *s->sketches, err) != 0)
        return -1;
    for (size_t j = 0; j < k->n_bins; j++, (*at)++) {
        if (agent_room(a, &s->keys, *at, &s->cap_keys, sizeof *s->keys, err) != 0 ||
            agent_room(a, &s->counts, *at, &s->cap_counts, sizeof *s->counts, err) != 0)
            return -1;
        s->keys[*at] = k->bins[j].key;
        s->counts[*at] = k->bins[j].n;
    }
    s->sketches[i] = (struct agent_sketch_point){.at_s = o->bucket_s,
                                                 .count = k->count,
                                                 .min = k->min,
                                                 .max = k->max,
                                                 .avg = k->avg,
                                                 .sum = k->sum,
                                                 .n_bins = k->n_bins,
                                                 .causes = causes_of(o),
                                                 .id = o->id,
                                                 .newest_ns = o->newest_ns};
    return 0;
}

static int send_sketches(struct agent *a, struct sending *s, size_t n, const struct agent_row *rows,
                         struct err *err) {
    const struct agent_context *c = &a->contexts[rows->object->context];
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        if (put_sketch_point(a, s, i, rows[i].object, &at, err) != 0)
            return -1;
    at = 0;
    for (size_t i = 0; i < n; at += s->sketches[i++].n_bins) { /* the arrays do not move any more */
        s->sketches[i].keys = s->keys + at;
        s->sketches[i].counts = s->counts + at;
    }
    struct agent_sketch_series series = {c->name, c->host, AGENT_BUCKET_S, c->n_tags,
                                         c->tags, n,       s->sketches};
    s->sink->sketch(s->arg, &series);
    return 0;
}

typedef int send_fn(struct agent *a, struct sending *s, size_t n, const struct agent_row *rows,
                    struct err *err);

/* Hands each run of rows that make one series to `send`. */
static int send_rows(struct agent *a, struct sending *s, send_fn *send, struct err *err) {
    if (a->n_rows)
        qsort_r(a->rows, a->n_rows, sizeof *a->rows, compare_rows, a);
    for (size_t i = 0, n; i < a->n_rows; i += n) {
        n = 1;
        while (i + n < a->n_rows && compare_series(a, &a->rows[i], &a->rows[i + n]) == 0)
            n++;
        if (send(a, s, n, a->rows + i, err) != 0)
            return -1;
    }
    return 0;
}

static int send_objects(struct agent *a, struct sending *s, int64_t cutoff_s, bool sketches,
                        struct err *err) {
    struct agent_object *taken = take_objects(a, cutoff_s, sketches);
    int failed = make_rows(a, taken, err) || send_rows(a, s, sketches ? send_sketches : send_series, err);
    free_objects(a, taken);
    return failed ? -1 : 0;
}

static int send_timed(struct agent *a, struct sending *s, struct err *err) {
    for (struct agent_timed *t = a->timed; t; t = t->next) {
        t->causes.shown = &t->cause;
        if (agent_is_explained(a, t->series.metric))
            t->point.causes = &t->causes;
        t->series.n_points = 1;
        t->series.points = &t->point;
        if (split_device(a, s, &t->series, err) != 0)
            return -1;
        s->sink->timed(s->arg, &t->series);
    }
    a->bytes -= a->timed_bytes;
    a->timed_bytes = 0;
    arena_reset(&a->timed_arena);
    a->timed = NULL;
    a->timed_end = &a->timed;
    return 0;
}

int agent_flush(struct agent *a, int64_t at_ns, const struct agent_sink *sink, void *arg, struct err *err) {
    int64_t at_s = at_ns / 1000000000, cutoff_s = at_s - at_s % AGENT_BUCKET_S;
    struct sending s = {.sink = sink, .arg = arg};
    sink->begin(arg, at_ns);
    int failed = add_all_zeros(a, cutoff_s, err) || send_objects(a, &s, cutoff_s, false, err) ||
                 send_objects(a, &s, cutoff_s, true, err) || send_timed(a, &s, err);
    sending_free(a, &s);
    if (failed)
        return -1;
    sink->end(arg);
    agent_expire(a, at_s);
    a->last_cutoff_s = cutoff_s;
    return 0;
}
