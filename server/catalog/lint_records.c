/* Rules that series do not show: spellings (rates, what is ignored of a line), timestamps, events, checks, refused lines. */
#include "catalog/lint_private.h"
#include "core/cause.h"
#include "core/number.h"
#include "core/stray.h"
#include "judge/evaluate/match.h"

#include <math.h>

/* The number of "event Deploy finished", "check app.ok": names of records are no names of metrics. */
static size_t record_number(struct lint *l, const char *kind, struct span name) {
    struct buf text = {.max = 4096};
    buf_printf(&text, "%s ", kind);
    buf_span(&text, name.n < 200 ? name : span_of(name.p, 200));
    size_t number = lint_name_number(l, buf_view(&text));
    buf_free(&text);
    l->failed |= number == NUMBERING_NONE;
    return number;
}

static int go_on(struct lint *l) {
    l->effort->steps++;
    return l->failed || effort_is_spent(l->effort);
}

/* --- remarks --------------------------------------------------------------------------------------------- */

static void note_remarks(struct lint *l, size_t name, const struct remarks *r, const char *what) {
    for (size_t i = 0; r && i < r->n; i++) {
        const struct remark *remark = &r->list[i];
        bool sign = remark->kind == REMARK_PLUS_SIGN;
        const char *hint = remark_hint(r, i);
        struct buf sentence = {.max = 1024};
        buf_printf(&sentence, "%s%s%s", remark_sentence(remark->kind), hint ? "; " : "", hint ? hint : "");
        lint_note_of(l, sign ? LINT_GAUGE_SIGN : LINT_IGNORED_PART, name,
                     remark->text.n ? remark->text : SPAN("a part of the line"), buf_view(&sentence), what);
        buf_free(&sentence);
    }
}

static int take_remarked(void *arg, const struct spelling_row *row) {
    struct lint *l = arg;
    size_t name = lint_name_number(l, row->spelling->name);
    l->failed |= name == NUMBERING_NONE;
    if (!l->failed)
        note_remarks(l, name, row->spelling->remarks, "different line");
    return go_on(l);
}

/* --- sample rates ---------------------------------------------------------------------------------------- */

/* For what reads the rate, one in (0, 1]; gauges and sets ignore it. */
static int take_sampled(void *arg, const struct spelling_row *row) {
    struct lint *l = arg;
    const struct metric *m = row->spelling;
    char rate[NUMBER_SIZE];
    if (span_starts(m->name, TELEMETRY))
        return 0;
    size_t name = lint_name_number(l, m->name);
    struct span text = span_of(rate, number_format(m->sample_rate, rate));
    if (name == NUMBERING_NONE)
        l->failed = true;
    else if (!(m->sample_rate > 0 && m->sample_rate <= 1))
        lint_note_of(l, LINT_SAMPLE_RATE, name, text, SPAN(""), "different line");
    else if (metric_is(m->type, METRIC_LEVEL | METRIC_TEXT))
        lint_note_of(l, LINT_RATE_IGNORED, name, text, span_str(metric_word(m->type)), "different line");
    return go_on(l);
}

/* --- timestamps ------------------------------------------------------------------------------------------ */

static void note_stray(struct lint *l, size_t name, enum stray kind, int64_t timestamp, uint64_t n,
                       const char *what) {
    static const char *const why[] = {
        [STRAY_MILLISECONDS] = "it seems to be in milliseconds, and seconds are expected",
        [STRAY_PAST] = "it lies too far in the past",
        [STRAY_AHEAD] = "it lies too far ahead",
    };
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)timestamp);
    /* One finding for each reason: the first timestamp is the example. */
    lint_note_many(l, LINT_TIMESTAMP_RANGE, name, span_str(why[kind]), span_str(text), what, n);
}

static void check_timestamp(struct lint *l, size_t name, int64_t timestamp, int64_t received_at,
                            int64_t old_s, const char *what) {
    enum stray kind = stray_of(timestamp, received_at, old_s);
    if (kind != STRAY_NONE)
        note_stray(l, name, kind, timestamp, 1, what);
}

static int take_stray(void *arg, const struct stray_row *row) {
    struct lint *l = arg;
    size_t name = lint_name_number(l, row->name);
    l->failed |= name == NUMBERING_NONE;
    if (!l->failed)
        note_stray(l, name, (enum stray)row->kind, row->timestamp, row->n, "sample");
    return go_on(l);
}

static int take_timed(void *arg, const struct sample_row *row) {
    struct lint *l = arg;
    size_t name = lint_name_number(l, row->spelling->name);
    l->failed |= name == NUMBERING_NONE;
    if (!l->failed)
        check_timestamp(l, name, row->value.timestamp, row->received_at, STRAY_POINT_OLD_S, "sample");
    return go_on(l);
}

/* --- events and checks ----------------------------------------------------------------------------------- */

/* Documented limits of the events API, in characters. */
#define EVENT_TEXT_MAX 4000
#define EVENT_KEY_MAX  100

static size_t characters(struct span s) {
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

static void check_length(struct lint *l, size_t name, const char *what, struct span text, size_t max) {
    size_t n = characters(text);
    if (n <= max)
        return;
    char numbers[96];
    snprintf(numbers, sizeof numbers, "%zu characters, at most %zu are kept", n, max);
    lint_note_of(l, LINT_EVENT_TOO_LONG, name, span_str(what), span_str(numbers), "event");
}

static int take_event(void *arg, const struct event_row *row) {
    struct lint *l = arg;
    const struct event *e = &row->event;
    size_t name = record_number(l, "event", e->title);
    if (l->failed)
        return 1;
    lint_tags(l, name, e->n_tags, e->tags, "event");
    note_remarks(l, name, e->remarks, "event");
    if (e->timestamp)
        check_timestamp(l, name, e->timestamp, row->received_at, STRAY_EVENT_OLD_S, "event");
    check_length(l, name, "the text", e->text, EVENT_TEXT_MAX);
    check_length(l, name, "the aggregation key", e->aggregation_key, EVENT_KEY_MAX);
    return go_on(l);
}

static int take_check(void *arg, const struct check_row *row) {
    struct lint *l = arg;
    const struct service_check *c = &row->check;
    size_t name = record_number(l, "check", c->name);
    if (l->failed)
        return 1;
    lint_tags(l, name, c->n_tags, c->tags, "check");
    note_remarks(l, name, c->remarks, "check");
    if (c->timestamp)
        check_timestamp(l, name, c->timestamp, row->received_at, STRAY_POINT_OLD_S, "check");
    return go_on(l);
}

/* --- refused lines --------------------------------------------------------------------------------------- */

static int take_reject(void *arg, const struct reject_row *row) {
    struct lint *l = arg;
    const struct reject *r = &row->reject;
    bool metric = !span_eq(r->family, SPAN("event")) && !span_eq(r->family, SPAN("service_check"));
    size_t name = metric && r->name.n ? lint_name_number(l, r->name)
                                      : record_number(l,
                                                      metric                              ? "line"
                                                      : span_eq(r->family, SPAN("event")) ? "event"
                                                                                          : "check",
                                                      r->name.n ? r->name : r->text);
    const char *cause = cause_of(r);
    struct buf sentence = {.max = 1024};
    buf_printf(&sentence, "%s%s%s", reason_sentence(r->reason), cause ? ": " : "", cause ? cause : "");
    l->failed |= name == NUMBERING_NONE || sentence.failed;
    if (!l->failed)
        lint_note_of(l, LINT_REFUSED, name, span_str(reason_word(r->reason)), buf_view(&sentence),
                     "refused line");
    buf_free(&sentence);
    return go_on(l);
}

/* Samples alone: most readers have counted them. */
static int read_timestamps(struct lint *l, struct reader *reader, const struct filter *filter,
                           struct err *err) {
    struct filter timed = *filter;
    timed.timed = true;
    return reader->ops->strays ? reader->ops->strays(reader, filter, take_stray, l, err)
                               : reader->ops->samples(reader, &timed, false, take_timed, l, err);
}

int lint_records(struct lint *l, struct reader *reader, struct err *err) {
    const struct scope *scope = &l->options->scope;
    struct filter filter = {.session = scope_session(scope), .since = scope->since};
    struct filter remarked = filter, sampled = filter;
    remarked.remarked = sampled.sampled = true;
    return reader->ops->spellings(reader, &remarked, take_remarked, l, err) != 0 ||
           reader->ops->spellings(reader, &sampled, take_sampled, l, err) != 0 ||
           read_timestamps(l, reader, &filter, err) != 0 ||
           reader->ops->events(reader, &filter, take_event, l, err) != 0 ||
           reader->ops->checks(reader, &filter, take_check, l, err) != 0 ||
           reader->ops->rejects(reader, &filter, take_reject, l, err) != 0;
}
