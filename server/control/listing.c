/* DESIGN. The reader pushes rows; libmicrohttpd pulls bytes. Between them: a page, filled by one look at the
 * recording from the cursor on, until it holds LISTING_PAGE bytes. A small list is one page and is answered
 * with its length; a larger one is streamed. Samples lie in chunks that overlap, so where a page of them ends, the look stays
 * open for the next one, but not for long (held.h: so a slow client costs nobody anything). After that, and for all other
 * rows, a page is a fresh look from the cursor on.
 */
#include "control/listing.h"
#include "control/lines.h"

#include "control/held.h"
#include "core/log.h"
#include "core/series.h"
#include "http/reading.h"
#include "judge/evaluate/quantile.h"
#include "render/rows.h"
#include <stdlib.h>

struct listing {
    struct ask ask;
    const struct listing_format *format;
    uint64_t until;
    uint64_t last_id; /* the newest record that it knows of */
    size_t phase;
    uint64_t left;   /* rows that may still be delivered */
    uint64_t cursor; /* the last one delivered, of this phase */
    bool any;        /* some row was delivered */
    bool more;       /* there is a row beyond the limit */
    bool page_full;
    uint64_t skip; /* rejects that are older than the newest that are wanted */
    struct held_look *held;
    struct reader *reader; /* while a page is filled */
    uint64_t budget;       /* samples that may still be read for that */
    bool done;
    struct http *http;
    struct http_read_of of;
    struct lines *lines; /* NULL: no datagrams are kept */
    struct buf page;
    size_t at; /* bytes of the page that were sent */
};

/* Takes one row; 1 to stop. */
static int take_row(struct listing *l, uint64_t id, const void *row) {
    if (l->page.n >= LISTING_PAGE && !l->ask.newest) {
        l->page_full = true;
        return 1;
    }
    if (l->left == 0) {
        l->more = true;
        return 1;
    }
    const struct listing_phase *phase = &l->format->phases[l->phase];
    if (l->any)
        buf_str(&l->page, l->format->separator);
    buf_str(&l->page, phase->before);
    phase->write(&l->page, row);
    buf_str(&l->page, phase->after);
    l->any = true;
    l->left--;
    l->cursor = id;
    return l->page.failed;
}

/* A row with a p95 is written anew: the percentile is found while the list is read. */
static int take_series_p95(struct listing *l, const struct series_row *row) {
    struct err err = {0};
    double p95;
    size_t before = l->page.n;
    bool first = !l->any;
    int stop = take_row(l, row->id, row);
    if (stop || l->cursor != row->id)
        return stop;
    if (quantile_of(l->reader, row, 95, &l->budget, &p95, &err) != 0) {
        l->page.failed = true;
        return 1;
    }
    l->page.n = before;
    buf_str(&l->page, first ? "" : l->format->separator);
    rows_series_p95_json(&l->page, row, p95);
    return l->page.failed;
}

static int on_series(void *arg, const struct series_row *row) {
    struct listing *l = arg;
    if (row->id <= l->cursor)
        return 0;
    return l->ask.p95 ? take_series_p95(l, row) : take_row(l, row->id, row);
}

static int on_sample(void *arg, const struct sample_row *row) {
    struct listing *l = arg;
    if (!l->lines)
        return take_row(l, row->id, row);
    struct sample_row with = *row;
    with.line = lines_of(l->lines, l->reader, row);
    return take_row(l, row->id, &with);
}

static int on_datagram(void *arg, const struct datagram_row *row) {
    return take_row(arg, row->id, row);
}

static int on_event(void *arg, const struct event_row *row) {
    return take_row(arg, row->id, row);
}

static int on_check(void *arg, const struct check_row *row) {
    return take_row(arg, row->id, row);
}

bool listing_takes_reject(const struct ask *ask, const struct reject_row *row) {
    struct span type = ask->type, family = row->reject.family;
    if (span_eq(type, SPAN("check")))
        type = SPAN("service_check");
    bool is_metric = !span_eq(family, SPAN("event")) && !span_eq(family, SPAN("service_check"));
    if (type.p && !(span_eq(type, SPAN("metric")) ? is_metric : span_eq(type, family)))
        return false;
    return ask->reason < 0 || ask->reason == (int)row->reject.reason;
}

static int count_reject(void *arg, const struct reject_row *row) {
    struct listing *l = arg;
    l->skip += listing_takes_reject(&l->ask, row);
    return 0;
}

static int on_reject(void *arg, const struct reject_row *row) {
    struct listing *l = arg;
    if (!listing_takes_reject(&l->ask, row))
        return 0;
    if (l->skip) {
        l->skip--;
        return 0;
    }
    return take_row(l, row->id, row);
}

/* The store does not know which ones on_reject leaves out, so the newest of the others are found by counting them first. */
static int read_rejects(struct listing *l, struct reader *r, struct filter f, struct err *err) {
    bool all = !l->ask.type.p && l->ask.reason < 0;
    l->skip = 0;
    if (l->ask.newest && !all && r->ops->rejects(r, &f, count_reject, l, err) != 0)
        return -1;
    l->skip = l->skip > l->left ? l->skip - l->left : 0;
    f.newest = l->ask.newest && all;
    f.limit = f.newest ? l->left : all ? l->left + 1 : 0;
    return r->ops->rejects(r, &f, on_reject, l, err);
}

static int on_request(void *arg, const struct request_row *row) {
    return take_row(arg, row->id, row);
}

/* Whether rows of this kind can be of the type that is asked for at all. */
static bool type_fits(const struct ask *ask, enum listing_rows rows) {
    struct span type = ask->type;
    switch (rows) {
    case LISTING_SERIES:
    case LISTING_SAMPLES:
        return !type.p || ask->filter.has_type || span_eq(type, SPAN("metric"));
    case LISTING_EVENTS:
        return !type.p || span_eq(type, SPAN("event"));
    case LISTING_CHECKS:
        return !type.p || span_eq(type, SPAN("check")) || span_eq(type, SPAN("service_check"));
    case LISTING_REJECTS:
        return !ask->filter.has_type;
    case LISTING_REQUESTS:
    case LISTING_DATAGRAMS:
        return !type.p;
    }
    return false;
}

/* Oldest first, they are read in parts. */
static int read_samples(struct listing *l, struct reader *r, const struct filter *f, struct err *err) {
    if (l->ask.newest || !r->ops->samples_open)
        return r->ops->samples(r, f, true, on_sample, l, err);
    struct samples_cursor *samples = held_samples(l->held);
    if (!samples && !(samples = held_read(l->held, f, err)))
        return -1;
    return r->ops->samples_more(samples, on_sample, l, err) < 0 ? -1 : 0;
}

static int read_rows(struct listing *l, struct reader *r, enum listing_rows rows, const struct filter *f,
                     struct err *err) {
    const struct reader_ops *ops = r->ops;
    l->reader = r;
    switch (rows) {
    case LISTING_SERIES:
        if (l->ask.filter.since || l->ask.filter.until || f->has_source)
            return series_since(r, f, on_series, l, err);
        return ops->series(r, f, on_series, l, err);
    case LISTING_SAMPLES:
        return read_samples(l, r, f, err);
    case LISTING_EVENTS:
        return ops->events(r, f, on_event, l, err);
    case LISTING_CHECKS:
        return ops->checks(r, f, on_check, l, err);
    case LISTING_REJECTS:
        return read_rejects(l, r, *f, err);
    case LISTING_REQUESTS:
        return ops->requests(r, f, on_request, l, err);
    case LISTING_DATAGRAMS:
        return ops->datagrams(r, f, on_datagram, l, err);
    }
    return 0;
}

/* From the cursor to the end of the page or of the phase. */
static int fill_phase(struct listing *l, struct reader *r, struct err *err) {
    enum listing_rows rows = l->format->phases[l->phase].rows;
    if (!type_fits(&l->ask, rows))
        return 0;
    struct filter f = l->ask.filter;
    f.until = l->until;
    if (rows == LISTING_SERIES || rows == LISTING_DATAGRAMS)
        f.after_series = l->cursor;
    if (rows == LISTING_DATAGRAMS) {
        f.until += l->ask.filter.until == 0; /* one that holds no record has the newest id before it */
        f.newest = l->ask.newest;
        f.limit = l->ask.newest ? l->left : l->left + 1;
    } else if (rows != LISTING_SERIES) {
        f.since = l->cursor > f.since ? l->cursor : f.since;
        if (rows != LISTING_REJECTS) {
            f.newest = l->ask.newest;
            f.limit = l->ask.newest ? l->left : l->left + 1;
        }
    }
    return read_rows(l, r, rows, &f, err);
}

static void finish(struct listing *l) {
    l->done = true;
    if (!l->format->says_next)
        return;
    buf_str(&l->page, "],\"next\":");
    if (l->more)
        buf_u64(&l->page, l->cursor);
    else
        buf_str(&l->page, "null");
    buf_str(&l->page, ",\"last_id\":");
    buf_u64(&l->page, l->last_id);
    buf_str(&l->page, "}\n");
}

/* The moment has begun. */
static int know_recording(struct listing *l, struct reader *r, struct err *err) {
    int first = http_read_same(l->http, r, &l->of, err);
    if (first <= 0)
        return first;
    if (reader_last_id(r, l->ask.session_id, &l->last_id, err) != 0)
        return -1;
    l->until = l->ask.filter.until ? l->ask.filter.until : l->last_id;
    return 0;
}

static int fill_page(struct listing *l, struct err *err) {
    buf_clear(&l->page);
    l->at = 0;
    l->page_full = false;
    if (!l->any && l->cursor == l->ask.cursor && l->phase == 0)
        buf_str(&l->page, l->format->head);
    struct reader *r = held_take(l->held, l->ask.session_id, l->ask.filter.session, err);
    if (!r)
        return -1;
    int failed = know_recording(l, r, err);
    while (!failed && !l->done) {
        failed = fill_phase(l, r, err);
        if (failed || l->page_full)
            break;
        if (l->more || ++l->phase == l->format->n_phases)
            finish(l);
        else
            l->cursor = 0;
    }
    failed = failed || l->page.failed;
    held_leave(l->held, !failed && l->page_full && l->format->phases[l->phase].rows == LISTING_SAMPLES);
    return failed ? -1 : 0;
}

static void listing_free(void *arg) {
    struct listing *l = arg;
    held_free(l->held);
    buf_free(&l->page);
    lines_free(l->lines);
    free(l);
}

static ssize_t listing_read(void *arg, char *to, size_t max) {
    struct listing *l = arg;
    if (l->at == l->page.n) {
        struct err err = {0};
        if (l->done)
            return HTTP_STREAM_END;
        if (fill_page(l, &err) != 0) {
            log_warning("a list was cut short: %s", err.text);
            return HTTP_STREAM_FAILED;
        }
        if (l->page.n == 0)
            return HTTP_STREAM_END;
    }
    size_t n = l->page.n - l->at;
    n = n < max ? n : max;
    memcpy(to, l->page.p + l->at, n);
    l->at += n;
    return (ssize_t)n;
}

void listing_answer(struct http_request *rq, const struct ask *ask, const struct listing_format *format) {
    uint64_t last_id;
    if (ask_settled(rq, ask->session_id, &last_id) != 0 ||
        ask_marks(rq, ask->filter.since, ask->filter.until, last_id) != 0)
        return;
    struct listing *l = calloc(1, sizeof *l);
    if (!l || !(l->held = held_new(rq->http))) {
        free(l);
        http_error(rq, 503, "out of memory");
        return;
    }
    l->ask = *ask;
    l->ask.filter.tags = l->ask.tags;
    if (ask->filter.session.p)
        l->ask.filter.session = span_str(l->ask.session);
    l->format = format;
    l->http = rq->http;
    l->last_id = last_id;
    l->until = ask->filter.until ? ask->filter.until : last_id;
    l->left = ask->limit;
    l->cursor = ask->cursor;
    l->page.max = 64 << 20;
    l->budget = QUANTILE_LIST_MAX;
    struct store_stats stats;
    store_stats(rq->http->store, &stats);
    l->lines = stats.datagrams ? lines_new() : NULL;
    struct err err = {0};
    if (fill_page(l, &err) != 0) {
        if (!err.set)
            err_set(&err, 0, "a row is too large");
        http_read_failed(rq, "read the recording", &err);
        listing_free(l);
        return;
    }
    rq->answer.content_type = format->content_type;
    if (l->done) {
        rq->answer.body = l->page;
        l->page = (struct buf){0};
        listing_free(l);
        return;
    }
    rq->answer.stream = listing_read;
    rq->answer.stream_free = listing_free;
    rq->answer.stream_arg = l;
}
