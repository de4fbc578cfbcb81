#include "control/openmetrics.h"

#include "core/array.h"
#include "core/number.h"
#include "core/series.h"
#include "core/utf8.h"
#include <errno.h>
#include <stdlib.h>

/* One series' lines in `text`, sorted by its family. */
struct entry {
    size_t family, n_family; /* in `text` */
    size_t lines, n_lines;
    enum metric_type type;
    uint64_t id;
};

struct collected {
    struct buf text;
    struct entry *entries;
    size_t n, cap;
    uint64_t left;
    bool failed;
};

static void put_name(struct buf *b, struct span name, bool label) {
    if (name.n == 0 || (name.p[0] >= '0' && name.p[0] <= '9'))
        buf_char(b, '_');
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    (c == ':' && !label);
        buf_char(b, fits ? c : '_');
    }
}

static void put_value(struct buf *b, double value) {
    char text[NUMBER_SIZE];
    buf_add(b, text, number_format(value, text));
}

static void put_escaped(struct buf *b, struct span s) {
    for (size_t i = 0; i < s.n;) {
        size_t n = utf8_length(span_from(s, i));
        if (n == 0) {
            buf_str(b, "\xEF\xBF\xBD");
            n = utf8_invalid_length(span_from(s, i));
        } else if (s.p[i] == '\n')
            buf_str(b, "\\n");
        else if (s.p[i] == '"' || s.p[i] == '\\') {
            buf_char(b, '\\');
            buf_char(b, s.p[i]);
        } else
            buf_add(b, s.p + i, n);
        i += n;
    }
}

static struct span key_of(struct span tag) {
    const char *colon = tag.n ? memchr(tag.p, ':', tag.n) : NULL;
    return span_of(tag.p, colon ? (size_t)(colon - tag.p) : tag.n);
}

static void put_label(struct buf *b, bool *any, struct span key) {
    buf_str(b, *any ? "," : "{");
    *any = true;
    put_name(b, key, true);
    buf_str(b, "=\"");
}

/* Tags are sorted, so equal keys stand together; their values share one label. */
static void put_labels(struct buf *b, const struct series_row *row) {
    bool any = false;
    for (size_t i = 0; i < row->n_tags;) {
        struct span key = key_of(row->tags[i]);
        put_label(b, &any, key);
        size_t first = i;
        for (; i < row->n_tags && span_eq(key_of(row->tags[i]), key); i++) {
            buf_str(b, i > first ? "," : "");
            if (key.n < row->tags[i].n)
                put_escaped(b, span_from(row->tags[i], key.n + 1));
        }
        buf_char(b, '"');
    }
    if (row->host.n) {
        put_label(b, &any, SPAN("host"));
        put_escaped(b, row->host);
        buf_char(b, '"');
    }
    buf_str(b, any ? "}" : "");
}

static void put_line(struct buf *b, const struct series_row *row, const char *suffix, double value) {
    put_name(b, row->name, false);
    buf_str(b, suffix);
    put_labels(b, row);
    buf_char(b, ' ');
    put_value(b, value);
    buf_char(b, '\n');
}

static void put_lines(struct buf *b, const struct series_row *row) {
    if (metric_is(row->type, METRIC_TOTAL)) {
        put_line(b, row, "_total", row->sum);
    } else if (metric_is(row->type, METRIC_POOLED)) {
        put_line(b, row, "_count", row->count);
        put_line(b, row, "_sum", row->sum);
    } else {
        put_line(b, row, "", metric_is(row->type, METRIC_TEXT) ? (double)row->samples : row->last);
    }
}

static int collect(void *arg, const struct series_row *row) {
    struct collected *c = arg;
    if (c->left-- == 0)
        return 1;
    c->failed = !array_room(&c->entries, c->n, &c->cap, sizeof *c->entries);
    if (c->failed)
        return 1;
    struct entry *e = &c->entries[c->n++];
    e->family = c->text.n;
    put_name(&c->text, row->name, false);
    e->n_family = c->text.n - e->family;
    e->lines = c->text.n;
    put_lines(&c->text, row);
    e->n_lines = c->text.n - e->lines;
    e->type = row->type;
    e->id = row->id;
    return c->text.failed;
}

static int by_family(const void *x, const void *y, void *text) {
    const struct entry *a = x, *b = y;
    const char *p = text;
    int order = span_cmp(span_of(p + a->family, a->n_family), span_of(p + b->family, b->n_family));
    if (order == 0)
        order = (a->type > b->type) - (a->type < b->type);
    return order ? order : (a->id > b->id) - (a->id < b->id);
}

/* A name with series of two types is one family, declared as the first of them: OpenMetrics knows no other
 * way. */
static void put_families(struct buf *b, const struct collected *c) {
    const struct entry *previous = NULL;
    for (size_t i = 0; i < c->n; i++) {
        const struct entry *e = &c->entries[i];
        struct span family = span_of(c->text.p + e->family, e->n_family);
        bool same = previous && span_eq(family, span_of(c->text.p + previous->family, previous->n_family));
        if (!same)
            buf_printf(b, "# TYPE %.*s %s\n", SPAN_ARG(family), metric_family(e->type));
        buf_add(b, c->text.p + e->lines, e->n_lines);
        previous = e;
    }
    buf_str(b, "# EOF\n");
}

int openmetrics_write(struct reader *r, const struct filter *f, uint64_t limit, struct buf *text,
                      struct err *err) {
    struct collected c = {.text = {.max = OPENMETRICS_MAX}, .left = limit};
    bool partly = f->since || f->until || f->has_source;
    int failed = partly ? series_since(r, f, collect, &c, err) : r->ops->series(r, f, collect, &c, err);
    if (!failed && (c.failed || c.text.failed))
        failed = err_set(err, EFBIG, "too many series for this format");
    if (!failed && c.n)
        qsort_r(c.entries, c.n, sizeof *c.entries, by_family, c.text.p);
    if (!failed)
        put_families(text, &c);
    buf_free(&c.text);
    free(c.entries);
    return failed;
}

void openmetrics_answer(struct http_request *rq, const struct ask *ask) {
    struct filter f = ask->filter;
    uint64_t last_id;
    if (ask_settled(rq, ask->session_id, &last_id) != 0 || ask_marks(rq, f.since, f.until, last_id) != 0)
        return;
    struct err err = {0};
    struct reader *r = store_reader_take(rq->http->store, &err);
    int failed = !r || r->ops->begin(r, &err);
    if (!failed) {
        failed = openmetrics_write(r, &f, ask->limit, &rq->answer.body, &err);
        r->ops->end(r);
    }
    if (r)
        store_reader_give(rq->http->store, r);
    rq->answer.content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    if (failed && err.sys == EFBIG)
        http_error(rq, 400, "too many series for this format; ask for jsonl, or for fewer with name=");
    else if (failed)
        http_error(rq, 500, "cannot read the recording: %s", err.text);
}
