#include "control/stub.h"

#include "core/base64.h"
#include "core/json.h"
#include "core/utf8.h"
#include <stdlib.h>
#include <strings.h>

#define VALUE_MAX ((size_t)4096) /* bytes of a header's value */

static const char *const methods[] = {"GET",  "POST",    "PUT",     "PATCH", "DELETE",
                                      "HEAD", "OPTIONS", "CONNECT", "TRACE"};
#define N_METHODS (sizeof methods / sizeof methods[0])

static bool is_token(struct span s) {
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
                    s.p[i]) ||
            !s.p[i])
            return false;
    return s.n > 0 && s.n <= 128;
}

static bool is_value(struct span s) {
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return s.n <= VALUE_MAX;
}

static int refuse(struct http_request *rq, const char *what, const char *why) {
    http_error(rq, 400, "%s %s", what, why);
    return -1;
}

/* --- reading --------------------------------------------------------------------------------------------- */

static int read_method(struct http_request *rq, struct span word, struct fault_rule *rule) {
    for (size_t i = 0; i < N_METHODS; i++)
        if (span_eq(word, span_str(methods[i]))) {
            memcpy(rule->method, word.p, word.n);
            return 0;
        }
    http_error(rq, 400,
               "method is one of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, CONNECT and TRACE, not '%.*s'",
               (int)(word.n < 40 ? word.n : 40), word.p);
    return -1;
}

static int read_endpoint(struct http_request *rq, struct span path, struct fault_rule *rule) {
    if (path.n == 0 || path.p[0] != '/' || memchr(path.p, '\0', path.n))
        return refuse(rq, "endpoint", "must be a path, as /api/v2/series");
    if (path.n >= sizeof rule->endpoint) {
        http_error(rq, 400, "endpoint is longer than %zu bytes", sizeof rule->endpoint - 1);
        return -1;
    }
    memcpy(rule->endpoint, path.p, path.n);
    return 0;
}

static int set_body(struct http_request *rq, struct fault_content *c, struct span body) {
    if (body.n > FAULT_BODY_MAX) {
        http_error(rq, 400, "body is longer than %zu bytes", FAULT_BODY_MAX);
        return -1;
    }
    c->has_body = true;
    buf_span(&c->body, body);
    return 0;
}

static int set_content_type(struct http_request *rq, struct fault_content *c, struct span type) {
    if (!is_value(type))
        return refuse(rq, "content_type", "must be one line of at most 4096 bytes");
    free(c->content_type);
    c->content_type = strndup(type.p, type.n);
    return c->content_type ? 0 : refuse(rq, "the fault", "cannot be kept: out of memory");
}

static int add_header(struct http_request *rq, struct fault_content *c, const char *name,
                      const json_t *value) {
    static const char *const ours[] = {"Content-Length", "Transfer-Encoding", "Connection"};
    struct span text =
        json_is_string(value) ? span_of(json_string_value(value), json_string_length(value)) : SPAN("\n");
    if (!is_token(span_str(name)) || !is_value(text)) {
        http_error(rq, 400, "headers must be an object of names and texts of one line, '%.60s' is not", name);
        return -1;
    }
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (strcasecmp(name, ours[i]) == 0) {
            http_error(rq, 400, "the header %s is set by statwit", ours[i]);
            return -1;
        }
    if (strcasecmp(name, "Content-Type") == 0)
        return set_content_type(rq, c, text);
    if (c->n_headers == FAULT_HEADERS_MAX) {
        http_error(rq, 400, "a fault takes at most %d headers", FAULT_HEADERS_MAX);
        return -1;
    }
    c->headers[c->n_headers].name = strdup(name);
    c->headers[c->n_headers].value = strndup(text.p, text.n);
    bool kept = c->headers[c->n_headers].name && c->headers[c->n_headers].value;
    c->n_headers++;
    return kept ? 0 : refuse(rq, "the fault", "cannot be kept: out of memory");
}

static int read_headers(struct http_request *rq, const json_t *object, struct fault_content *c) {
    const char *name;
    json_t *value, *headers = json_object_get(object, "headers");
    if (!headers || json_is_null(headers))
        return 0;
    if (!json_is_object(headers))
        return refuse(rq, "headers", "must be an object of names and texts");
    json_object_foreach(headers, name, value)
        if (add_header(rq, c, name, value) != 0)
            return -1;
    return 0;
}

static int read_body_b64(struct http_request *rq, struct fault_content *c, struct span text) {
    struct buf bytes = {.max = FAULT_BODY_MAX + 4};
    int result = base64_decode(text, &bytes)
                     ? set_body(rq, c, buf_view(&bytes))
                     : refuse(rq, "body_b64", "must be base64, of at most 1048576 bytes");
    buf_free(&bytes);
    return result;
}

static int read_content(struct http_request *rq, const json_t *object, struct fault_content *c) {
    struct span body, b64, type;
    int has_body = ask_string(rq, object, "body", &body), has_b64 = ask_string(rq, object, "body_b64", &b64);
    int has_type = ask_string(rq, object, "content_type", &type);
    if (has_body < 0 || has_b64 < 0 || has_type < 0)
        return -1;
    if (has_body && has_b64)
        return refuse(rq, "body and body_b64", "exclude each other");
    if ((has_body && set_body(rq, c, body) != 0) || (has_b64 && read_body_b64(rq, c, b64) != 0) ||
        (has_type && set_content_type(rq, c, type) != 0))
        return -1;
    return read_headers(rq, object, c);
}

int stub_read(struct http_request *rq, const json_t *object, struct fault_rule *rule) {
    struct span method, endpoint;
    int has_method = ask_string(rq, object, "method", &method);
    int has_endpoint = ask_string(rq, object, "endpoint", &endpoint);
    if (has_method < 0 || has_endpoint < 0 || ask_bool(rq, object, "kept", &rule->kept) < 0 ||
        (has_method && read_method(rq, method, rule) != 0) ||
        (has_endpoint && read_endpoint(rq, endpoint, rule) != 0))
        return -1;
    struct fault_content *c = fault_content_new();
    if (!c)
        return refuse(rq, "the fault", "cannot be kept: out of memory");
    if (read_content(rq, object, c) != 0) {
        fault_content_release(c);
        return -1;
    }
    if (c->has_body || c->content_type || c->n_headers) {
        rule->content = c;
        return 0;
    }
    fault_content_release(c);
    return 0;
}

int stub_read_override(struct http_request *rq, struct fault_rule *rule) {
    struct span endpoint = SPAN(""), type = SPAN(""), method = SPAN("POST"), b64 = SPAN("");
    uint64_t status = 0;
    json_t *body = ask_body(rq, ASK_NAMES("endpoint", "status_code", "content_type", "method", "body"));
    if (!body)
        return -1;
    struct fault_content *c = fault_content_new();
    int result = -1;
    if (!c)
        http_error(rq, 503, "out of memory");
    else if (ask_string(rq, body, "endpoint", &endpoint) >= 0 &&
             ask_string(rq, body, "method", &method) >= 0 &&
             ask_string(rq, body, "content_type", &type) >= 0 && ask_string(rq, body, "body", &b64) >= 0 &&
             ask_count(rq, body, "status_code", 599, &status) >= 0 &&
             read_method(rq, method.n ? method : SPAN("POST"), rule) == 0 &&
             read_endpoint(rq, endpoint, rule) == 0 && read_body_b64(rq, c, b64) == 0 &&
             (type.n == 0 || set_content_type(rq, c, type) == 0))
        result = status >= 200 ? 0 : refuse(rq, "status_code", "must be from 200 to 599");
    if (result == 0) {
        rule->status = (unsigned)status;
        rule->kept = true;
        rule->content = c;
    } else
        fault_content_release(c);
    json_decref(body);
    return result;
}

/* --- writing --------------------------------------------------------------------------------------------- */

static void put_text(struct buf *b, const char *name, struct span text) {
    buf_printf(b, ",\"%s\":", name);
    json_put_string(b, text);
}

static void put_content(struct buf *b, const struct fault_content *c) {
    struct span body = buf_view(&c->body);
    if (c->has_body && utf8_valid(body) && !(body.n && memchr(body.p, 0, body.n)))
        put_text(b, "body", body.p ? body : SPAN(""));
    else if (c->has_body) {
        buf_str(b, ",\"body_b64\":");
        json_put_base64(b, body);
    }
    if (c->content_type)
        put_text(b, "content_type", span_str(c->content_type));
    for (size_t i = 0; i < c->n_headers; i++) {
        buf_str(b, i ? "," : ",\"headers\":{");
        json_put_string(b, span_str(c->headers[i].name));
        buf_char(b, ':');
        json_put_string(b, span_str(c->headers[i].value));
    }
    if (c->n_headers)
        buf_char(b, '}');
}

void stub_put(struct buf *b, const struct fault_rule *rule) {
    if (rule->method[0])
        put_text(b, "method", span_str(rule->method));
    if (rule->endpoint[0])
        put_text(b, "endpoint", span_str(rule->endpoint));
    if (rule->content)
        put_content(b, rule->content);
    if (rule->kept)
        buf_str(b, ",\"kept\":true");
}
