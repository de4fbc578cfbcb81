/* Writes: a body becomes records; the answer is sent once they are committed.
 *
 * DESIGN. Small bodies are decoded on the thread that received them, straight into one batch, which is thrown
 * away when the body turns out to be refused. Others go to a worker, which decodes twice: once to know
 * whether the whole is accepted, once into batches of bounded size while the first of them are being stored
 * already.
 */
#include "api/api.h"
#include "api/post.h"
#include "core/clock.h"
#include "core/json.h"
#include "decode/dogstatsd.h"
#include "http/body.h"
#include "http/work.h"
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#define INLINE_WIRE  ((size_t)16 << 10) /* bytes of a body that is decoded at once */
#define INLINE_PLAIN ((size_t)256 << 10)
/* Bytes of a body that is decoded once, since its records may take twenty times as much memory. */
#define ONCE_PLAIN ((size_t)2 << 20)
#define EXCERPT    ((size_t)128) /* bytes of a refused body shown before and after the place */

enum style { STYLE_V1, STYLE_V2, STYLE_V3, STYLE_EVENT_V1, STYLE_EVENT_V2 };

struct spec {
    enum intake_format format;
    enum style style;
    size_t plain_max;
    bool raw_without_records; /* host metadata at /intake: kept as it came */
};

/* A write request while it is worked on. */
struct write {
    struct http_request *rq;
    const struct spec *spec;
    struct span body;
    struct buf room;
    struct post *post;
    struct memo *memo; /* NULL: there is no memory to remember with */
    struct intake_error error;
    size_t n_kept, n_rejects;
    bool only_count, only_rejects;
    bool answered;      /* of an event */
    struct event first; /* of an event's answer; its spans are the body's or the post's */
    char first_reject[160];
    struct span note;
};

int64_t api_event_id(struct span title, struct span text, int64_t received_at) {
    uint64_t hash = XXH64(text.p, text.n, XXH64(title.p, title.n, (uint64_t)received_at));
    return (int64_t)(hash >> 2 | 1);
}

/* --- answers --------------------------------------------------------------------------------------------- */

static void answer_bad_payload(struct write *w, const char *why) {
    struct http_request *rq = w->rq;
    char text[320];
    snprintf(text, sizeof text, "Payload is not in the expected format: %s", why);
    switch (w->spec->style) {
    case STYLE_V1:
        api_answer(rq, 400, "text/plain; charset=utf-8", text);
        break;
    case STYLE_EVENT_V1:
        api_errors(rq, 400, "%s", w->error.reason == REASON_INVALID_BODY ? text : why);
        rq->answer.content_type = "text/plain; charset=utf-8";
        break;
    case STYLE_EVENT_V2:
        api_error_objects(rq, 400, "Bad Request", w->error.reason == REASON_INVALID_BODY ? text : why);
        break;
    default:
        api_errors(rq, 400, "%s", text);
    }
}

static void put_field(struct buf *b, const char *key, struct span text) {
    buf_printf(b, ",\"%s\":", key);
    if (text.p)
        json_put_string(b, text);
    else
        buf_str(b, "null");
}

static void answer_event_v1(struct write *w) {
    const struct event *e = &w->first;
    struct buf *b = &w->rq->answer.body;
    long long id = (long long)api_event_id(e->title, e->text, w->rq->received_at);
    long long at = e->timestamp ? (long long)e->timestamp : (long long)(w->rq->received_at / NS_PER_S);
    api_answer(w->rq, 202, "application/json", "");
    buf_printf(b, "{\"status\":\"ok\",\"event\":{\"id\":%lld,\"id_str\":\"%lld\"", id, id);
    put_field(b, "title", e->title);
    put_field(b, "text", e->text);
    buf_printf(b, ",\"date_happened\":%lld,\"handle\":null", at);
    put_field(b, "priority", e->priority);
    buf_str(b, ",\"related_event_id\":null,\"tags\":");
    if (e->n_tags)
        json_put_strings(b, e->n_tags, e->tags);
    else
        buf_str(b, "null");
    buf_printf(b, ",\"url\":\"https://app.datadoghq.com/event/event?id=%lld\"}}", id);
}

static void answer_event_v2(struct write *w) {
    const struct event *e = &w->first;
    uint64_t id = (uint64_t)api_event_id(e->title, e->text, w->rq->received_at);
    api_answer(w->rq, 202, "application/json", "");
    buf_printf(
        &w->rq->answer.body,
        "{\"data\":{\"attributes\":{\"attributes\":{\"evt\":{\"id\":\"%llu\",\"uid\":\"%016llx\"}}},\"id\":\"_\","
        "\"type\":\"event\"},\"links\":{\"self\":\"https://api.datadoghq.com/api/v2/events/%016llx\"}}",
        (unsigned long long)id, (unsigned long long)id, (unsigned long long)id);
}

static void answer_accepted(struct write *w) {
    switch (w->spec->style) {
    case STYLE_V1:
        api_answer(w->rq, 202, "text/json", "{\"status\": \"ok\"}");
        break;
    case STYLE_V2:
        api_answer(w->rq, 202, "application/json", "{\"errors\":[]}");
        break;
    case STYLE_V3:
        api_answer(w->rq, 202, "application/x-protobuf", "");
        break;
    case STYLE_EVENT_V1:
        answer_event_v1(w);
        break;
    case STYLE_EVENT_V2:
        answer_event_v2(w);
        break;
    }
}

/* --- decoding -------------------------------------------------------------------------------------------- */

/* Remembers what an event's answer repeats; its spans last as long as the callback, so the answer is written
 * here. */
static void take_record(void *arg, const struct record *record) {
    struct write *w = arg;
    bool event = w->spec->style >= STYLE_EVENT_V1;
    if (record->kind == RECORD_REJECT) {
        if (w->n_rejects++ == 0)
            snprintf(w->first_reject, sizeof w->first_reject, "%s", reason_sentence(record->reject.reason));
    } else {
        w->n_kept++;
    }
    if (event) {
        bool kept = record->kind == RECORD_EVENT;
        w->first = kept ? record->event : (struct event){.title = record->reject.name};
        answer_accepted(w);
        w->answered = true;
    }
    if (!w->only_count && (!w->only_rejects || record->kind == RECORD_REJECT))
        post_record(w->post, record);
}

static const struct metric *find_next(void *arg, char kind, struct span bytes) {
    return memo_next(((struct write *)arg)->memo, kind, bytes);
}

static const struct metric *find_known(void *arg, char kind, struct span name, struct span rest) {
    return memo_find(((struct write *)arg)->memo, kind, name, rest);
}

static const struct metric *learn(void *arg, const struct metric *metric) {
    return memo_add(((struct write *)arg)->memo, metric);
}

static enum intake_status decode(struct write *w) {
    struct intake_options options = {
        .now_s = w->rq->received_at / NS_PER_S,
        .any_age = ingest_takes_any_age(w->rq->http->ingest, w->rq->session_id),
        .from_agent = span_starts(w->rq->user_agent, SPAN("datadog-agent")),
        .next = w->memo ? find_next : NULL,
        .known = w->memo ? find_known : NULL,
        .learn = w->memo ? learn : NULL,
    };
    w->n_kept = w->n_rejects = 0;
    return intake_decode(w->spec->format, w->body, &options, take_record, w, &w->error);
}

static void reject_body(struct write *w) {
    size_t at = w->error.offset < w->body.n ? w->error.offset : w->body.n;
    size_t from = at > EXCERPT ? at - EXCERPT : 0;
    size_t to = w->body.n - at > EXCERPT ? at + EXCERPT : w->body.n;
    struct record record = {
        .kind = RECORD_REJECT,
        .reject = {.reason = w->error.reason,
                   .family = span_str(intake_family(w->spec->format)),
                   .text = span_of(w->body.p + from, to - from),
                   .offset = at - from,
                   .detail = span_str(w->error.text)},
    };
    post_record(w->post, &record);
}

/* The body was refused: nothing of it is kept but why. */
static void refuse(struct write *w, enum intake_status status) {
    post_clear(w->post);
    reject_body(w);
    if (status == INTAKE_TOO_LARGE)
        api_status(w->rq, 413);
    else
        answer_bad_payload(w, w->error.text);
    w->note = span_str(w->error.text);
}

/* --strict-intake: what would be dropped in silence refuses the request. */
static void refuse_strictly(struct write *w) {
    post_clear(w->post);
    w->only_count = false;
    w->only_rejects = true;
    decode(w);
    w->error.reason = REASON_INVALID_FIELD;
    answer_bad_payload(w, w->first_reject);
    w->note = SPAN("strict: Datadog would drop some of it");
}

static void decode_body(struct write *w, bool asleep) {
    bool twice = asleep && w->body.n > ONCE_PLAIN;
    w->only_count = twice;
    enum intake_status status = decode(w);
    bool strict = w->rq->http->options.strict_intake;
    if (status != INTAKE_OK) {
        refuse(w, status);
    } else if (strict && w->n_rejects > 0) {
        refuse_strictly(w);
    } else {
        if (!w->answered)
            answer_accepted(w);
        if (twice) {
            w->only_count = false;
            post_early(w->post);
            decode(w);
        }
    }
}

/* --- the request ----------------------------------------------------------------------------------------- */

/* False once it is answered that the body cannot be read. */
static bool undo_encoding(struct write *w) {
    struct http_request *rq = w->rq;
    char why[96];
    if (!api_has_body(rq, &w->note))
        return false;
    enum body_result result =
        body_decode(rq->body, rq->content_encoding, w->spec->plain_max, &w->room, &w->body, why);
    if (result == BODY_OK)
        return true;
    if (result == BODY_TOO_LARGE) {
        api_status(rq, 413);
        w->note = SPAN("too large after decompression");
    } else {
        answer_bad_payload(w, why);
        w->note = result == BODY_UNKNOWN ? SPAN("unknown Content-Encoding") : SPAN("damaged compression");
    }
    return false;
}

/* The Agent asks whether an endpoint is there with {}, which may hold blanks. */
static bool is_probe(const struct write *w) {
    char bytes[3];
    size_t n = 0;
    for (size_t i = 0; i < w->body.n && n < sizeof bytes; i++)
        if (!memchr(" \t\r\n", w->body.p[i], 4))
            bytes[n++] = w->body.p[i];
    return n == 2 && memcmp(bytes, "{}", 2) == 0 &&
           (w->spec->style == STYLE_V2 || w->spec->style == STYLE_V3);
}

static void run(struct http_request *rq, const struct spec *spec, bool asleep) {
    struct write w = {.rq = rq, .spec = spec, .body = rq->body, .error = {.reason = REASON_INVALID_BODY}};
    w.post = post_new(rq, asleep);
    if (!w.post) {
        api_status(rq, 503);
        if (asleep)
            http_resume(rq);
        return;
    }
    if (api_admits(rq, &w.note) && undo_encoding(&w)) {
        post_body(w.post, w.body);
        if (is_probe(&w)) {
            answer_accepted(&w);
        } else {
            w.memo = memo_take(rq->http);
            post_memo(w.post, w.memo);
            decode_body(&w, asleep);
            memo_give(rq->http, w.memo);
        }
    }
    bool raw = spec->raw_without_records && w.n_kept + w.n_rejects == 0 && rq->answer.status < 400;
    post_request(w.post, w.body.n, raw ? w.body : (struct span){NULL, 0}, w.note);
    post_keep(w.post, &w.room);
    post_send(w.post);
}

struct large {
    struct job job; /* first */
    struct http_request *rq;
    const struct spec *spec;
};

static void run_large(struct job *job) {
    struct large *large = (struct large *)job;
    run(large->rq, large->spec, true);
    free(large);
}

static void handle(struct http_request *rq, const struct spec *spec) {
    if (rq->body.n <= INLINE_WIRE || (rq->content_encoding.n == 0 && rq->body.n <= INLINE_PLAIN)) {
        run(rq, spec, false);
        return;
    }
    struct large *large = malloc(sizeof *large);
    if (!large) {
        api_status(rq, 503);
        return;
    }
    *large = (struct large){.job.run = run_large, .rq = rq, .spec = spec};
    http_suspend(rq);
    if (!work_put(rq->http->work, &large->job)) {
        free(large);
        api_status(rq, 503);
        http_resume(rq);
    }
}

/* --- the routes ------------------------------------------------------------------------------------------ */

#define PLAIN_V1 ((size_t)62914560)
#define PLAIN_V2 ((size_t)5242880)

void api_series_v1(struct http_request *rq) {
    static const struct spec spec = {INTAKE_SERIES_V1, STYLE_V1, PLAIN_V1, false};
    handle(rq, &spec);
}

void api_distribution_points(struct http_request *rq) {
    static const struct spec spec = {INTAKE_DISTRIBUTIONS, STYLE_V1, PLAIN_V1, false};
    handle(rq, &spec);
}

void api_check_run(struct http_request *rq) {
    static const struct spec spec = {INTAKE_CHECKS, STYLE_V1, PLAIN_V2, false};
    handle(rq, &spec);
}

void api_event_v1(struct http_request *rq) {
    static const struct spec spec = {INTAKE_EVENT_V1, STYLE_EVENT_V1, PLAIN_V2, false};
    handle(rq, &spec);
}

void api_event_v2(struct http_request *rq) {
    static const struct spec spec = {INTAKE_EVENT_V2, STYLE_EVENT_V2, PLAIN_V2, false};
    handle(rq, &spec);
}

void api_intake(struct http_request *rq) {
    static const struct spec spec = {INTAKE_AGENT_EVENTS, STYLE_V1, PLAIN_V2, true};
    handle(rq, &spec);
}

void api_series_v3(struct http_request *rq) {
    static const struct spec spec = {INTAKE_SERIES_V3, STYLE_V3, PLAIN_V2, false};
    handle(rq, &spec);
}

void api_sketches(struct http_request *rq) {
    static const struct spec spec = {INTAKE_SKETCHES, STYLE_V2, PLAIN_V1, false};
    handle(rq, &spec);
}

static bool contains(struct span text, const char *word) {
    return text.n && memmem(text.p, text.n, word, strlen(word)) != NULL;
}

/* By Content-Type. Where that says neither, a body that is not compressed shows what it is by its first byte;
 * a compressed one without a type is what old exporters send: protobuf. */
static bool is_json(const struct http_request *rq) {
    if (contains(rq->content_type, "protobuf"))
        return false;
    if (contains(rq->content_type, "json"))
        return true;
    for (size_t i = 0; i < rq->body.n; i++)
        if (!memchr(" \t\r\n", rq->body.p[i], 4))
            return rq->body.p[i] == '{';
    return false;
}

void api_series_v2(struct http_request *rq) {
    static const struct spec json = {INTAKE_SERIES_V2_JSON, STYLE_V2, PLAIN_V2, false};
    static const struct spec protobuf = {INTAKE_SERIES_V2, STYLE_V2, PLAIN_V2, false};
    handle(rq, is_json(rq) ? &json : &protobuf);
}

/* DogStatsD lines, as dd-trace sends them where it has no UDP. */
void api_proxy(struct http_request *rq) {
    struct post *post = post_new(rq, false);
    struct dogstatsd *decoder = dogstatsd_new(ingest_decoding(rq->http->ingest));
    struct span note = {NULL, 0};
    if (!post || !decoder) {
        dogstatsd_free(decoder);
        free(post);
        api_status(rq, 503);
        return;
    }
    api_answer(rq, 200, "text/plain", "");
    if (api_has_body(rq, &note) && api_is_undisturbed(rq, &note) && api_has_session(rq, &note))
        dogstatsd_decode(decoder, rq->body, post_record, post);
    post_request(post, rq->body.n, (struct span){NULL, 0}, note);
    dogstatsd_free(decoder);
    post_send(post);
}
