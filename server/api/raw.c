/* Requests that are kept as they came: metadata, inventories, other Agent payloads, and what nobody knows. */
#include "api/api.h"
#include "api/post.h"
#include "http/body.h"

#define RAW_PLAIN_MAX ((size_t)16 << 20)

/* The answer stands in rq->answer unless the gate says otherwise. */
static void keep(struct http_request *rq, struct span note) {
    struct post *post = post_new(rq, false);
    struct span plain = rq->body, refusal;
    struct buf room = {0};
    char why[96];
    if (!post) {
        api_status(rq, 503);
        return;
    }
    if (!api_admits(rq, &refusal) || !api_has_body(rq, &refusal)) {
        note = refusal;
    } else if (body_decode(rq->body, rq->content_encoding, RAW_PLAIN_MAX, &room, &plain, why) != BODY_OK) {
        plain = rq->body; /* nobody reads it: kept all the same */
        note = SPAN("Content-Encoding not undone");
    }
    post_request(post, plain.n, plain, note);
    buf_free(&room);
    post_send(post);
}

void api_raw(struct http_request *rq) {
    api_answer(rq, 202, "application/json", "{}");
    keep(rq, (struct span){NULL, 0});
}

/* The Agent, by what it says of itself; its trace-agent hands on what applications send. An Agent sends again and again what was
 * answered 404. */
static bool is_agent(const struct http_request *rq) {
    return span_starts(rq->user_agent, SPAN("datadog-agent")) ||
           span_starts(rq->user_agent, SPAN("Datadog Trace Agent")) ||
           span_starts(http_header(rq, "Via"), SPAN("trace-agent")) || http_header(rq, "DD-EVP-ORIGIN").p;
}

void api_unknown(struct http_request *rq) {
    if (span_starts(rq->path, SPAN("/recorder"))) {
        http_error(rq, 404, "no such path: %.*s (GET /recorder/v1/openapi.yaml lists them)",
                   SPAN_ARG(rq->path));
        return;
    }
    if (rq->method != HTTP_GET && is_agent(rq)) {
        api_answer(rq, 202, "application/json", "{}");
        keep(rq, SPAN("no path of statwit's, taken because an Agent sent it"));
        return;
    }
    api_errors(rq, 404, "no such path: %.*s", SPAN_ARG(rq->path));
    /* Browsers ask for icons and the like by themselves: a look at the page would change the recording. */
    if (rq->method == HTTP_GET && http_header(rq, "Sec-Fetch-Site").p)
        return;
    keep(rq, SPAN("no such path"));
}
