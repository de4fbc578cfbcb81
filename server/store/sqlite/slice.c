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
    if (!buf_room(arena, sizeof(struct slice_entry) + n + 4))
        return 0;
    uint32_t at = (uint32_t)arena->n;
    arena->n += sizeof(struct slice_entry);
    return at;
}

/* Its n bytes of text have been added, and there is room for 4 more. */
static inline void end_entry(struct slice *s, struct slice_group *g, uint64_t id, uint32_t at, uint32_t n) {
    struct slice_entry *entry = entry_at(s, at);
    s->arena.n = slice_entry_end(at, n);
    *entry = (struct slice_entry){.offset = (uint32_t)(id - s->first_id), .n = n, .context = g->context};
    if (g->n++ == 0) {
        g->head = at;
        g->first = entry->offset;
    } else {
        entry_at(s, g->tail)->next = at;
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
    if (!buf_room(&s->arena, 4))
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

/* {"7":1.5,"12":2}. The keys rise, so each has as many digits as the one before it, or more. */
#define KEY_MAX (NUMBER_DIGITS + 4)
bool slice_join(struct slice *s, const struct slice_group *g, struct span *text) {
    struct buf *b = &s->vals;
    const struct slice_entry *e = entry_at(s, g->head);
    *text = span_of((const char *)(e + 1), e->n);
    if (g->n == 1 && vals_is_bare(*text))
        return true;
    b->max = ARENA_MAX;
    buf_clear(b);
    size_t digits = 1;
    uint64_t above = 10; /* what has more digits */
    for (char open = '{';; open = ',') {
        uint32_t key = e->offset - g->first;
        if (!buf_room(b, KEY_MAX + e->n + 1))
            return false;
        for (; key >= above; above *= 10)
            digits++;
        char *p = b->p + b->n;
        *p++ = open;
        *p++ = '"';
        p += digits;
        number_put_digits(p, key, digits);
        *p++ = '"';
        *p++ = ':';
        memcpy(p, e + 1, e->n);
        b->n = (size_t)(p + e->n - b->p);
        if (!e->next)
            break;
        e = entry_at(s, e->next);
    }
    b->p[b->n++] = '}';
    *text = buf_view(b);
    return true;
}

void slice_clear(struct slice *s) {
    s->n_groups = s->n_runs = s->n_strays = 0;
    s->kept = s->kept_run = 0;
    s->stamp.timestamp = 0;
    s->sampled = false;
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
    free(s->strays);
    *s = (struct slice){0};
}
