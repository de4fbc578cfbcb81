#include "fake_reader.h"

#include "core/glob.h"
#include "decode/dogstatsd.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

struct bin {
    size_t n, cap, size;
    char *items;
};

struct fake {
    struct reader reader;
    struct dogstatsd *decoder;
    struct span session;
    enum source source;
    uint64_t last_id;
    struct bin series, samples, events, checks, rejects, losses; /* rows */
    struct large_row large[2];
    struct bin memory; /* pointers to free */
};

static void *bin_add(struct bin *b, size_t size, const void *item) {
    if (b->n == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 64;
        b->items = realloc(b->items, b->cap * size);
        assert(b->items);
    }
    b->size = size;
    return memcpy(b->items + b->n++ * size, item, size);
}

static void *take(struct fake *f, size_t n) {
    void *p = calloc(1, n ? n : 1);
    assert(p);
    bin_add(&f->memory, sizeof p, &p);
    return p;
}

static struct span keep(struct fake *f, struct span s) {
    if (!s.p)
        return s;
    char *p = take(f, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    return span_of(p, s.n);
}

static struct span *keep_list(struct fake *f, size_t n, const struct span *list) {
    struct span *copy = take(f, (n + 1) * sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = keep(f, list[i]);
    return copy;
}

static const struct remarks *keep_remarks(struct fake *f, const struct remarks *r) {
    if (!r)
        return NULL;
    struct remarks *copy = take(f, sizeof *copy);
    *copy = *r;
    copy->line = keep(f, r->line);
    for (size_t i = 0; i < r->n; i++)
        copy->list[i].text = keep(f, r->list[i].text);
    return copy;
}

static struct origin keep_origin(struct fake *f, struct origin o) {
    o.host = keep(f, o.host);
    o.container_id = keep(f, o.container_id);
    o.external_data = keep(f, o.external_data);
    o.cardinality = keep(f, o.cardinality);
    o.entity_id = keep(f, o.entity_id);
    o.jmx_check_name = keep(f, o.jmx_check_name);
    return o;
}

static int64_t time_of(uint64_t id) {
    return 1795000000 * INT64_C(1000000000) + (int64_t)id * 1000000;
}

static int by_bytes(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

static struct series_row *series_of(struct fake *f, const struct metric *m) {
    struct span *tags = keep_list(f, m->n_tags, m->tags);
    size_t n = 0;
    if (m->n_tags)
        qsort(tags, m->n_tags, sizeof *tags, by_bytes);
    for (size_t i = 0; i < m->n_tags; i++)
        if (n == 0 || !span_eq(tags[n - 1], tags[i]))
            tags[n++] = tags[i];
    for (size_t i = 0; i < f->series.n; i++) {
        struct series_row *s = (struct series_row *)(void *)f->series.items + i;
        bool same = s->type == m->type && span_eq(s->name, m->name) && span_eq(s->session, f->session) &&
                    span_eq(s->host, m->origin.host) && !s->host.p == !m->origin.host.p && s->n_tags == n;
        for (size_t k = 0; same && k < n; k++)
            same = span_eq(s->tags[k], tags[k]);
        if (same)
            return s;
    }
    struct series_row row = {.id = f->series.n + 1,
                             .session = f->session,
                             .name = keep(f, m->name),
                             .type = m->type,
                             .n_tags = n,
                             .tags = tags,
                             .host = keep(f, m->origin.host),
                             .device = keep(f, m->device)};
    row.first_id = f->last_id + 1;
    row.first_at = time_of(row.first_id);
    return bin_add(&f->series, sizeof row, &row);
}

static const struct sketch *keep_sketch(struct fake *f, const struct sketch *s) {
    if (!s)
        return NULL;
    struct sketch *copy = take(f, sizeof *copy);
    int32_t *keys = take(f, s->n_bins * sizeof *keys);
    uint32_t *counts = take(f, s->n_bins * sizeof *counts);
    *copy = *s;
    memcpy(keys, s->keys, s->n_bins * sizeof *keys);
    memcpy(counts, s->counts, s->n_bins * sizeof *counts);
    copy->keys = keys;
    copy->counts = counts;
    return copy;
}

static void summarise(struct series_row *s, const struct metric *m, const struct value *v, uint64_t id) {
    struct metric_weight w = metric_weigh(m->type, m->sample_rate);
    const struct sketch *sketch = v->sketch;
    double value = v->number, min = sketch ? sketch->min : value, max = sketch ? sketch->max : value;
    s->count += sketch ? (double)sketch->count : w.count;
    s->sum += sketch ? sketch->sum : value * w.factor;
    s->min = s->samples ? fmin(s->min, min) : min;
    s->max = s->samples ? fmax(s->max, max) : max;
    s->last = value;
    if (m->type == METRIC_SET)
        s->sum = s->min = s->max = s->last = NAN;
    s->samples++;
    s->sampled |= m->sample_rate != 1;
    s->last_id = id;
    s->last_at = time_of(id);
}

static void put_metric(struct fake *f, const struct metric *m) {
    struct metric *spelling = take(f, sizeof *spelling);
    *spelling = *m;
    spelling->name = keep(f, m->name);
    spelling->tags = keep_list(f, m->n_tags, m->tags);
    spelling->origin = keep_origin(f, m->origin);
    spelling->unit = keep(f, m->unit);
    spelling->device = keep(f, m->device);
    spelling->source_type = keep(f, m->source_type);
    spelling->resources = keep(f, m->resources);
    spelling->remarks = keep_remarks(f, m->remarks);
    spelling->n_values = 0;
    spelling->values = NULL;
    spelling->key_name = spelling->key_rest = (struct span){NULL, 0};
    struct series_row *s = series_of(f, m);
    for (size_t i = 0; i < m->n_values; i++) {
        struct sample_row row = {.id = ++f->last_id,
                                 .series_id = s->id,
                                 .received_at = time_of(f->last_id),
                                 .source = f->source,
                                 .session = f->session,
                                 .value = m->values[i],
                                 .spelling = spelling};
        row.value.text = keep(f, row.value.text);
        row.value.sketch = keep_sketch(f, row.value.sketch);
        if (m->type == METRIC_SET)
            row.text = row.value.text;
        summarise(s, m, &row.value, row.id);
        bin_add(&f->samples, sizeof row, &row);
    }
}

static void put(void *arg, const struct record *record) {
    fake_put(arg, record);
}

void fake_put(struct fake *f, const struct record *record) {
    if (record->kind == RECORD_METRIC) {
        put_metric(f, &record->metric);
        return;
    }
    uint64_t id = ++f->last_id;
    if (record->kind == RECORD_EVENT) {
        struct event_row row = {id, time_of(id), f->source, f->session, record->event};
        struct event *e = &row.event;
        struct span *texts[] = {&e->title,    &e->text,       &e->aggregation_key,
                                &e->priority, &e->alert_type, &e->source_type_name};
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
            *texts[i] = keep(f, *texts[i]);
        e->tags = keep_list(f, e->n_tags, e->tags);
        e->origin = keep_origin(f, e->origin);
        e->remarks = keep_remarks(f, e->remarks);
        bin_add(&f->events, sizeof row, &row);
    } else if (record->kind == RECORD_SERVICE_CHECK) {
        struct check_row row = {id, time_of(id), f->source, f->session, record->check};
        row.check.name = keep(f, row.check.name);
        row.check.message = keep(f, row.check.message);
        row.check.tags = keep_list(f, row.check.n_tags, row.check.tags);
        row.check.origin = keep_origin(f, row.check.origin);
        row.check.remarks = keep_remarks(f, row.check.remarks);
        bin_add(&f->checks, sizeof row, &row);
    } else {
        struct reject_row row = {id, time_of(id), f->source, f->session, record->reject};
        row.reject.family = keep(f, row.reject.family);
        row.reject.text = keep(f, row.reject.text);
        row.reject.name = keep(f, row.reject.name);
        row.reject.detail = keep(f, row.reject.detail);
        bin_add(&f->rejects, sizeof row, &row);
    }
}

static void note_large(struct fake *f, size_t n) {
    bool over_agent = n > DATAGRAM_AGENT_MAX;
    struct large_row *row = &f->large[over_agent];
    if (n <= DATAGRAM_PACKET_MAX || (!over_agent && f->source != SOURCE_UDP))
        return;
    *row = (struct large_row){over_agent ? DATAGRAM_AGENT_MAX : DATAGRAM_PACKET_MAX, row->n + 1,
                              n > row->largest ? n : row->largest, f->last_id + 1};
}

void fake_send_span(struct fake *f, struct span datagram) {
    note_large(f, datagram.n);
    dogstatsd_decode(f->decoder, datagram, put, f);
}

void fake_send(struct fake *f, const char *datagram) {
    fake_send_span(f, span_str(datagram));
}

void fake_session(struct fake *f, const char *name) {
    f->session = keep(f, span_str(name));
}

void fake_source(struct fake *f, enum source source) {
    f->source = source;
}

void fake_loss_of(struct fake *f, const char *session, enum loss loss, uint64_t n, uint64_t id) {
    struct loss_row row = {id, time_of(id), keep(f, span_str(session)), loss, n, SPAN("test")};
    bin_add(&f->losses, sizeof row, &row);
}

void fake_loss(struct fake *f, const char *session, enum loss loss, uint64_t n) {
    fake_loss_of(f, session, loss, n, ++f->last_id);
}

uint64_t fake_last_id(const struct fake *f) {
    return f->last_id;
}

void fake_skip_to(struct fake *f, uint64_t last_id) {
    f->last_id = last_id;
}

/* --- the reader ------------------------------------------------------------------------------------------ */

static bool tag_wanted(struct span pattern, size_t n, const struct span *tags) {
    for (size_t i = 0; i < n; i++)
        if (span_eq(pattern, tags[i]) || (glob_is_pattern(pattern) && glob_match(pattern, tags[i])))
            return true;
    return false;
}

static bool wanted(const struct filter *q, struct span session, struct span name, size_t n_tags,
                   const struct span *tags, uint64_t id) {
    if ((q->session.p && !span_eq(q->session, session)) || (q->name.p && !glob_match(q->name, name)))
        return false;
    if (id <= q->since || (q->until && id > q->until))
        return false;
    for (size_t i = 0; i < q->n_tags; i++)
        if (!tag_wanted(q->tags[i], n_tags, tags))
            return false;
    return true;
}

/* Walks `bin`; `test` says which rows, `limit` how many of them, from which end. */
typedef bool test_fn(const struct filter *q, const void *row);
typedef int row_fn(void *arg, const void *row);

static void walk(const struct bin *bin, const struct filter *q, test_fn *test, row_fn *row, void *arg) {
    static const struct filter everything;
    q = q ? q : &everything;
    size_t matching = 0, seen = 0;
    for (size_t i = 0; q->limit && q->newest && i < bin->n; i++)
        matching += test(q, bin->items + i * bin->size);
    for (size_t i = 0; i < bin->n; i++) {
        const void *item = bin->items + i * bin->size;
        if (!test(q, item))
            continue;
        seen++;
        if (q->limit && q->newest && seen + q->limit <= matching)
            continue;
        if (q->limit && !q->newest && seen > q->limit)
            return;
        if (row(arg, item))
            return;
    }
}

bool fake_obeys_names;

static bool name_matters(const struct filter *q, struct span name) {
    for (size_t i = 0; i < q->n_names; i++)
        if (glob_match(q->names[i], name))
            return true;
    return q->n_names == 0 || !fake_obeys_names;
}

static bool test_series(const struct filter *q, const void *row) {
    const struct series_row *s = row;
    struct filter timeless = *q;
    timeless.since = timeless.until = 0;
    return name_matters(q, s->name) &&
           wanted(&timeless, s->session, s->name, s->n_tags, s->tags, s->last_id) &&
           (!q->has_type || q->type == s->type) && (!q->series_id || q->series_id == s->id);
}

static bool test_sample(const struct filter *q, const void *row) {
    const struct sample_row *s = row;
    return wanted(q, s->session, s->spelling->name, s->spelling->n_tags, s->spelling->tags, s->id) &&
           (!q->has_type || q->type == s->spelling->type) &&
           (!q->series_id || q->series_id == s->series_id) && (!q->has_source || q->source == s->source) &&
           (!q->timed || s->value.timestamp) && (!q->remarked || s->spelling->remarks) &&
           (!q->sampled || s->spelling->sample_rate != 1);
}

static bool test_event(const struct filter *q, const void *row) {
    const struct event_row *e = row;
    return wanted(q, e->session, e->event.title, e->event.n_tags, e->event.tags, e->id) &&
           (!q->remarked || e->event.remarks);
}

static bool test_check(const struct filter *q, const void *row) {
    const struct check_row *c = row;
    return wanted(q, c->session, c->check.name, c->check.n_tags, c->check.tags, c->id) &&
           (!q->remarked || c->check.remarks);
}

static bool test_reject(const struct filter *q, const void *row) {
    const struct reject_row *r = row;
    return wanted(q, r->session, r->reject.name, 0, NULL, r->id);
}

static bool test_loss(const struct filter *q, const void *row) {
    const struct loss_row *l = row;
    return (!q->session.p || !l->session.p || span_eq(q->session, l->session)) && l->id > q->since;
}

#define WALK(what, type)                                                                                     \
    struct what##_call {                                                                                     \
        int (*row)(void *, const struct type *);                                                             \
        void *arg;                                                                                           \
    };                                                                                                       \
    static int what##_row(void *arg, const void *row) {                                                      \
        struct what##_call *call = arg;                                                                      \
        return call->row(call->arg, row);                                                                    \
    }
WALK(series, series_row)
WALK(sample, sample_row)
WALK(event, event_row)
WALK(check, check_row)
WALK(reject, reject_row)
WALK(loss, loss_row)

#define READ(op, what, type, bin)                                                                            \
    static int op(struct reader *r, const struct filter *q, int (*row)(void *, const struct type *),         \
                  void *arg, struct err *err) {                                                              \
        struct what##_call call = {row, arg};                                                                \
        (void)err;                                                                                           \
        walk(&((struct fake *)r)->bin, q, test_##what, what##_row, &call);                                   \
        return 0;                                                                                            \
    }
READ(read_series, series, series_row, series)
READ(read_events, event, event_row, events)
READ(read_checks, check, check_row, checks)
READ(read_rejects, reject, reject_row, rejects)
READ(read_losses, loss, loss_row, losses)

struct name_call {
    size_t n;
    struct span *list;
};

static int list_name(void *arg, const struct series_row *row) {
    struct name_call *call = arg;
    call->list[call->n++] = row->name;
    return 0;
}

static int read_names(struct reader *r, int (*row)(void *, struct span), void *arg, struct err *err) {
    struct fake *f = (struct fake *)r;
    struct span *list = calloc(f->series.n + 1, sizeof *list);
    struct name_call call = {.list = list};
    struct filter all = {0};
    if (!list)
        return err_set(err, 0, "out of memory");
    read_series(r, &all, list_name, &call, err);
    qsort(list, call.n, sizeof *list, by_bytes);
    for (size_t i = 0; i < call.n; i++)
        if ((i == 0 || !span_eq(list[i], list[i - 1])) && row(arg, list[i]) != 0)
            break;
    free(list);
    return 0;
}

static int read_samples(struct reader *r, const struct filter *q, bool ordered,
                        int (*row)(void *, const struct sample_row *), void *arg, struct err *err) {
    struct fake *f = (struct fake *)r;
    struct sample_call call = {row, arg};
    (void)err;
    if (ordered || q->series_id) {
        walk(&f->samples, q, test_sample, sample_row, &call);
        return 0;
    }
    struct filter one = *q;
    for (one.series_id = 1; one.series_id <= f->series.n; one.series_id++)
        walk(&f->samples, &one, test_sample, sample_row, &call);
    return 0;
}

struct spelling_call {
    int (*row)(void *, const struct spelling_row *);
    void *arg;
    const struct metric *last;
};

/* Every line has a spelling of its own here. */
static int take_spelling(void *arg, const struct sample_row *s) {
    struct spelling_call *call = arg;
    if (s->spelling == call->last)
        return 0;
    call->last = s->spelling;
    return call->row(call->arg, &(struct spelling_row){s->series_id, s->session, s->spelling});
}

static int read_spellings(struct reader *r, const struct filter *q,
                          int (*row)(void *, const struct spelling_row *), void *arg, struct err *err) {
    struct spelling_call call = {.row = row, .arg = arg};
    return read_samples(r, q, false, take_spelling, &call, err);
}

static int read_requests(struct reader *r, const struct filter *q,
                         int (*row)(void *, const struct request_row *), void *arg, struct err *err) {
    (void)r, (void)q, (void)row, (void)arg, (void)err;
    return 0;
}

static int read_sessions(struct reader *r, int (*row)(void *, const struct session_row *), void *arg,
                         struct err *err) {
    struct session_row session = {.id = 1, .name = SPAN("default"), .open = true};
    (void)r, (void)err;
    row(arg, &session);
    return 0;
}

/* Of all sessions together. */
static int read_large(struct reader *r, struct span session, int (*row)(void *, const struct large_row *),
                      void *arg, struct err *err) {
    struct fake *f = (struct fake *)r;
    (void)session, (void)err;
    for (int i = 0; i < 2; i++)
        if (f->large[i].n && row(arg, &f->large[i]))
            break;
    return 0;
}

static int read_last_id(struct reader *r, uint64_t *id, struct err *err) {
    (void)err;
    *id = ((struct fake *)r)->last_id;
    return 0;
}

static int begin(struct reader *r, struct err *err) {
    (void)r, (void)err;
    return 0;
}

static void end(struct reader *r) {
    (void)r;
}

static const struct reader_ops ops = {
    .begin = begin,
    .end = end,
    .series = read_series,
    .names = read_names,
    .samples = read_samples,
    .events = read_events,
    .checks = read_checks,
    .rejects = read_rejects,
    .requests = read_requests,
    .losses = read_losses,
    .spellings = read_spellings,
    .large = read_large,
    .sessions = read_sessions,
    .last_id = read_last_id,
};

struct fake *fake_new(void) {
    static const struct dogstatsd_options options;
    struct fake *f = calloc(1, sizeof *f);
    assert(f);
    f->reader.ops = &ops;
    f->decoder = dogstatsd_new(&options);
    assert(f->decoder);
    f->session = SPAN("default");
    return f;
}

void fake_free(struct fake *f) {
    for (size_t i = 0; i < f->memory.n; i++)
        free(((void **)(void *)f->memory.items)[i]);
    struct bin *bins[] = {&f->series,  &f->samples, &f->events, &f->checks,
                          &f->rejects, &f->losses,  &f->memory};
    for (size_t i = 0; i < sizeof bins / sizeof bins[0]; i++)
        free(bins[i]->items);
    dogstatsd_free(f->decoder);
    free(f);
}

struct reader *fake_reader(struct fake *f) {
    return &f->reader;
}
