#include "store/slice.h"

#include "store/vals.h"
#include <math.h>
#include <stdlib.h>

#define ARENA_MAX  ((size_t)1 << 30)
#define ARENA_KEEP (2 * SLICE_BYTES_MAX)

static bool room(void **array, size_t n, size_t *cap, size_t size) {
    if (n < *cap)
        return true;
    size_t more = *cap ? *cap * 2 : 64;
    void *p = realloc(*array, more * size);
    if (!p)
        return false;
    *array = p;
    *cap = more;
    return true;
}

bool slice_add_group(struct slice *s, uint32_t context, uint32_t series) {
    void *array = s->groups;
    if (!room(&array, s->n_groups, &s->cap_groups, sizeof *s->groups))
        return false;
    s->groups = array;
    s->groups[s->n_groups++] =
        (struct slice_group){.context = context, .series = series, .min = (double)NAN, .max = (double)NAN};
    return true;
}

static struct slice_entry *entry_at(const struct slice *s, uint32_t offset) {
    return (struct slice_entry *)(void *)(s->arena.p + offset);
}

bool slice_add_value(struct slice *s, struct slice_group *g, uint64_t id, enum metric_type type,
                     const struct value *v) {
    struct buf *arena = &s->arena;
    arena->max = ARENA_MAX;
    if (arena->n == 0)
        buf_add(arena, "\0\0\0", 4); /* so that no entry is at 0 */
    uint32_t at = (uint32_t)arena->n;
    struct slice_entry entry = {.offset = (uint32_t)(id - s->first_id)};
    buf_add(arena, &entry, sizeof entry);
    vals_put(arena, type, v);
    size_t n = arena->n - at - sizeof entry;
    static const char zeros[4];
    buf_add(arena, zeros, (4 - n % 4) % 4);
    if (arena->failed)
        return false;
    entry_at(s, at)->n = (uint32_t)n;
    if (g->n++ == 0) {
        g->head = at;
        g->first = entry.offset;
    } else {
        entry_at(s, g->tail)->next = at;
    }
    g->tail = at;
    g->last = entry.offset;
    return true;
}

bool slice_add_run(struct slice *s, uint64_t id, int64_t received_at, enum source source) {
    if (s->n_runs > 0) {
        struct slice_run *last = &s->runs[s->n_runs - 1];
        if (last->received_at == received_at && last->source == source) {
            last->last_id = id;
            return true;
        }
    }
    void *array = s->runs;
    if (!room(&array, s->n_runs, &s->cap_runs, sizeof *s->runs))
        return false;
    s->runs = array;
    s->runs[s->n_runs++] = (struct slice_run){id, id, received_at, source};
    return true;
}

struct span slice_vals(struct slice *s, const struct slice_group *g) {
    const struct slice_entry *e = entry_at(s, g->head);
    struct span text = span_of((const char *)(e + 1), e->n);
    if (g->n == 1 && vals_is_bare(text))
        return text;
    struct buf *b = &s->vals;
    b->max = ARENA_MAX;
    buf_clear(b);
    for (char open = '{';; open = ',') {
        char key[16];
        size_t at = sizeof key;
        key[--at] = ':';
        key[--at] = '"';
        uint32_t offset = e->offset - g->first;
        do {
            key[--at] = (char)('0' + offset % 10);
            offset /= 10;
        } while (offset);
        key[--at] = '"';
        key[--at] = open;
        buf_add(b, key + at, sizeof key - at);
        buf_add(b, e + 1, e->n);
        if (!e->next)
            break;
        e = entry_at(s, e->next);
    }
    buf_char(b, '}');
    return b->failed ? span_of(NULL, 0) : buf_view(b);
}

void slice_clear(struct slice *s) {
    s->n_groups = s->n_runs = 0;
    buf_clear(&s->arena);
    if (s->arena.cap > ARENA_KEEP)
        buf_free(&s->arena);
    if (s->vals.cap > ARENA_KEEP)
        buf_free(&s->vals);
}

void slice_free(struct slice *s) {
    buf_free(&s->arena);
    buf_free(&s->vals);
    free(s->groups);
    free(s->runs);
    *s = (struct slice){0};
}
