/* GET /api/v1/events and /api/v1/events/ID. */
#include "api/arguments.h"
#include "api/events.h"
#include "api/query/scope.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/number.h"

struct v1_wanted {
    int64_t start, end; /* seconds */
    struct span priority, sources;
    struct arena *arena;
    size_t n_tags;
    struct span *tags; /* normalized globs */
};

/* --- an event ---------------------------------------------------------------------------------------------- */

static void put_or_default(struct buf *b, const char *key, struct span text, const char *otherwise) {
    buf_printf(b, ",\"%s\":", key);
    if (text.n)
        json_put_string(b, text);
    else
        buf_str(b, otherwise);
}

void event_put_v1(struct buf *b, const struct event_row *row) {
    const struct event *e = &row->event;
    long long id = (long long)api_event_id(e->title, e->text, row->received_at);
    buf_printf(b, "{\"date_happened\":%lld", (long long)(event_happened(row) / NS_PER_S));
    put_or_default(b, "alert_type", e->alert_type, "\"info\"");
    buf_str(b, ",\"is_aggregate\":false");
    put_or_default(b, "title", e->title, "\"\"");
    buf_printf(b, ",\"url\":\"/event/event?id=%lld\"", id);
    put_or_default(b, "text", e->text, "\"\"");
    buf_str(b, ",\"tags\":");
    event_put_tags(b, row);
    buf_str(b, ",\"comments\":[],\"device_name\":null,\"monitor_id\":null,\"monitor_groups\":[],"
               "\"monitor_group_status\":null");
    put_or_default(b, "priority", e->priority, "\"normal\"");
    bool mine = span_eq(event_source(row), SPAN("my_apps"));
    put_or_default(b, "source", mine ? SPAN("My Apps") : event_source(row), "null");
    put_or_default(b, "host", e->origin.host, "null");
    buf_printf(b, ",\"resource\":\"/api/v1/events/%lld\",\"id\":%lld,\"id_str\":\"%lld\"}", id, id, id);
}

/* --- the list ---------------------------------------------------------------------------------------------- */

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

static bool has_tag(const struct event_row *event, struct span pattern) {
    const struct event *e = &event->event;
    struct span source = event_source(event);
    if (source.n && span_starts(pattern, SPAN("source:")) && span_eq(span_from(pattern, 7), source))
        return true;
    struct series_row row = {.n_tags = e->n_tags, .tags = e->tags, .host = e->origin.host};
    struct arena arena = {.max = 16 << 20};
    struct query_series words;
    bool found = false;
    if (query_scope_series(&arena, &row, &words))
        for (size_t i = 0; i < words.n_tags && !found; i++)
            found = span_eq(pattern, words.tags[i]);
    arena_free(&arena);
    return found;
}

static bool matches_v1(void *arg, const struct event_row *row) {
    const struct v1_wanted *w = arg;
    const struct event *e = &row->event;
    struct span priority = e->priority.n ? e->priority : SPAN("normal");
    int64_t at = event_happened(row) / NS_PER_S;
    if (at < w->start || at > w->end || (w->priority.n && !span_eq(w->priority, priority)) ||
        !in_list(w->sources, event_source(row)))
        return false;
    for (size_t i = 0; i < w->n_tags; i++)
        if (!has_tag(row, w->tags[i]))
            return false;
    return true;
}

#define TAGS_MAX 64

/* False once it is answered. */
static bool read_tags(struct http_request *rq, struct v1_wanted *w) {
    struct span list = http_arg(rq, "tags");
    for (size_t from = 0; from < list.n;) {
        const char *comma = memchr(list.p + from, ',', list.n - from);
        size_t to = comma ? (size_t)(comma - list.p) : list.n;
        if (to > from && w->n_tags == TAGS_MAX) {
            api_errors(rq, 400, "The parameter 'tags' has more than %d tags", TAGS_MAX);
            return false;
        }
        if (to > from)
            w->tags[w->n_tags++] = query_scope_pattern(w->arena, span_of(list.p + from, to - from));
        from = to + 1;
    }
    return true;
}

static void fill_events(struct read *r) {
    struct http_request *rq = r->rq;
    struct arena arena = {.max = 1 << 20};
    struct span tags[TAGS_MAX];
    struct v1_wanted w = {.priority = http_arg(rq, "priority"),
                          .sources = http_arg(rq, "sources"),
                          .arena = &arena,
                          .tags = tags};
    struct event_page page = {.match = matches_v1,
                              .put = event_put_v1,
                              .arg = &w,
                              .skip = (size_t)arguments_whole(rq, "page", 0) * EVENTS_PAGE_MAX,
                              .count = EVENTS_PAGE_MAX};
    struct err err = {0};
    double start = 0, end = 0;
    arguments_seconds(rq, "start", &start);
    arguments_seconds(rq, "end", &end);
    w.start = (int64_t)start;
    w.end = (int64_t)end;
    if (start > end) {
        api_errors(rq, 400, "start param must be greater than end param");
    } else if (read_tags(rq, &w)) {
        api_answer(rq, 200, "application/json", "{\"events\":[");
        if (event_page_put(r, &page, &rq->answer.body, &err) != 0)
            read_failed(r, &err);
        else
            buf_str(&rq->answer.body, "]}");
    }
    arena_free(&arena);
}

void api_events(struct http_request *rq) {
    api_read(rq, fill_events);
}

/* --- one event --------------------------------------------------------------------------------------------- */

static bool has_id(void *arg, const struct event_row *row) {
    const int64_t *id = arg;
    return api_event_id(row->event.title, row->event.text, row->received_at) == *id;
}

static void fill_event(struct read *r) {
    struct http_request *rq = r->rq;
    int64_t id;
    struct event_page page = {.match = has_id, .put = event_put_v1, .arg = &id, .count = 1};
    struct err err = {0};
    if (number_parse_int(rq->params[0], &id) != NUMBER_OK || id <= 0) {
        api_errors(rq, 400, "Invalid event id");
        return;
    }
    api_answer(rq, 200, "application/json", "{\"event\":");
    if (event_page_put(r, &page, &rq->answer.body, &err) != 0)
        read_failed(r, &err);
    else if (page.n_written == 0)
        api_errors(rq, 404, "No event matches that event_id.");
    else
        buf_char(&rq->answer.body, '}');
}

void api_event(struct http_request *rq) {
    api_read(rq, fill_event);
}
