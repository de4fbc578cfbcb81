/* GET /recorder/v1/metrics: what was recorded, by name and type: a row for all series of a name.
 *
 * DESIGN. The answer holds a page of the sorted rows: name_list.h. `spark` says when the samples of each came: their chunks are counted from
 * the newest one back, SPARK_LOOKS of all at the most, and what lies before those is null.
 */
#include "control/control.h"
#include "control/glance.h"
#include "control/name_list.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/table.h"
#include "core/utf8.h"
#include <inttypes.h>
#include <stdlib.h>

#define SPARK_MAX   60
#define SPARK_S     60
#define SPARK_LOOKS 20000 /* chunks */

/* --- q ---------------------------------------------------------------------------------------------------- */

/* One word of q: is:TYPE, key:value (a tag), else a part of the name, or a glob over it. */
static int take_word(struct http_request *rq, struct span word, struct name_list_question *q,
                     struct ask *ask) {
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
        if (q->n_words == NAME_LIST_WORDS_MAX) {
            http_error(rq, 400, "q has more than %d words", NAME_LIST_WORDS_MAX);
            return -1;
        }
        q->words[q->n_words++] = word;
    }
    return 0;
}

static int take_words(struct http_request *rq, struct name_list_question *q, struct ask *ask) {
    struct span words = http_arg(rq, "q");
    for (size_t at = 0; at < words.n;) {
        size_t end = at;
        while (end < words.n && words.p[end] != ' ')
            end++;
        if (end > at && take_word(rq, span_of(words.p + at, end - at), q, ask) != 0)
            return -1;
        at = end + 1;
    }
    return 0;
}

/* Into *q, without its filter: words that are no part of a name go to `ask`. */
static int read_question(struct http_request *rq, struct name_list_question *q, struct ask *ask,
                         uint64_t *spark) {
    *q = (struct name_list_question){.sort = name_list_sort_of(http_arg(rq, "sort"))};
    *spark = 0;
    if (take_words(rq, q, ask) != 0 || ask_flag(rq, "desc", &q->descending) != 0 ||
        ask_number(rq, "offset", 0, UINT32_MAX, &q->offset) != 0 ||
        ask_number(rq, "spark", 1, SPARK_MAX, spark) != 0)
        return -1;
    q->limit = ask->limit < NAME_LIST_PAGE_MAX ? ask->limit : NAME_LIST_PAGE_MAX;
    if (q->sort == NAME_LIST_N_SORTS) {
        http_error(rq, 400, "sort must be name, type, series, samples or last_at, not '%.*s'",
                   SPAN_ARG(http_arg(rq, "sort")));
        return -1;
    }
    return 0;
}

/* --- spark ------------------------------------------------------------------------------------------------ */

struct spark {
    const struct name_list *names;
    size_t n;                   /* bins of each name; 0: none were asked for */
    uint64_t starts[SPARK_MAX]; /* the first id of each bin */
    uint64_t *counts;           /* n of each name in turn */
    uint64_t from;              /* earlier chunks were not looked at */
    struct table places;        /* of a series, in names->list; its n: it is not there */
};

static uint32_t find_place(const struct name_list *l, const struct chunk_row *row) {
    uint32_t i = 0;
    while (i < l->n && !(l->list[i].type == row->type && span_eq(l->list[i].name, row->name)))
        i++;
    return i;
}

static int add_chunk(void *arg, const struct chunk_row *row) {
    struct spark *s = arg;
    const struct name_list *l = s->names;
    size_t bin = s->n;
    while (bin > 0 && row->id < s->starts[bin - 1])
        bin--;
    bool added;
    uint32_t *place = bin ? table_put(&s->places, row->series_id, (uint32_t)l->n, &added) : NULL;
    if (place && added)
        *place = find_place(l, row);
    if (place && *place < l->n)
        s->counts[*place * s->n + bin - 1] += row->n;
    return s->places.failed;
}

/* Into which bins ids fall. A recording that is over ends with its last sample. */
static int find_bins(struct glance *g, struct spark *s, struct err *err) {
    int64_t end = clock_wall_ns();
    if (g->rq->http->options.view) {
        end = 0;
        for (size_t i = 0; i < s->names->n; i++)
            end = s->names->list[i].last_at > end ? s->names->list[i].last_at : end;
    }
    for (size_t i = 0; i < s->n; i++) {
        int64_t back = SPARK_S * NS_PER_S / (int64_t)s->n * (int64_t)(s->n - i);
        if (reader_first_at(g->reader, g->ask.session_id, end - back + 1, &s->starts[i], err) != 0)
            return -1;
        if (s->starts[i] == 0) /* nothing came since */
            s->starts[i] = UINT64_MAX;
    }
    return 0;
}

static int look_back(struct glance *g, struct spark *s, struct err *err) {
    s->counts = calloc(s->names->n * s->n + 1, sizeof *s->counts);
    if (!s->counts)
        return err_set(err, 0, "out of memory");
    if (find_bins(g, s, err) != 0)
        return -1;
    if (s->starts[0] == UINT64_MAX)
        return 0;
    int result = g->reader->ops->chunks(g->reader, g->ask.filter.session, s->starts[0] - 1, SPARK_LOOKS,
                                        add_chunk, s, &s->from, err);
    bool failed = s->places.failed;
    table_free(&s->places);
    return result == 0 && failed ? err_set(err, 0, "out of memory") : result;
}

static bool bin_is_known(const struct spark *s, size_t bin) {
    return s->starts[bin] > s->from;
}

static void put_spark(struct buf *b, const struct spark *s, size_t name) {
    buf_str(b, ",\"spark\":[");
    for (size_t i = 0; i < s->n; i++) {
        buf_str(b, i ? "," : "");
        if (bin_is_known(s, i))
            buf_u64(b, s->counts[name * s->n + i]);
        else
            buf_str(b, "null");
    }
    buf_char(b, ']');
}

/* --- the answer ------------------------------------------------------------------------------------------- */

static void put_name(struct buf *b, const struct name_row *m) {
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
}

static void put_page(struct buf *b, const struct glance *g, const struct name_list *l,
                     const struct spark *s) {
    bool partial = l->partial || (s->n && !bin_is_known(s, 0));
    buf_printf(b, "{\"total\":%" PRIu64 ",\"last_id\":%" PRIu64 ",\"partial\":%s,\"metrics\":[", l->total,
               g->last_id, partial ? "true" : "false");
    for (size_t i = 0; i < l->n; i++) {
        buf_str(b, i ? ",\n" : "");
        put_name(b, &l->list[i]);
        if (s->n)
            put_spark(b, s, i);
        buf_char(b, '}');
    }
    buf_str(b, "]}\n");
}

static int fill_names(struct glance *g, struct buf *b, struct err *err) {
    struct name_list_question q;
    struct name_list l = {0};
    uint64_t bins;
    int failed =
        read_question(g->rq, &q, &g->ask, &bins) != 0; /* refused before, so it is not refused here */
    q.filter = g->ask.filter;
    failed = failed || name_list_page(&l, g->reader, &q, err) != 0;
    struct spark s = {.names = &l, .n = (size_t)bins};
    if (!g->reader->ops->chunks || !g->ask.filter.session.p)
        s.n = 0;
    failed = failed || (s.n && look_back(g, &s, err) != 0);
    if (!failed)
        put_page(b, g, &l, &s);
    free(s.counts);
    name_list_free(&l);
    return failed ? -1 : 0;
}

void control_names(struct http_request *rq) {
    struct ask ask, tried;
    struct name_list_question q;
    uint64_t bins;
    if (ask_some(rq, ASK_NAMES(GLANCE_ARGS, "q", "sort", "desc", "offset", "limit", "spark"), &ask) != 0)
        return;
    tried = ask;
    if (read_question(rq, &q, &tried, &bins) == 0)
        glance_answer(rq, &ask, fill_names);
}
