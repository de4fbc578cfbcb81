/* GET /recorder/v1/tags: the tags of the series chosen, by key, with how many values each key has. */
#include "control/control.h"
#include "control/glance.h"
#include "core/arena.h"
#include "core/array.h"
#include "core/json.h"
#include "core/table.h"
#include <inttypes.h>
#include <stdlib.h>
#include <xxhash.h>

#define VALUES_SHOWN 12                  /* of a key, those with the most samples */
#define TAGS_MAX     500000              /* different tags looked at; past it the answer is partial */
#define MEMORY_MAX   ((size_t)128 << 20) /* bytes of their texts; the same */

struct tag_sum {
    struct span tag;
    size_t n_key; /* bytes of the key; tag.n: there is no value */
    uint64_t series, samples;
};

struct tag_sums {
    struct arena arena;
    struct table by_hash;
    struct tag_sum *list;
    size_t n, cap;
    uint64_t n_series;
    bool failed, partial;
};

static void add_tag(struct tag_sums *l, struct span tag, uint64_t samples) {
    uint64_t hash = XXH3_64bits(tag.n ? tag.p : "", tag.n);
    bool added = false;
    uint32_t *at;
    for (;; hash++) { /* a neighbour, where another tag has the same hash */
        at = l->n < TAGS_MAX ? table_put(&l->by_hash, hash, (uint32_t)l->n, &added)
                             : table_get(&l->by_hash, hash);
        if (!at || added || span_eq(l->list[*at].tag, tag))
            break;
    }
    if (!at) {
        l->partial = l->n == TAGS_MAX;
        l->failed = l->failed || !l->partial;
        return;
    }
    if (added) {
        struct span copy = arena_copy(&l->arena, tag);
        if (!array_room(&l->list, l->n, &l->cap, sizeof *l->list) || l->arena.failed) {
            l->failed = true;
            return;
        }
        const char *colon = tag.n ? memchr(tag.p, ':', tag.n) : NULL;
        l->list[l->n++] = (struct tag_sum){.tag = copy, .n_key = colon ? (size_t)(colon - tag.p) : tag.n};
        at = table_get(&l->by_hash, hash);
    }
    l->list[*at].series++;
    l->list[*at].samples += samples;
}

static int add_series_tags(void *arg, const struct series_row *row) {
    struct tag_sums *l = arg;
    l->n_series++;
    for (size_t i = 0; i < row->n_tags && !l->failed; i++)
        add_tag(l, row->tags[i], row->samples);
    return l->failed;
}

static struct span key_of(const struct tag_sum *t) {
    return span_of(t->tag.p, t->n_key);
}

static int by_key(const void *a, const void *b) {
    const struct tag_sum *x = a, *y = b;
    int order = span_cmp(key_of(x), key_of(y));
    if (order == 0)
        order = (x->samples < y->samples) - (x->samples > y->samples);
    return order ? order : span_cmp(x->tag, y->tag);
}

static void put_value(struct buf *b, const struct tag_sum *t) {
    buf_str(b, "{\"value\":");
    if (t->n_key < t->tag.n)
        json_put_string(b, span_from(t->tag, t->n_key + 1));
    else
        buf_str(b, "null");
    buf_str(b, ",\"tag\":");
    json_put_string(b, t->tag);
    buf_printf(b, ",\"series\":%" PRIu64 ",\"samples\":%" PRIu64 "}", t->series, t->samples);
}

static void put_tags(struct glance *g, struct tag_sums *l, struct buf *b) {
    if (l->n)
        qsort(l->list, l->n, sizeof *l->list, by_key);
    buf_printf(b, "{\"series\":%" PRIu64 ",\"last_id\":%" PRIu64 ",\"partial\":%s,\"tags\":[", l->n_series,
               g->last_id, l->partial ? "true" : "false");
    for (size_t i = 0, end; i < l->n; i = end) {
        end = i + 1;
        while (end < l->n && span_eq(key_of(&l->list[i]), key_of(&l->list[end])))
            end++;
        buf_str(b, i ? ",\n{\"key\":" : "{\"key\":");
        json_put_string(b, key_of(&l->list[i]));
        buf_printf(b, ",\"distinct\":%zu,\"values\":[", end - i);
        for (size_t k = i; k < end && k < i + VALUES_SHOWN; k++) {
            buf_str(b, k > i ? "," : "");
            put_value(b, &l->list[k]);
        }
        buf_str(b, "]}");
    }
    buf_str(b, "]}\n");
}

static int fill_tags(struct glance *g, struct buf *b, struct err *err) {
    struct tag_sums l = {.arena = {.max = MEMORY_MAX}};
    int failed = g->reader->ops->series(g->reader, &g->ask.filter, add_series_tags, &l, err) != 0;
    if (!failed && l.failed)
        failed = err_set(err, 0, "the tags take more than the limit of %zu bytes", MEMORY_MAX);
    if (!failed)
        put_tags(g, &l, b);
    free(l.list);
    table_free(&l.by_hash);
    arena_free(&l.arena);
    return failed ? -1 : 0;
}

void control_tags(struct http_request *rq) {
    struct ask ask;
    if (ask_some(rq, ASK_NAMES(GLANCE_ARGS), &ask) == 0)
        glance_answer(rq, &ask, fill_tags);
}
