#include "catalog/catalog.h"

#include "catalog/index.h"
#include "catalog/tag_rules.h"
#include "core/array.h"
#include "core/glob.h"

#include <stdlib.h>

struct catalog_entry *catalog_add(struct catalog *c, const struct catalog_entry *entry) {
    if (c->n_entries == CATALOG_ENTRIES_MAX)
        return NULL;
    if (!array_room(&c->entries, c->n_entries, &c->cap_entries, sizeof *c->entries))
        return NULL;
    struct catalog_entry *e = &c->entries[c->n_entries++];
    *e = *entry;
    e->family = glob_is_pattern(e->name);
    return e;
}

void catalog_free(struct catalog *c) {
    if (!c)
        return;
    catalog_index_free(c->index);
    free(c->entries);
    arena_free(&c->arena);
    free(c);
}

/* --- entries of the same name ---------------------------------------------------------------------------- */

static bool text_merge(struct span *a, struct span b) {
    if (!a->p)
        *a = b;
    return !b.p || span_eq(*a, b);
}

static bool range_merge(struct catalog_range *a, struct catalog_range b) {
    if (!a->given)
        *a = b;
    return !b.given || (a->min == b.min && a->max == b.max);
}

static bool size_merge(uint64_t *a, uint64_t b) {
    if (*a == 0)
        *a = b;
    return b == 0 || *a == b;
}

static bool tag_same(const struct catalog_tag *a, const struct catalog_tag *b) {
    bool same = a->presence == b->presence && a->n_values == b->n_values && a->max_values == b->max_values &&
                span_eq(a->pattern_text, b->pattern_text);
    for (size_t i = 0; same && i < a->n_values; i++)
        same = span_eq(a->values[i], b->values[i]);
    return same;
}

/* A name may be given 500,000 times: what adds no tag must cost nothing. */
static bool tags_merge(struct catalog *c, struct catalog_entry *a, const struct catalog_entry *b) {
    struct tag_rules rules = {0};
    uint64_t ignored = 0;
    size_t n = a->n_tags;
    if (b->n_tags == 0)
        return true;
    struct catalog_tag *all = memory_take(&c->arena, (a->n_tags + b->n_tags) * sizeof *all);
    bool same = all && tag_rules_build(&rules, a->n_tags, a->tags) == 0;
    if (same && n)
        memcpy(all, a->tags, n * sizeof *all);
    for (size_t i = 0; i < b->n_tags && same; i++) {
        const struct tag_rule *old = tag_rules_find(&rules, b->tags[i].key, &ignored);
        same = !old || tag_same(old->tag, &b->tags[i]);
        if (!old)
            all[n++] = b->tags[i];
    }
    tag_rules_free(&rules);
    if (same) {
        a->tags = all;
        a->n_tags = n;
    }
    return same;
}

/* The word for what contradicts; NULL when nothing does. Prose (description, comment) of the first one stays.
 */
static const char *entry_merge(struct catalog *c, struct catalog_entry *a, const struct catalog_entry *b) {
    if (a->types && b->types && a->types != b->types)
        return "type";
    a->types |= b->types;
    if (!text_merge(&a->unit, b->unit) || !text_merge(&a->per_unit, b->per_unit))
        return "unit";
    if (!tags_merge(c, a, b))
        return "tags";
    if (a->other_tags != UNSAID && b->other_tags != UNSAID && a->other_tags != b->other_tags)
        return "other_tags";
    if (a->other_tags == UNSAID)
        a->other_tags = b->other_tags;
    if (!range_merge(&a->sample_rate, b->sample_rate))
        return "sample_rate";
    if (!range_merge(&a->value, b->value))
        return "value";
    if (!size_merge(&a->max_series, b->max_series))
        return "max_series";
    if (!text_merge(&a->owner, b->owner))
        return "owner";
    if (!text_merge(&a->replacement, b->replacement))
        return "deprecated";
    a->deprecated |= b->deprecated;
    a->silenced |= b->silenced;
    if (a->has_interval && b->has_interval && a->interval != b->interval)
        return "interval";
    if (b->has_interval)
        a->interval = b->interval;
    a->has_interval |= b->has_interval;
    if (a->has_orientation && b->has_orientation && a->orientation != b->orientation)
        return "orientation";
    if (b->has_orientation)
        a->orientation = b->orientation;
    a->has_orientation |= b->has_orientation;
    text_merge(&a->description, b->description);
    text_merge(&a->integration, b->integration);
    text_merge(&a->short_name, b->short_name);
    text_merge(&a->curated_metric, b->curated_metric);
    text_merge(&a->sample_tags, b->sample_tags);
    text_merge(&a->comment, b->comment);
    return NULL;
}

int catalog_finish(struct catalog *c, struct catalog_error *error) {
    catalog_index_free(c->index);
    c->index = catalog_index_new(c->n_entries, c->entries);
    if (!c->index)
        return catalog_fail(error, NULL, 0, 0, "out of memory");
    size_t n = 0;
    for (size_t i = 0; i < c->n_entries; i++) {
        struct catalog_entry *e = &c->entries[i];
        size_t first = catalog_index_exact(c->index, e->name);
        if (first == i) {
            n++;
            continue;
        }
        struct catalog_entry *old = &c->entries[first];
        const char *what = entry_merge(c, old, e);
        if (what)
            return catalog_fail(error, e->file, e->line, e->column,
                                "%.*s contradicts %s:%zu:%zu about its %s", SPAN_ARG(e->name), old->file,
                                old->line, old->column, what);
        e->file = NULL; /* merged away */
    }
    if (n == c->n_entries)
        return 0;
    size_t kept = 0;
    for (size_t i = 0; i < c->n_entries; i++)
        if (c->entries[i].file)
            c->entries[kept++] = c->entries[i];
    c->n_entries = kept;
    catalog_index_free(c->index);
    c->index = catalog_index_new(c->n_entries, c->entries);
    return c->index ? 0 : catalog_fail(error, NULL, 0, 0, "out of memory");
}

/* --- asking ---------------------------------------------------------------------------------------------- */

const struct catalog_entry *catalog_find_counted(const struct catalog *c, struct span name, uint64_t *steps) {
    size_t i = catalog_index_find(c->index, name, steps);
    return i == SIZE_MAX ? NULL : &c->entries[i];
}

const struct catalog_entry *catalog_find(const struct catalog *c, struct span name) {
    uint64_t steps = 0;
    return catalog_find_counted(c, name, &steps);
}

bool catalog_other_tags(const struct catalog_entry *entry) {
    return entry->other_tags != SAID_NO;
}

bool catalog_type_fits(const struct catalog_entry *entry, enum metric_type type) {
    unsigned rates = metric_types_that_are(METRIC_COUNTED);
    unsigned types = entry->types & rates ? entry->types | rates : entry->types;
    return types == 0 || types >> type & 1;
}

void catalog_types_print(const struct catalog_entry *entry, const char *between, struct buf *out) {
    bool first = true;
    if (entry->types == 0)
        buf_str(out, "any");
    for (int t = 0; t < METRIC_N_TYPES; t++) {
        if (!(entry->types >> t & 1))
            continue;
        if (!first)
            buf_str(out, between);
        buf_str(out, metric_word((enum metric_type)t));
        first = false;
    }
}
