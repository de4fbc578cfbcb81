/* What names come to, summed up from their series: it takes as long as there are series. */
#include "control/name_list.h"

#include "core/array.h"
#include <math.h>
#include <xxhash.h>

struct slow_names {
    struct name_list *names;
    uint64_t looked;
};

static struct name_row *find_name(struct name_list *l, const struct series_row *row) {
    uint64_t hash =
        XXH3_64bits_withSeed(row->name.n ? row->name.p : "", row->name.n, (XXH64_hash_t)row->type);
    bool added;
    uint32_t *at;
    for (;; hash++) { /* a neighbour, where another name has the same hash */
        at = table_put(&l->by_hash, hash, (uint32_t)l->n, &added);
        if (!at || added || (span_eq(l->list[*at].name, row->name) && l->list[*at].type == row->type))
            break;
    }
    if (at && !added)
        return &l->list[*at];
    struct span name = arena_copy(&l->arena, row->name),
                *keys = arena_alloc(&l->arena, NAME_KEYS * sizeof *keys);
    if (!at || !array_room(&l->list, l->n, &l->cap, sizeof *l->list) || l->arena.failed) {
        l->failed = true;
        return NULL;
    }
    struct name_row *m = &l->list[l->n++];
    *m = (struct name_row){.name = name,
                           .type = row->type,
                           .min = (double)NAN,
                           .max = (double)NAN,
                           .first_at = INT64_MAX,
                           .last_at = INT64_MIN,
                           .keys = keys};
    return m;
}

static void note_keys(struct name_list *l, struct name_row *m, const struct series_row *row) {
    struct span *keys = (struct span *)(uintptr_t)m->keys; /* of the arena, and of nobody else */
    for (size_t i = 0; i < row->n_tags && m->n_keys < NAME_KEYS; i++) {
        struct span tag = row->tags[i];
        const char *colon = tag.n ? memchr(tag.p, ':', tag.n) : NULL;
        struct span key = colon ? span_of(tag.p, (size_t)(colon - tag.p)) : tag;
        size_t k = 0;
        while (k < m->n_keys && !span_eq(keys[k], key))
            k++;
        if (k == m->n_keys)
            keys[m->n_keys++] = arena_copy(&l->arena, key);
    }
}

static int add_series(void *arg, const struct series_row *row) {
    struct slow_names *s = arg;
    struct name_list *l = s->names;
    if (s->looked++ >= NAME_LIST_LOOKED_MAX) {
        l->partial = true;
        return 1;
    }
    if (!name_list_wanted(l->q, row->name))
        return 0;
    struct name_row *m = find_name(l, row);
    if (!m)
        return 1;
    m->series++;
    m->samples += row->samples;
    m->count += row->count;
    m->sum += row->sum;
    m->min = fmin(m->min, row->min);
    m->max = fmax(m->max, row->max);
    if (row->first_at < m->first_at)
        m->first_at = row->first_at;
    if (row->last_id >= m->last_id) {
        m->last_id = row->last_id;
        m->last_at = row->last_at;
        m->last = row->last;
    }
    note_keys(l, m, row);
    return 0;
}

int name_list_slow(struct name_list *l, struct err *err) {
    struct slow_names s = {.names = l};
    return l->reader->ops->series(l->reader, &l->q->filter, add_series, &s, err);
}
