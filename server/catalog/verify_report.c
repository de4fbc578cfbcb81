#include "catalog/verify_private.h"

#include "catalog/similar.h"
#include "core/distance.h"
#include "core/number.h"
#include "core/pattern.h"

#include <math.h>

#include <stdio.h>
#include <stdlib.h>

#define EXPLAINED_MAX 1000 /* undeclared names, and undeclared tags, for which look-alikes are searched */

static const char *const rule_names[] = {
#define X(id, word) [id] = word,
    VERIFY_RULES(X)
#undef X
};

static void put_values(const struct catalog_tag *tag, struct buf *out) {
    if (tag->pattern) {
        buf_printf(out, " like %.*s", SPAN_ARG(tag->pattern_text));
        return;
    }
    for (size_t i = 0; i < tag->n_values && i < 8; i++)
        buf_printf(out, "%s%.*s", i ? ", " : " one of ", SPAN_ARG(tag->values[i]));
    if (tag->n_values > 8)
        buf_str(out, ", …");
}

static void put_range(const struct catalog_range *range, struct buf *out) {
    char low[NUMBER_SIZE], high[NUMBER_SIZE];
    number_format(range->min, low);
    number_format(range->max, high);
    if (isinf(range->max))
        buf_printf(out, "at least %s", low);
    else if (isinf(range->min))
        buf_printf(out, "at most %s", high);
    else
        buf_printf(out, "between %s and %s", low, high);
}

static void put_near_key(struct verify *v, const struct catalog_entry *e, struct span key, struct buf *why) {
    struct span keys[64];
    if (v->n_explained++ >= EXPLAINED_MAX)
        return;
    size_t n = 0;
    for (; n < e->n_tags && n < 64; n++)
        keys[n] = e->tags[n].key;
    struct span near = nearest_word(key, n, keys);
    if (near.p)
        buf_printf(why, "; did you mean %.*s?", SPAN_ARG(near));
}

/* For those tags that are not listed one by one. */
static void describe_more(const struct violation *x, struct buf *claim, struct buf *why) {
    const char *what = x->rule == VERIFY_MISSING_TAG     ? "required ones are missing"
                       : x->rule == VERIFY_FORBIDDEN_TAG ? "are forbidden"
                       : x->rule == VERIFY_TAG_VALUE     ? "have values that are not allowed"
                                                         : "are not declared";
    buf_str(claim, "has only tags as they are declared");
    buf_printf(why, "%llu more tags: %s", (unsigned long long)x->more_tags, what);
}

/* The claim of the entry, and why it does not hold. */
static void describe(struct verify *v, const struct catalog_entry *e, const struct violation *x,
                     struct buf *claim, struct buf *why) {
    const struct catalog_tag *tag = verify_tag_of(v, (size_t)(e - v->catalog->entries), x->tag);
    buf_printf(claim, "%.*s: ", SPAN_ARG(e->name));
    if (x->more_tags) {
        describe_more(x, claim, why);
        return;
    }
    switch (x->rule) {
    case VERIFY_DEPRECATED:
        buf_str(claim, "no longer used");
        if (e->replacement.p)
            buf_printf(why, "it is deprecated: use %.*s instead", SPAN_ARG(e->replacement));
        else
            buf_str(why, "it is deprecated");
        return;
    case VERIFY_WRONG_TYPE:
        buf_str(claim, "is a ");
        catalog_types_print(e, " or ", claim);
        buf_printf(why, "it was sent as a %.*s", SPAN_ARG(x->detail));
        return;
    case VERIFY_WRONG_UNIT:
        buf_printf(claim, "is in %.*s", SPAN_ARG(e->unit));
        buf_printf(why, "it was sent with the unit %.*s", SPAN_ARG(x->detail));
        return;
    case VERIFY_MISSING_TAG:
        buf_printf(claim, "has the tag %.*s", SPAN_ARG(x->tag));
        buf_printf(why, "the required tag %.*s is missing", SPAN_ARG(x->tag));
        return;
    case VERIFY_UNKNOWN_TAG:
        buf_str(claim, "has only the tags declared");
        buf_printf(why, "the tag %.*s is not declared", SPAN_ARG(x->tag));
        put_near_key(v, e, x->tag, why);
        return;
    case VERIFY_FORBIDDEN_TAG:
        buf_printf(claim, "has no tag %.*s", SPAN_ARG(x->tag));
        buf_printf(why, "the tag %.*s is forbidden", SPAN_ARG(x->tag));
        return;
    case VERIFY_TAG_VALUE:
        buf_printf(claim, "tag %.*s is", SPAN_ARG(x->tag));
        put_values(tag, claim);
        buf_printf(why, "the tag %.*s has the value \"%.*s\"", SPAN_ARG(x->tag), SPAN_ARG(x->detail));
        return;
    case VERIFY_VALUE_RANGE:
        buf_str(claim, "values ");
        put_range(&e->value, claim);
        buf_printf(why, "a value of %.*s", SPAN_ARG(x->detail));
        return;
    case VERIFY_SAMPLE_RATE:
        buf_str(claim, "sample rates ");
        put_range(&e->sample_rate, claim);
        buf_printf(why, "a sample rate of %.*s", SPAN_ARG(x->detail));
        return;
    case VERIFY_UNDECLARED:
    case VERIFY_NEVER_SEEN:
    case VERIFY_TOO_MANY_VALUES:
    case VERIFY_TOO_MANY_SERIES:
    case VERIFY_NEAR_LIMIT:
    case VERIFY_REFUSED:
    case VERIFY_N:
        return; /* told by entry_totals, undeclared_result, never_seen and refused */
    }
}

/* The bytes of one result, used again for the next. */
struct words {
    struct buf claim, observed, why;
};

static void words_clear(struct words *w) {
    buf_clear(&w->claim);
    buf_clear(&w->observed);
    buf_clear(&w->why);
}

static void add_claim(struct verify *v, struct words *w, enum verify_rule rule, const struct catalog_entry *e,
                      enum verdict verdict, enum severity severity) {
    findings_add(&v->findings,
                 &(struct catalog_finding){
                     .verdict = verdict,
                     .severity = severity,
                     .rule = verdict == VERDICT_PASS && severity == SEVERITY_ERROR ? NULL : rule_names[rule],
                     .expectation = buf_view(&w->claim),
                     .observed = buf_view(&w->observed),
                     .why = buf_view(&w->why),
                     .name = e->name,
                     .closest = rule == VERIFY_DEPRECATED ? e->replacement : (struct span){NULL, 0},
                     .file = e->file,
                     .line = e->line,
                 });
    v->failed |= w->claim.failed || w->observed.failed || w->why.failed;
}

/* Of a limit that is kept, when the share of it that was asked about is reached. `tag` NULL: of series. */
static void near_limit(struct verify *v, const struct catalog_entry *e, uint64_t n, uint64_t max,
                       const struct span *tag, struct words *w) {
    if (v->options->near <= 0 || (double)n < v->options->near * (double)max)
        return;
    words_clear(w);
    buf_printf(&w->claim, "%.*s: ", SPAN_ARG(e->name));
    if (tag)
        buf_printf(&w->claim, "tag %.*s ", SPAN_ARG(*tag));
    buf_printf(&w->claim, "stays below %g %% of %s %llu", v->options->near * 100,
               tag ? "max_values" : "max_series", (unsigned long long)max);
    buf_printf(&w->observed, "%llu %s", (unsigned long long)n, tag ? "different values" : "series");
    buf_printf(&w->why, "%.0f %% of the limit", 100 * (double)n / (double)max);
    add_claim(v, w, VERIFY_NEAR_LIMIT, e, VERDICT_PASS, SEVERITY_NOTE);
}

/* Limits on how many. True: one is broken. */
static bool entry_totals(struct verify *v, const struct catalog_entry *e, const struct entry_state *state,
                         struct words *w) {
    bool broken = false;
    if (e->max_series && state->series > e->max_series) {
        words_clear(w);
        buf_printf(&w->claim, "%.*s: at most %llu series", SPAN_ARG(e->name),
                   (unsigned long long)e->max_series);
        buf_printf(&w->observed, "%llu series", (unsigned long long)state->series);
        buf_str(&w->why, "too many combinations of tags");
        add_claim(v, w, VERIFY_TOO_MANY_SERIES, e, VERDICT_FAIL, SEVERITY_ERROR);
        broken = true;
    } else if (e->max_series) {
        near_limit(v, e, state->series, e->max_series, NULL, w);
    }
    for (struct distinct_values *d = state->distinct; d; d = d->next) {
        if (d->values.n <= d->max) {
            near_limit(v, e, d->values.n, d->max, &d->tag, w);
            continue;
        }
        words_clear(w);
        buf_printf(&w->claim, "%.*s: tag %.*s has at most %llu values", SPAN_ARG(e->name), SPAN_ARG(d->tag),
                   (unsigned long long)d->max);
        buf_printf(&w->observed, "%zu different values", d->values.n);
        buf_printf(&w->why, "the tag %.*s has too many values", SPAN_ARG(d->tag));
        add_claim(v, w, VERIFY_TOO_MANY_VALUES, e, VERDICT_FAIL, SEVERITY_ERROR);
        broken = true;
    }
    return broken;
}

static void never_seen(struct verify *v, const struct catalog_entry *e, struct words *w) {
    if (e->deprecated)
        return;
    buf_printf(&w->claim, "%.*s: is emitted", SPAN_ARG(e->name));
    buf_str(&w->observed, "nothing");
    buf_str(&w->why, "declared but never seen");
    if (v->states[e - v->catalog->entries].refused) {
        buf_str(&w->why, ": ");
        verify_put_refused(&v->states[e - v->catalog->entries], &w->why);
    }
    if (v->options->strict)
        add_claim(v, w, VERIFY_NEVER_SEEN, e, findings_absence(&v->findings, VERDICT_FAIL), SEVERITY_ERROR);
    else
        add_claim(v, w, VERIFY_NEVER_SEEN, e, VERDICT_PASS, SEVERITY_WARNING);
}

/* Of one that was seen as well. */
static void refused(struct verify *v, const struct catalog_entry *e, const struct entry_state *state,
                    struct words *w) {
    if (state->refused == 0)
        return;
    words_clear(w);
    buf_printf(&w->claim, "%.*s: no line is refused", SPAN_ARG(e->name));
    buf_printf(&w->observed, "%llu series, %llu samples", (unsigned long long)state->series,
               (unsigned long long)state->samples);
    verify_put_refused(state, &w->why);
    add_claim(v, w, VERIFY_REFUSED, e, v->options->strict ? VERDICT_FAIL : VERDICT_PASS,
              v->options->strict ? SEVERITY_ERROR : SEVERITY_WARNING);
}

static void entry_results(struct verify *v, size_t i, struct words *w) {
    const struct catalog_entry *e = &v->catalog->entries[i];
    struct entry_state *state = &v->states[i];
    words_clear(w);
    if (state->series == 0) {
        never_seen(v, e, w);
        return;
    }
    refused(v, e, state, w);
    bool broken = entry_totals(v, e, state, w);
    verify_count_missing(v, i);
    for (struct violation *x = state->violations; x; x = x->next) {
        words_clear(w);
        describe(v, e, x, &w->claim, &w->why);
        buf_printf(&w->observed, "%.*s", SPAN_ARG(x->example));
        if (x->series > 1)
            buf_printf(&w->observed, " and %llu more", (unsigned long long)x->series - 1);
        add_claim(v, w, x->rule, e, VERDICT_FAIL, SEVERITY_ERROR);
        broken = true;
    }
    if (broken)
        return;
    words_clear(w);
    catalog_types_print(e, "|", &w->claim);
    buf_printf(&w->claim, " %.*s", SPAN_ARG(e->name));
    buf_printf(&w->observed, "%llu series, %llu samples", (unsigned long long)state->series,
               (unsigned long long)state->samples);
    if (v->findings.lost)
        buf_str(&w->why, "what was lost could have broken a rule");
    add_claim(v, w, VERIFY_UNDECLARED, e, findings_absence(&v->findings, VERDICT_PASS), SEVERITY_ERROR);
}

static void undeclared_result(struct verify *v, size_t i, const struct similar *similar, struct words *w) {
    struct span name = v->names.list[i], prefix = v->options->prefix;
    struct near near[1];
    size_t found = similar && i < EXPLAINED_MAX ? similar_find(similar, name, 1, near, &v->similar_steps) : 0;
    const struct catalog_entry *e = found ? &v->catalog->entries[near[0].i] : NULL;
    words_clear(w);
    buf_printf(&w->claim, "%.*s: is declared", SPAN_ARG(name));
    buf_printf(&w->observed, "%.*s", SPAN_ARG(v->undeclared[i].example));
    if (v->undeclared[i].series > 1)
        buf_printf(&w->observed, " and %llu more", (unsigned long long)v->undeclared[i].series - 1);
    buf_str(&w->why, "not in the catalog");
    if (prefix.n && e)
        buf_printf(&w->why, " (after the prefix %.*s)", SPAN_ARG(prefix));
    if (e && near[0].distance == 1)
        buf_printf(&w->why, ": %.*s is one letter from %.*s", SPAN_ARG(name), SPAN_ARG(e->name));
    else if (e)
        buf_printf(&w->why, ": %.*s resembles %.*s", SPAN_ARG(name), SPAN_ARG(e->name));
    findings_add(&v->findings,
                 &(struct catalog_finding){.verdict = VERDICT_FAIL,
                                           .rule = rule_names[VERIFY_UNDECLARED],
                                           .expectation = buf_view(&w->claim),
                                           .observed = buf_view(&w->observed),
                                           .why = buf_view(&w->why),
                                           .name = name,
                                           .closest = e ? e->name : (struct span){NULL, 0},
                                           .file = e                       ? e->file
                                                   : v->catalog->n_entries ? v->catalog->entries[0].file
                                                                           : NULL,
                                           .line = e ? e->line : 1});
}

static int undeclared_results(struct verify *v, struct words *w) {
    struct span *declared = malloc((v->catalog->n_entries + 1) * sizeof *declared);
    for (size_t i = 0; declared && i < v->catalog->n_entries; i++)
        declared[i] = v->catalog->entries[i].name;
    struct similar *similar = declared && v->names.n ? similar_new(v->catalog->n_entries, declared) : NULL;
    for (size_t i = 0; i < v->names.n; i++)
        undeclared_result(v, i, similar, w);
    similar_free(similar);
    free(declared);
    return declared ? 0 : -1;
}

json_t *verify_report(struct verify *v, struct err *err) {
    struct words w = {{0}, {0}, {0}};
    v->failed |= undeclared_results(v, &w) != 0;
    for (size_t i = 0; i < v->catalog->n_entries; i++)
        entry_results(v, i, &w);
    v->failed |= w.claim.failed || w.observed.failed || w.why.failed;
    buf_free(&w.claim);
    buf_free(&w.observed);
    buf_free(&w.why);
    if (v->failed) {
        err_set(err, 0, "out of memory");
        return NULL;
    }
    v->findings.n_held = v->catalog->n_entries;
    v->findings.one_held = "declared metric";
    v->findings.held = "declared metrics";
    return findings_report(&v->findings, err);
}
