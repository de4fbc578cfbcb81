/* The tags of a series against the rules for them. Work grows with the tags that the series have and with those that the
 * catalog declares, not with their product: rules are found by hash, and a required tag is looked for one by one only as long
 * as no series lacked it. */
#include "catalog/verify_private.h"

#include "catalog/text.h"
#include "core/array.h"

#include <stdlib.h>
#include <xxhash.h>

struct span verify_clean(struct verify *v, struct span s) {
    if (text_is_clean(s))
        return s;
    struct span copy = text_clean(&v->scratch, s);
    v->failed |= !copy.p;
    return copy;
}

static bool is_ignored(const struct verify *v, struct span key) {
    return numbering_get(&v->ignored, key) != NUMBERING_NONE;
}

/* Of the entry, then of the catalog: the entry's own of the same key wins. */
static int list_required(struct verify *v, struct entry_state *state, const struct catalog_entry *e) {
    size_t n = state->rules.n + v->rules.n;
    state->required = calloc(n + 1, sizeof *state->required);
    state->open = malloc((n + 1) * sizeof *state->open);
    if (!state->required || !state->open)
        return -1;
    for (size_t i = 0; i < n; i++) {
        bool own = i < state->rules.n;
        const struct catalog_tag *tag =
            own ? state->rules.list[i].tag : v->rules.list[i - state->rules.n].tag;
        v->effort->steps++;
        if (tag->presence != TAG_REQUIRED || is_ignored(v, tag->key) ||
            (!own && e->n_tags && tag_rules_find(&state->rules, tag->key, &v->effort->steps)))
            continue;
        state->required[i].tag = tag->key;
        state->open[state->n_open++] = (uint32_t)i;
    }
    return 0;
}

static int prepare_rules(struct verify *v, size_t entry) {
    struct entry_state *state = &v->states[entry];
    const struct catalog_entry *e = &v->catalog->entries[entry];
    if (state->has_rules)
        return 0;
    state->has_rules = true;
    return tag_rules_build(&state->rules, e->n_tags, e->tags) != 0 ? -1 : list_required(v, state, e);
}

/* *rules: the list that the rule is in; *place: its place among the required ones. NULL: none. */
static struct tag_rule *find_rule(struct verify *v, struct entry_state *state, struct span key,
                                  struct tag_rules **rules, size_t *place) {
    struct tag_rule *rule = tag_rules_find(&state->rules, key, &v->effort->steps);
    *rules = rule ? &state->rules : &v->rules;
    if (!rule)
        rule = tag_rules_find(&v->rules, key, &v->effort->steps);
    if (rule)
        *place = (size_t)(rule - (*rules)->list) + (*rules == &v->rules ? state->rules.n : 0);
    return rule;
}

const struct catalog_tag *verify_tag_of(struct verify *v, size_t entry, struct span key) {
    struct tag_rules *rules;
    size_t place;
    const struct tag_rule *rule = find_rule(v, &v->states[entry], key, &rules, &place);
    return rule ? rule->tag : NULL;
}

static struct distinct_values *add_distinct(struct verify *v, struct entry_state *state,
                                            const struct catalog_tag *tag) {
    struct distinct_values *d = memory_take(&v->arena, sizeof *d);
    if (!d || !array_room(&v->distincts, v->n_distincts, &v->cap_distincts, sizeof(struct distinct_values *)))
        return NULL;
    *d = (struct distinct_values){.next = state->distinct, .tag = tag->key, .max = tag->max_values};
    state->distinct = d;
    return v->distincts[v->n_distincts++] = d;
}

static void count_value(struct verify *v, size_t entry, const struct catalog_tag *tag, size_t place,
                        struct span value) {
    bool added;
    uint32_t *at = table_put(&v->distinct, (uint64_t)entry << 32 | place, (uint32_t)v->n_distincts, &added);
    struct distinct_values *d = !at     ? NULL
                                : added ? add_distinct(v, &v->states[entry], tag)
                                        : v->distincts[*at];
    v->failed |= !d || !table_put(&d->values, XXH3_64bits(value.n ? value.p : "", value.n), 0, &added);
}

static void check_tag(struct verify *v, size_t entry, const struct series_row *row, struct span key,
                      struct span value) {
    struct entry_state *state = &v->states[entry];
    struct tag_rules *rules;
    size_t place;
    struct tag_rule *rule = find_rule(v, state, key, &rules, &place);
    if (!rule) {
        if (!catalog_other_tags(&v->catalog->entries[entry]))
            verify_note(v, entry, VERIFY_UNKNOWN_TAG, key, row, value);
        return;
    }
    struct required *required = &state->required[place];
    required->series += required->newest_series != row->id;
    required->newest_series = row->id;
    if (rule->tag->presence == TAG_FORBIDDEN)
        verify_note(v, entry, VERIFY_FORBIDDEN_TAG, key, row, value);
    else if (!tag_rules_allow(rules, rule, value, &v->effort->steps))
        verify_note(v, entry, VERIFY_TAG_VALUE, key, row, value);
    if (rule->tag->max_values)
        count_value(v, entry, rule->tag, place, value);
    v->failed |= rules->failed;
}

/* Those that this series is the first to lack are no longer open. */
static void check_required(struct verify *v, size_t entry, const struct series_row *row) {
    struct entry_state *state = &v->states[entry];
    size_t kept = 0;
    for (size_t i = 0; i < state->n_open; i++) {
        struct required *r = &state->required[state->open[i]];
        v->effort->steps++;
        if (r->newest_series == row->id)
            state->open[kept++] = state->open[i];
        else
            r->missed = verify_note(v, entry, VERIFY_MISSING_TAG, r->tag, row, SPAN(""));
    }
    state->n_open = kept;
}

void verify_tags(struct verify *v, size_t entry, const struct series_row *row) {
    if (prepare_rules(v, entry) != 0) {
        v->failed = true;
        return;
    }
    for (size_t i = 0; i < row->n_tags && !v->failed; i++) {
        struct span key = verify_clean(v, tag_key(row->tags[i])),
                    value = verify_clean(v, tag_value(row->tags[i]));
        v->effort->steps++;
        if (!is_ignored(v, key))
            check_tag(v, entry, row, key, value);
    }
    const struct span fields[][2] = {{SPAN("host"), row->host}, {SPAN("device"), row->device}};
    for (size_t i = 0; i < 2; i++)
        if (fields[i][1].p && verify_tag_of(v, entry, fields[i][0]) && !is_ignored(v, fields[i][0]))
            check_tag(v, entry, row, fields[i][0], verify_clean(v, fields[i][1]));
    check_required(v, entry, row);
}

void verify_count_missing(struct verify *v, size_t entry) {
    struct entry_state *state = &v->states[entry];
    for (size_t i = 0; state->required && i < state->rules.n + v->rules.n; i++)
        if (state->required[i].missed)
            state->required[i].missed->series = state->series - state->required[i].series;
}

void verify_tags_free(struct verify *v) {
    for (size_t i = 0; v->states && i < v->catalog->n_entries; i++) {
        tag_rules_free(&v->states[i].rules);
        free(v->states[i].required);
        free(v->states[i].open);
    }
    for (size_t i = 0; i < v->n_distincts; i++)
        table_free(&v->distincts[i]->values);
    tag_rules_free(&v->rules);
    numbering_free(&v->ignored);
    table_free(&v->noted);
    table_free(&v->listed);
    table_free(&v->distinct);
    free(v->distincts);
    free(v->violations);
}
