/* What came in one period, as an event.
 *
 *     event: batch
 *     data: {"last_id":…,"passed":25000,"names":1000,"partial":false,"rows":[{…a sample…,"n":1,"sum":1,"new":true},…]}
 *
 * DESIGN. The samples above the cursor are read. If there are no more than `rows`, each is sent. Otherwise
 * they are counted by name and type, and of the names that matter most one row each is sent, with its newest sample: names with a
 * series that was never there before, then those with the fewest samples. So what is new or rare shows in any flood. They are counted
 * out of the rows of chunks, which begin behind the cursor, since that is the end of a commit; where a condition needs the samples,
 * these are read, without their order. A pass looks at CHUNKS_MAX or SAMPLES_MAX at most, the newest; when there were more, the event
 * says "partial":true. One that is to be brief looks at a quarter of that,
 * unless the filter has a source: then what is new is found in the samples alone.
 */
#include "control/batch_event.h"

#include "core/array.h"
#include "core/glob.h"
#include "core/json.h"
#include "core/metric.h"
#include "render/rows.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#define SAMPLES_MAX    50000 /* read for one event */
#define CHUNKS_MAX     8000
#define BRIEF          4    /* a brief event looks at so much less */
#define FEW_IDS        1024 /* records: of so many, each is looked at in order first */
#define NEW_SERIES_MAX 4000
#define EVENT_MAX      ((size_t)64 << 10) /* bytes; one row more when that is larger */
#define ROW_MAX        ((size_t)16 << 20) /* bytes of a row that is kept */
#define NAMES_MEMORY   ((size_t)32 << 20) /* bytes of the names of one event */

struct batch_name {
    struct span name;
    enum metric_type type;
    bool is_new;
    uint64_t n;
    uint64_t newest_id; /* of the newest sample, or of one in the newest chunk */
    double sum;
    uint64_t unread; /* of its new series: for when no sample of it was read */
    double unread_sum;
};

/* --- rows ------------------------------------------------------------------------------------------------ */

/* A sample's object, without what the sample does not have, and with three fields more. */
static int put_row(struct batch_event *s, const struct sample_row *row, uint64_t n, double sum, bool is_new) {
    size_t before = s->text.n;
    if (s->text.n > EVENT_MAX) {
        s->full = true;
        return 1;
    }
    buf_str(&s->text, s->n_rows++ ? "," : "");
    size_t from = s->text.n;
    rows_sample_json(&s->text, row);
    if (!s->text.failed)
        rows_leave_out_nulls(&s->text, from);
    while (s->text.n > before && s->text.p[s->text.n - 1] != '}')
        s->text.n--;
    s->text.n -= s->text.n > before;
    buf_printf(&s->text, ",\"n\":%" PRIu64 ",\"sum\":", n);
    json_put_number(&s->text, sum);
    buf_printf(&s->text, ",\"new\":%s}", is_new ? "true" : "false");
    return s->text.failed;
}

static double sum_of(const struct sample_row *row) {
    const struct metric *m = row->spelling;
    const struct sketch *sketch = row->value.sketch;
    if (metric_is(m->type, METRIC_TEXT))
        return NAN;
    return row->value.number *
           (sketch ? (double)sketch->count : metric_weigh(m->type, m->sample_rate).factor);
}

/* Each, as long as there are few. */
static int take_each(void *arg, const struct sample_row *row) {
    struct batch_event *s = arg;
    if (s->n++ == s->rows)
        return 1;
    if (s->newest_series < row->series_id)
        s->newest_series = row->series_id;
    return put_row(s, row, 1, sum_of(row), row->series_id > s->series);
}

/* --- by name and type ------------------------------------------------------------------------------------ */

static struct batch_name *find_group(struct batch_event *s, const struct metric *m) {
    uint64_t hash = XXH3_64bits_withSeed(m->name.n ? m->name.p : "", m->name.n, (XXH64_hash_t)m->type);
    bool added;
    uint32_t *at;
    for (;; hash++) { /* a neighbour, where another name has the same hash */
        at = table_put(&s->by_hash, hash, (uint32_t)s->n_groups, &added);
        if (!at || added || (span_eq(s->groups[*at].name, m->name) && s->groups[*at].type == m->type))
            break;
    }
    if (at && !added)
        return &s->groups[*at];
    struct span name = arena_copy(&s->arena, m->name);
    if (!at || s->arena.failed || !array_room(&s->groups, s->n_groups, &s->cap_groups, sizeof *s->groups))
        return NULL;
    s->groups[s->n_groups] = (struct batch_name){.name = name, .type = m->type};
    return &s->groups[s->n_groups++];
}

/* The group of a series whose newest sample is last_id. NULL: no memory; then s has failed. */
static struct batch_name *see_series(struct batch_event *s, const struct metric *m, uint64_t series_id,
                                     uint64_t last_id) {
    struct batch_name *g = find_group(s, m);
    if (!g) {
        s->failed = true;
        return NULL;
    }
    g->is_new = g->is_new || series_id > s->series;
    if (g->newest_id < last_id)
        g->newest_id = last_id;
    if (s->newest_series < series_id)
        s->newest_series = series_id;
    return g;
}

static int count_chunk(void *arg, const struct chunk_row *row) {
    struct batch_event *s = arg;
    struct batch_name *g =
        see_series(s, &(struct metric){.name = row->name, .type = row->type}, row->series_id, row->id);
    if (!g)
        return 1;
    s->n += row->n;
    g->n += row->n;
    g->sum += row->sum;
    return 0;
}

static int count_sample(void *arg, const struct sample_row *row) {
    struct batch_event *s = arg;
    if (s->filter.session.p && !span_eq(row->session, s->filter.session))
        return 0;
    struct batch_name *g = find_group(s, row->spelling);
    if (!g) {
        s->failed = true;
        return 1;
    }
    s->n++;
    g->n++;
    g->sum += sum_of(row);
    g->is_new = g->is_new || row->series_id > s->series;
    if (g->newest_id < row->id)
        g->newest_id = row->id;
    if (s->newest_series < row->series_id)
        s->newest_series = row->series_id;
    return 0;
}

static int new_and_rare_first(const void *a, const void *b) {
    const struct batch_name *x = a, *y = b;
    if (x->is_new != y->is_new)
        return x->is_new ? -1 : 1;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return span_cmp(x->name, y->name);
}

struct newest {
    struct batch_event *s;
    const struct batch_name *group;
};

static int put_newest(void *arg, const struct sample_row *row) {
    struct newest *n = arg;
    const struct batch_name *g = n->group;
    return span_eq(row->spelling->name, g->name) ? put_row(n->s, row, g->n, g->sum, g->is_new) : 0;
}

static int put_groups(struct batch_event *s, const struct filter *f, struct err *err) {
    qsort(s->groups, s->n_groups, sizeof *s->groups, new_and_rare_first);
    for (size_t i = 0; i < s->n_groups && i < s->rows && !s->full && !s->text.failed; i++) {
        struct newest newest = {s, &s->groups[i]};
        struct filter one = *f;
        one.name = s->groups[i].name; /* a name with * finds others, too: the id tells them apart */
        one.has_type = true;
        one.type = s->groups[i].type;
        one.since = s->groups[i].newest_id - 1;
        one.newest = !glob_is_pattern(one.name);
        one.limit = one.newest;
        if (!one.newest)
            one.until = s->groups[i].newest_id;
        if (s->reader->ops->samples(s->reader, &one, false, put_newest, &newest, err) != 0)
            return -1;
    }
    return 0;
}

/* --- an event -------------------------------------------------------------------------------------------- */

static void begin_event(struct batch_event *s) {
    buf_clear(&s->text);
    arena_reset(&s->arena);
    table_free(&s->by_hash);
    s->n_groups = s->n_rows = s->n = 0;
    s->failed = s->partial = s->full = false;
}

/* The text's head has a place of fixed width for each number, which is known at the end. */
#define HEAD                                                                                                 \
    "event: batch\ndata: {\"last_id\":%-20" PRIu64 ",\"passed\":%-10" PRIu64                                 \
    ",\"names\":%-10zu,\"partial\":%-5s,\"rows\":["

static void put_head(struct batch_event *s, uint64_t last_id) {
    char head[160];
    int n = snprintf(head, sizeof head, HEAD, last_id, s->n, s->n_groups, s->partial ? "true" : "false");
    if (s->text.n == 0)
        buf_add(&s->text, head, (size_t)n);
    else
        memcpy(s->text.p, head, (size_t)n);
}

static int send_each(struct batch_event *s, struct filter *f, struct err *err) {
    s->n = 0;
    f->limit = s->rows + 1;
    f->newest = false;
    if (s->reader->ops->samples(s->reader, f, true, take_each, s, err) != 0)
        return -1;
    s->n_groups = s->n; /* each is shown, whatever its name */
    return 0;
}

/* A series that came up is told of even if its samples are not among those that are read. */
static int take_new_series(void *arg, const struct series_row *row) {
    struct batch_event *s = arg; /* which asked for those after s->series */
    struct batch_name *g =
        see_series(s, &(struct metric){.name = row->name, .type = row->type}, row->id, row->last_id);
    if (!g)
        return 1;
    g->unread += row->samples;
    g->unread_sum += row->sum;
    return 0;
}

static int count_chunks(struct batch_event *s, const struct filter *f, struct err *err) {
    uint64_t from;
    if (s->reader->ops->chunks(s->reader, f->session, f->since, s->brief ? CHUNKS_MAX / BRIEF : CHUNKS_MAX,
                               count_chunk, s, &from, err) != 0)
        return -1;
    s->partial = from > f->since;
    return 0;
}

static int count_samples(struct batch_event *s, const struct filter *f, bool free, struct err *err) {
    struct filter newest = *f;
    if (free) /* without conditions, the store reads what lies together */
        newest.session = (struct span){NULL, 0};
    uint64_t max = s->brief && !f->has_source ? SAMPLES_MAX / BRIEF : SAMPLES_MAX;
    s->partial = f->until - f->since > max; /* ids: there are no more samples than these */
    if (s->partial)
        newest.since = f->until - max;
    return s->reader->ops->samples(s->reader, &newest, false, count_sample, s, err);
}

static int count_by_name(struct batch_event *s, struct filter *f, struct err *err) {
    const struct reader_ops *ops = s->reader->ops;
    struct filter fresh = *f;
    fresh.since = fresh.until = 0;
    fresh.after_series = s->series;
    fresh.limit = NEW_SERIES_MAX;
    if (!f->has_source && ops->series(s->reader, &fresh, take_new_series, s, err) != 0)
        return -1;
    f->limit = 0;
    bool free = !f->name.p && !f->has_type && f->n_tags == 0 && !f->has_source;
    if ((free && s->aligned && ops->chunks ? count_chunks(s, f, err) : count_samples(s, f, free, err)) != 0 ||
        s->failed)
        return -1;
    for (size_t i = 0; i < s->n_groups; i++) {
        struct batch_name *g = &s->groups[i];
        if (g->n)
            continue;
        g->n = g->unread;
        g->sum = g->unread_sum;
        s->n += g->n;
    }
    return 0;
}

static int read_samples(struct batch_event *s, uint64_t last_id, struct err *err) {
    struct filter f = s->filter;
    f.since = s->cursor;
    f.until = last_id;
    bool count = last_id - s->cursor > FEW_IDS;
    if (count && count_by_name(s, &f, err) != 0)
        return -1;
    bool few = count ? s->n <= s->rows && !s->partial : true;
    put_head(s, last_id);
    size_t head = s->text.n;
    if (few && send_each(s, &f, err) != 0)
        return -1;
    if (few && (s->n > s->rows || s->full)) { /* or many, after all */
        s->text.n = head;
        s->n = s->n_groups = s->n_rows = 0;
        s->full = few = false;
        if (count_by_name(s, &f, err) != 0)
            return -1;
    }
    if (!few && put_groups(s, &f, err) != 0)
        return -1;
    put_head(s, last_id);
    buf_str(&s->text, "]}\n\n");
    return s->text.failed ? -1 : 0;
}

static int note_series(void *arg, const struct series_row *row) {
    struct batch_event *s = arg;
    if (s->newest_series < row->id)
        s->newest_series = row->id;
    return 0;
}

int batch_event_read(struct batch_event *s, struct reader *reader, struct err *err) {
    const struct reader_ops *ops = reader->ops;
    begin_event(s);
    s->reader = reader;
    uint64_t last_id;
    if (!s->begun) {
        struct filter newest = {.newest = true, .limit = 1};
        if (ops->holder) /* not of the other recording */
            newest.session = s->filter.session;
        if (ops->series(s->reader, &newest, note_series, s, err) != 0)
            return -1;
        s->series = s->newest_series;
        s->begun = true;
    }
    if (reader_last_id(s->reader, s->session_id, &last_id, err) != 0)
        return -1;
    if (last_id <= s->cursor)
        return 0;
    if (read_samples(s, last_id, err) != 0)
        return -1;
    s->cursor = last_id;
    s->aligned = true;
    s->series = s->newest_series;
    return s->n > 0;
}

void batch_event_init(struct batch_event *s) {
    s->arena.max = NAMES_MEMORY;
    s->text.max = EVENT_MAX + ROW_MAX;
}

void batch_event_free(struct batch_event *s) {
    buf_free(&s->text);
    arena_free(&s->arena);
    table_free(&s->by_hash);
    free(s->groups);
}
