/* GET /recorder/v1/metrics: what was recorded, by name and type: a row for all series of a name.
 *
 * DESIGN. The series' summaries are summed up by name and type in one pass; the answer holds a page of the sorted rows. So the
 * answer is small, however many series there are. A pass over 100,000 series takes about 0.13 s of a worker. If that were too
 * much, the store would keep the sums.
 */
#include "control/control.h"
#include "control/glance.h"
#include "core/arena.h"
#include "core/array.h"
#include "core/glob.h"
#include "core/json.h"
#include "core/table.h"
#include "core/utf8.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>
#include <xxhash.h>

#define LIMIT_MAX  1000
#define NAMES_MAX  1000000             /* names and types looked at; past it the answer is partial */
#define MEMORY_MAX ((size_t)256 << 20) /* bytes of their texts */
#define KEYS_SHOWN 8                   /* tag keys of a name */
#define WORDS_MAX  32                  /* of q */

struct name_sum {
    struct span name;
    enum metric_type type;
    bool wanted; /* every word of q is in the name */
    uint64_t series, samples;
    double count, sum, min, max, last;
    int64_t first_at, last_at;
    size_t n_keys;
    struct span keys[KEYS_SHOWN];
};

struct name_list {
    struct arena arena;
    struct table by_hash;
    struct name_sum *list;
    size_t n, cap;
    size_t n_words;
    struct span words[WORDS_MAX];
    bool failed, partial;
};

/* --- q ---------------------------------------------------------------------------------------------------- */

static bool holds(struct span text, struct span part) {
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (strncasecmp(text.p + i, part.p, part.n) == 0)
            return true;
    return false;
}

static bool is_wanted(const struct name_list *l, struct span name) {
    for (size_t i = 0; i < l->n_words; i++)
        if (glob_is_pattern(l->words[i]) ? !glob_match(l->words[i], name) : !holds(name, l->words[i]))
            return false;
    return true;
}

/* One word of q: is:TYPE, key:value (a tag), else a part of the name, or a glob over it. */
static int take_word(struct http_request *rq, struct span word, struct name_list *l, struct ask *ask) {
    struct filter *f = &ask->filter;
    if (span_starts(word, SPAN("is:"))) {
        int type = metric_type_of(span_from(word, 3));
        if (type < 0) {
            http_error(rq, 400, "q: after is: stands one of " METRIC_WORDS ", not '%.*s'",
                       SPAN_ARG(span_from(word, 3)));
            return -1;
        }
        f->has_type = true;
        f->type = (enum metric_type)type;
    } else if (memchr(word.p, ':', word.n)) {
        if (f->n_tags == ASK_TAGS_MAX) {
            http_error(rq, 400, "more than %d tags", ASK_TAGS_MAX);
            return -1;
        }
        ask->tags[f->n_tags++] = word;
    } else {
        if (l->n_words == WORDS_MAX) {
            http_error(rq, 400, "q has more than %d words", WORDS_MAX);
            return -1;
        }
        l->words[l->n_words++] = word;
    }
    return 0;
}

static int take_words(struct http_request *rq, struct name_list *l, struct ask *ask) {
    struct span q = http_arg(rq, "q");
    for (size_t at = 0; at < q.n;) {
        size_t end = at;
        while (end < q.n && q.p[end] != ' ')
            end++;
        if (end > at && take_word(rq, span_of(q.p + at, end - at), l, ask) != 0)
            return -1;
        at = end + 1;
    }
    return 0;
}

/* --- summing up ------------------------------------------------------------------------------------------- */

static struct name_sum *find_name(struct name_list *l, const struct series_row *row) {
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
    struct span name = arena_copy(&l->arena, row->name);
    if (!at || !array_room(&l->list, l->n, &l->cap, sizeof *l->list) || l->arena.failed) {
        l->failed = true;
        return NULL;
    }
    struct name_sum *m = &l->list[l->n++];
    *m = (struct name_sum){.name = name,
                           .type = row->type,
                           .wanted = is_wanted(l, name),
                           .min = NAN,
                           .max = NAN,
                           .first_at = INT64_MAX,
                           .last_at = INT64_MIN};
    return m;
}

static struct span key_of(struct span tag) {
    const char *colon = tag.n ? memchr(tag.p, ':', tag.n) : NULL;
    return colon ? span_of(tag.p, (size_t)(colon - tag.p)) : tag;
}

static void note_keys(struct name_list *l, struct name_sum *m, const struct series_row *row) {
    for (size_t i = 0; i < row->n_tags && m->n_keys < KEYS_SHOWN; i++) {
        struct span key = key_of(row->tags[i]);
        size_t k = 0;
        while (k < m->n_keys && !span_eq(m->keys[k], key))
            k++;
        if (k == m->n_keys)
            m->keys[m->n_keys++] = arena_copy(&l->arena, key);
    }
}

static int add_series(void *arg, const struct series_row *row) {
    struct name_list *l = arg;
    if (l->n >= NAMES_MAX) {
        l->partial = true;
        return 1;
    }
    struct name_sum *m = find_name(l, row);
    if (!m || !m->wanted)
        return m == NULL;
    m->series++;
    m->samples += row->samples;
    m->count += row->count;
    m->sum += row->sum;
    m->min = fmin(m->min, row->min);
    m->max = fmax(m->max, row->max);
    if (row->first_at < m->first_at)
        m->first_at = row->first_at;
    if (row->last_at >= m->last_at) {
        m->last_at = row->last_at;
        m->last = row->last;
    }
    note_keys(l, m, row);
    return 0;
}

/* --- the answer ------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b) {
    const struct name_sum *x = a, *y = b;
    int order = span_cmp(x->name, y->name);
    return order ? order : (int)x->type - (int)y->type;
}
#define BY(field)                                                                                            \
    static int by_##field(const void *a, const void *b) {                                                    \
        const struct name_sum *x = a, *y = b;                                                                \
        int order = (x->field > y->field) - (x->field < y->field);                                           \
        return order ? order : by_name(a, b);                                                                \
    }
BY(type)
BY(series)
BY(samples)
BY(last_at)

static const struct {
    const char *word;
    int (*order)(const void *, const void *);
} sorts[] = {{"name", by_name},
             {"type", by_type},
             {"series", by_series},
             {"samples", by_samples},
             {"last_at", by_last_at}};
#define N_SORTS (sizeof sorts / sizeof sorts[0])

static size_t sort_of(struct http_request *rq) {
    struct span word = http_arg(rq, "sort");
    size_t i = 0;
    while (word.p && i < N_SORTS && !span_eq(word, span_str(sorts[i].word)))
        i++;
    return i;
}

static void put_name(struct buf *b, const struct name_sum *m) {
    buf_str(b, "{\"name\":");
    json_put_string(b, m->name);
    if (!utf8_valid(m->name)) {
        buf_str(b, ",\"name_b64\":");
        json_put_base64(b, m->name);
    }
    buf_printf(b, ",\"type\":\"%s\",\"series\":%" PRIu64 ",\"samples\":%" PRIu64, metric_word(m->type),
               m->series, m->samples);
    glance_number(b, "count", m->count);
    glance_number(b, "sum", m->sum);
    glance_number(b, "min", m->min);
    glance_number(b, "max", m->max);
    glance_number(b, "last", m->last);
    buf_str(b, ",\"first_at\":");
    json_put_time(b, m->first_at);
    buf_str(b, ",\"last_at\":");
    json_put_time(b, m->last_at);
    buf_str(b, ",\"tag_keys\":");
    json_put_strings(b, m->n_keys, m->keys);
    buf_char(b, '}');
}

static void put_names(struct glance *g, struct name_list *l, struct buf *b) {
    size_t kept = 0;
    for (size_t i = 0; i < l->n; i++)
        if (l->list[i].wanted)
            l->list[kept++] = l->list[i];
    bool desc = false;
    uint64_t offset = 0;
    ask_flag(g->rq, "desc", &desc);
    ask_number(g->rq, "offset", 0, UINT32_MAX, &offset);
    if (kept)
        qsort(l->list, kept, sizeof *l->list, sorts[sort_of(g->rq)].order);
    buf_printf(b, "{\"total\":%zu,\"last_id\":%" PRIu64 ",\"partial\":%s,\"metrics\":[", kept, g->last_id,
               l->partial ? "true" : "false");
    for (uint64_t i = offset; i < kept && i < offset + g->ask.limit; i++) {
        buf_str(b, i > offset ? ",\n" : "");
        put_name(b, &l->list[desc ? kept - 1 - i : i]);
    }
    buf_str(b, "]}\n");
}

static int fill_names(struct glance *g, struct buf *b, struct err *err) {
    struct name_list l = {.arena = {.max = MEMORY_MAX}};
    int failed = take_words(g->rq, &l, &g->ask) != 0; /* refused before, so it is not refused here */
    failed = failed || g->reader->ops->series(g->reader, &g->ask.filter, add_series, &l, err) != 0;
    if (!failed && l.failed)
        failed = err_set(err, 0, "the names take more than the limit of %zu bytes", MEMORY_MAX);
    if (!failed)
        put_names(g, &l, b);
    free(l.list);
    table_free(&l.by_hash);
    arena_free(&l.arena);
    return failed ? -1 : 0;
}

void control_names(struct http_request *rq) {
    struct ask ask;
    struct name_list checked = {0};
    bool desc;
    uint64_t offset;
    if (ask_some(rq, ASK_NAMES(GLANCE_ARGS, "q", "sort", "desc", "offset", "limit"), &ask) != 0 ||
        ask_flag(rq, "desc", &desc) != 0 || ask_number(rq, "offset", 0, UINT32_MAX, &offset) != 0)
        return;
    struct ask tried = ask;
    if (take_words(rq, &checked, &tried) != 0)
        return;
    if (sort_of(rq) == N_SORTS) {
        http_error(rq, 400, "sort must be name, type, series, samples or last_at, not '%.*s'",
                   SPAN_ARG(http_arg(rq, "sort")));
        return;
    }
    if (ask.limit > LIMIT_MAX)
        ask.limit = LIMIT_MAX;
    glance_answer(rq, &ask, fill_names);
}
