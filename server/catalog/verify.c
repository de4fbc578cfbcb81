/* DESIGN. One pass over the series: each finds its entry, or the several entries that declare its aggregated forms, and is
 * held to each; what does not fit is counted in a violation of (entry, rule, tag), with one example. Where a summary cannot
 * tell, a pass follows over the spellings (sample rates of sampled series, units of what came over HTTP), and one over the
 * samples for values since a mark alone. A series keeps a list of such looks, one for each entry that needs one. Then one
 * result for each violation, entry and undeclared name. */
#include "catalog/verify_private.h"

#include "catalog/text.h"
#include "core/array.h"
#include "core/number.h"
#include "judge/evaluate/match.h"

#include <math.h>
#include <stdlib.h>

/* --- a series -------------------------------------------------------------------------------------------- */

static void check_range(struct verify *v, size_t entry, enum verify_rule rule,
                        const struct catalog_range *range, const struct series_row *row, double low,
                        double high) {
    double odd = low < range->min ? low : high > range->max ? high : NAN;
    if (!range->given || isnan(odd))
        return;
    char text[NUMBER_SIZE];
    number_format(odd, text);
    verify_note(v, entry, rule, SPAN(""), row, span_str(text));
}

/* The rules that need the spellings or, for values, the samples of a series: its summary does not answer them. */
enum { LOOK_RATE = 1, LOOK_VALUE = 2, LOOK_UNIT = 4 };

static void add_look(struct verify *v, size_t entry, const struct series_row *row, unsigned looks) {
    bool added;
    if (!array_room(&v->looks, v->n_looks, &v->cap_looks, sizeof *v->looks)) {
        v->failed = true;
        return;
    }
    uint32_t *first = table_put(&v->sampled, row->id, 0, &added);
    if (!first) {
        v->failed = true;
        return;
    }
    v->all_looks |= looks;
    v->looks[v->n_looks++] = (struct look){(uint32_t)entry, *first, looks};
    *first = (uint32_t)v->n_looks;
}

enum part { WHOLE, AGGREGATE_VALUE, AGGREGATE_TOTAL };

static void check_series(struct verify *v, size_t entry, const struct series_row *row, enum part part) {
    const struct catalog_entry *e = &v->catalog->entries[entry];
    struct entry_state *state = &v->states[entry];
    state->series += v->first;
    state->samples += row->samples;
    if (e->deprecated)
        verify_note(v, entry, VERIFY_DEPRECATED, SPAN(""), row, SPAN(""));
    if (part == WHOLE && !catalog_type_fits(e, row->type))
        verify_note(v, entry, VERIFY_WRONG_TYPE, SPAN(""), row, span_str(metric_word(row->type)));
    verify_tags(v, entry, row);
    bool partly = row->first_id <= v->options->scope.since;
    if (part != AGGREGATE_TOTAL && !partly)
        check_range(v, entry, VERIFY_VALUE_RANGE, &e->value, row, row->min, row->max);
    if (!row->sampled)
        check_range(v, entry, VERIFY_SAMPLE_RATE, &e->sample_rate, row, 1, 1);
    unsigned looks = (e->sample_rate.given && row->sampled ? LOOK_RATE : 0) |
                     (e->value.given && partly && part != AGGREGATE_TOTAL ? LOOK_VALUE : 0) |
                     (e->unit.p ? LOOK_UNIT : 0);
    if (looks)
        add_look(v, entry, row, looks);
}

static size_t number_of(const struct verify *v, const struct catalog_entry *e) {
    return (size_t)(e - v->catalog->entries);
}

static const struct catalog_entry *find_entry(struct verify *v, struct span name) {
    return catalog_find_counted(v->catalog, name, &v->effort->steps);
}

/* A gauge NAME.avg where the catalog declares a timing NAME. */
static bool try_base(struct verify *v, const struct series_row *row, struct span name) {
    struct span base, what;
    if (!metric_is(row->type, METRIC_LEVEL | METRIC_COUNTED) || !name_is_aggregate(name, &base, &what))
        return false;
    const struct catalog_entry *e = find_entry(v, base);
    if (!e || !(e->types & metric_types_that_are(METRIC_POOLED)))
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
    if (!metric_is(row->type, METRIC_POOLED) || name.n > CATALOG_NAME_MAX)
        return false;
    char text[CATALOG_NAME_MAX + 16];
    memcpy(text, name.p, name.n);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t n = strlen(ends[i]);
        memcpy(text + name.n, ends[i], n);
        const struct catalog_entry *e = find_entry(v, span_of(text, name.n + n));
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
    if (!array_room(&v->undeclared, i, &v->cap_undeclared, sizeof *v->undeclared))
        return -1;
    if (i == known) {
        char example[TEXT_SERIES_SIZE];
        text_series(row, example);
        v->undeclared[i] =
            (struct undeclared){0, i < FINDINGS_MAX ? text_clean(&v->arena, span_str(example)) : SPAN("")};
    }
    v->undeclared[i].series += v->first;
    return 0;
}

static int take_series(void *arg, const struct series_row *row) {
    struct verify *v = arg;
    if (!scope_holds(&v->options->scope, row))
        return 0;
    int first = scope_first(&v->options->scope, &v->seen, row);
    v->failed |= first < 0;
    v->first = first > 0;
    v->findings.series += v->first;
    struct span name = verify_clean(v, row->name), prefix = v->options->prefix;
    bool inside = span_starts(name, prefix);
    const struct catalog_entry *e = inside ? find_entry(v, span_from(name, prefix.n)) : NULL;
    if (inside)
        name = span_from(name, prefix.n);
    if (e)
        check_series(v, number_of(v, e), row, WHOLE);
    else if (inside && (try_base(v, row, name) || try_aggregates(v, row, name)))
        ;
    else if (!span_starts(row->name, TELEMETRY))
        v->failed |= note_undeclared(v, row, name) != 0;
    arena_reset(&v->scratch);
    return v->failed || effort_is_spent(v->effort);
}

/* A look tells one series from another by its id. */
static struct series_row series_of(struct verify *v, uint64_t id, const struct metric *m) {
    v->first = true;
    return (struct series_row){
        .id = id, .name = m->name, .type = m->type, .n_tags = m->n_tags, .tags = m->tags};
}

static int take_spelling(void *arg, const struct spelling_row *row) {
    struct verify *v = arg;
    const struct metric *m = row->spelling;
    struct series_row series = series_of(v, row->series_id, m);
    const uint32_t *first = table_get(&v->sampled, row->series_id);
    for (uint32_t at = first ? *first : 0; at; at = v->looks[at - 1].next) {
        const struct look *look = &v->looks[at - 1];
        const struct catalog_entry *e = &v->catalog->entries[look->entry];
        if (look->looks & LOOK_RATE)
            check_range(v, look->entry, VERIFY_SAMPLE_RATE, &e->sample_rate, &series, m->sample_rate,
                        m->sample_rate);
        if ((look->looks & LOOK_UNIT) && m->unit.n && !span_eq(e->unit, m->unit))
            verify_note(v, look->entry, VERIFY_WRONG_UNIT, SPAN(""), &series, m->unit);
    }
    return v->failed;
}

static int take_sample(void *arg, const struct sample_row *row) {
    struct verify *v = arg;
    const struct sketch *sketch = row->value.sketch;
    double low = sketch ? sketch->min : row->value.number, high = sketch ? sketch->max : row->value.number;
    const uint32_t *first =
        metric_is(row->spelling->type, METRIC_TEXT) ? NULL : table_get(&v->sampled, row->series_id);
    struct series_row series = series_of(v, row->series_id, row->spelling);
    for (uint32_t at = first ? *first : 0; at; at = v->looks[at - 1].next) {
        const struct look *look = &v->looks[at - 1];
        if (look->looks & LOOK_VALUE)
            check_range(v, look->entry, VERIFY_VALUE_RANGE, &v->catalog->entries[look->entry].value, &series,
                        low, high);
    }
    return v->failed;
}

static int prepare(struct verify *v) {
    const struct catalog *c = v->catalog;
    v->states = calloc(c->n_entries + 1, sizeof *v->states);
    bool failed = !v->states || tag_rules_build(&v->rules, c->n_tags, c->tags) != 0 ||
                  numbering_put_list(&v->ignored, v->options->ignore_tags) != 0;
    return failed ? -1 : 0;
}

json_t *catalog_verify(const struct catalog *c, const struct verify_options *options, struct reader *reader,
                       struct err *err) {
    struct verify v = {.catalog = c, .options = options};
    struct filter filter = {
        .session = scope_session(&options->scope), .since = options->scope.since, .outline = true};
    json_t *result = NULL;
    v.effort = options->effort ? options->effort : &v.own_effort;
    v.failed = prepare(&v) != 0;
    int failed = findings_start(&v.findings, &options->scope, reader, err);
    if (!failed && !v.failed)
        failed = reader->ops->series(reader, &filter, take_series, &v, err);
    if (!failed && !v.failed && (v.all_looks & (LOOK_RATE | LOOK_UNIT)))
        failed = reader->ops->spellings(reader, &filter, take_spelling, &v, err);
    if (!failed && !v.failed && (v.all_looks & LOOK_VALUE))
        failed = reader->ops->samples(reader, &filter, false, take_sample, &v, err);
    if (!failed && !v.failed)
        failed = verify_read_refused(&v, reader, err);
    if (!failed && effort_was_enough(v.effort, err))
        result = verify_report(&v, err);
    verify_tags_free(&v);
    arena_free(&v.arena);
    arena_free(&v.scratch);
    numbering_free(&v.names);
    table_free(&v.sampled);
    free(v.looks);
    table_free(&v.seen);
    free(v.undeclared);
    free(v.states);
    findings_free(&v.findings);
    return result;
}
