/* What a name's series come to, and how many records a session holds, as kept by the writer, beside a slow sum over all rows: after random
 * records, commits, resets, evictions, and opening again. */
#include "core/clock.h"
#include "core/glob.h"
#include "store/fixture.h"
#include "store/sqlite/private.h"
#include "store/sqlite/rows.h"
#include <stdlib.h>

static uint32_t dice_state;
static uint32_t dice(uint32_t sides) {
    dice_state = dice_state * 1664525u + 1013904223u;
    return (dice_state >> 8) % sides;
}

/* --- the slow reference ---------------------------------------------------------------------------------- */

struct slow_name {
    char name[64];
    struct name_row row;
    char keys[NAME_KEYS][16];
};
struct slow {
    struct slow_name list[4000];
    size_t n, at;
    const struct name_filter *f;
    size_t rows; /* that were handed out */
};

static bool holds_e(void *arg, struct span name) {
    (void)arg;
    return name.n && memchr(name.p, 'e', name.n);
}

static int slow_add(void *arg, const struct series_row *row) {
    struct slow *s = arg;
    const struct name_filter *f = s->f;
    if ((f->name.p && (f->exact ? !span_eq(f->name, row->name) : !glob_match(f->name, row->name))) ||
        (f->wants && !f->wants(NULL, row->name)) || (f->has_type && f->type != row->type))
        return 0;
    size_t i = 0;
    while (i < s->n && !(span_eq(span_str(s->list[i].name), row->name) && s->list[i].row.type == row->type))
        i++;
    struct slow_name *m = &s->list[i];
    if (i == s->n) {
        s->n++;
        memset(m, 0, sizeof *m);
        memcpy(m->name, row->name.p, row->name.n);
        m->row =
            (struct name_row){.type = row->type, .min = NAN, .max = NAN, .last = NAN, .first_at = INT64_MAX};
    }
    struct name_row *to = &m->row;
    to->series++;
    to->samples += row->samples;
    to->count += row->count;
    to->sum += row->sum;
    to->min = fmin(to->min, row->min);
    to->max = fmax(to->max, row->max);
    to->first_at = row->first_at < to->first_at ? row->first_at : to->first_at;
    if (row->last_id > to->last_id) {
        to->last_id = row->last_id;
        to->last_at = row->last_at;
        to->last = row->last;
    }
    for (size_t t = 0; t < row->n_tags && to->n_keys < NAME_KEYS; t++) {
        const char *colon = memchr(row->tags[t].p, ':', row->tags[t].n);
        struct span key = span_of(row->tags[t].p, colon ? (size_t)(colon - row->tags[t].p) : row->tags[t].n);
        size_t k = 0;
        while (k < to->n_keys && !span_eq(span_str(m->keys[k]), key))
            k++;
        if (k == to->n_keys)
            memcpy(m->keys[to->n_keys++], key.p, key.n);
    }
    return 0;
}

static int by_name(const void *a, const void *b) {
    const struct slow_name *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (int)x->row.type - (int)y->row.type;
}

static bool same_number(double a, double b) {
    return isnan(a) ? isnan(b) : a == b;
}

static int compare_row(void *arg, const struct name_row *row) {
    struct slow *s = arg;
    s->rows++;
    CU_ASSERT_FATAL(s->at < s->n);
    const struct slow_name *m = &s->list[s->at++];
    EQ_SPAN(row->name, span_str(m->name));
    EQ_INT(row->type, m->row.type);
    EQ_INT(row->series, m->row.series);
    EQ_INT(row->samples, m->row.samples);
    EQ_INT(row->last_id, m->row.last_id);
    EQ_INT(row->first_at, m->row.first_at);
    EQ_INT(row->last_at, m->row.last_at);
    CU_ASSERT(same_number(row->count, m->row.count) && same_number(row->sum, m->row.sum));
    CU_ASSERT(same_number(row->min, m->row.min) && same_number(row->max, m->row.max));
    CU_ASSERT(same_number(row->last, m->row.last));
    EQ_INT(row->n_keys, s->f->keys ? m->row.n_keys : 0);
    for (size_t k = 0; k < row->n_keys && k < m->row.n_keys; k++)
        EQ_SPAN(row->keys[k], span_str(m->keys[k]));
    return 0;
}

static void compare(struct reader *r, const struct name_filter *f) {
    static struct slow slow;
    slow.n = slow.rows = 0;
    slow.f = f;
    struct filter all = {.session = f->session};
    OK(r->ops->series(r, &all, slow_add, &slow, &err));
    qsort(slow.list, slow.n, sizeof slow.list[0], by_name);
    slow.at = f->from < slow.n ? f->from : slow.n;
    size_t rows = slow.n - slow.at < f->n ? slow.n - slow.at : f->n;
    uint64_t n;
    OK(r->ops->name_rows(r, f, compare_row, &slow, &n, &err));
    EQ_INT(slow.rows, rows);
    if (f->to_end)
        EQ_INT(n, slow.n);
}

static int count_held(void *arg, const struct session_row *row) {
    struct buf *b = arg;
    buf_printf(b, "%llu %llu %llu %llu %llu %llu;", (unsigned long long)row->id,
               (unsigned long long)row->samples, (unsigned long long)row->series,
               (unsigned long long)row->events, (unsigned long long)row->checks,
               (unsigned long long)row->rejects);
    return 0;
}

static const char counted[] =
    "SELECT group_concat(t, '') FROM (SELECT s.id || ' ' ||"
    " (SELECT coalesce(sum(y.samples), 0) FROM metric m JOIN summary y ON y.metric_id = m.id WHERE m.session_id = s.id) || ' ' ||"
    " (SELECT count(*) FROM metric WHERE session_id = s.id) || ' ' || (SELECT count(*) FROM event WHERE session_id = s.id) || ' ' ||"
    " (SELECT count(*) FROM service_check WHERE session_id = s.id) || ' ' ||"
    " (SELECT count(*) FROM reject WHERE session_id = s.id) || ';' AS t FROM session s ORDER BY s.id)";

static void compare_counts(struct reader *r) {
    struct buf b = {0};
    OK(r->ops->sessions(r, count_held, &b, &err));
    buf_char(&b, '\0');
    struct err why = {0};
    sqlite3_stmt *stmt = db_prepare(((struct rows *)r)->db, counted, &why);
    EQ_INT(sqlite3_step(stmt), SQLITE_ROW);
    EQ_STR((const char *)sqlite3_column_text(stmt, 0), b.p);
    sqlite3_finalize(stmt);
    buf_free(&b);
}

static void compare_all(struct store *s) {
    static const char *const sessions[] = {"default", "other", "nobody"};
    struct err why = {0};
    struct reader *r = store_reader_take(s, &why);
    OK(r->ops->begin(r, &err));
    for (size_t i = 0; i < 3; i++) {
        struct span session = span_str(sessions[i]);
        compare(r, &(struct name_filter){.session = session, .n = UINT64_MAX, .keys = true, .to_end = true});
        compare(
            r, &(struct name_filter){.session = session, .from = dice(20), .n = 1 + dice(9), .to_end = true});
        compare(r,
                &(struct name_filter){.session = session, .from = dice(20), .n = 1 + dice(9), .keys = true});
        compare(r, &(struct name_filter){.session = session, .n = 9, .wants = holds_e, .to_end = true});
        compare(r, &(struct name_filter){.session = session, .n = 9, .name = SPAN("few*"), .to_end = true});
        compare(r, &(struct name_filter){.session = session, .n = 9, .name = SPAN("m?ny*"), .keys = true});
        compare(r, &(struct name_filter){.session = session, .n = 9, .name = SPAN("many.1"), .to_end = true});
        compare(r, &(struct name_filter){.session = session,
                                         .n = 9,
                                         .name = SPAN("many*"),
                                         .exact = true,
                                         .keys = true,
                                         .to_end = true});
        compare(r, &(struct name_filter){.session = session,
                                         .n = 9,
                                         .has_type = true,
                                         .type = (enum metric_type)dice(METRIC_N_TYPES),
                                         .keys = true,
                                         .to_end = true});
    }
    compare_counts(r);
    r->ops->end(r);
    store_reader_give(s, r);
}

/* --- random recordings ----------------------------------------------------------------------------------- */

static void put_random(struct store *s, uint64_t session, int64_t at) {
    char name[32], texts[3][32];
    struct span tags[3];
    uint32_t kind = dice(20);
    uint32_t most = kind < 14 ? 200 : kind < 18 ? 40 : 3; /* series of the name */
    snprintf(name, sizeof name,
             kind < 14   ? "many.%u"
             : kind < 18 ? "some*%u"
                         : "few.%u",
             dice(kind < 18 ? 3 : 40));
    uint32_t series = dice(most);
    for (uint32_t t = 0; t < 3; t++) {
        snprintf(texts[t], sizeof texts[t], "k%u:%u", (series / 7 + t * 5) % 23, series);
        tags[t] = span_str(texts[t]);
    }
    enum metric_type type = dice(9) ? METRIC_COUNT : (enum metric_type)dice(METRIC_N_TYPES);
    struct value value = {.number = dice(1000), .text = type == METRIC_SET ? SPAN("x") : span_of(NULL, 0)};
    struct record record = {.kind = RECORD_METRIC,
                            .metric = {.type = type,
                                       .name = span_str(name),
                                       .sample_rate = dice(4) ? 1 : 0.5,
                                       .n_tags = dice(5) ? 2 : 3,
                                       .tags = tags,
                                       .n_values = 1,
                                       .values = &value}};
    struct record other = {.kind = RECORD_EVENT, .event = {.title = SPAN("e")}};
    if (dice(30) == 0)
        other = (struct record){.kind = RECORD_SERVICE_CHECK, .check = {.name = SPAN("c")}};
    else if (dice(30) == 0)
        other =
            (struct record){.kind = RECORD_REJECT, .reject = {.reason = (enum reason)0, .text = SPAN("bad")}};
    OK(store_arrival(s, session, SOURCE_UDP, at, &err));
    OK(store_put(s, dice(15) ? &record : &other, &err));
}

static void put_many(struct store *s, uint64_t other, int n, int64_t *at) {
    for (int i = 0; i < n; i++) {
        put_random(s, dice(3) ? 1 : other, *at += 1000);
        if (dice(200) == 0)
            COMMIT(s);
    }
    COMMIT(s);
}

static uint64_t totals_of(struct store *s) {
    int64_t n;
    OK(db_int(s->db, "SELECT count(*) FROM name_total", 0, &n, &err));
    return (uint64_t)n;
}

static void random_names(const char *path) {
    struct store_options options = {.path = path};
    struct store *s = open_with(options);
    uint64_t other;
    int64_t at = AT;
    dice_state = 4712;
    OK(store_session_add(s, SPAN("other"), span_of(NULL, 0), 0, &other, &err));
    for (int round = 0; round < 8; round++) {
        put_many(s, other, round ? 1000 : 4000, &at);
        compare_all(s);
    }
    CU_ASSERT(totals_of(s) > 4);
    if (strcmp(path, ":memory:") != 0) {
        store_close(s);
        s = open_with(options);
        compare_all(s);
        uint64_t again; /* the earlier one has another name now */
        OK(store_session_add(s, SPAN("other"), span_of(NULL, 0), 0, &again, &err));
        put_many(s, again, 2000, &at);
        compare_all(s);
    }
    store_roll_back(s, NULL); /* what is in memory is read again */
    put_many(s, other, 500, &at);
    compare_all(s);
    OK(store_reset(s, 1, NULL, &err));
    compare_all(s);
    put_many(s, other, 3000, &at);
    compare_all(s);
    if (strcmp(path, ":memory:") == 0)
        OK(store_session_remove(s, other, &err));
    compare_all(s);
    OK(store_empty(s, &err));
    compare_all(s);
    EQ_INT(totals_of(s), 0);
    store_close(s);
}
ON_EACH_MEDIUM(random_names)

static void evicted(const char *path) {
    struct store *s = open_with((struct store_options){.path = path, .retention_samples = 3000});
    uint64_t other;
    int64_t at = AT;
    dice_state = 4713;
    OK(store_session_add(s, SPAN("other"), span_of(NULL, 0), 0, &other, &err));
    for (int round = 0; round < 20; round++) {
        put_many(s, other, 700, &at);
        compare_all(s);
    }
    store_close(s);
    if (strcmp(path, ":memory:") == 0)
        return;
    s = open_with((struct store_options){.path = path, .retention_age_ns = 1});
    put_number(s, "young", 1);
    COMMIT(s);
    compare_all(s);
    store_close(s);
}
ON_EACH_MEDIUM(evicted)

/* Their row is of an earlier run, and nothing was added to it since. */
static void evicted_at_once(void) {
    struct place place;
    struct store *s = open_at(place_make(&place));
    char tag[16];
    struct span tags = span_of(tag, 0);
    struct value value = {.number = 1};
    struct record record = {.kind = RECORD_METRIC,
                            .metric = {.type = METRIC_COUNT,
                                       .name = SPAN("many"),
                                       .sample_rate = 1,
                                       .n_tags = 1,
                                       .tags = &tags,
                                       .n_values = 1,
                                       .values = &value}};
    for (int old = 1; old >= 0; old--) {
        OK(store_arrival(s, 1, SOURCE_UDP, clock_wall_ns() - old * 3600 * NS_PER_S, &err));
        for (int i = 0; i < 2 * TOTALS_FROM; i++) {
            tags.n = (size_t)snprintf(tag, sizeof tag, "k:%d", i);
            if (old || i % 2)
                OK(store_put(s, &record, &err));
        }
        COMMIT(s);
    }
    store_close(s);
    s = open_with((struct store_options){.path = place.path, .retention_age_ns = 60 * NS_PER_S});
    EQ_INT(totals_of(s), 0);
    compare_all(s);
    put_number(s, "other", 1);
    COMMIT(s);
    compare_all(s);
    EQ_INT(totals_of(s), 1);
    store_close(s);
    place_remove(&place);
}

UNIT_MAIN("store/totals", CASES("names of random recordings come to what their series do", random_names),
          CASES("so they do when samples were evicted", evicted),
          {"so they do when a run begins with that", evicted_at_once})
