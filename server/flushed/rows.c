#include "flushed/private.h"

#include "core/array.h"
#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

static int by_bytes(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

/* The tags sorted, each once, in f->tags; SIZE_MAX: out of memory. */
static size_t sort_tags(struct flushed *f, const struct metric *m) {
    size_t n = 0;
    for (size_t i = 0; i < m->n_tags; i++) {
        if (!array_room(&f->tags, i, &f->cap_tags, sizeof *f->tags))
            return SIZE_MAX;
        f->tags[i] = m->tags[i];
    }
    if (m->n_tags)
        qsort(f->tags, m->n_tags, sizeof *f->tags, by_bytes);
    for (size_t i = 0; i < m->n_tags; i++)
        if (n == 0 || !span_eq(f->tags[n - 1], f->tags[i]))
            f->tags[n++] = f->tags[i];
    return n;
}

/* Each part behind its length, so that no two keys are the same by chance. */
static void put_part(struct buf *key, struct span part) {
    uint64_t n = part.p ? part.n + 1 : 0;
    buf_add(key, (const char *)&n, sizeof n);
    buf_span(key, part);
}

static void put_key(struct flushed *f, struct span session, const struct metric *m, size_t n_tags) {
    buf_clear(&f->key);
    buf_char(&f->key, (char)m->type);
    put_part(&f->key, session);
    put_part(&f->key, m->name);
    put_part(&f->key, m->origin.host);
    put_part(&f->key, m->device);
    for (size_t i = 0; i < n_tags; i++)
        put_part(&f->key, f->tags[i]);
}

static uint32_t add_series(struct flushed *f, struct span session, const struct metric *m, size_t n_tags) {
    struct arena *arena = &f->arena;
    if (f->n_series == UINT32_MAX - 1 ||
        !array_room(&f->series, f->n_series, &f->cap_series, sizeof *f->series))
        return NO_POINT;
    struct flushed_series *s = &f->series[f->n_series];
    *s = (struct flushed_series){.key = arena_copy(arena, buf_view(&f->key)),
                                 .same_hash = NO_POINT,
                                 .first = NO_POINT,
                                 .last = NO_POINT,
                                 .row = {.id = f->n_series + 1,
                                         .session = arena_copy(arena, session),
                                         .name = arena_copy(arena, m->name),
                                         .type = m->type,
                                         .n_tags = n_tags,
                                         .tags = arena_copy_list(arena, n_tags, f->tags),
                                         .host = arena_copy(arena, m->origin.host),
                                         .device = arena_copy(arena, m->device)}};
    return arena->failed ? NO_POINT : (uint32_t)f->n_series++;
}

uint32_t flushed_series_of(struct flushed *f, struct span session, const struct metric *m) {
    size_t n_tags = sort_tags(f, m);
    bool added;
    if (n_tags == SIZE_MAX)
        return NO_POINT;
    put_key(f, session, m, n_tags);
    if (f->key.failed)
        return NO_POINT;
    struct span key = buf_view(&f->key);
    uint32_t *first = table_put(&f->by_hash, XXH3_64bits(key.p, key.n), (uint32_t)f->n_series, &added);
    if (!first)
        return NO_POINT;
    for (uint32_t i = added ? NO_POINT : *first; i != NO_POINT; i = f->series[i].same_hash)
        if (span_eq(f->series[i].key, key))
            return i;
    uint32_t older = added ? NO_POINT : *first, made = add_series(f, session, m, n_tags);
    if (made != NO_POINT) {
        f->series[made].same_hash = older;
        *first = made;
    }
    return made;
}

/* --- spellings ---------------------------------------------------------------------------------------------------- */

static bool same_text(struct span a, struct span b) {
    return !a.p == !b.p && span_eq(a, b);
}

static bool same_spelling(const struct metric *a, const struct metric *b) {
    if (a->sample_rate != b->sample_rate || a->interval != b->interval || a->n_tags != b->n_tags ||
        a->remarks || b->remarks || !same_text(a->unit, b->unit) ||
        !same_text(a->source_type, b->source_type) || !same_text(a->resources, b->resources))
        return false;
    for (size_t i = 0; i < a->n_tags; i++)
        if (!span_eq(a->tags[i], b->tags[i]))
            return false;
    return true;
}

static const struct remarks *copy_remarks(struct arena *arena, const struct remarks *from) {
    struct remarks *r = from ? arena_alloc(arena, sizeof *r) : NULL;
    if (!r)
        return NULL;
    *r = *from;
    r->line = arena_copy(arena, from->line);
    for (size_t i = 0; i < r->n; i++)
        r->list[i].text = arena_copy(arena, from->list[i].text);
    return r;
}

const struct metric *flushed_spelling_of(struct flushed *f, uint32_t series, const struct metric *m) {
    struct flushed_series *s = &f->series[series];
    struct arena *arena = &f->arena;
    if (s->spelling && same_spelling(s->spelling, m))
        return s->spelling;
    struct metric *copy = arena_alloc(arena, sizeof *copy);
    if (!copy)
        return NULL;
    *copy = (struct metric){.type = m->type,
                            .name = s->row.name,
                            .sample_rate = m->sample_rate,
                            .n_tags = m->n_tags,
                            .tags = arena_copy_list(arena, m->n_tags, m->tags),
                            .origin = {.host = s->row.host},
                            .device = s->row.device,
                            .unit = arena_copy(arena, m->unit),
                            .source_type = arena_copy(arena, m->source_type),
                            .interval = m->interval,
                            .resources = arena_copy(arena, m->resources),
                            .remarks = copy_remarks(arena, m->remarks)};
    s->spelling = copy;
    return arena->failed ? NULL : copy;
}

/* --- points ------------------------------------------------------------------------------------------------------- */

static const struct sketch *copy_sketch(struct arena *arena, const struct sketch *from) {
    struct sketch *copy = arena_alloc(arena, sizeof *copy);
    int32_t *keys = arena_alloc(arena, (from->n_bins + 1) * sizeof *keys);
    uint32_t *counts = arena_alloc(arena, (from->n_bins + 1) * sizeof *counts);
    if (!copy || !keys || !counts)
        return NULL;
    if (from->n_bins) {
        memcpy(keys, from->keys, from->n_bins * sizeof *keys);
        memcpy(counts, from->counts, from->n_bins * sizeof *counts);
    }
    *copy = *from;
    copy->keys = keys;
    copy->counts = counts;
    return copy;
}

static void summarise(struct series_row *s, const struct flushed_point *p) {
    const struct sketch *sketch = p->sketch;
    struct metric_weight w = metric_weigh(s->type, p->spelling->sample_rate);
    double min = sketch ? sketch->min : p->number, max = sketch ? sketch->max : p->number;
    if (!s->samples++) {
        s->first_id = p->id;
        s->first_at = p->received_at;
        s->min = min;
        s->max = max;
    }
    s->count += sketch ? (double)sketch->count : w.count;
    s->sum += sketch ? sketch->sum : p->number * w.factor;
    s->min = fmin(s->min, min);
    s->max = fmax(s->max, max);
    s->last = p->number;
    s->last_id = p->id;
    s->last_at = p->received_at;
    s->sampled = s->sampled || p->spelling->sample_rate != 1;
}

int flushed_add(struct flushed *f, const struct flushed_point *point, struct err *err) {
    if (f->n_points == FLUSHED_POINTS_MAX)
        return err_set(err, 0,
                       "Datadog would have more than %d points of this recording: that is more than can be "
                       "looked at together",
                       FLUSHED_POINTS_MAX);
    if (!array_room(&f->points, f->n_points, &f->cap_points, sizeof *f->points))
        return err_set(err, 0, "out of memory");
    uint32_t at = (uint32_t)f->n_points++;
    struct flushed_point *p = &f->points[at];
    *p = *point;
    p->next = NO_POINT;
    if (p->sketch)
        p->sketch = copy_sketch(&f->arena, p->sketch);
    if (f->arena.failed)
        return err_set(err, 0, "the series and sketches that Datadog would have take more than %zu MB",
                       FLUSHED_BYTES_MAX >> 20);
    struct flushed_series *s = &f->series[p->series];
    if (s->last == NO_POINT)
        s->first = at;
    else
        f->points[s->last].next = at;
    s->last = at;
    summarise(&s->row, p);
    return 0;
}
