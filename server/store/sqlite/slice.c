#include "store/sqlite/slice.h"

#include "core/array.h"
#include "core/number.h"
#include "store/sqlite/vals.h"
#include <math.h>
#include <stdlib.h>

#define ARENA_MAX  ((size_t)1 << 30)
#define ARENA_KEEP ((size_t)32 << 20)

bool slice_add_group(struct slice *s, uint32_t context, uint32_t series) {
    if (!array_room(&s->groups, s->n_groups, &s->cap_groups, sizeof *s->groups))
        return false;
    s->groups[s->n_groups++] =
        (struct slice_group){.context = context, .series = series, .min = (double)NAN, .max = (double)NAN};
    return true;
}

/* Of a text, which mostly is shorter: to call memcpy costs more than to copy some bytes too many. */
#define COPIED_AT_ONCE 16

static struct slice_entry *entry_at(const struct slice *s, uint32_t offset) {
    return (struct slice_entry *)(void *)(s->arena.p + offset);
}

/* Room for an entry with so many bytes of text; its offset, or 0 when out of memory. */
static inline uint32_t begin_entry(struct slice *s, size_t n) {
    struct buf *arena = &s->arena;
    if (arena->n == 0) {
        arena->max = ARENA_MAX;
        buf_add(arena, "\0\0\0", 4); /* so that no entry is at 0 */
        s->kept = 4;
    }
    if (!buf_room(arena, sizeof(struct slice_entry) + n + COPIED_AT_ONCE))
        return 0;
    uint32_t at = (uint32_t)arena->n;
    arena->n += sizeof(struct slice_entry);
    return at;
}

/* The group's newest sample lies so far behind the one before it. The step is the smaller one of the first two, as the very first sample may lie
 * apart, and so may pairs. */
static inline void count_runs(struct slice_group *g, uint32_t step) {
    if (step == g->step)
        return;
    if (g->n == 2 || (g->n == 3 && step < g->step))
        g->step = step;
    g->runs += g->n > 2;
}

/* Its n bytes of text have been added, and there is room for the COPIED_AT_ONCE more that put_text may read. */
static inline void end_entry(struct slice *s, struct slice_group *g, uint64_t id, uint32_t at, uint32_t n) {
    struct slice_entry *entry = entry_at(s, at);
    s->arena.n = slice_entry_end(at, n);
    *entry = (struct slice_entry){.offset = (uint32_t)(id - s->first_id), .n = n, .context = g->context};
    if (g->n++ == 0) {
        g->head = at;
        g->first = entry->offset;
        g->runs = 1;
    } else {
        entry_at(s, g->tail)->next = at;
        count_runs(g, entry->offset - g->last);
    }
    g->tail = at;
    g->last = entry->offset;
}

bool slice_add_stray(struct slice *s, struct slice_group *g, uint32_t kind, uint64_t id, int64_t timestamp) {
    for (uint32_t at = g->strays; at; at = s->strays[at - 1].next) {
        struct slice_stray *stray = &s->strays[at - 1];
        if (stray->kind != kind)
            continue;
        stray->n++;
        stray->last_id = id;
        return true;
    }
    if (!array_room(&s->strays, s->n_strays, &s->cap_strays, sizeof *s->strays))
        return false;
    s->strays[s->n_strays++] = (struct slice_stray){.context = g->context,
                                                    .kind = kind,
                                                    .next = g->strays,
                                                    .n = 1,
                                                    .timestamp = timestamp,
                                                    .first_id = id,
                                                    .last_id = id};
    g->strays = (uint32_t)s->n_strays;
    return true;
}

bool slice_add_text(struct slice *s, struct slice_group *g, uint64_t id, struct span text) {
    uint32_t at = begin_entry(s, text.n);
    if (!at)
        return false;
    memcpy(entry_at(s, at) + 1, text.p, text.n);
    end_entry(s, g, id, at, (uint32_t)text.n);
    return true;
}

static bool is_stamped(enum metric_type type, const struct value *v) {
    return v->timestamp > 0 && !v->sketch && !metric_is(type, METRIC_TEXT) && isfinite(v->number) &&
           !(v->text.p && number_is_json(v->text));
}

/* "[1700000000,1.5]": the way of every point of a POST. The points of a body mostly have one timestamp, which is written once and then copied. */
static bool add_stamped(struct slice *s, struct slice_group *g, uint64_t id, const struct value *v) {
    uint32_t at = begin_entry(s, NUMBER_DIGITS + NUMBER_SIZE + 3);
    if (!at)
        return false;
    char *from = s->arena.p + s->arena.n, *p = from;
    if (v->timestamp == s->stamp.timestamp) {
        memcpy(p, s->arena.p + s->stamp.at, s->stamp.n);
        p += s->stamp.n;
    } else {
        *p++ = '[';
        p += number_put((uint64_t)v->timestamp, p);
        *p++ = ',';
        s->stamp.timestamp = v->timestamp;
        s->stamp.at = s->arena.n;
        s->stamp.n = (size_t)(p - from);
    }
    p += number_format(v->number, p);
    *p++ = ']';
    end_entry(s, g, id, at, (uint32_t)(p - from));
    return true;
}

bool slice_add_value(struct slice *s, struct slice_group *g, uint64_t id, enum metric_type type,
                     const struct value *v) {
    if (is_stamped(type, v))
        return add_stamped(s, g, id, v);
    uint32_t at = begin_entry(s, v->text.n);
    if (!at)
        return false;
    vals_put(&s->arena, type, v);
    if (!buf_room(&s->arena, COPIED_AT_ONCE))
        return false;
    end_entry(s, g, id, at, (uint32_t)(s->arena.n - at - sizeof(struct slice_entry)));
    return true;
}

bool slice_begin_run(struct slice *s, uint64_t id, int64_t received_at, enum source source) {
    if (!array_room(&s->runs, s->n_runs, &s->cap_runs, sizeof *s->runs))
        return false;
    s->runs[s->n_runs++] = (struct slice_run){id, id, received_at, source};
    return true;
}

/* Of a key: a comma or brace before it, its quotes, colon and bracket. */
#define KEY_MAX (NUMBER_DIGITS + 8)

/* Keys rise, so each has as many digits as the one before it, or more. */
struct join_key {
    size_t digits;
    uint64_t above; /* what has more digits */
};

static inline char *put_key(struct join_key *k, uint32_t key, char *p) {
    for (; key >= k->above; k->above *= 10)
        k->digits++;
    *p++ = '"';
    p += k->digits;
    number_put_digits(p, key, k->digits);
    *p++ = '"';
    *p++ = ':';
    return p;
}

static inline char *put_text(const struct slice_entry *e, char *p) {
    memcpy(p, e + 1, COPIED_AT_ONCE);
    if (e->n > COPIED_AT_ONCE)
        memcpy(p + COPIED_AT_ONCE, (const char *)(e + 1) + COPIED_AT_ONCE, e->n - COPIED_AT_ONCE);
    return p + e->n;
}

/* {"7":1.5,"12":2} */
static bool join_keys(struct slice *s, const struct slice_entry *e, uint32_t first) {
    struct buf *b = &s->vals;
    struct join_key key = {1, 10};
    for (char open = '{';; open = ',') {
        if (!buf_room(b, KEY_MAX + e->n + COPIED_AT_ONCE))
            return false;
        char *p = b->p + b->n;
        *p++ = open;
        p = put_key(&key, e->offset - first, p);
        b->n = (size_t)(put_text(e, p) - b->p);
        if (!e->next)
            break;
        e = entry_at(s, e->next);
    }
    b->p[b->n++] = '}';
    return true;
}

/* {"0":[1.5,2],"17":[3]} */
static bool join_runs(struct slice *s, const struct slice_entry *e, uint32_t first, uint32_t step) {
    struct buf *b = &s->vals;
    struct join_key key = {1, 10};
    for (uint32_t next = first;; next = e->offset + step, e = entry_at(s, e->next)) {
        if (!buf_room(b, KEY_MAX + e->n + COPIED_AT_ONCE))
            return false;
        char *p = b->p + b->n;
        if (e->offset == next && b->n > 0) {
            *p++ = ',';
        } else {
            memcpy(p, b->n ? "]," : "{", 2);
            p = put_key(&key, e->offset - first, p + (b->n ? 2 : 1));
            *p++ = '[';
        }
        b->n = (size_t)(put_text(e, p) - b->p);
        if (!e->next)
            break;
    }
    b->p[b->n++] = ']';
    b->p[b->n++] = '}';
    return true;
}

bool slice_join(struct slice *s, const struct slice_group *g, struct span *text, uint32_t *step) {
    const struct slice_entry *e = entry_at(s, g->head);
    *text = span_of((const char *)(e + 1), e->n);
    *step = 0;
    if (g->n == 1 && vals_is_bare(*text))
        return true;
    if (g->runs <= (g->n + 1) / 2)
        *step = g->step;
    s->vals.max = ARENA_MAX;
    buf_clear(&s->vals);
    bool ok = *step ? join_runs(s, e, g->first, *step) : join_keys(s, e, g->first);
    *text = buf_view(&s->vals);
    return ok;
}

void slice_clear(struct slice *s) {
    s->n_groups = s->n_runs = s->n_strays = 0;
    s->kept = s->kept_run = 0;
    s->stamp.timestamp = 0;
    s->sampled = false;
    buf_clear(&s->arena);
}

void slice_shrink(struct slice *s) {
    if (slice_is_empty(s) && s->arena.cap > ARENA_KEEP)
        buf_free(&s->arena);
    if (s->vals.cap > ARENA_KEEP)
        buf_free(&s->vals);
}

void slice_free(struct slice *s) {
    buf_free(&s->arena);
    buf_free(&s->vals);
    free(s->groups);
    free(s->runs);
    free(s->strays);
    *s = (struct slice){0};
}
