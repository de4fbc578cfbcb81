/* Violations, one for each (entry, rule, tag), found by hash. A key that is an identifier makes a new one
 * with every series, so only the first VERIFY_TAGS_LISTED of an entry and rule are listed; the others share one. */
#include "catalog/verify_private.h"

#include "catalog/text.h"
#include "core/array.h"

#include <xxhash.h>

static struct violation *add_violation(struct verify *v, size_t entry, enum verify_rule rule, struct span tag,
                                       const struct series_row *row, struct span detail) {
    struct entry_state *state = &v->states[entry];
    struct violation *x = memory_take(&v->arena, sizeof *x);
    char example[TEXT_SERIES_SIZE];
    text_series(row, example);
    if (!x || !array_room(&v->violations, v->n_violations, &v->cap_violations, sizeof(struct violation *))) {
        v->failed = true;
        return NULL;
    }
    *x = (struct violation){.rule = rule,
                            .tag = text_clean(&v->arena, tag),
                            .series = 1,
                            .newest_series = row->id,
                            .example = text_clean(&v->arena, span_str(example)),
                            .detail = text_clean(&v->arena, detail)};
    v->failed |= !x->tag.p || !x->example.p || !x->detail.p;
    if (!state->tail)
        state->tail = &state->violations;
    *state->tail = x;
    state->tail = &x->next;
    v->violations[v->n_violations++] = x;
    return x;
}

/* The place of the violation that a new tag belongs to; *own: it is that tag's alone. */
static uint32_t place_of_new(struct verify *v, size_t entry, enum verify_rule rule, struct span tag,
                             const struct series_row *row, struct span detail, bool *own) {
    bool added;
    uint32_t *n = table_put(&v->listed, (uint64_t)entry * 2 * VERIFY_N + rule, 0, &added);
    *own = n && *n < VERIFY_TAGS_LISTED;
    if (!n) {
        v->failed = true;
        return 0;
    }
    if (*n <= VERIFY_TAGS_LISTED) {
        ++*n;
        add_violation(v, entry, rule, *own ? tag : SPAN(""), row, detail);
        uint32_t *rest = *own ? n
                              : table_put(&v->listed, ((uint64_t)entry * 2 + 1) * VERIFY_N + rule,
                                          (uint32_t)v->n_violations - 1, &added);
        v->failed |= !rest;
        return (uint32_t)v->n_violations - 1;
    }
    return *table_get(&v->listed, ((uint64_t)entry * 2 + 1) * VERIFY_N + rule);
}

struct violation *verify_note(struct verify *v, size_t entry, enum verify_rule rule, struct span tag,
                              const struct series_row *row, struct span detail) {
    uint64_t key = XXH3_64bits_withSeed(tag.n ? tag.p : "", tag.n, (uint64_t)entry * VERIFY_N + rule);
    bool added = false, own = true;
    uint32_t *place = table_put(&v->noted, key, 0, &added);
    v->effort->steps++;
    if (!place || v->failed) {
        v->failed = true;
        return NULL;
    }
    if (added)
        *place = place_of_new(v, entry, rule, tag, row, detail, &own);
    if (v->failed)
        return NULL;
    struct violation *x = v->violations[*place];
    x->more_tags += added && !own;
    x->series += x->newest_series != row->id;
    x->newest_series = row->id;
    return x->more_tags ? NULL : x;
}
