/* /api/v1/tags/hosts and /api/v1/tags/hosts/{host}: tags that were sent and tags that were set.
 *
 * A set tag belongs to a source, `users` unless the request says otherwise. The tags of a host's series have none.
 */
#include "api/hosts.h"

#include "core/json.h"
#include "core/utf8.h"
#include <stdlib.h>

#define PATTERN "/api/v1/tags/hosts/{host}"

/* --- what was set ------------------------------------------------------------------------------------------ */

/* An object that is a member of `object`, made where it is missing. */
static json_t *member_of(json_t *object, struct span name) {
    json_t *member = json_object_getn(object, name.p, name.n);
    if (!member) {
        json_object_setn_new(object, name.p, name.n, json_object());
        member = json_object_getn(object, name.p, name.n);
    }
    return member;
}

static void add_texts(json_t *list, json_t *more) {
    size_t i;
    json_t *text;
    json_array_foreach(more, i, text) {
        bool known = false;
        for (size_t k = 0; k < json_array_size(list) && !known; k++)
            known = json_equal(json_array_get(list, k), text);
        if (!known)
            json_array_append(list, text);
    }
}

/* POST adds, PUT replaces, DELETE empties. DELETE without a source is about all of them. */
static bool take_change(void *arg, const struct change *change) {
    json_t *hosts = arg, *host = member_of(hosts, change->params[0]);
    struct span source = change->source.n ? change->source : SPAN("users");
    if (span_eq(change->method, SPAN("DELETE"))) {
        if (change->source.n)
            json_object_deln(host, source.p, source.n);
        else
            json_object_clear(host);
        return host != NULL;
    }
    json_t *body = json_loadb(change->body.p, change->body.n, 0, NULL);
    json_t *list = json_object_getn(host, source.p, source.n);
    if (!list || span_eq(change->method, SPAN("PUT"))) {
        json_object_setn_new(host, source.p, source.n, json_array());
        list = json_object_getn(host, source.p, source.n);
    }
    add_texts(list, json_object_get(body, "tags"));
    json_decref(body);
    return list != NULL;
}

json_t *host_tags_set(struct read *r, struct err *err) {
    json_t *hosts = json_object();
    if (hosts && changes_each(r, PATTERN, take_change, hosts, err) == 0)
        return hosts;
    json_decref(hosts);
    return NULL;
}

/* --- which hosts and sources there are ------------------------------------------------------------------- */

struct host_search {
    struct span host;
    bool found;
};

static int see_series(void *arg, const struct series_row *row, const struct query_series *series) {
    (void)row, (void)series;
    ((struct host_search *)arg)->found = true;
    return 1;
}

static int see_event(void *arg, const struct event_row *row) {
    struct host_search *s = arg;
    s->found = span_eq(row->event.origin.host, s->host);
    return s->found;
}

static int see_check(void *arg, const struct check_row *row) {
    struct host_search *s = arg;
    s->found = span_eq(row->check.origin.host, s->host);
    return s->found;
}

/* Whether something was recorded of the host; else it is answered. */
static bool has_host(struct read *r) {
    struct host_search s = {.host = r->rq->params[0]};
    struct names_filter filter = {.host = s.host, .without_tags = true};
    const struct reader_ops *ops = r->reader->ops;
    struct err err = {0};
    int failed = names_each(r, &filter, see_series, &s, &err);
    if (!failed && !s.found)
        failed = ops->events(r->reader, &r->filter, see_event, &s, &err);
    if (!failed && !s.found)
        failed = ops->checks(r->reader, &r->filter, see_check, &s, &err);
    if (failed)
        read_failed(r, &err);
    else if (!s.found)
        api_errors(r->rq, 404, "No host matches that host_id");
    return !failed && s.found;
}

/* Whether Datadog or a client of this session has such a source of tags; else it is answered. */
static bool has_source(struct http_request *rq, json_t *set) {
    static const char *const known[] = {"users",  "datadog",    "chef",   "puppet", "nagios",
                                        "hudson", "jenkins",    "feed",   "git",    "bitbucket",
                                        "fabric", "capistrano", "ansible"};
    struct span source = http_arg(rq, "source");
    bool found = source.n == 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0] && !found; i++)
        found = span_eq(source, span_str(known[i]));
    const char *host;
    json_t *sources;
    json_object_foreach(set, host, sources)
        found = found || json_object_getn(sources, source.p, source.n);
    if (!found)
        api_errors(rq, 404, "Provided source does not exist");
    return found;
}

/* --- one host ---------------------------------------------------------------------------------------------- */

static void add_set(struct names *tags, const json_t *sources, struct span source) {
    const char *name;
    json_t *list, *tag;
    size_t i;
    json_object_foreach((json_t *)sources, name, list) {
        if (source.n && !span_eq(source, span_str(name)))
            continue;
        json_array_foreach(list, i, tag)
            names_add(tags, span_of(json_string_value(tag), json_string_length(tag)));
    }
}

static int take_own(void *arg, const struct series_row *row, const struct query_series *series) {
    (void)row;
    struct names *tags = arg;
    for (size_t i = 0; i < series->n_tags; i++)
        if (!span_starts(series->tags[i], SPAN("host:")))
            names_add(tags, series->tags[i]);
    return tags->arena.failed;
}

static void answer_host(struct http_request *rq, const struct names *tags) {
    bool read = rq->method == HTTP_GET;
    api_answer(rq, read ? 200 : 201, "application/json", "{");
    if (!read) {
        buf_str(&rq->answer.body, "\"host\":");
        json_put_string(&rq->answer.body, rq->params[0]);
        buf_char(&rq->answer.body, ',');
    }
    buf_str(&rq->answer.body, "\"tags\":");
    names_put(&rq->answer.body, tags);
    buf_char(&rq->answer.body, '}');
}

static bool is_good(struct http_request *rq) {
    struct span host = rq->params[0], source = http_arg(rq, "source");
    if (!utf8_valid(host) || !utf8_valid(source) || memchr(host.p, 0, host.n) ||
        (source.n && memchr(source.p, 0, source.n))) {
        api_errors(rq, 400, "Invalid host name or source: it must be text");
        return false;
    }
    if (rq->method != HTTP_POST && rq->method != HTTP_PUT)
        return true;
    json_t *body = changes_body(rq);
    bool good = body && changes_is_texts(json_object_get(body, "tags"));
    if (body && !good)
        api_errors(rq, 400, "The body must be {\"tags\":[…]}, a list of texts");
    json_decref(body);
    return good;
}

static void fill_host_tags(struct read *r) {
    struct http_request *rq = r->rq;
    struct names tags = {0};
    struct err err = {0};
    struct names_filter filter = {.host = rq->params[0]};
    struct span source = http_arg(rq, "source");
    struct change change = changes_this(rq);
    json_t *set = NULL;
    if (!has_host(r) || !is_good(rq))
        return;
    if (rq->method == HTTP_DELETE) {
        api_answer(rq, 204, NULL, "");
        return;
    }
    bool failed = !(set = host_tags_set(r, &err)) || (rq->method != HTTP_GET && !take_change(set, &change)) ||
                  (rq->method == HTTP_GET && !source.n && names_each(r, &filter, take_own, &tags, &err) != 0);
    add_set(&tags, json_object_getn(set, rq->params[0].p, rq->params[0].n),
            rq->method == HTTP_GET || source.n ? source : SPAN("users"));
    names_sort(&tags);
    if (failed)
        read_failed(r, &err);
    else
        answer_host(rq, &tags);
    names_free(&tags);
    json_decref(set);
}

void api_host_tags(struct http_request *rq) {
    api_read_metrics(rq, fill_host_tags);
}

/* --- all of them ------------------------------------------------------------------------------------------- */

/* "TAG\0HOST" */
static void add_pair(struct names *pairs, struct span tag, struct span host) {
    struct buf pair = {.max = 1 << 20};
    buf_span(&pair, tag);
    buf_char(&pair, '\0');
    buf_span(&pair, host);
    names_add(pairs, buf_view(&pair));
    buf_free(&pair);
}

static int take_pair(void *arg, const struct series_row *row, const struct query_series *series) {
    struct names *pairs = arg;
    for (size_t i = 0; row->host.n && i < series->n_tags; i++)
        if (!span_starts(series->tags[i], SPAN("host:")))
            add_pair(pairs, series->tags[i], row->host);
    return pairs->arena.failed;
}

static void add_set_pairs(struct names *pairs, json_t *set, struct span source) {
    const char *host;
    json_t *sources;
    json_object_foreach(set, host, sources) {
        struct names tags = {0};
        add_set(&tags, sources, source);
        for (size_t i = 0; i < tags.n; i++)
            add_pair(pairs, tags.texts[i], span_str(host));
        names_free(&tags);
    }
}

static void put_pairs(struct buf *b, const struct names *pairs) {
    struct span last = {NULL, 0};
    for (size_t i = 0; i < pairs->n; i++) {
        struct span tag = pairs->texts[i];
        tag.n = strnlen(tag.p, tag.n);
        bool same = last.p && span_eq(last, tag);
        if (!same) {
            buf_str(b, last.p ? "]," : "");
            json_put_string(b, tag);
            buf_str(b, ":[");
        }
        buf_str(b, same ? "," : "");
        json_put_string(b, span_from(pairs->texts[i], tag.n + 1));
        last = tag;
    }
    buf_str(b, last.p ? "]" : "");
}

/* Every tag with its hosts. */
static void fill_all_host_tags(struct read *r) {
    struct http_request *rq = r->rq;
    struct span source = http_arg(rq, "source");
    struct names pairs = {0};
    struct names_filter filter = {0};
    struct err err = {0};
    json_t *set = NULL;
    if ((!source.n && names_each(r, &filter, take_pair, &pairs, &err) != 0) ||
        !(set = host_tags_set(r, &err))) {
        read_failed(r, &err);
    } else if (has_source(rq, set)) {
        add_set_pairs(&pairs, set, source);
        names_sort(&pairs);
        api_answer(rq, 200, "application/json", "{\"tags\":{");
        put_pairs(&rq->answer.body, &pairs);
        buf_str(&rq->answer.body, "}}");
    }
    json_decref(set);
    names_free(&pairs);
}

void api_all_host_tags(struct http_request *rq) {
    api_read_metrics(rq, fill_all_host_tags);
}
