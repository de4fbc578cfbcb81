/* GET /api/v2/events, GET /api/v2/events/ID and POST /api/v2/events/search. */
#include "api/arguments.h"
#include "api/changes.h"
#include "api/event_search.h"
#include "api/event_time.h"
#include "api/events.h"
#include "api/query/scope.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/number.h"

#include <stdio.h>

#define LIMIT_DEFAULT 10

struct v2_wanted {
    struct span query, from, to, sort, cursor;
    int64_t limit;
    int64_t from_ns, to_ns;
    const struct event_search *search;
    struct arena arena;
};

/* --- an event ---------------------------------------------------------------------------------------------- */

static void put_text(struct buf *b, const char *key, struct span text) {
    if (!text.n)
        return;
    buf_printf(b, ",\"%s\":", key);
    json_put_string(b, text);
}

static void event_put_v2(struct buf *b, const struct event_row *row) {
    const struct event *e = &row->event;
    unsigned long long id = (unsigned long long)api_event_id(e->title, e->text, row->received_at);
    int64_t at = event_happened(row);
    char time[CLOCK_RFC3339_SIZE + 2];
    clock_rfc3339(at / NS_PER_S * NS_PER_S, time);
    snprintf(time + 19, 2, "Z"); /* without a fraction */
    buf_printf(b, "{\"type\":\"event\",\"id\":\"%016llx\",\"attributes\":{\"timestamp\":\"%s\",\"tags\":", id,
               time);
    event_put_tags(b, row);
    buf_str(b, ",\"message\":");
    json_put_string(b, e->text.p ? e->text : SPAN(""));
    buf_str(b, ",\"attributes\":{\"title\":");
    json_put_string(b, e->title.p ? e->title : SPAN(""));
    buf_printf(b, ",\"timestamp\":%lld", (long long)(at / NS_PER_MS));
    put_text(b, "status", e->alert_type.n ? e->alert_type : SPAN("info"));
    put_text(b, "priority", e->priority.n ? e->priority : SPAN("normal"));
    put_text(b, "hostname", e->origin.host);
    put_text(b, "aggregation_key", e->aggregation_key);
    buf_printf(b, ",\"evt\":{\"id\":\"%llu\",\"uid\":\"%016llx\"", id, id);
    put_text(b, "type", event_source(row));
    buf_str(b, "}}}}");
}

/* --- which events ------------------------------------------------------------------------------------------ */

static bool matches_v2(void *arg, const struct event_row *row) {
    struct v2_wanted *w = arg;
    int64_t at = event_happened(row);
    if (at < w->from_ns || at > w->to_ns)
        return false;
    if (!w->search)
        return true;
    struct series_row like = {
        .n_tags = row->event.n_tags, .tags = row->event.tags, .host = row->event.origin.host};
    struct query_series words;
    struct arena arena = {.max = 16 << 20};
    bool holds = query_scope_series(&arena, &like, &words) &&
                 event_search_holds(w->search, row, words.n_tags, words.tags);
    arena_free(&arena);
    return holds;
}

/* Datadog's answer to a field that it does not take. */
static bool refuse_field(struct http_request *rq, const char *field, const char *why) {
    char text[400];
    snprintf(text, sizeof text, "{'errors': [u\"input_validation_error(Field '%s' is invalid: %s)\"]}", field,
             why);
    api_errors(rq, 400, "%s", text);
    return false;
}

/*   "time.id" in hexadecimal */
static bool read_cursor(struct span text, struct event_place *place) {
    char copy[40];
    unsigned long long at, id;
    int end = 0;
    if (text.n >= sizeof copy)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (strspn(copy, "0123456789abcdef.") != text.n || sscanf(copy, "%16llx.%16llx%n", &at, &id, &end) != 2 ||
        (size_t)end != text.n)
        return false;
    *place = (struct event_place){(int64_t)at, id};
    return true;
}

/* Whether the question makes sense; else it is answered. */
static bool read_wanted(struct http_request *rq, struct v2_wanted *w, struct event_page *page) {
    char why[128];
    if (w->cursor.n && !read_cursor(w->cursor, &page->after))
        return refuse_field(rq, "page", "invalid cursor");
    w->search = event_search_read(&w->arena, w->query, why, sizeof why);
    if (why[0])
        return refuse_field(rq, "filter.query", why);
    if (!event_time_read(w->from.n ? w->from : SPAN("now-15m"), rq->received_at, &w->from_ns))
        return refuse_field(rq, "filter.from", "invalid time");
    if (!event_time_read(w->to.n ? w->to : SPAN("now"), rq->received_at, &w->to_ns))
        return refuse_field(rq, "filter.to", "invalid time");
    if (w->from_ns > w->to_ns)
        return refuse_field(rq, "filter", "'from' lies after 'to'");
    page->has_after = w->cursor.n > 0;
    page->oldest_first = span_eq(w->sort, SPAN("timestamp"));
    page->count = (size_t)w->limit;
    return true;
}

/* --- the answer -------------------------------------------------------------------------------------------- */

/* As a part of a query string. */
static void put_escaped(struct buf *b, struct span text) {
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     memchr("-._~", c, 4);
        if (plain)
            buf_char(b, (char)c);
        else
            buf_printf(b, "%%%02X", c);
    }
}

static void put_next(struct buf *b, struct http_request *rq, const struct v2_wanted *w, const char *cursor) {
    const struct {
        const char *name;
        struct span value;
    } args[] = {{"filter%5Bquery%5D", w->query},
                {"filter%5Bfrom%5D", w->from},
                {"filter%5Bto%5D", w->to},
                {"sort", w->sort}};
    struct buf url = {.max = 1 << 20};
    struct span host = http_header(rq, "Host");
    buf_str(&url, "http://");
    buf_span(&url, host);
    buf_str(&url, "/api/v2/events?");
    for (size_t i = 0; i < sizeof args / sizeof args[0]; i++)
        if (args[i].value.n) {
            buf_printf(&url, "%s=", args[i].name);
            put_escaped(&url, args[i].value);
            buf_char(&url, '&');
        }
    buf_printf(&url, "page%%5Blimit%%5D=%lld&page%%5Bcursor%%5D=%s", (long long)w->limit, cursor);
    buf_str(b, ",\"links\":{\"next\":");
    json_put_string(b, buf_view(&url));
    buf_char(b, '}');
    buf_free(&url);
}

static void answer_page(struct read *r, struct v2_wanted *w) {
    struct http_request *rq = r->rq;
    struct buf *b = &rq->answer.body;
    struct event_page page = {.match = matches_v2, .put = event_put_v2, .arg = w};
    struct err err = {0};
    w->arena.max = 16 << 20;
    if (!read_wanted(rq, w, &page))
        return;
    api_answer(rq, 200, "application/json", "{\"data\":[");
    if (event_page_put(r, &page, b, &err) != 0) {
        read_failed(r, &err);
        return;
    }
    buf_char(b, ']');
    if (page.n_written) { /* also of the last page: the next one is empty */
        char cursor[40];
        snprintf(cursor, sizeof cursor, "%016llx.%016llx", (unsigned long long)page.last.at,
                 (unsigned long long)page.last.id);
        put_next(b, rq, w, cursor);
        buf_printf(b, ",\"meta\":{\"page\":{\"after\":\"%s\"},\"status\":\"done\"}", cursor);
    }
    buf_char(b, '}');
}

static void fill_events_v2(struct read *r) {
    struct http_request *rq = r->rq;
    struct v2_wanted w = {.query = http_arg(rq, "filter[query]"),
                          .from = http_arg(rq, "filter[from]"),
                          .to = http_arg(rq, "filter[to]"),
                          .sort = http_arg(rq, "sort"),
                          .cursor = http_arg(rq, "page[cursor]"),
                          .limit = arguments_whole(rq, "page[limit]", LIMIT_DEFAULT)};
    answer_page(r, &w);
    arena_free(&w.arena);
}

void api_events_v2(struct http_request *rq) {
    api_read(rq, fill_events_v2);
}

/* --- search ------------------------------------------------------------------------------------------------- */

struct search_field {
    const char *group, *name; /* group == NULL: at the top */
    struct span *text;
};

static bool read_texts(struct http_request *rq, const json_t *body, size_t n,
                       const struct search_field *fields) {
    for (size_t i = 0; i < n; i++) {
        const json_t *group = fields[i].group ? json_object_get(body, fields[i].group) : body;
        const json_t *value = json_object_get(group, fields[i].name);
        if (group && !json_is_object(group) && !json_is_null(group))
            return refuse_field(rq, fields[i].group, "expected an object");
        if (value && !json_is_null(value) && !json_is_string(value))
            return refuse_field(rq, fields[i].name, "expected a string");
        *fields[i].text = span_of(json_string_value(value), json_string_length(value));
    }
    return true;
}

static bool is_known(const char *name, const char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool knows_all(struct http_request *rq, json_t *object, size_t n, const char *const *names) {
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
        if (!is_known(name, names, n)) {
            (void)value;
            return refuse_field(rq, "body", "it has a member that is not known");
        }
    return true;
}

static bool read_search(struct http_request *rq, json_t *body, struct v2_wanted *w) {
    static const char *const top[] = {"filter", "options", "page", "sort"};
    static const char *const filter[] = {"query", "from", "to"};
    static const char *const page[] = {"cursor", "limit"};
    const struct search_field fields[] = {{"filter", "query", &w->query},
                                          {"filter", "from", &w->from},
                                          {"filter", "to", &w->to},
                                          {"page", "cursor", &w->cursor},
                                          {NULL, "sort", &w->sort}};
    const json_t *limit = json_object_get(json_object_get(body, "page"), "limit");
    if (!knows_all(rq, body, 4, top) || !knows_all(rq, json_object_get(body, "filter"), 3, filter) ||
        !knows_all(rq, json_object_get(body, "page"), 2, page) ||
        !read_texts(rq, body, sizeof fields / sizeof fields[0], fields))
        return false;
    if (w->sort.n && !span_eq(w->sort, SPAN("timestamp")) && !span_eq(w->sort, SPAN("-timestamp")))
        return refuse_field(rq, "sort", "expected timestamp or -timestamp");
    w->limit = limit && !json_is_null(limit) ? json_integer_value(limit) : LIMIT_DEFAULT;
    if (w->limit < 1 || w->limit > EVENTS_PAGE_MAX)
        return refuse_field(rq, "page", "limit must be a whole number from 1 to 1000");
    return true;
}

static void fill_search(struct read *r) {
    struct v2_wanted w = {.limit = LIMIT_DEFAULT};
    json_t *body = changes_body(r->rq);
    if (body && read_search(r->rq, body, &w))
        answer_page(r, &w);
    arena_free(&w.arena);
    json_decref(body);
}

void api_events_search(struct http_request *rq) {
    api_read(rq, fill_search);
}

/* --- one event --------------------------------------------------------------------------------------------- */

static bool has_id(void *arg, const struct event_row *row) {
    const struct span *wanted = arg;
    unsigned long long id =
        (unsigned long long)api_event_id(row->event.title, row->event.text, row->received_at);
    char decimal[32], uid[32];
    snprintf(decimal, sizeof decimal, "%llu", id);
    snprintf(uid, sizeof uid, "%016llx", id);
    return span_eq(*wanted, span_str(decimal)) || span_eq(*wanted, span_str(uid));
}

static void fill_event_v2(struct read *r) {
    struct http_request *rq = r->rq;
    struct event_page page = {.match = has_id, .put = event_put_v2, .arg = &rq->params[0], .count = 1};
    struct err err = {0};
    api_answer(rq, 200, "application/json", "{\"data\":");
    if (event_page_put(r, &page, &rq->answer.body, &err) != 0)
        read_failed(r, &err);
    else if (page.n_written == 0)
        api_error_objects(rq, 404, "Not Found", "no event has this id");
    else
        buf_char(&rq->answer.body, '}');
}

void api_event_of_v2(struct http_request *rq) {
    api_read(rq, fill_event_v2);
}
