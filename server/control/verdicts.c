/* GET /recorder/v1/verdicts, and the keeping of what it lists. */
#include "control/verdicts.h"

#include "control/control.h"
#include "core/clock.h"
#include "core/json.h"
#include <inttypes.h>
#include <xxhash.h>

#define ANSWER_MAX (STORE_VERDICTS_MAX * (STORE_VERDICT_SIZE_MAX + 1024))

/* --- keeping --------------------------------------------------------------------------------------------- */

static bool is_pass(const json_t *result) {
    const char *verdict = json_string_value(json_object_get(result, "verdict"));
    return verdict && strcmp(verdict, "pass") == 0;
}

static size_t remove_passed(json_t *results) {
    size_t n = 0;
    for (size_t i = json_array_size(results); i-- > 0;)
        if (is_pass(json_array_get(results, i))) {
            json_array_remove(results, i);
            n++;
        }
    return n;
}

static bool dump(json_t *answer, struct buf *text) {
    buf_clear(text);
    return ask_dump(text, answer) == 0;
}

/* Whether it fits after something was left out. */
static bool shorten(json_t *answer, struct buf *text) {
    json_t *results = json_object_get(answer, "results");
    json_object_del(answer, "text");
    if (dump(answer, text))
        return true;
    size_t n, omitted = remove_passed(results);
    while ((n = json_array_size(results)) > 0) {
        json_object_set_new(answer, "omitted", json_integer((json_int_t)omitted));
        if (dump(answer, text))
            return true;
        for (size_t keep = n / 2; n > keep; n--, omitted++)
            json_array_remove(results, n - 1);
    }
    json_object_set_new(answer, "omitted", json_integer((json_int_t)omitted));
    return dump(answer, text);
}

void verdicts_keep(struct http_request *rq, struct span kind, struct span session, json_t *answer,
                   struct span text) {
    const char *verdict = json_string_value(json_object_get(answer, "verdict"));
    struct buf shorter = {.max = STORE_VERDICT_SIZE_MAX};
    struct verdict_row row = {.at = clock_wall_ns(),
                              .question = XXH3_64bits(rq->body.n ? rq->body.p : "", rq->body.n),
                              .session = session,
                              .kind = kind,
                              .verdict = span_str(verdict ? verdict : ""),
                              .report = text};
    if (rq->http->options.view) /* those of the recording are what it shows */
        return;
    bool fits = verdict && text.n <= STORE_VERDICT_SIZE_MAX;
    if (verdict && !fits) {
        fits = shorten(answer, &shorter);
        row.report = buf_view(&shorter);
    }
    if (fits)
        store_verdict(rq->http->store, &row);
    buf_free(&shorter);
}

/* --- listing --------------------------------------------------------------------------------------------- */

struct verdict_list {
    struct buf *b;
    struct span session, verdict; /* p == NULL: any */
    uint64_t since, limit, n;
};

static int put_verdict(void *arg, const struct verdict_row *row) {
    struct verdict_list *l = arg;
    if ((l->session.p && !span_eq(l->session, row->session)) ||
        (l->verdict.p && !span_eq(l->verdict, row->verdict)))
        return 0;
    if (row->id <= l->since || l->n == l->limit)
        return 1;
    buf_printf(l->b, "%s{\"id\":%" PRIu64 ",\"at\":", l->n++ ? ",\n" : "\n", row->id);
    json_put_time(l->b, row->at);
    buf_str(l->b, ",\"first_at\":");
    json_put_time(l->b, row->first_at);
    buf_printf(l->b, ",\"asked\":%" PRIu64 ",\"session\":", row->asked);
    json_put_string(l->b, row->session);
    buf_str(l->b, ",\"kind\":");
    json_put_string(l->b, row->kind);
    buf_str(l->b, ",\"verdict\":");
    json_put_string(l->b, row->verdict);
    buf_str(l->b, ",\"report\":");
    buf_span(l->b, row->report);
    buf_char(l->b, '}');
    return 0;
}

void control_verdicts(struct http_request *rq) {
    struct verdict_list l = {.b = &rq->answer.body,
                             .session = http_arg(rq, "session"),
                             .verdict = http_arg(rq, "verdict"),
                             .limit = STORE_VERDICTS_MAX};
    struct store_verdict_counts counts;
    if (ask_only(rq, ASK_NAMES("session", "verdict", "since", "limit", "settled")) != 0 ||
        ask_number(rq, "since", 0, INT64_MAX, &l.since) != 0 ||
        ask_number(rq, "limit", 1, STORE_VERDICTS_MAX, &l.limit) != 0)
        return;
    const struct span settled = http_arg(rq, "settled"); /* either way there is nothing to wait for */
    if (settled.p && !span_eq(settled, SPAN("yes")) && !span_eq(settled, SPAN("no"))) {
        http_error(rq, 400, "settled must be yes or no, not '%.*s'", SPAN_ARG(settled));
        return;
    }
    if (l.verdict.p && !span_eq(l.verdict, SPAN("pass")) && !span_eq(l.verdict, SPAN("fail")) &&
        !span_eq(l.verdict, SPAN("inconclusive"))) {
        http_error(rq, 400, "verdict must be pass, fail or inconclusive, not '%.*s'", SPAN_ARG(l.verdict));
        return;
    }
    if (span_eq(l.session, SPAN(EVERY_SESSION)))
        l.session = (struct span){NULL, 0};
    l.b->max = ANSWER_MAX;
    store_verdicts_count(rq->http->store, &counts);
    buf_printf(l.b, "{\"last_id\":%" PRIu64 ",\"verdicts\":[", counts.last_id);
    store_verdicts_each(rq->http->store, put_verdict, &l);
    buf_str(l.b, "]}\n");
}
