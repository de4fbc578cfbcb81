/* DESIGN. Where the reader keeps what names come to (name_rows), a page in order of names is read as it is. For another order each name
 * is looked at once, and a heap holds those that are before all others, up to the end of the page. What name_rows cannot be asked for
 * (tags, all sessions) is summed up from the series: name_list_slow.c. */
#include "control/name_list.h"

#include "core/array.h"
#include "core/glob.h"
#include <stdlib.h>
#include <strings.h>
#include <xxhash.h>

enum name_list_sort name_list_sort_of(struct span word) {
    static const char *const words[] = {"name", "type", "series", "samples", "last_at"};
    size_t i = 0;
    while (word.p && i < NAME_LIST_N_SORTS && !span_eq(word, span_str(words[i])))
        i++;
    return (enum name_list_sort)i;
}

static bool is_wanted(void *arg, struct span name) {
    return name_list_wanted(arg, name);
}

/* --- order ----------------------------------------------------------------------------------------------- */

static int compare_u64(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

int name_list_order(const struct name_list_question *q, const struct name_row *a, const struct name_row *b) {
    int order = q->sort == NAME_LIST_BY_TYPE      ? (int)a->type - (int)b->type
                : q->sort == NAME_LIST_BY_SERIES  ? compare_u64(a->series, b->series)
                : q->sort == NAME_LIST_BY_SAMPLES ? compare_u64(a->samples, b->samples)
                : q->sort == NAME_LIST_BY_LAST_AT ? (a->last_at > b->last_at) - (a->last_at < b->last_at)
                                                  : 0;
    order = order ? order : span_cmp(a->name, b->name);
    order = order ? order : (int)a->type - (int)b->type;
    return q->descending ? -order : order;
}

struct name_row name_list_copy(struct name_list *l, const struct name_row *row) {
    struct name_row copy = *row;
    copy.name = arena_copy(&l->arena, row->name);
    copy.keys = row->n_keys ? arena_copy_list(&l->arena, row->n_keys, row->keys) : NULL;
    l->failed = l->failed || l->arena.failed;
    return copy;
}

/* --- in order of names ----------------------------------------------------------------------------------- */

static int add_row(void *arg, const struct name_row *row) {
    struct name_list *l = arg;
    if (!array_room(&l->list, l->n, &l->cap, sizeof *l->list)) {
        l->failed = true;
        return 1;
    }
    l->list[l->n++] = name_list_copy(l, row);
    return l->failed;
}

static struct name_filter filter_of(const struct name_list_question *q) {
    struct name_filter f = {.session = q->filter.session,
                            .name = q->filter.name,
                            .has_type = q->filter.has_type,
                            .type = q->filter.type};
    uint64_t key = 1;
    for (size_t i = 0; i < q->n_words; i++)
        key = XXH3_64bits_withSeed(q->words[i].p, q->words[i].n, key) | 1;
    if (q->n_words) {
        f.wants = is_wanted;
        f.wants_arg = (void *)(uintptr_t)q;
        f.wants_key = key;
    }
    return f;
}

static void turn_round(struct name_list *l) {
    for (size_t i = 0; i < l->n / 2; i++) {
        struct name_row row = l->list[i];
        l->list[i] = l->list[l->n - 1 - i];
        l->list[l->n - 1 - i] = row;
    }
}

static int page_by_name(struct name_list *l, struct err *err) {
    const struct name_list_question *q = l->q;
    struct name_filter f = filter_of(q);
    f.to_end = f.keys = true;
    f.from = q->descending ? 0 : q->offset;
    f.n = q->descending ? 0 : q->limit;
    if (l->reader->ops->name_rows(l->reader, &f, add_row, l, &l->total, err) != 0)
        return -1;
    if (!q->descending || l->total <= q->offset)
        return 0;
    uint64_t left = l->total - q->offset, counted;
    f.to_end = false;
    f.n = left < q->limit ? left : q->limit;
    f.from = left - f.n;
    int result = l->reader->ops->name_rows(l->reader, &f, add_row, l, &counted, err);
    turn_round(l);
    return result;
}

/* --- in another order ------------------------------------------------------------------------------------ */

/* The heap's first is the last one in order. */
static void heap_down(struct name_list *l, size_t at) {
    struct name_row moved = l->list[at];
    for (size_t child; (child = 2 * at + 1) < l->n; at = child) {
        if (child + 1 < l->n && name_list_order(l->q, &l->list[child + 1], &l->list[child]) > 0)
            child++;
        if (name_list_order(l->q, &l->list[child], &moved) <= 0)
            break;
        l->list[at] = l->list[child];
    }
    l->list[at] = moved;
}

static void heap_up(struct name_list *l, size_t at) {
    struct name_row moved = l->list[at];
    for (; at > 0 && name_list_order(l->q, &l->list[(at - 1) / 2], &moved) < 0; at = (at - 1) / 2)
        l->list[at] = l->list[(at - 1) / 2];
    l->list[at] = moved;
}

static int offer_row(void *arg, const struct name_row *row) {
    struct name_list *l = arg;
    if (l->n < l->q->offset + l->q->limit) {
        if (add_row(l, row))
            return 1;
        heap_up(l, l->n - 1);
    } else if (l->n && name_list_order(l->q, row, &l->list[0]) < 0) {
        l->list[0] = name_list_copy(l, row);
        heap_down(l, 0);
    }
    return l->failed;
}

/* From the heap, what comes last goes to the end. Then what is before the page goes. */
static void heap_sort(struct name_list *l) {
    size_t n = l->n, skip = l->q->offset < n ? (size_t)l->q->offset : n;
    while (l->n > 1) {
        struct name_row last = l->list[0];
        l->list[0] = l->list[--l->n];
        heap_down(l, 0);
        l->list[l->n] = last;
    }
    l->n = n - skip;
    if (skip && l->n)
        memmove(l->list, l->list + skip, l->n * sizeof *l->list);
}

static int take_row(void *arg, const struct name_row *row) {
    struct name_list *l = arg;
    l->list[l->n] = name_list_copy(l, row);
    return 1;
}

/* The rows of the page once more, with their tag keys. */
static int find_keys(struct name_list *l, struct err *err) {
    size_t n = l->n;
    uint64_t counted;
    int result = 0;
    for (l->n = 0; l->n < n && result == 0; l->n++) {
        const struct name_row *row = &l->list[l->n];
        struct name_filter f = {.session = l->q->filter.session,
                                .name = row->name,
                                .exact = true,
                                .has_type = true,
                                .type = row->type,
                                .n = 1,
                                .keys = true};
        result = l->reader->ops->name_rows(l->reader, &f, take_row, l, &counted, err);
    }
    return result;
}

static int page_by_value(struct name_list *l, struct err *err) {
    struct name_filter f = filter_of(l->q);
    f.n = NAME_LIST_LOOKED_MAX;
    f.to_end = true;
    if (l->reader->ops->name_rows(l->reader, &f, offer_row, l, &l->total, err) != 0)
        return -1;
    l->partial = l->total > f.n;
    heap_sort(l);
    return find_keys(l, err);
}

/* --- either ---------------------------------------------------------------------------------------------- */

static int by_order(const void *a, const void *b, void *q) {
    return name_list_order(q, a, b);
}

static int page_slow(struct name_list *l, struct err *err) {
    const struct name_list_question *q = l->q;
    if (name_list_slow(l, err) != 0)
        return -1;
    l->total = l->n;
    if (l->n)
        qsort_r(l->list, l->n, sizeof *l->list, by_order, (void *)(uintptr_t)q);
    size_t skip = q->offset < l->n ? (size_t)q->offset : l->n;
    l->n = l->n - skip < q->limit ? l->n - skip : (size_t)q->limit;
    if (skip && l->n)
        memmove(l->list, l->list + skip, l->n * sizeof *l->list);
    return 0;
}

int name_list_page(struct name_list *l, struct reader *reader, const struct name_list_question *q,
                   struct err *err) {
    *l = (struct name_list){.q = q, .reader = reader, .arena = {.max = NAME_LIST_MEMORY_MAX}};
    bool kept = reader->ops->name_rows && q->filter.session.p && q->filter.n_tags == 0;
    int result = !kept                          ? page_slow(l, err)
                 : q->sort == NAME_LIST_BY_NAME ? page_by_name(l, err)
                                                : page_by_value(l, err);
    if (result == 0 && l->failed)
        result = err_set(err, 0, "the names take more than the limit of %zu bytes", NAME_LIST_MEMORY_MAX);
    return result;
}

void name_list_free(struct name_list *l) {
    free(l->list);
    table_free(&l->by_hash);
    arena_free(&l->arena);
}
