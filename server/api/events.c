/* GET /api/v1/events and /api/v1/events/ID. */
#include "api/read.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/number.h"

#define PAGE 1000

struct event_listing {
    struct http_request *rq;
    int64_t start, end;
    struct span priority, sources, tags;
    uint64_t skip, n;
    int64_t wanted_id; /* 0: all */
    bool found;
};

static void put_or_null(struct buf *b, const char *key, struct span text, const char *otherwise) {
    buf_printf(b, ",\"%s\":", key);
    if (text.p)
        json_put_string(b, text);
    else
        buf_str(b, otherwise);
}

static int64_t happened(const struct event_row *row) {
    return row->event.timestamp ? row->event.timestamp : row->received_at / NS_PER_S;
}

static void put_event(struct buf *b, const struct event_row *row) {
    const struct event *e = &row->event;
    long long id = (long long)api_event_id(e->title, e->text, row->received_at);
    buf_printf(b, "{\"date_happened\":%lld", (long long)happened(row));
    put_or_null(b, "alert_type", e->alert_type, "\"info\"");
    buf_str(b, ",\"is_aggregate\":false");
    put_or_null(b, "title", e->title, "\"\"");
    buf_printf(b, ",\"url\":\"/event/event?id=%lld\"", id);
    put_or_null(b, "text", e->text, "\"\"");
    buf_str(b, ",\"tags\":");
    json_put_strings(b, e->n_tags, e->tags);
    buf_str(b, ",\"comments\":[],\"device_name\":null");
    put_or_null(b, "priority", e->priority, "\"normal\"");
    put_or_null(b, "source", e->source_type_name, "null");
    put_or_null(b, "host", e->origin.host, "null");
    buf_printf(b, ",\"resource\":\"/api/v1/events/%lld\",\"id\":%lld,\"id_str\":\"%lld\"}", id, id, id);
}

/* Whether the comma-separated list is empty or names it. */
static bool in_list(struct span list, struct span word) {
    if (list.n == 0)
        return true;
    for (size_t from = 0; from <= list.n;) {
        const char *comma = memchr(list.p + from, ',', list.n - from);
        size_t to = comma ? (size_t)(comma - list.p) : list.n;
        if (span_eq(span_of(list.p + from, to - from), word))
            return true;
        from = to + 1;
    }
    return false;
}

static bool has_all_tags(const struct event *e, struct span list) {
    for (size_t from = 0; list.n && from <= list.n;) {
        const char *comma = memchr(list.p + from, ',', list.n - from);
        size_t to = comma ? (size_t)(comma - list.p) : list.n;
        bool found = to == from;
        for (size_t i = 0; !found && i < e->n_tags; i++)
            found = span_eq(e->tags[i], span_of(list.p + from, to - from));
        if (!found)
            return false;
        from = to + 1;
    }
    return true;
}

static int take_event(void *arg, const struct event_row *row) {
    struct event_listing *l = arg;
    struct buf *b = &l->rq->answer.body;
    const struct event *e = &row->event;
    if (l->wanted_id) {
        l->found = api_event_id(e->title, e->text, row->received_at) == l->wanted_id;
        if (l->found)
            put_event(b, row);
        return l->found;
    }
    int64_t at = happened(row);
    struct span priority = e->priority.p ? e->priority : SPAN("normal");
    if (at < l->start || at > l->end || (l->priority.n && !span_eq(l->priority, priority)) ||
        !in_list(l->sources, e->source_type_name) || !has_all_tags(e, l->tags))
        return 0;
    if (l->skip > 0) {
        l->skip--;
        return 0;
    }
    if (l->n++)
        buf_char(b, ',');
    put_event(b, row);
    return l->n == PAGE;
}

static void fill_events(struct read *r) {
    struct http_request *rq = r->rq;
    struct event_listing l = {.rq = rq,
                              .priority = http_arg(rq, "priority"),
                              .sources = http_arg(rq, "sources"),
                              .tags = http_arg(rq, "tags")};
    struct err err = {0};
    double start, end;
    int64_t page = 0;
    struct span page_text = http_arg(rq, "page");
    if (!read_seconds(rq, "start", &start) || !read_seconds(rq, "end", &end)) {
        api_errors(rq, 400, "The parameters 'start' and 'end' are required and are seconds since 1970");
        return;
    }
    if (page_text.p && (number_parse_int(page_text, &page) != NUMBER_OK || page < 0 || page > 1000000)) {
        api_errors(rq, 400, "'page' must be a number");
        return;
    }
    l.start = (int64_t)start;
    l.end = (int64_t)end;
    l.skip = (uint64_t)page * PAGE;
    api_answer(rq, 200, "application/json", "{\"events\":[");
    if (r->reader->ops->events(r->reader, &r->filter, take_event, &l, &err) != 0)
        read_failed(r, &err);
    else
        buf_str(&rq->answer.body, "]}");
}

void api_events(struct http_request *rq) {
    api_read(rq, fill_events);
}

static void fill_event(struct read *r) {
    struct http_request *rq = r->rq;
    struct event_listing l = {.rq = rq};
    struct err err = {0};
    if (number_parse_int(rq->params[0], &l.wanted_id) != NUMBER_OK || l.wanted_id <= 0) {
        api_errors(rq, 400, "Invalid event id");
        return;
    }
    api_answer(rq, 200, "application/json", "{\"event\":");
    if (r->reader->ops->events(r->reader, &r->filter, take_event, &l, &err) != 0)
        read_failed(r, &err);
    else if (!l.found)
        api_errors(rq, 404, "No event matches that id");
    else
        buf_char(&rq->answer.body, '}');
}

void api_event(struct http_request *rq) {
    api_read(rq, fill_event);
}
