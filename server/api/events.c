#include "api/events.h"

#include "core/array.h"
#include "core/clock.h"
#include "core/json.h"
#include <stdlib.h>

int64_t event_happened(const struct event_row *row) {
    int64_t s = row->event.timestamp;
    return s > 0 && s < INT64_MAX / NS_PER_S ? s * NS_PER_S : row->received_at;
}

struct span event_source(const struct event_row *row) {
    if (row->event.source_type_name.n || row->source != SOURCE_HTTP)
        return row->event.source_type_name;
    return SPAN("my_apps");
}

void event_put_tags(struct buf *b, const struct event_row *row) {
    const struct event *e = &row->event;
    struct span source = event_source(row);
    buf_char(b, '[');
    for (size_t i = 0; i < e->n_tags; i++) {
        buf_str(b, i ? "," : "");
        json_put_string(b, e->tags[i]);
    }
    if (source.n) {
        struct buf tag = {.max = 1 << 16};
        buf_str(&tag, "source:");
        buf_span(&tag, source);
        buf_str(b, e->n_tags ? "," : "");
        json_put_string(b, buf_view(&tag));
        buf_free(&tag);
    }
    buf_char(b, ']');
}

struct event_pass {
    struct event_page *page;
    struct event_place *places;
    size_t n, cap;
    bool failed;
    /* the second pass: of each place its text */
    struct buf texts;
    struct span_of_text {
        size_t from, n;
    } spans[EVENTS_PAGE_MAX];
};

static int compare_places(const void *a, const void *b) {
    const struct event_place *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static int compare_backwards(const void *a, const void *b) {
    return compare_places(b, a);
}

static int take_match(void *arg, const struct event_row *row) {
    struct event_pass *p = arg;
    struct event_place place = {event_happened(row), row->id};
    const struct event_page *page = p->page;
    if (page->has_after) {
        int order = compare_places(&place, &page->after);
        if (page->oldest_first ? order <= 0 : order >= 0)
            return 0;
    }
    if (!page->match(page->arg, row))
        return 0;
    if (p->n == EVENTS_MAX || !array_room(&p->places, p->n, &p->cap, sizeof *p->places)) {
        p->failed = true;
        return 1;
    }
    p->places[p->n++] = place;
    return 0;
}

static int take_text(void *arg, const struct event_row *row) {
    struct event_pass *p = arg;
    struct event_place place = {event_happened(row), row->id};
    const struct event_place *found = bsearch(&place, p->places, p->n, sizeof place,
                                              p->page->oldest_first ? compare_places : compare_backwards);
    if (found) {
        size_t from = p->texts.n;
        p->page->put(&p->texts, row);
        p->spans[found - p->places] = (struct span_of_text){from, p->texts.n - from};
    }
    return 0;
}

static int put_texts(struct event_pass *p, struct read *r, struct buf *b, struct err *err) {
    if (p->n && r->reader->ops->events(r->reader, &r->filter, take_text, p, err) != 0)
        return -1;
    if (p->texts.failed)
        return err_set(err, 0, "the page of events is larger than 1 GiB");
    for (size_t i = 0; i < p->n; i++) {
        if (i)
            buf_char(b, ',');
        buf_add(b, p->texts.p + p->spans[i].from, p->spans[i].n);
    }
    return 0;
}

int event_page_put(struct read *r, struct event_page *page, struct buf *b, struct err *err) {
    struct event_pass *p = calloc(1, sizeof *p);
    if (!p)
        return err_set(err, 0, "out of memory");
    p->page = page;
    int failed = r->reader->ops->events(r->reader, &r->filter, take_match, p, err);
    if (p->failed)
        failed = err_set(err, 0, "more than %d events match", EVENTS_MAX);
    if (p->n)
        qsort(p->places, p->n, sizeof *p->places, page->oldest_first ? compare_places : compare_backwards);
    size_t skip = page->skip < p->n ? page->skip : p->n;
    size_t n = p->n - skip < page->count ? p->n - skip : page->count;
    page->n_written = n;
    if (n) {
        memmove(p->places, p->places + skip, n * sizeof *p->places);
        page->last = p->places[n - 1];
    }
    p->n = n;
    if (!failed)
        failed = put_texts(p, r, b, err);
    buf_free(&p->texts);
    free(p->places);
    free(p);
    return failed;
}
