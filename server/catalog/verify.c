/* DESIGN. One pass over the series: each finds its entry and is held to it; what does not fit is counted in a
 * violation of (entry, rule, tag), with one example. A pass over samples follows only where a summary cannot
 * tell: sample rates of sampled series, units of what came over HTTP, values since a mark. Then one result
 * for each violation, entry and undeclared name. */
#include "catalog/verify_private.h"

#include "catalog/pattern.h"
#include "catalog/text.h"
#include "core/array.h"
#include "core/glob.h"
#include "core/number.h"
#include "judge/evaluate/match.h"

#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

static int note(struct verify *v, size_t entry, enum verify_rule rule, struct span tag,
                const struct series_row *row, struct span detail) {
    struct entry_state *state = &v->states[entry];
    for (struct violation *x = state->violations; x; x = x->next) {
        if (x->rule == rule && span_eq(x->tag, tag)) {
            x->series += v->first && x->newest_series != row->id;
            x->newest_series = row->id;
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
                                row->id,
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

/* --- tags ------------------------------------------------------------------------------------------------ */

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
    const struct span fields[][2] = {{SPAN("host"), row->host}, {SPAN("device"), row->device}};
    for (size_t i = 0; i < 2; i++)
        if (fields[i][1].p && catalog_tag_of(v->catalog, e, fields[i][0]) &&
            !text_listed(v->options->ignore_tags, fields[i][0]))
            check_tag(v, entry, row, fields[i][0], clean(v, fields[i][1]));
    check_required(v, entry, row, e->n_tags, e->tags, false);
    check_required(v, entry, row, v->catalog->n_tags, v->catalog->tags, true);
}

/* --- a series -------------------------------------------------------------------------------------------- */

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

/* What of a series' samples its summary did not tell. */
enum { LOOK_RATE = 1, LOOK_VALUE = 2, LOOK_UNIT = 4, LOOK_BITS = 3 };

enum part { WHOLE, AGGREGATE_VALUE, AGGREGATE_TOTAL };

static void check_series(struct verify *v, size_t entry, const struct series_row *row, enum part part) {
    const struct catalog_entry *e = &v->catalog->entries[entry];
    struct entry_state *state = &v->states[entry];
    state->series += v->first;
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
    uint32_t looks = (e->sample_rate.given && row->sampled ? LOOK_RATE : 0) |
                     (e->value.given && partly && part != AGGREGATE_TOTAL ? LOOK_VALUE : 0) |
                     (e->unit.p ? LOOK_UNIT : 0);
    if (looks)
        v->failed |= !table_put(&v->sampled, row->id, (uint32_t)entry << LOOK_BITS | looks, &added);
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
    struct span name = clean(v, row->name), prefix = v->options->prefix;
    bool inside = span_starts(name, prefix);
    const struct catalog_entry *e = inside ? catalog_find(v->catalog, span_from(name, prefix.n)) : NULL;
    if (inside)
        name = span_from(name, prefix.n);
    if (e)
        check_series(v, number_of(v, e), row, WHOLE);
    else if (inside && (try_base(v, row, name) || try_aggregates(v, row, name)))
        ;
    else if (!span_starts(row->name, TELEMETRY))
        v->failed |= note_undeclared(v, row, name) != 0;
    arena_free(&v->scratch);
    v->scratch = (struct arena){0};
    return v->failed;
}

static int take_sample(void *arg, const struct sample_row *row) {
    struct verify *v = arg;
    const uint32_t *found = table_get(&v->sampled, row->series_id);
    if (!found)
        return 0;
    size_t entry = *found >> LOOK_BITS;
    const struct catalog_entry *e = &v->catalog->entries[entry];
    const struct metric *m = row->spelling;
    const struct sketch *sketch = row->value.sketch;
    double low = sketch ? sketch->min : row->value.number, high = sketch ? sketch->max : row->value.number;
    v->first = true; /* a look at samples tells one series from another by its id */
    struct series_row series = {
        .id = row->series_id, .name = m->name, .type = m->type, .n_tags = m->n_tags, .tags = m->tags};
    if (*found & LOOK_RATE)
        check_range(v, entry, VERIFY_SAMPLE_RATE, &e->sample_rate, &series, m->sample_rate, m->sample_rate);
    if ((*found & LOOK_VALUE) && m->type != METRIC_SET)
        check_range(v, entry, VERIFY_VALUE_RANGE, &e->value, &series, low, high);
    if ((*found & LOOK_UNIT) && m->unit.n && !span_eq(e->unit, m->unit))
        note(v, entry, VERIFY_WRONG_UNIT, SPAN(""), &series, m->unit);
    return v->failed;
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
        result = verify_report(&v, err);
    for (size_t i = 0; v.states && i < c->n_entries; i++)
        for (struct distinct *d = v.states[i].distinct; d; d = d->next)
            table_free(&d->values);
    arena_free(&v.arena);
    arena_free(&v.scratch);
    numbering_free(&v.names);
    table_free(&v.sampled);
    table_free(&v.seen);
    free(v.undeclared);
    free(v.states);
    findings_free(&v.findings);
    return result;
}
