/* /api/v1/hosts and /api/v1/tags/hosts. Tags that a client sets are kept in the recorded requests alone. */
#include "api/names.h"
#include "core/clock.h"
#include "core/json.h"

#include <jansson.h>
#include <stdlib.h>

/* --- hosts ----------------------------------------------------------------------------------------------- */

static void put_host(struct buf *b, struct span name, size_t id, int64_t now_s) {
    buf_str(b, "{\"id\":");
    buf_u64(b, id + 1);
    buf_str(b, ",\"name\":");
    json_put_string(b, name);
    buf_str(b, ",\"host_name\":");
    json_put_string(b, name);
    buf_printf(
        b,
        ",\"up\":true,\"last_reported_time\":%lld,\"is_muted\":false,\"mute_timeout\":null,\"apps\":[],"
        "\"sources\":[],\"aliases\":[",
        (long long)now_s);
    json_put_string(b, name);
    buf_str(b,
            "],\"tags_by_source\":{},\"metrics\":{\"cpu\":null,\"iowait\":null,\"load\":null},\"meta\":{}}");
}

static void fill_hosts(struct read *r) {
    struct http_request *rq = r->rq;
    struct span part = http_arg(rq, "filter");
    struct names hosts = {0};
    struct err err = {0};
    size_t n = 0;
    if (span_starts(part, SPAN("host:")))
        part = span_from(part, strlen("host:"));
    if (names_hosts(r, &hosts, &err) != 0) {
        read_failed(r, &err);
        names_free(&hosts);
        return;
    }
    api_answer(rq, 200, "application/json", "{\"host_list\":[");
    for (size_t i = 0; i < hosts.n; i++) {
        if (part.n && !memmem(hosts.texts[i].p, hosts.texts[i].n, part.p, part.n))
            continue;
        if (n++)
            buf_char(&rq->answer.body, ',');
        put_host(&rq->answer.body, hosts.texts[i], i, rq->received_at / NS_PER_S);
    }
    buf_printf(&rq->answer.body,
               "],\"total_returned\":%zu,\"total_matching\":%zu,\"exact_total_matching\":true}", n, n);
    names_free(&hosts);
}

void api_hosts(struct http_request *rq) {
    api_read(rq, fill_hosts);
}

static void fill_totals(struct read *r) {
    struct names hosts = {0};
    struct err err = {0};
    if (names_hosts(r, &hosts, &err) != 0) {
        read_failed(r, &err);
    } else {
        api_answer(r->rq, 200, "application/json", "");
        buf_printf(&r->rq->answer.body, "{\"total_up\":%zu,\"total_active\":%zu}", hosts.n, hosts.n);
    }
    names_free(&hosts);
}

void api_hosts_totals(struct http_request *rq) {
    api_read(rq, fill_totals);
}

/* --- a host's tags --------------------------------------------------------------------------------------- */

struct host_tags {
    struct span path;
    json_t *tags;
};

/* POST adds, PUT replaces, DELETE empties. */
static void apply(json_t *tags, struct span method, struct span body) {
    if (!span_eq(method, SPAN("POST")))
        json_array_clear(tags);
    json_t *object = json_loadb(body.p, body.n, 0, NULL);
    json_t *more = json_object_get(object, "tags");
    if (json_is_array(more))
        json_array_extend(tags, more);
    json_decref(object);
}

static int take_change(void *arg, const struct request_row *row) {
    struct host_tags *t = arg;
    const struct request *request = &row->request;
    if (request->status >= 200 && request->status < 300 && !span_eq(request->method, SPAN("GET")) &&
        !span_eq(request->method, SPAN("HEAD")) && span_eq(request->path, t->path))
        apply(t->tags, request->method, request->body);
    return 0;
}

static void put_host_tags(struct http_request *rq, const json_t *tags) {
    char *text = json_dumps(tags, JSON_COMPACT);
    bool read = rq->method == HTTP_GET;
    api_answer(rq, read ? 200 : 201, "application/json", "{");
    if (!read) {
        buf_str(&rq->answer.body, "\"host\":");
        json_put_string(&rq->answer.body, rq->params[0]);
        buf_char(&rq->answer.body, ',');
    }
    buf_printf(&rq->answer.body, "\"tags\":%s}", text ? text : "[]");
    free(text);
}

static void fill_host_tags(struct read *r) {
    struct http_request *rq = r->rq;
    struct host_tags t = {rq->raw_path, json_array()};
    struct err err = {0};
    json_error_t error;
    json_t *body = rq->method == HTTP_POST || rq->method == HTTP_PUT
                       ? json_loadb(rq->body.p, rq->body.n, 0, &error)
                       : NULL;
    if (r->reader->ops->requests(r->reader, &r->filter, take_change, &t, &err) != 0) {
        read_failed(r, &err);
    } else if (rq->method == HTTP_DELETE) {
        api_answer(rq, 204, NULL, "");
    } else if (rq->method != HTTP_GET && !json_is_array(json_object_get(body, "tags"))) {
        api_errors(rq, 400, "The body must be {\"tags\":[…]}");
    } else {
        if (rq->method != HTTP_GET)
            apply(t.tags, rq->method_text, rq->body);
        put_host_tags(rq, t.tags);
    }
    json_decref(body);
    json_decref(t.tags);
}

void api_host_tags(struct http_request *rq) {
    api_read(rq, fill_host_tags);
}

static int take_host_tag(void *arg, const struct series_row *row) {
    json_t *tags = arg;
    for (size_t i = 0; row->host.n && i < row->n_tags; i++) {
        char key[256];
        if (row->tags[i].n >= sizeof key || memchr(row->tags[i].p, '\0', row->tags[i].n))
            continue;
        memcpy(key, row->tags[i].p, row->tags[i].n);
        key[row->tags[i].n] = '\0';
        json_t *hosts = json_object_get(tags, key);
        json_t *host = json_stringn(row->host.p, row->host.n);
        if (!hosts)
            json_object_set_new(tags, key, hosts = json_array());
        bool known = false;
        for (size_t k = 0; k < json_array_size(hosts); k++)
            known = known || json_equal(json_array_get(hosts, k), host);
        if (known || !host)
            json_decref(host);
        else
            json_array_append_new(hosts, host);
    }
    return 0;
}

/* Every tag with the hosts that sent it. */
static void fill_all_host_tags(struct read *r) {
    json_t *tags = json_object();
    struct err err = {0};
    char *text = NULL;
    if (r->reader->ops->series(r->reader, &r->filter, take_host_tag, tags, &err) != 0) {
        read_failed(r, &err);
    } else {
        text = json_dumps(tags, JSON_COMPACT);
        api_answer(r->rq, 200, "application/json", "{\"tags\":");
        buf_str(&r->rq->answer.body, text ? text : "{}");
        buf_char(&r->rq->answer.body, '}');
    }
    free(text);
    json_decref(tags);
}

void api_all_host_tags(struct http_request *rq) {
    api_read(rq, fill_all_host_tags);
}
