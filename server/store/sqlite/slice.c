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
static uint32_t begin_entry(struct slice *s, size_t n) {
    struct buf *arena = &s->arena;
    arena->max = ARENA_MAX;
    if (arena->n == 0) {
        buf_add(arena, "\0\0\0", 4); /* so that no entry is at 0 */
        s->kept = 4;
    }
    if (!buf_room(arena, sizeof(struct slice_entry) + n + 4))
        return 0;
    uint32_t at = (uint32_t)arena->n;
    arena->n += sizeof(struct slice_entry);
    return at;
}

/* Its text has been added. */
static bool end_entry(struct slice *s, struct slice_group *g, uint64_t id, uint32_t at) {
    struct buf *arena = &s->arena;
    uint32_t n = (uint32_t)(arena->n - at - sizeof(struct slice_entry));
    if (!buf_room(arena, 4))
        return false;
    arena->n += (4 - n % 4) % 4;
    struct slice_entry *entry = entry_at(s, at);
    *entry = (struct slice_entry){.offset = (uint32_t)(id - s->first_id), .n = n, .context = g->context};
    if (g->n++ == 0) {
        g->head = at;
        g->first = entry->offset;
    } else {
        entry_at(s, g->tail)->next = at;
    }
    g->tail = at;
    g->last = entry->offset;
    return true;
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
    memcpy(s->arena.p + s->arena.n, text.p, text.n);
    s->arena.n += text.n;
    return end_entry(s, g, id, at);
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
    s->arena.n += (size_t)(p - from);
    return end_entry(s, g, id, at);
}

bool slice_add_value(struct slice *s, struct slice_group *g, uint64_t id, enum metric_type type,
                     const struct value *v) {
    if (!metric_is(type, METRIC_TEXT) && v->timestamp == 0 && !v->sketch && v->text.p &&
        number_is_json(v->text))
        return slice_add_text(s, g, id, v->text); /* what vals_put would do, for nearly every value */
    if (is_stamped(type, v))
        return add_stamped(s, g, id, v);
    uint32_t at = begin_entry(s, v->text.n);
    if (!at)
        return false;
    vals_put(&s->arena, type, v);
    return end_entry(s, g, id, at);
}

bool slice_add_run(struct slice *s, uint64_t id, int64_t received_at, enum source source) {
    if (s->n_runs > 0) {
        struct slice_run *last = &s->runs[s->n_runs - 1];
        if (last->received_at == received_at && last->source == source) {
            last->last_id = id;
            return true;
        }
    }
    if (!array_room(&s->runs, s->n_runs, &s->cap_runs, sizeof *s->runs))
        return false;
    s->runs[s->n_runs++] = (struct slice_run){id, id, received_at, source};
    return true;
}

/* "{" or ",", then the quoted offset and ":"; returns the length. */
#define KEY_MAX (NUMBER_DIGITS + 4)
static size_t put_key(char *p, char open, uint32_t offset) {
    size_t length = 0;
    p[length++] = open;
    p[length++] = '"';
    length += number_put(offset, p + length);
    p[length++] = '"';
    p[length++] = ':';
    return length;
}

bool slice_join(struct slice *s, const struct slice_group *g, struct span *text) {
    struct buf *b = &s->vals;
    const struct slice_entry *e = entry_at(s, g->head);
    *text = span_of((const char *)(e + 1), e->n);
    if (g->n == 1 && vals_is_bare(*text))
        return true;
    b->max = ARENA_MAX;
    buf_clear(b);
    for (char open = '{';; open = ',') {
        if (!buf_room(b, KEY_MAX + e->n + 1))
            return false;
        b->n += put_key(b->p + b->n, open, e->offset - g->first);
        memcpy(b->p + b->n, e + 1, e->n);
        b->n += e->n;
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
