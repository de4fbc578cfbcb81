/* A candidate as JSON: what it is, and its differences from the expectation, one mark each. */
#include "report/closest.h"

#include "core/cause.h"
#include "core/number.h"
#include "judge/language/text.h"
#include "report/marks.h"
#include "report/marks_tags.h"

#define SHOWN_MAX 200 /* bytes of a rejected line */
#define TEXT_MAX  65536

/* --- names ----------------------------------------------------------------------------------------------- */

static bool is_ascii(struct span s) {
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    return true;
}

static void mark_edits(struct marks *m, size_t edits) {
    struct buf text = {.max = 64};
    buf_printf(&text, "its name is %zu edit%s away", edits, edits == 1 ? "" : "s");
    MARK_TEXT(m, "name_distance", text.p ? text.p : "");
    buf_free(&text);
}

static void mark_name(struct marks *m, const struct candidate *c, const struct expectation *e) {
    if (c->kin.dialect)
        MARK(m, "tags_in_name",
             "the tags are in its name, in the form of %; DogStatsD takes them behind '|#'",
             span_str(dialect_word(c->kin.dialect)));
    switch (c->kin.how) {
    case KIN_CASE:
        MARK_TEXT(m, "name_case", "its name differs in upper and lower case");
        break;
    case KIN_BLANKS:
        MARK_TEXT(m, "name_blanks", "its name has blanks or control characters around it");
        break;
    case KIN_COLON:
        MARK_TEXT(m, "name_colon", "a name ends at its first ':', what follows was read as its values");
        break;
    case KIN_CUT:
        MARK_TEXT(m, "title_cut",
                  is_ascii(e->name)
                      ? "its title is cut: the lengths in _e{…} are too small"
                      : "its title is cut: the lengths in _e{…} must count bytes, not characters");
        break;
    case KIN_OVERRUN:
        MARK_TEXT(m, "title_overrun", "its title goes on behind the '|': the lengths in _e{…} are too great");
        break;
    case KIN_PREFIX_MISSING:
        MARK(m, "prefix_missing", "lacks the prefix %", kin_prefix(&c->kin, e, c->row.name));
        break;
    case KIN_PREFIX_EXTRA:
        MARK(m, "prefix_extra", "has the prefix %", kin_prefix(&c->kin, e, c->row.name));
        break;
    case KIN_END_MISSING:
        MARK(m, "end_missing", "lacks the end %", kin_end(&c->kin, e, c->row.name));
        break;
    case KIN_END_EXTRA:
        MARK(m, "end_extra", "its name goes on with %", kin_end(&c->kin, e, c->row.name));
        break;
    case KIN_FORM:
        if (c->told)
            MARK_TEXT(m, "aggregated", "an aggregated form of the metric");
        else
            MARK(m, "aggregated",
                 "is named like an aggregated form, but that counts only beside the rate %.count, and "
                 "without samples of % itself",
                 e->name, e->name);
        break;
    case KIN_NEAR:
        mark_edits(m, c->kin.edits);
        break;
    case KIN_SAME:
    case KIN_NONE:
        break;
    }
}

/* --- type, session, mark --------------------------------------------------------------------------------- */

static struct span asked_word(const struct expectation *e) {
    return e->subject == SUBJECT_EVENT   ? SPAN("an event")
           : e->subject == SUBJECT_CHECK ? SPAN("a service check")
           : e->any_type                 ? SPAN("a metric")
                                         : (struct span){NULL, 0};
}

static void mark_type(struct marks *m, const struct candidate *c, const struct expectation *e) {
    const struct series_row *row = &c->row;
    struct buf text = {.max = 256};
    struct span asked = asked_word(e);
    bool fits = c->kind == CANDIDATE_EVENT   ? e->subject == SUBJECT_EVENT
                : c->kind == CANDIDATE_CHECK ? e->subject == SUBJECT_CHECK
                                             : e->subject == SUBJECT_METRIC && match_type(e, row->type);
    if (c->told && metric_is(row->type, METRIC_PER_SECOND) && c->kin.how == KIN_SAME) {
        MARK_TEXT(m, "aggregated", "a rate, told as its value times its interval");
        return;
    }
    if (fits || c->counts || c->kin.how == KIN_FORM)
        return;
    if (e->subject == SUBJECT_REJECT) {
        if (c->kind != CANDIDATE_REJECT)
            MARK_TEXT(m, "accepted", "was accepted");
        return;
    }
    buf_str(&text, "is a");
    buf_str(&text, c->kind == CANDIDATE_EVENT   ? "n event"
                   : c->kind == CANDIDATE_CHECK ? " service check"
                                                : " ");
    bool metric = c->kind == CANDIDATE_SERIES || c->kind == CANDIDATE_REJECT;
    buf_str(&text, metric ? metric_word(row->type) : "");
    buf_str(&text, ", not ");
    if (asked.p)
        buf_span(&text, asked);
    else
        buf_printf(&text, "a %s", metric_word(e->type));
    MARK_TEXT(m, "type", text.p ? text.p : "");
    buf_free(&text);
}

static void mark_place(struct marks *m, const struct candidate *c) {
    if (c->other_session)
        MARK(m, "other_session", "arrived in session %", c->row.session);
    else if (c->tell_session)
        MARK(m, "session", "in session %", c->row.session);
    if (c->before_mark)
        MARK_TEXT(m, "before_mark",
                  c->of_earlier_run ? "arrived in an earlier run" : "arrived before the mark");
    if (c->after_until)
        MARK_TEXT(m, "after_until", "arrived later, after the mark of `until`");
    else if (c->after_deadline)
        MARK_TEXT(m, "after_deadline", "arrived after the deadline");
}

static void mark_matched(struct marks *m, const struct candidate *c, const struct expectation *e) {
    const struct series_row *row = &c->row;
    char text[NUMBER_SIZE];
    bool total = c->kind == CANDIDATE_SERIES && metric_is(row->type, METRIC_TOTAL);
    if (c->score > 0)
        return;
    if (c->kind != CANDIDATE_SERIES || metric_is(row->type, METRIC_TEXT)) {
        bool aside = c->kind == CANDIDATE_SERIES && e->n_conditions;
        MARK_TEXT(m, "matched", aside ? "matched ('where' aside)" : "matched");
        return;
    }
    number_format(total ? row->sum : row->last, text);
    if (e->n_conditions)
        MARK(m, "matched", total ? "matched ('where' aside), sum %" : "matched ('where' aside), last %",
             span_str(text));
    else
        MARK(m, "matched", total ? "matched, sum %" : "matched, last %", span_str(text));
}

/* --- what was recorded ----------------------------------------------------------------------------------- */

static const char *kind_word(const struct candidate *c) {
    return c->kind == CANDIDATE_EVENT   ? "event"
           : c->kind == CANDIDATE_CHECK ? "service check"
                                        : metric_word(c->row.type);
}

/* disk (gauge) {host:web} 1 sample: matched, last 5 */
static void put_record(struct buf *text, const struct candidate *c, const struct marks *m) {
    const struct series_row *row = &c->row;
    text_put_shown(text, row->name, false, TEXT_MAX);
    buf_printf(text, " (%s) ", kind_word(c));
    text_put_tags(text, row->n_tags, row->tags, row->host, row->device);
    if (text->n && text->p[text->n - 1] != ' ')
        buf_char(text, ' ');
    text_put_plural(text, row->samples,
                    c->kind == CANDIDATE_EVENT   ? "event"
                    : c->kind == CANDIDATE_CHECK ? "check"
                                                 : "sample");
    if (c->kind == CANDIDATE_CHECK)
        buf_printf(text, ", %s", text_status(c->status));
    buf_str(text, ": ");
    buf_span(text, buf_view(&m->text));
}

static json_t *record_json(const struct candidate *c, const struct expectation *e) {
    const struct series_row *row = &c->row;
    bool series = c->kind == CANDIDATE_SERIES;
    struct marks m = marks_new();
    struct buf text = {.max = TEXT_MAX};
    json_t *tags = json_array();
    for (size_t i = 0; i < row->n_tags; i++)
        json_array_append_new(tags, text_json(row->tags[i]));
    mark_name(&m, c, e);
    mark_type(&m, c, e);
    marks_add_tags(&m, e, c);
    if (c->missed.p)
        marks_add_text(&m, "where", c->missed);
    if (c->ignored.p)
        marks_add_text(&m, "ignored", c->ignored);
    mark_place(&m, c);
    mark_matched(&m, c, e);
    if (series && row->sampled)
        MARK_TEXT(&m, "sampled", "sampled: some came with a rate other than 1");
    put_record(&text, c, &m);
    json_t *json =
        json_pack("{s:o, s:s, s:o, s:o, s:I, s:o, s:o, s:o}", "name", text_json(row->name), "type",
                  c->kind == CANDIDATE_CHECK ? "service_check" : kind_word(c), "tags", tags, "host",
                  row->host.p ? text_json(row->host) : json_null(), "samples", (json_int_t)row->samples,
                  "session", text_json(row->session), "marks", m.list, "text", text_json(buf_view(&text)));
    if (json && series) {
        json_object_set_new(json, "sum", text_json_number(row->sum));
        json_object_set_new(json, "last", text_json_number(row->last));
    }
    if (json && c->kind == CANDIDATE_CHECK)
        json_object_set_new(json, "status", json_string(text_status(c->status)));
    marks_free(&m);
    buf_free(&text);
    return json;
}

/* --- what was refused ------------------------------------------------------------------------------------ */

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

/* Why a line that was meant for one kind of record was read as another. */
static void mark_family(struct marks *m, const struct candidate *c, const struct expectation *e) {
    if (span_starts(c->text, SPAN("_sc|")))
        MARK_TEXT(m, "family", "was read as a service check");
    else if (span_starts(c->text, SPAN("_sc")))
        return; /* the cause says so */
    else if (span_starts(c->text, SPAN("_e{")))
        MARK_TEXT(m, "family",
                  "every line that begins with _e{ is read as an event: no other name can begin so");
    else if (e->subject == SUBJECT_EVENT)
        MARK_TEXT(m, "family", "was not read as an event: an event begins with _e{");
    else if (e->subject == SUBJECT_CHECK)
        MARK_TEXT(m, "family", "was not read as a service check: a service check begins with _sc|");
    else
        MARK(m, "family", "was read as another kind of record (%)", c->family);
}

static void mark_text(struct marks *m, const struct expectation *e) {
    bool metric = e->subject == SUBJECT_METRIC;
    if (metric && memchr(e->name.p, '|', e->name.n))
        MARK(m, "in_text", "its text holds %: a '|' ends the value, so no name can hold one", e->name);
    else if (metric && memchr(e->name.p, ':', e->name.n))
        MARK(m, "in_text", "its text holds %: a name ends at its first ':'", e->name);
    else
        MARK(m, "in_text", "its text holds %", e->name);
}

static void mark_hit(struct marks *m, const struct candidate *c, const struct expectation *e) {
    if (c->family.p)
        mark_family(m, c, e);
    switch (c->hit) {
    case HIT_WHOLE:
        if (!c->family.p)
            MARK(m, "name_colon", "a name ends at its first ':', so its name was read as %", c->read_as);
        mark_name(m, c, e);
        break;
    case HIT_NAME:
        if (c->kin.how == KIN_COLON)
            MARK_TEXT(m, "name_colon", "a name ends at its first ':'");
        else
            mark_name(m, c, e);
        break;
    case HIT_TEXT:
        if (!c->family.p)
            mark_text(m, e);
        break;
    case HIT_TAG:
        MARK_TEXT(m, "torn", "holds a tag that is asked for: a newline before it made a line of its own");
        break;
    case HIT_ANY:
        break;
    }
}

/* Whether a mark says where a name ends, which is a usual cause, too. */
static bool tells_colon(const struct candidate *c, const struct expectation *e) {
    bool text = c->hit == HIT_TEXT && e->name.n && memchr(e->name.p, ':', e->name.n);
    return (c->hit == HIT_WHOLE && !c->family.p) || text || (c->hit == HIT_NAME && c->kin.how == KIN_COLON);
}

static json_t *reject_json(const struct candidate *c, const struct expectation *e) {
    struct buf text = {.max = TEXT_MAX}, caret = {.max = TEXT_MAX};
    struct marks m = marks_new();
    const char *cause = cause_of(&(struct reject){.reason = c->reason, .text = c->text, .offset = c->offset});
    put_caret(&caret, c->text, c->offset);
    if (cause && !tells_colon(c, e))
        MARK_TEXT(&m, "cause", cause);
    mark_hit(&m, c, e);
    if (c->hit == HIT_NAME || c->hit == HIT_WHOLE) {
        if (c->typed)
            mark_type(&m, c, e);
        marks_add_tags(&m, e, c);
    }
    if (c->missed.p)
        marks_add_text(&m, "where", c->missed);
    mark_place(&m, c);
    buf_printf(&text, "rejected, %s: %s", reason_word(c->reason), reason_sentence(c->reason));
    if (c->detail.n) {
        buf_str(&text, " (");
        buf_span(&text, c->detail);
        buf_char(&text, ')');
    }
    if (m.text.n) {
        buf_str(&text, "; ");
        buf_span(&text, buf_view(&m.text));
    }
    if (c->row.samples > 1)
        buf_printf(&text, "; %llu times the same", (unsigned long long)c->row.samples);
    json_array_insert_new(m.list, 0,
                          json_pack("{s:s, s:s}", "mark", "rejected", "text", reason_sentence(c->reason)));
    json_t *json = json_pack("{s:s, s:s, s:o, s:I, s:o, s:o, s:o, s:o}", "reject", reason_word(c->reason),
                             "detail", reason_sentence(c->reason), "line", text_json(c->text), "offset",
                             (json_int_t)c->offset, "caret", text_json_buf(&caret), "session",
                             text_json(c->row.session), "marks", m.list, "text", text_json(buf_view(&text)));
    marks_free(&m);
    buf_free(&text);
    buf_free(&caret);
    return json;
}

json_t *closest_json(const struct candidate *c, const struct expectation *e) {
    return c->kind == CANDIDATE_REJECT ? reject_json(c, e) : record_json(c, e);
}
