/* A stream of batches: at most one event in a period, however much arrives.
 *
 *     event: batch
 *     data: {"last_id":…,"passed":25000,"names":1000,"partial":false,"rows":[{…a sample…,"n":1,"sum":1,"new":true},…]}
 *
 * DESIGN. When the period is over, the samples above the cursor are read. If there are no more than `rows`, each is sent. Otherwise
 * they are counted by name and type, in one pass without their order, and of the names that matter most one row each is sent, with
 * its newest sample: names with a series that was never there before, then those with the fewest samples. So what is new or rare
 * shows in any flood. A pass reads SAMPLES_MAX samples at most, the newest; when there were more, the event says "partial":true.
 * An event that took long is followed by a pause of nine times as long: a reader of batches takes a tenth of a core at most.
 * A client that reads slowly gets fewer events, not more.
 */
#include "control/batch.h"

#include "core/arena.h"
#include "core/array.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "core/metric.h"
#include "core/table.h"
#include "http/watch.h"
#include "render/rows.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

#define SAMPLES_MAX    50000 /* read for one event */
#define FEW_IDS        1024  /* records: of so many, each is looked at in order first */
#define NEW_SERIES_MAX 4000
#define EVENT_MAX      ((size_t)64 << 10) /* bytes; one row more when that is larger */
#define ROW_MAX        ((size_t)16 << 20) /* bytes of a row that is kept */
#define NAMES_MEMORY   ((size_t)32 << 20) /* bytes of the names of one event */
#define KEEPALIVE_NS   (15 * NS_PER_S) /* a comment, so that nobody takes silence for a broken connection */
#define PAUSE_FACTOR   9

struct batch_name {
    struct span name;
    enum metric_type type;
    bool is_new;
    uint64_t n, newest_id;
    double sum;
    uint64_t unread; /* of its new series: for when no sample of it was read */
    double unread_sum;
};

struct batches {
    struct waiter waiter;
    struct http_request *rq;
    struct ask ask;
    uint64_t cursor, series; /* the newest record and the newest series that were looked at */
    uint64_t session_id;     /* 0: all */
    int64_t every_ns, sent_mono_ns;
    uint64_t rows;
    bool begun, stopping;
    struct buf text; /* the event being sent */
    size_t at;       /* bytes of it that were */

    /* While an event is made: */
    struct reader *reader;
    struct arena arena;
    struct table by_hash;
    struct batch_name *groups;
    size_t n_groups, cap_groups;
    uint64_t n, newest_series;
    size_t n_rows;
    bool failed, partial, full;
};

/* --- rows ------------------------------------------------------------------------------------------------ */

/* A sample's object, without what the sample does not have, and with three fields more. */
static int put_row(struct batches *s, const struct sample_row *row, uint64_t n, double sum, bool is_new) {
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
    struct batches *s = arg;
    if (s->n++ == s->rows)
        return 1;
    if (s->newest_series < row->series_id)
        s->newest_series = row->series_id;
    return put_row(s, row, 1, sum_of(row), row->series_id > s->series);
}

/* --- by name and type ------------------------------------------------------------------------------------ */

static struct batch_name *find_group(struct batches *s, const struct metric *m) {
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

static int count_sample(void *arg, const struct sample_row *row) {
    struct batches *s = arg;
    if (s->ask.filter.session.p && !span_eq(row->session, s->ask.filter.session))
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
    struct batches *s;
    const struct batch_name *group;
};

static int put_newest(void *arg, const struct sample_row *row) {
    struct newest *n = arg;
    const struct batch_name *g = n->group;
    return span_eq(row->spelling->name, g->name) ? put_row(n->s, row, g->n, g->sum, g->is_new) : 0;
}

static int put_groups(struct batches *s, const struct filter *f, struct err *err) {
    qsort(s->groups, s->n_groups, sizeof *s->groups, new_and_rare_first);
    for (size_t i = 0; i < s->n_groups && i < s->rows && !s->full && !s->text.failed; i++) {
        struct newest newest = {s, &s->groups[i]};
        struct filter one = *f;
        one.name = s->groups[i].name; /* a name with * finds others, too: the id tells them apart */
        one.has_type = true;
        one.type = s->groups[i].type;
        one.since = s->groups[i].newest_id - 1;
        one.until = s->groups[i].newest_id;
        one.limit = 0;
        one.newest = false;
        if (s->reader->ops->samples(s->reader, &one, false, put_newest, &newest, err) != 0)
            return -1;
    }
    return 0;
}

/* --- an event -------------------------------------------------------------------------------------------- */

static void begin_event(struct batches *s) {
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

static void put_head(struct batches *s, uint64_t last_id) {
    char head[160];
    int n = snprintf(head, sizeof head, HEAD, last_id, s->n, s->n_groups, s->partial ? "true" : "false");
    if (s->text.n == 0)
        buf_add(&s->text, head, (size_t)n);
    else
        memcpy(s->text.p, head, (size_t)n);
}

static int send_each(struct batches *s, struct filter *f, struct err *err) {
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
    struct batches *s = arg;
    const struct metric m = {.name = row->name, .type = row->type};
    struct batch_name *g = find_group(s, &m);
    if (!g) {
        s->failed = true;
        return 1;
    }
    g->is_new = true;
    g->unread += row->samples;
    g->unread_sum += row->sum;
    if (g->newest_id < row->last_id)
        g->newest_id = row->last_id;
    if (s->newest_series < row->id)
        s->newest_series = row->id;
    return 0;
}

static int count_by_name(struct batches *s, struct filter *f, struct err *err) {
    const struct reader_ops *ops = s->reader->ops;
    struct filter fresh = *f;
    fresh.since = fresh.until = 0;
    fresh.after_series = s->series;
    fresh.limit = NEW_SERIES_MAX;
    if (!f->has_source && ops->series(s->reader, &fresh, take_new_series, s, err) != 0)
        return -1;
    f->limit = 0;
    struct filter newest = *f; /* without conditions, the store reads what lies together */
    if (!f->name.p && !f->has_type && f->n_tags == 0)
        newest.session = (struct span){NULL, 0};
    s->partial = f->until - f->since > SAMPLES_MAX; /* ids: there are no more samples than these */
    if (s->partial)
        newest.since = f->until - SAMPLES_MAX;
    if (ops->samples(s->reader, &newest, false, count_sample, s, err) != 0 || s->failed)
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

static int read_samples(struct batches *s, uint64_t last_id, struct err *err) {
    struct filter f = s->ask.filter;
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
    struct batches *s = arg;
    if (s->newest_series < row->id)
        s->newest_series = row->id;
    return 0;
}

/* 1: there is something to send; 0: nothing is new; -1: failed. */
static int read_event(struct batches *s, struct err *err) {
    const struct reader_ops *ops = s->reader->ops;
    uint64_t last_id;
    if (!s->begun) {
        struct filter newest = {.newest = true, .limit = 1};
        if (ops->series(s->reader, &newest, note_series, s, err) != 0)
            return -1;
        s->series = s->newest_series;
        s->begun = true;
    }
    if (ops->last_id(s->reader, &last_id, err) != 0)
        return -1;
    if (last_id <= s->cursor)
        return 0;
    if (read_samples(s, last_id, err) != 0)
        return -1;
    s->cursor = last_id;
    s->series = s->newest_series;
    return s->n > 0;
}

static bool session_ended(const struct batches *s) {
    struct ingest_session session;
    struct err ignored = {0};
    return s->session_id && !s->rq->http->options.view &&
           (ingest_session_find(s->rq->http->ingest, span_str(s->ask.session), &session, &ignored) ||
            session.id != s->session_id);
}

static int make_event(struct batches *s) {
    struct err err = {0};
    struct store *store = s->rq->http->store;
    begin_event(s);
    s->at = 0;
    s->reader = store_reader_take(store, &err);
    int more = s->reader && s->reader->ops->begin(s->reader, &err) == 0 ? 0 : -1;
    if (more == 0) {
        more = read_event(s, &err);
        s->reader->ops->end(s->reader);
    }
    if (s->reader)
        store_reader_give(store, s->reader);
    if (more < 0)
        log_warning("a stream ends: %s", err.set ? err.text : "out of memory");
    if (more <= 0)
        buf_clear(&s->text);
    if (more == 0 && session_ended(s)) {
        buf_printf(&s->text,
                   "event: end\ndata: {\"error\":\"the session '%s' has ended: it was removed, or its "
                   "time to live is over\"}\n\n",
                   s->ask.session);
        s->stopping = true;
        return 1;
    }
    return more;
}

/* --- the stream ------------------------------------------------------------------------------------------ */

static void batch_wake(struct waiter *w, enum watch_why why) {
    struct batches *s = (struct batches *)w;
    s->stopping = s->stopping || why != WATCH_DUE;
    http_resume(s->rq);
}

static void sleep_until(struct batches *s, int64_t due_mono_ns) {
    s->waiter = (struct waiter){.fd = http_socket(s->rq), .due_mono_ns = due_mono_ns, .wake = batch_wake};
    http_stream_pause(s->rq);
    watch_add(s->rq->http->watch, &s->waiter);
}

/* What this thread has worked: on a busy machine less than has passed. */
static int64_t worked_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static ssize_t batch_read(void *arg, char *to, size_t max) {
    struct batches *s = arg;
    if (s->at == s->text.n) {
        if (s->stopping)
            return HTTP_STREAM_END;
        if (s->waiter.due_mono_ns > clock_mono_ns()) { /* an event was sent, and its period is not over */
            sleep_until(s, s->waiter.due_mono_ns);
            return 0;
        }
        int64_t began = clock_mono_ns(), worked = worked_ns();
        int more = make_event(s);
        int64_t pause = PAUSE_FACTOR * (worked_ns() - worked);
        if (more < 0)
            return HTTP_STREAM_FAILED;
        s->waiter.due_mono_ns = began + (pause > s->every_ns ? pause : s->every_ns);
        if (more == 0 && began - s->sent_mono_ns > KEEPALIVE_NS)
            buf_str(&s->text, ":\n\n");
        if (s->text.n == 0) {
            sleep_until(s, s->waiter.due_mono_ns);
            return 0;
        }
        s->sent_mono_ns = began;
    }
    size_t n = s->text.n - s->at < max ? s->text.n - s->at : max;
    memcpy(to, s->text.p + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

static void batch_free(void *arg) {
    struct batches *s = arg;
    buf_free(&s->text);
    arena_free(&s->arena);
    table_free(&s->by_hash);
    free(s->groups);
    free(s);
}

void batch_answer(struct http_request *rq, const struct ask *ask, uint64_t session_id, uint64_t cursor) {
    uint64_t every_ms = 0, rows = BATCH_ROWS_DEFAULT;
    if (ask_number(rq, "every_ms", BATCH_EVERY_MIN_MS, BATCH_EVERY_MAX_MS, &every_ms) != 0 ||
        ask_number(rq, "rows", 1, BATCH_ROWS_MAX, &rows) != 0)
        return;
    struct batches *s = calloc(1, sizeof *s);
    if (!s) {
        http_error(rq, 503, "out of memory");
        return;
    }
    s->rq = rq;
    s->ask = *ask;
    s->ask.filter.tags = s->ask.tags;
    if (ask->filter.session.p)
        s->ask.filter.session = span_str(s->ask.session);
    s->session_id = session_id;
    s->cursor = cursor;
    s->every_ns = (int64_t)every_ms * NS_PER_MS;
    s->rows = rows;
    s->arena.max = NAMES_MEMORY;
    s->text.max = EVENT_MAX + ROW_MAX;
    s->sent_mono_ns = INT64_MIN / 2; /* the headers go out at once, with a comment */
    rq->answer.content_type = "text/event-stream";
    http_add_header(rq, "Cache-Control", "no-store");
    rq->answer.stream = batch_read;
    rq->answer.stream_free = batch_free;
    rq->answer.stream_arg = s;
}
