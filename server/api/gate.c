#include "api/api.h"
#include "http/fault.h"

static bool same_key(struct span key, const char *other) {
    return span_eq(key, span_str(other));
}

#define KEY_DIGITS 32

static bool is_hexadecimal(struct span key) {
    for (size_t i = 0; i < key.n; i++)
        if (!strchr("0123456789abcdefABCDEF", key.p[i]) || !key.p[i])
            return false;
    return true;
}

/* Any key when none was asked for; a session's own key always. */
static bool key_is_known(const struct http_request *rq) {
    const struct http_options *o = &rq->http->options;
    for (size_t i = 0; i < o->n_api_keys; i++)
        if (same_key(rq->api_key, o->api_keys[i]))
            return true;
    return o->n_api_keys == 0 || ingest_session_by_key(rq->http->ingest, rq->api_key) !=
                                     ingest_session_by_key(rq->http->ingest, SPAN(""));
}

/* Whether it changes something at Datadog: such a request needs a key. */
static bool is_keyed_write(const struct http_request *rq) {
    return (rq->route->flags & ROUTE_KEY) && rq->method != HTTP_GET;
}

static bool has_key(const struct http_request *rq) {
    bool header_only = (rq->route->flags & ROUTE_KEY_HEADER) && is_keyed_write(rq);
    return (header_only ? http_header(rq, "DD-API-KEY") : rq->api_key).n > 0;
}

/* Answers 403 and says why in *note. */
static void refuse_key(struct http_request *rq, struct span *note) {
    if (rq->key == KEY_REFUSED) {
        api_status(rq, 403);
        return;
    }
    rq->http->n_keyless += is_keyed_write(rq);
    *note = SPAN("no API key: Datadog answers 403 and keeps nothing");
    if (rq->route->flags & ROUTE_KEY_HEADER) {
        if (rq->api_key.n)
            *note = SPAN("no API key in the header: Datadog answers 403 and keeps nothing");
        api_errors(rq, 403, "No API key specified in DD-API-KEY header");
    } else {
        api_errors(rq, 403, "API key required");
    }
}

/* --api-key and --strict-intake say which keys are good; --accept-no-key lets a request without any pass. */
static bool admits_key(struct http_request *rq, struct span *note) {
    const struct http_options *o = &rq->http->options;
    bool write = is_keyed_write(rq);
    rq->key = KEY_FINE;
    if (!has_key(rq)) {
        if (!o->accept_no_key && (write || o->n_api_keys > 0))
            rq->key = KEY_MISSING;
    } else if (!key_is_known(rq)) {
        rq->key = KEY_REFUSED;
        *note = SPAN("the API key is not among those of --api-key");
    } else if (o->strict_intake && write && (rq->api_key.n != KEY_DIGITS || !is_hexadecimal(rq->api_key))) {
        rq->key = KEY_REFUSED;
        *note = SPAN("strict: the API key is not 32 hexadecimal digits");
    }
    if (rq->key != KEY_FINE)
        refuse_key(rq, note);
    return rq->key == KEY_FINE;
}

void api_injected(struct http_request *rq) {
    api_status(rq, rq->fault.status ? rq->fault.status : 200);
    fault_answer(rq);
}

bool api_is_undisturbed(struct http_request *rq, struct span *note) {
    *note = (struct span){NULL, 0};
    if (!rq->fault.active)
        return true;
    if (rq->fault.cut == HTTP_CUT_BEFORE) {
        *note = SPAN("fault: cut before the answer, nothing stored");
        api_status(rq, 503);
        return false;
    }
    bool answers = rq->fault.status || rq->fault.content;
    if (answers && !rq->fault.kept) {
        *note = SPAN("fault: status injected, nothing stored");
        api_injected(rq);
        return false;
    }
    *note = answers                            ? SPAN("fault: another answer, stored")
            : rq->fault.cut == HTTP_CUT_DURING ? SPAN("fault: the answer is cut short")
            : rq->fault.cut == HTTP_CUT_AFTER  ? SPAN("fault: cut without an answer, stored")
                                               : SPAN("fault: delayed");
    return true;
}

bool api_has_session(struct http_request *rq, struct span *note) {
    if (!rq->session_unknown)
        return true;
    *note = rq->session_status == 404 ? SPAN("no such session: nothing stored")
                                      : SPAN("no session could be told: nothing stored");
    api_errors(rq, rq->session_status, "%s", buf_view(&rq->session_why).p);
    return false;
}

bool api_has_body(struct http_request *rq, struct span *note) {
    if (rq->too_large) {
        api_status(rq, 413);
        *note = SPAN("too large on the wire");
    } else if (rq->coded) {
        api_errors(rq, 501, HTTP_CODED);
        *note = SPAN("unknown Transfer-Encoding");
    }
    return !rq->too_large && !rq->coded;
}

bool api_admits(struct http_request *rq, struct span *note) {
    return api_is_undisturbed(rq, note) && api_has_session(rq, note) && admits_key(rq, note);
}
