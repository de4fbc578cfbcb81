/* DESIGN. One pass over the series: each finds its entry and is held to it; what does not fit is counted in a
 * violation of (entry, rule, tag), with one example. A pass over samples follows only where a summary cannot
 * tell: sample rates of sampled series, units of what came over HTTP, values since a mark. Then one result
 * for each violation, entry and undeclared name. */
#include "catalog/verify.h"

#include "catalog/pattern.h"
#include "catalog/similar.h"
#include "catalog/table.h"
#include "catalog/text.h"
#include "core/glob.h"
#include "core/number.h"
#include "judge/distance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#define EXPLAINED_MAX 1000 /* undeclared names for which look-alikes are searched */

struct violation {
    struct violation *next;
    enum verify_rule rule;
    struct span tag;
    uint64_t series; /* how many show it */
    struct span example, detail;
};

struct distinct {
    struct distinct *next;
    struct span tag;
    uint64_t max;
    struct table values;
};

struct entry_state {
    uint64_t series, samples;
    struct violation *violations, **tail;
    struct distinct *distinct;
};

struct undeclared {
    uint64_t series;
    struct span example;
};

struct verify {
    const struct catalog *catalog;
    const struct verify_options *options;
    struct findings findings;
    struct arena arena;   /* violations */
    struct arena scratch; /* of one series */
    struct entry_state *states;
    struct numbering names; /* undeclared */
    size_t cap_undeclared;
    struct undeclared *undeclared;
    struct table sampled; /* series that need the second pass, by id: the entry's number */
    bool failed;
};

static int note(struct verify *v, size_t entry, enum verify_rule rule, struct span tag,
                const struct series_row *row, struct span detail) {
    struct entry_state *state = &v->states[entry];
    for (struct violation *x = state->violations; x; x = x->next) {
        if (x->rule == rule && span_eq(x->tag, tag)) {
            x->series++;
            return 0;
        }
    }
    struct violation *x = memory_take(&v->arena, sizeof *x);
    char example[TEXT_SERIES_SIZE];
    text_series(row, example);
    if (x) {
        *x = (struct violation){NULL,
                                rule,
                                text_clean(&v->arena, tag),
                                1,
                                text_clean(&v->arena, span_str(example)),
                                text_clean(&v->arena, detail)};
        if (!state->tail)
            state->tail = &state->violations;
        *state->tail = x;
        state->tail = &x->next;
    }
    v->failed |= !x || !x->tag.p || !x->example.p || !x->detail.p;
    return 0;
}

/* --- tags
 * ---------------------------------------------------------------------------------------------------------
 */

static bool value_allowed(const struct catalog_tag *tag, struct span value) {
    if (tag->pattern)
        return pattern_match(tag->pattern, value);
    for (size_t i = 0; i < tag->n_values; i++)
        if (glob_match(tag->values[i], value))
            return true;
    return tag->n_values == 0;
}

static void count_value(struct verify *v, struct entry_state *state, const struct catalog_tag *tag,
                        struct span value) {
    struct distinct *d = state->distinct;
    while (d && !span_eq(d->tag, tag->key))
        d = d->next;
    if (!d) {
        d = memory_take(&v->arena, sizeof *d);
        if (!d) {
            v->failed = true;
            return;
        }
        *d = (struct distinct){.next = state->distinct, .tag = tag->key, .max = tag->max_values};
        state->distinct = d;
    }
    bool added;
    v->failed |= !table_put(&d->values, XXH3_64bits(value.n ? value.p : "", value.n), 0, &added);
}

static struct span clean(struct verify *v, struct span s) {
    if (text_is_clean(s))
        return s;
    struct span copy = text_clean(&v->scratch, s);
    v->failed |= !copy.p;
    return copy;
}

static void check_tag(struct verify *v, size_t entry, const struct series_row *row, struct span key,
                      struct span value) {
    const struct catalog_entry *e = &v->catalog->entries[entry];
    const struct catalog_tag *tag = catalog_tag_of(v->catalog, e, key);
    if (!tag) {
        if (!catalog_other_tags(e))
            note(v, entry, VERIFY_UNKNOWN_TAG, key, row, value);
        return;
    }
    if (tag->presence == TAG_FORBIDDEN)
        note(v, entry, VERIFY_FORBIDDEN_TAG, key, row, value);
    else if (!value_allowed(tag, value))
        note(v, entry, VERIFY_TAG_VALUE, key, row, value);
    if (tag->max_values)
        count_value(v, &v->states[entry], tag, value);
}

static bool has_key(const struct series_row *row, struct span key) {
    if ((row->host.p && span_eq(key, SPAN("host"))) || (row->device.p && span_eq(key, SPAN("device"))))
        return true;
    for (size_t i = 0; i < row->n_tags; i++)
        if (span_eq(tag_key(row->tags[i]), key))
            return true;
    return false;
}

static void check_required(struct verify *v, size_t entry, const struct series_row *row, size_t n,
                           const struct catalog_tag *tags, bool of_all) {
    const struct catalog_entry *e = &v->catalog->entries[entry];
    for (size_t i = 0; i < n; i++) {
        bool counts = tags[i].presence == TAG_REQUIRED &&
                      !text_listed(v->options->ignore_tags, tags[i].key) &&
                      (!of_all || catalog_tag_of(v->catalog, e, tags[i].key) == &tags[i]);
        if (counts && !has_key(row, tags[i].key))
            note(v, entry, VERIFY_MISSING_TAG, tags[i].key, row, SPAN(""));
    }
}

static void check_tags(struct verify *v, size_t entry, const struct series_row *row) {
    const struct catalog_entry *e = &v->catalog->entries[entry];
    for (size_t i = 0; i < row->n_tags; i++) {
        struct span key = clean(v, tag_key(row->tags[i])), value = clean(v, tag_value(row->tags[i]));
        if (!text_listed(v->options->ignore_tags, key))
            check_tag(v, entry, row, key, value);
    }
    if (row->host.p && catalog_tag_of(v->catalog, e, SPAN("host")) &&
        !text_listed(v->options->ignore_tags, SPAN("host")))
        check_tag(v, entry, row, SPAN("host"), clean(v, row->host));
    check_required(v, entry, row, e->n_tags, e->tags, false);
    check_required(v, entry, row, v->catalog->n_tags, v->catalog->tags, true);
}

/* --- a series
 * ----------------------------------------------------------------------------------------------------- */

static void check_range(struct verify *v, size_t entry, enum verify_rule rule,
                        const struct catalog_range *range, const struct series_row *row, double low,
                        double high) {
    double odd = low < range->min ? low : high > range->max ? high : NAN;
    if (!range->given || isnan(odd))
        return;
    char text[NUMBER_SIZE];
    number_format(odd, text);
    note(v, entry, rule, SPAN(""), row, span_str(text));
}

enum part { WHOLE, AGGREGATE_VALUE, AGGREGATE_TOTAL };

static void check_series(struct verify *v, size_t entry, const struct series_row *row, enum part part) {
    const struct catalog_entry *e = &v->catalog->entries[entry];
    struct entry_state *state = &v->states[entry];
    state->series++;
    state->samples += row->samples;
    if (e->deprecated)
        note(v, entry, VERIFY_DEPRECATED, SPAN(""), row, SPAN(""));
    if (part == WHOLE && !catalog_type_fits(e, row->type))
        note(v, entry, VERIFY_WRONG_TYPE, SPAN(""), row, span_str(metric_word(row->type)));
    check_tags(v, entry, row);
    bool partly = row->first_id <= v->options->scope.since;
    if (part != AGGREGATE_TOTAL && !partly)
        check_range(v, entry, VERIFY_VALUE_RANGE, &e->value, row, row->min, row->max);
    if (!row->sampled)
        check_range(v, entry, VERIFY_SAMPLE_RATE, &e->sample_rate, row, 1, 1);
    bool added;
    if ((e->sample_rate.given && row->sampled) || (e->value.given && partly && part != AGGREGATE_TOTAL) ||
        e->unit.p)
        v->failed |= !table_put(&v->sampled, row->id, (uint32_t)entry, &added);
}

static size_t number_of(const struct verify *v, const struct catalog_entry *e) {
    return (size_t)(e - v->catalog->entries);
}

/* A gauge NAME.avg where the catalog declares a timing NAME. */
static bool try_base(struct verify *v, const struct series_row *row, struct span name) {
    struct span base, what;
    unsigned histograms = 1u << METRIC_TIMING | 1u << METRIC_HISTOGRAM | 1u << METRIC_DISTRIBUTION;
    if ((row->type != METRIC_GAUGE && row->type != METRIC_RATE && row->type != METRIC_COUNT) ||
        !name_is_aggregate(name, &base, &what))
        return false;
    const struct catalog_entry *e = catalog_find(v->catalog, base);
    if (!e || !(e->types & histograms))
        return false;
    bool total = span_eq(what, SPAN("count")) || span_eq(what, SPAN("sum"));
    check_series(v, number_of(v, e), row, total ? AGGREGATE_TOTAL : AGGREGATE_VALUE);
    return true;
}

/* A timing NAME where the catalog, like metadata.csv, declares what becomes of it: NAME.avg,
 * NAME.95percentile, … */
static bool try_aggregates(struct verify *v, const struct series_row *row, struct span name) {
    static const char *const ends[] = {".avg",          ".min",          ".max",          ".median",
                                       ".sum",          ".count",        ".50percentile", ".75percentile",
                                       ".85percentile", ".90percentile", ".95percentile", ".99percentile"};
    bool found = false;
    if ((row->type != METRIC_TIMING && row->type != METRIC_HISTOGRAM && row->type != METRIC_DISTRIBUTION) ||
        name.n > CATALOG_NAME_MAX)
        return false;
    char text[CATALOG_NAME_MAX + 16];
    memcpy(text, name.p, name.n);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t n = strlen(ends[i]);
        memcpy(text + name.n, ends[i], n);
        const struct catalog_entry *e = catalog_find(v->catalog, span_of(text, name.n + n));
        if (!e || e->family)
            continue;
        check_series(v, number_of(v, e), row, AGGREGATE_TOTAL);
        found = true;
    }
    return found;
}

static int note_undeclared(struct verify *v, const struct series_row *row, struct span name) {
    size_t known = v->names.n, i = numbering_put(&v->names, name);
    if (i == NUMBERING_NONE)
        return -1;
    if (i == v->cap_undeclared) {
        size_t cap = v->cap_undeclared ? 2 * v->cap_undeclared : 64;
        struct undeclared *grown = realloc(v->undeclared, cap * sizeof *grown);
        if (!grown)
            return -1;
        v->undeclared = grown;
        v->cap_undeclared = cap;
    }
    if (i == known) {
        char example[TEXT_SERIES_SIZE];
        text_series(row, example);
        v->undeclared[i] =
            (struct undeclared){0, i < FINDINGS_MAX ? text_clean(&v->arena, span_str(example)) : SPAN("")};
    }
    v->undeclared[i].series++;
    return 0;
}

static int take_series(void *arg, const struct series_row *row) {
    struct verify *v = arg;
    if (!scope_holds(&v->options->scope, row))
        return 0;
    struct span name = clean(v, row->name), prefix = v->options->prefix;
    bool inside = span_starts(name, prefix);
    const struct catalog_entry *e = inside ? catalog_find(v->catalog, span_from(name, prefix.n)) : NULL;
    if (inside)
        name = span_from(name, prefix.n);
    if (e)
        check_series(v, number_of(v, e), row, WHOLE);
    else if (inside && (try_base(v, row, name) || try_aggregates(v, row, name)))
        ;
    else if (!span_starts(row->name, SPAN("datadog.dogstatsd.client.")))
        v->failed |= note_undeclared(v, row, name) != 0;
    arena_free(&v->scratch);
    v->scratch = (struct arena){0};
    return v->failed;
}

static int take_sample(void *arg, const struct sample_row *row) {
    struct verify *v = arg;
    const uint32_t *entry = table_get(&v->sampled, row->series_id);
    if (!entry)
        return 0;
    const struct catalog_entry *e = &v->catalog->entries[*entry];
    const struct metric *m = row->spelling;
    struct series_row series = {.name = m->name, .type = m->type, .n_tags = m->n_tags, .tags = m->tags};
    check_range(v, *entry, VERIFY_SAMPLE_RATE, &e->sample_rate, &series, m->sample_rate, m->sample_rate);
    if (m->type != METRIC_SET)
        check_range(v, *entry, VERIFY_VALUE_RANGE, &e->value, &series, row->value.number, row->value.number);
    if (e->unit.p && m->unit.n && !span_eq(e->unit, m->unit))
        note(v, *entry, VERIFY_WRONG_UNIT, SPAN(""), &series, m->unit);
    return v->failed;
}

/* --- results
 * ------------------------------------------------------------------------------------------------------ */

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

static void put_near_key(const struct catalog_entry *e, struct span key, struct buf *why) {
    struct span keys[64];
    size_t n = 0;
    for (; n < e->n_tags && n < 64; n++)
        keys[n] = e->tags[n].key;
    struct span near = nearest_word(key, n, keys);
    if (near.p)
        buf_printf(why, "; did you mean %.*s?", SPAN_ARG(near));
}

/* What the entry claims, and why it does not hold. */
static void describe(const struct verify *v, const struct catalog_entry *e, const struct violation *x,
                     struct buf *claim, struct buf *why) {
    const struct catalog_tag *tag = catalog_tag_of(v->catalog, e, x->tag);
    buf_printf(claim, "%.*s: ", SPAN_ARG(e->name));
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
        put_near_key(e, x->tag, why);
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
    case VERIFY_N:
        return; /* told by entry_totals and undeclared_result */
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

static void add(struct verify *v, struct words *w, enum verify_rule rule, const struct catalog_entry *e,
                enum verdict verdict, enum severity severity) {
    findings_add(&v->findings,
                 &(struct finding){
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

/* Limits on how many. False: all kept. */
static bool entry_totals(struct verify *v, const struct catalog_entry *e, const struct entry_state *state,
                         struct words *w) {
    bool broken = false;
    if (e->max_series && state->series > e->max_series) {
        words_clear(w);
        buf_printf(&w->claim, "%.*s: at most %llu series", SPAN_ARG(e->name),
                   (unsigned long long)e->max_series);
        buf_printf(&w->observed, "%llu series", (unsigned long long)state->series);
        buf_str(&w->why, "too many combinations of tags");
        add(v, w, VERIFY_TOO_MANY_SERIES, e, VERDICT_FAIL, SEVERITY_ERROR);
        broken = true;
    }
    for (struct distinct *d = state->distinct; d; d = d->next) {
        if (d->values.n <= d->max)
            continue;
        words_clear(w);
        buf_printf(&w->claim, "%.*s: tag %.*s has at most %llu values", SPAN_ARG(e->name), SPAN_ARG(d->tag),
                   (unsigned long long)d->max);
        buf_printf(&w->observed, "%zu different values", d->values.n);
        buf_printf(&w->why, "the tag %.*s has too many values", SPAN_ARG(d->tag));
        add(v, w, VERIFY_TOO_MANY_VALUES, e, VERDICT_FAIL, SEVERITY_ERROR);
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
    if (v->options->strict)
        add(v, w, VERIFY_NEVER_SEEN, e, findings_absence(&v->findings, VERDICT_FAIL), SEVERITY_ERROR);
    else
        add(v, w, VERIFY_NEVER_SEEN, e, VERDICT_PASS, SEVERITY_WARNING);
}

static void entry_results(struct verify *v, size_t i, struct words *w) {
    const struct catalog_entry *e = &v->catalog->entries[i];
    struct entry_state *state = &v->states[i];
    words_clear(w);
    if (state->series == 0) {
        never_seen(v, e, w);
        return;
    }
    bool broken = entry_totals(v, e, state, w);
    for (struct violation *x = state->violations; x; x = x->next) {
        words_clear(w);
        describe(v, e, x, &w->claim, &w->why);
        buf_printf(&w->observed, "%.*s", SPAN_ARG(x->example));
        if (x->series > 1)
            buf_printf(&w->observed, " and %llu more", (unsigned long long)x->series - 1);
        add(v, w, x->rule, e, VERDICT_FAIL, SEVERITY_ERROR);
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
    add(v, w, VERIFY_UNDECLARED, e, findings_absence(&v->findings, VERDICT_PASS), SEVERITY_ERROR);
}

static void undeclared_result(struct verify *v, size_t i, const struct similar *similar, struct words *w) {
    struct span name = v->names.list[i], prefix = v->options->prefix;
    struct near near[1];
    size_t found = similar && i < EXPLAINED_MAX ? similar_find(similar, name, 1, near) : 0;
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
    findings_add(&v->findings, &(struct finding){.verdict = VERDICT_FAIL,
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

static json_t *report(struct verify *v, struct err *err) {
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
    return findings_report(&v->findings, err);
}

json_t *catalog_verify(const struct catalog *c, const struct verify_options *options, struct reader *reader,
                       struct err *err) {
    struct verify v = {.catalog = c, .options = options};
    struct filter filter = {.session = scope_session(&options->scope), .since = options->scope.since};
    json_t *result = NULL;
    v.states = calloc(c->n_entries + 1, sizeof *v.states);
    v.failed = !v.states;
    int failed = findings_start(&v.findings, &options->scope, reader, err);
    if (!failed && !v.failed)
        failed = reader->ops->series(reader, &filter, take_series, &v, err);
    if (!failed && !v.failed && v.sampled.n)
        failed = reader->ops->samples(reader, &filter, false, take_sample, &v, err);
    if (!failed)
        result = report(&v, err);
    for (size_t i = 0; v.states && i < c->n_entries; i++)
        for (struct distinct *d = v.states[i].distinct; d; d = d->next)
            table_free(&d->values);
    arena_free(&v.arena);
    arena_free(&v.scratch);
    numbering_free(&v.names);
    table_free(&v.sampled);
    free(v.undeclared);
    free(v.states);
    findings_free(&v.findings);
    return result;
}
