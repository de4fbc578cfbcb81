#include "judge/evaluate/match.h"

#include "core/glob.h"
#include "core/number.h"

bool match_tells_drops(struct span name, enum metric_type type) {
    return span_starts(name, TELEMETRY) && !metric_is(type, METRIC_TEXT) &&
           memmem(name.p + TELEMETRY.n, name.n - TELEMETRY.n, "dropped", 7) != NULL;
}

static bool ends_with(struct span name, struct span suffix) {
    return name.n > suffix.n && span_eq(span_from(name, name.n - suffix.n), suffix);
}

/* events.latency.95percentile
 *                ^^
 */
static enum form percentile_of(struct span name, struct span *base, double *percentile) {
    struct span head = span_of(name.p, name.n - SPAN("percentile").n);
    const char *dot = memrchr(head.p, '.', head.n);
    if (!dot || dot == head.p)
        return FORM_NONE;
    struct span digits = span_from(head, (size_t)(dot - head.p) + 1);
    int64_t whole;
    if (digits.n == 0 || digits.n > 3 || number_parse_int(digits, &whole) != NUMBER_OK || whole < 0 ||
        whole > 100)
        return FORM_NONE;
    *base = span_of(head.p, (size_t)(dot - head.p));
    *percentile = (double)whole;
    return FORM_PERCENTILE;
}

enum form form_of(struct span name, struct span *base, double *percentile) {
    static const struct {
        enum form form;
        const char *suffix;
    } forms[] = {
#define X(id, suffix) {id, suffix},
        FORMS(X)
#undef X
    };
    *percentile = 0;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct span suffix = span_str(forms[i].suffix);
        if (!ends_with(name, suffix))
            continue;
        if (forms[i].form == FORM_PERCENTILE)
            return percentile_of(name, base, percentile);
        *base = span_of(name.p, name.n - suffix.n);
        return forms[i].form;
    }
    return FORM_NONE;
}

bool match_has_forms(const struct expectation *e) {
    return e->subject == SUBJECT_METRIC && e->literal && !e->any_type && !e->as_datadog &&
           metric_is(e->type, METRIC_POOLED);
}

bool match_form_type(enum form form, enum metric_type type) {
    return metric_is(type, form == FORM_COUNT ? METRIC_PER_SECOND : METRIC_LEVEL);
}

bool match_has_rates(const struct expectation *e) {
    return e->subject == SUBJECT_METRIC && !e->any_type && metric_is(e->type, METRIC_TOTAL);
}

bool match_name(const struct expectation *e, struct span name, uint64_t *steps) {
    ++*steps;
    if (e->literal)
        return span_eq(e->name, name);
    if (span_starts(name, TELEMETRY) && !span_starts(e->name, TELEMETRY))
        return false;
    return glob_match_counted(e->name, name, steps);
}

bool match_type(const struct expectation *e, enum metric_type type) {
    return e->any_type || e->type == type;
}

static struct span key_of(struct span tag) {
    const char *colon = tag.n ? memchr(tag.p, ':', tag.n) : NULL;
    return colon ? span_of(tag.p, (size_t)(colon - tag.p)) : tag;
}

bool match_key(const struct tag_term *term, struct span tag, uint64_t *steps) {
    ++*steps;
    if (term->key_globs)
        return glob_match_counted(term->key, key_of(tag), steps);
    return span_starts(tag, term->key) && (tag.n == term->key.n || tag.p[term->key.n] == ':');
}

/* env:ci-7 against key "env", value "ci-*" */
static bool term_takes(const struct tag_term *term, struct span tag, uint64_t *steps) {
    if (!match_key(term, tag, steps))
        return false;
    struct span key = key_of(tag);
    if (!term->has_value) /* "" is the empty tag, and no key */
        return term->key.n > 0 || tag.n == 0;
    return key.n < tag.n && text_test_fits(&term->value, span_from(tag, key.n + 1), steps);
}

static bool field_fits(const struct tag_term *term, struct span key, struct span field, uint64_t *steps) {
    return field.p && span_eq(term->key, key) &&
           (!term->has_value || text_test_fits(&term->value, field, steps));
}

bool match_term(const struct tag_term *term, const struct tagged *t) {
    bool found = field_fits(term, SPAN("host"), t->host, t->steps) ||
                 field_fits(term, SPAN("device"), t->device, t->steps);
    for (size_t i = 0; i < t->n && !found; i++)
        found = term_takes(term, t->tags[i], t->steps);
    return found != term->negated;
}

bool match_allows(const struct expectation *e, struct span tag, uint64_t *steps) {
    for (size_t i = 0; i < e->n_terms; i++)
        if (!e->terms[i].negated && term_takes(&e->terms[i], tag, steps))
            return true;
    struct span key = key_of(tag);
    for (const struct ignored *list = e->ignored; list; list = list->more) {
        *steps += list->n;
        for (size_t i = 0; i < list->n; i++)
            if (span_eq(list->keys[i], key))
                return true;
    }
    return false;
}

bool match_tags(const struct expectation *e, const struct tagged *t) {
    for (size_t i = 0; i < e->n_terms; i++)
        if (!match_term(&e->terms[i], t))
            return false;
    for (size_t i = 0; e->exact && i < t->n; i++)
        if (!match_allows(e, t->tags[i], t->steps))
            return false;
    return true;
}
