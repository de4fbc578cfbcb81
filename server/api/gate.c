#include "api/api.h"

static bool same_key(struct span key, const char *other) {
    return span_eq(key, span_str(other));
}

/* Any key when none was asked for; a session's own key always. */
static bool key_is_good(const struct http_request *rq) {
    const struct http_options *o = &rq->http->options;
    for (size_t i = 0; i < o->n_api_keys; i++)
        if (same_key(rq->api_key, o->api_keys[i]))
            return true;
    return o->n_api_keys == 0 || ingest_session_by_key(rq->http->ingest, rq->api_key) !=
                                     ingest_session_by_key(rq->http->ingest, SPAN(""));
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
    if (rq->fault.status) {
        *note = SPAN("fault: status injected, nothing stored");
        api_status(rq, rq->fault.status);
        return false;
    }
    *note = rq->fault.cut == HTTP_CUT_DURING  ? SPAN("fault: the answer is cut short")
            : rq->fault.cut == HTTP_CUT_AFTER ? SPAN("fault: cut without an answer, stored")
                                              : SPAN("fault: delayed");
    return true;
}

bool api_has_session(struct http_request *rq, struct span *note) {
    char words[HTTP_SESSION_SIZE];
    if (!rq->session_unknown)
        return true;
    *note = SPAN("no such session: nothing stored");
    api_errors(rq, 404, "%s", http_session_words(rq, words));
    return false;
}

bool api_admits(struct http_request *rq, struct span *note) {
    if (!api_is_undisturbed(rq, note) || !api_has_session(rq, note))
        return false;
    if (key_is_good(rq))
        return true;
    if (rq->api_key.n == 0) {
        *note = SPAN("no API key");
        api_errors(rq, 403, "API key required");
    } else {
        *note = SPAN("the API key is not among those of --api-key");
        api_status(rq, 403);
    }
    return false;
}
