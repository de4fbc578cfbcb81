/* A candidate as JSON: what it is, and its differences from the expectation, one mark each. */
#include "report/closest.h"

#include "core/number.h"
#include "judge/language/parse.h"
#include "judge/language/text.h"

#define SHOWN_MAX 200 /* bytes of a rejected line */
#define MARKS_MAX 300 /* of one candidate: more than the tags of one expectation */

/* The marks as a list, and as one sentence. */
struct marks {
    json_t *list;
    struct buf text;
};

static void __attribute__((format(printf, 3, 4)))
mark(struct marks *m, const char *word, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (m->text.n)
        buf_str(&m->text, "; ");
    buf_str(&m->text, text);
    json_array_append_new(m->list, json_pack("{s:s, s:o}", "mark", word, "text", text_json(span_str(text))));
}

/* A span for a printf of at most 80 bytes. */
static int shown(struct span s) {
    return s.n > 80 ? 80 : (int)s.n;
}

static bool takes_key(const struct tag_term *term, struct span tag) {
    uint64_t steps = 0;
    return match_key(term, tag, &steps);
}

static void mark_term(struct marks *m, const struct tag_term *term, const struct series_row *row) {
    struct span present = {NULL, 0};
    if (span_eq(term->key, SPAN("host")) && row->host.p)
        present = row->host;
    if (span_eq(term->key, SPAN("device")) && row->device.p)
        present = row->device;
    for (size_t i = 0; i < row->n_tags; i++)
        if (takes_key(term, row->tags[i]))
            present = row->tags[i];
    struct span text = term->text;
    if (term->negated && text.n && text.p[0] != '!') /* key!~"…" */
        mark(m, "tag_extra", "has %.*s, which %.*s excludes", shown(present), present.p, shown(text), text.p);
    else if (term->negated)
        mark(m, "tag_extra", "has %.*s, which !%.*s excludes", shown(present), present.p,
             shown(span_from(text, 1)), text.p + 1);
    else if (present.p)
        mark(m, "tag_value", "has %.*s, not %.*s", shown(present), present.p, shown(text), text.p);
    else
        mark(m, "tag_missing", "tag %.*s is missing", shown(text), text.p);
}

static void mark_tags(struct marks *m, const struct expectation *e, const struct series_row *row) {
    uint64_t steps = 0;
    struct tagged tagged = tagged_series(row, &steps);
    bool unmet[PARSE_TERMS_MAX] = {false};
    for (size_t i = 0; i < e->n_terms; i++) {
        unmet[i] = !match_term(&e->terms[i], &tagged);
        if (unmet[i])
            mark_term(m, &e->terms[i], row);
    }
    for (size_t i = 0; e->exact && i < row->n_tags; i++) {
        if (json_array_size(m->list) >= MARKS_MAX) {
            mark(m, "tag_extra", "and more differences of tags");
            break;
        }
        struct span tag = row->tags[i];
        bool told = false; /* as a term's other value */
        for (size_t k = 0; k < e->n_terms; k++)
            told |= unmet[k] && !e->terms[k].negated && takes_key(&e->terms[k], tag);
        if (!told && !match_allows(e, tag, &steps))
            mark(m, "tag_extra", "tag %.*s is one too many", shown(tag), tag.p);
    }
}

static void mark_name(struct marks *m, const struct candidate *c, const struct expectation *e) {
    struct span name = c->row.name;
    struct span before = {NULL, 0};
    switch (c->kinship) {
    case KIN_PREFIX_MISSING:
        before = e->name.n > name.n ? span_of(e->name.p, e->name.n - name.n) : e->name;
        if (!e->literal) {
            const char *dot = memchr(e->name.p, '.', e->name.n);
            before = span_of(e->name.p, (size_t)(dot - e->name.p) + 1);
        }
        mark(m, "prefix_missing", "lacks the prefix %.*s", shown(before), before.p);
        break;
    case KIN_PREFIX_EXTRA:
        before = span_of(name.p, name.n - e->name.n);
        mark(m, "prefix_extra", "has the prefix %.*s", shown(before), before.p);
        break;
    case KIN_FORM:
        mark(m, "aggregated",
             c->told
                 ? "an aggregated form of the metric"
                 : "is named like an aggregated form, but that counts only beside the rate %.*s.count, and "
                   "without samples of %.*s itself",
             shown(e->name), e->name.p, shown(e->name), e->name.p);
        break;
    case KIN_NEAR:
        mark(m, "name_distance", "its name is %zu edit%s away", c->edits, c->edits == 1 ? "" : "s");
        break;
    case KIN_SAME:
    case KIN_NONE:
        break;
    }
}

static void mark_series(struct marks *m, const struct candidate *c, const struct expectation *e) {
    const struct series_row *row = &c->row;
    mark_name(m, c, e);
    if (c->told && metric_is(row->type, METRIC_PER_SECOND) && c->kinship == KIN_SAME)
        mark(m, "aggregated", "a rate, told as its value times its interval");
    else if (c->kinship != KIN_FORM && !match_type(e, row->type))
        mark(m, "type", "is a %s, not a %s", metric_word(row->type), metric_word(e->type));
    mark_tags(m, e, row);
    if (c->other_session)
        mark(m, "other_session", "arrived in session %.*s", shown(row->session), row->session.p);
    else if (c->tell_session)
        mark(m, "session", "in session %.*s", shown(row->session), row->session.p);
    if (c->before_mark)
        mark(m, "before_mark", c->of_earlier_run ? "arrived in an earlier run" : "arrived before the mark");
    if (c->after_deadline)
        mark(m, "after_deadline", "arrived after the deadline");
    char number[NUMBER_SIZE];
    number_format(metric_is(row->type, METRIC_TOTAL) ? row->sum : row->last, number);
    if (c->score == 0 && metric_is(row->type, METRIC_TEXT))
        mark(m, "matched", "matched");
    else if (c->score == 0)
        mark(m, "matched", "matched, %s %s", metric_is(row->type, METRIC_TOTAL) ? "sum" : "last", number);
    if (row->sampled)
        mark(m, "sampled", "sampled: some came with a rate other than 1");
}

static json_t *series_json(const struct candidate *c, const struct expectation *e) {
    const struct series_row *row = &c->row;
    struct marks m = {json_array(), {.max = 65536}};
    struct buf text = {.max = 65536};
    json_t *tags = json_array();
    for (size_t i = 0; i < row->n_tags; i++)
        json_array_append_new(tags, text_json(row->tags[i]));
    mark_series(&m, c, e);
    buf_span(&text, row->name);
    buf_printf(&text, " (%s) ", metric_word(row->type));
    text_put_tags(&text, row->n_tags, row->tags, row->host, row->device);
    if (text.n && text.p[text.n - 1] != ' ')
        buf_char(&text, ' ');
    text_put_plural(&text, row->samples, "sample");
    buf_str(&text, ": ");
    buf_span(&text, buf_view(&m.text));
    json_t *json =
        json_pack("{s:o, s:s, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o}", "name", text_json(row->name), "type",
                  metric_word(row->type), "tags", tags, "host",
                  row->host.p ? text_json(row->host) : json_null(), "samples", (json_int_t)row->samples,
                  "sum", text_json_number(row->sum), "last", text_json_number(row->last), "session",
                  text_json(row->session), "marks", m.list, "text", text_json(buf_view(&text)));
    buf_free(&m.text);
    buf_free(&text);
    return json;
}

/* The line and a caret under the place, at most SHOWN_MAX bytes of it. */
static void put_caret(struct buf *b, struct span text, size_t offset) {
    size_t start = 0;
    if (text.n > SHOWN_MAX && offset > SHOWN_MAX / 2) {
        start = offset < text.n ? offset - SHOWN_MAX / 2 : text.n - SHOWN_MAX / 2;
        while (start < text.n && ((unsigned char)text.p[start] & 0xc0) == 0x80)
            start++;
    }
    struct buf before = {.max = 65536};
    size_t at = offset < text.n ? offset : text.n;
    text_put_visible(&before, span_of(text.p + start, at > start ? at - start : 0), 4 * SHOWN_MAX);
    text_put_visible(b, span_from(text, start), SHOWN_MAX);
    buf_char(b, '\n');
    for (size_t i = 0; i < before.n; i++)
        if (((unsigned char)before.p[i] & 0xc0) != 0x80)
            buf_char(b, ' ');
    buf_char(b, '^');
    buf_free(&before);
}

static json_t *reject_json(const struct candidate *c) {
    struct buf text = {.max = 65536}, caret = {.max = 65536};
    put_caret(&caret, c->text, c->offset);
    buf_printf(&text, "rejected, %s: %s", reason_word(c->reason), reason_sentence(c->reason));
    if (c->detail.n) {
        buf_str(&text, " (");
        buf_span(&text, c->detail);
        buf_char(&text, ')');
    }
    json_t *marks = json_pack("[{s:s, s:s}]", "mark", "rejected", "text", reason_sentence(c->reason));
    json_t *json =
        json_pack("{s:s, s:s, s:o, s:I, s:o, s:o, s:o}", "reject", reason_word(c->reason), "detail",
                  reason_sentence(c->reason), "line", text_json(c->text), "offset", (json_int_t)c->offset,
                  "caret", text_json_buf(&caret), "marks", marks, "text", text_json(buf_view(&text)));
    buf_free(&text);
    buf_free(&caret);
    return json;
}

json_t *closest_json(const struct candidate *c, const struct expectation *e) {
    return c->rejected ? reject_json(c) : series_json(c, e);
}
