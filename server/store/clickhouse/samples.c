/* DESIGN. Samples come in pages of at most PAGE rows. Each question carries the members of the series that it is about, which tell
 * the engine what to read, to which series a sample belongs and how to order them. Without order, series are taken some at a time, so that
 * their samples fill a page, and a series that is larger than a page goes on where the last page ended. In order of id there is
 * one list of all members, and each page goes on behind the last id. Every page without conditions is held against the number of samples that
 * the summaries promise. */
#include "core/array.h"
#include "store/clickhouse/fleet.h"

#include "core/clock.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE 1000000

struct paging {
    struct fleet_reader *r;
    const struct filter *f;
    bool ordered;
    int (*row)(void *, const struct sample_row *);
    void *arg;
    struct err *err;
    const struct fleet_found *found;
    struct fleet_spelled spelled;
    struct buf mem, names, remarked; /* tables that go along */
    struct buf answer;
    uint64_t after_series, after_id; /* where the next page goes on */
    uint64_t given;                  /* rows handed out */
    size_t in_page;
    bool stop;
    int32_t *keys; /* of the row's sketch */
    uint32_t *counts;
    size_t cap_keys, cap_counts;
};

/* --- the question ------------------------------------------------------------------------------------------- */

static void add_conditions(const struct paging *p, struct buf *sql) {
    const struct filter *f = p->f;
    buf_str(sql, " WHERE 1");
    if (p->ordered && p->after_id)
        buf_printf(sql, " AND gid > %" PRIu64, p->after_id);
    else if (p->after_id)
        buf_printf(sql, " AND (merged > %" PRIu64 " OR (merged = %" PRIu64 " AND gid > %" PRIu64 "))",
                   p->after_series, p->after_series, p->after_id);
    if (f->since)
        buf_printf(sql, " AND gid > %" PRIu64, f->since);
    if (f->until)
        buf_printf(sql, " AND gid <= %" PRIu64, f->until);
    if (f->has_source)
        buf_printf(sql, " AND source = %d", (int)f->source);
    if (f->timed)
        buf_str(sql, " AND timestamp != 0");
    if (f->remarked)
        buf_str(sql, " AND (ord, spelling) IN (SELECT ord, spelling FROM rem)");
}

static bool has_conditions(const struct filter *f) {
    return f->since || f->until || f->has_source || f->timed || f->remarked || f->limit;
}

static void make_question(const struct paging *p, uint64_t limit, struct buf *sql) {
    bool newest = p->f->newest && p->f->limit;
    if (newest)
        buf_str(sql, "SELECT * FROM (");
    buf_str(
        sql,
        "SELECT merged, gid, ord, spelling, at, source, value, text, timestamp, sk_n, sk_sum, sk_min, sk_max, sk_keys, sk_counts"
        " FROM (SELECT r.merged AS merged, " FLEET_GID(
            "r.ord",
            "s.id") " AS gid, r.ord AS ord, s.spelling AS spelling,"
                    " s.at AS at, s.source AS source, s.value AS value, s.text AS text, s.timestamp AS timestamp, s.sk_n AS sk_n,"
                    " s.sk_sum AS sk_sum, s.sk_min AS sk_min, s.sk_max AS sk_max, s.sk_keys AS sk_keys, s.sk_counts AS sk_counts"
                    " FROM (SELECT push, series, id, spelling, at, source, value, text, timestamp, sk_n, sk_sum, sk_min, sk_max, sk_keys,"
                    " sk_counts FROM samples WHERE (name, type) IN (SELECT name, type FROM nam) AND push IN (SELECT push FROM mem)"
                    " AND (push, series) IN (SELECT push, series FROM mem)) AS s ALL INNER JOIN"
                    " (SELECT push, series, ord, merged FROM mem) AS r USING (push, series)) AS t");
    add_conditions(p, sql);
    buf_printf(sql, " ORDER BY %s LIMIT %" PRIu64,
               newest       ? "gid DESC"
               : p->ordered ? "gid"
                            : "merged, gid",
               limit);
    if (newest)
        buf_str(sql, ") AS n ORDER BY gid");
    buf_str(sql, " FORMAT RowBinary");
}

static int ask_page(struct paging *p, uint64_t limit) {
    struct buf sql = {.max = 65536};
    make_question(p, limit, &sql);
    const struct fleet_table tables[] = {{"mem", FLEET_MEM, buf_view(&p->mem)},
                                         {"nam", "name String, type UInt8", buf_view(&p->names)},
                                         {"rem", "ord UInt32, spelling UInt32", buf_view(&p->remarked)}};
    int failed = sql.failed || p->mem.failed || p->names.failed ? err_set(p->err, 0, "out of memory") : 0;
    if (!failed)
        failed = fleet_ask(&p->r->f, sql.p, p->f->remarked ? 3 : 2, tables, &p->answer, p->err);
    buf_free(&sql);
    return failed;
}

/* --- rows --------------------------------------------------------------------------------------------------- */

/* The bins lie unaligned in the answer. */
static bool take_bins(struct paging *p, struct taker *t, struct sketch *sketch) {
    sketch->n_bins = take_count(t, 4);
    while (p->cap_keys < sketch->n_bins)
        if (!array_room(&p->keys, p->cap_keys, &p->cap_keys, sizeof *p->keys))
            return false;
    take_raw(t, p->keys, sketch->n_bins * sizeof *p->keys);
    size_t n = take_count(t, 4);
    while (p->cap_counts < n)
        if (!array_room(&p->counts, p->cap_counts, &p->cap_counts, sizeof *p->counts))
            return false;
    take_raw(t, p->counts, n * sizeof *p->counts);
    sketch->keys = p->keys;
    sketch->counts = p->counts;
    return n == sketch->n_bins;
}

static int take_sample(struct paging *p, struct taker *t) {
    struct sketch sketch = {0};
    struct sample_row row = {0};
    row.series_id = take_u64(t);
    row.id = take_u64(t);
    uint64_t ord = take_u32(t), id = take_u32(t);
    row.spelling_id = ord << FLEET_ID_BITS | id;
    row.received_at = take_i64(t);
    uint8_t source = take_u8(t);
    row.source = source < SOURCE_N ? (enum source)source : SOURCE_UDP;
    row.value.number = take_f64(t);
    row.value.text = take_text(t);
    row.value.timestamp = take_i64(t);
    sketch.count = take_i64(t);
    sketch.sum = take_f64(t);
    sketch.min = take_f64(t);
    sketch.max = take_f64(t);
    sketch.avg = row.value.number;
    const uint32_t *place = t->failed ? NULL : table_get(&p->spelled.by_id, ord << 32 | id);
    if (!place || !take_bins(p, t, &sketch) || t->failed)
        return fleet_damaged(p->r, p->err);
    const struct fleet_spelling *s = &p->spelled.list[*place];
    row.session = s->series->row.session;
    row.spelling = &s->metric;
    row.text = row.value.text =
        metric_is(s->metric.type, METRIC_TEXT) ? row.value.text : (struct span){NULL, 0};
    row.value.sketch = sketch.n_bins || sketch.count ? &sketch : NULL;
    p->after_series = row.series_id;
    p->after_id = row.id;
    p->in_page++;
    p->given++;
    p->stop = p->row(p->arg, &row) != 0 || (p->f->limit && p->given >= p->f->limit);
    return 0;
}

static int hand_out(struct paging *p) {
    struct taker t = {p->answer.p, p->answer.p + p->answer.n, false};
    p->in_page = 0;
    while (take_more(&t) && !p->stop)
        if (take_sample(p, &t) != 0)
            return -1;
    return t.failed ? fleet_damaged(p->r, p->err) : 0;
}

/* --- pages -------------------------------------------------------------------------------------------------- */

static int by_name(const void *pa, const void *pb) {
    const struct series_row *a = *(const struct series_row *const *)pa,
                            *b = *(const struct series_row *const *)pb;
    int order = span_cmp(a->name, b->name);
    return order ? order : (int)a->type - (int)b->type;
}

/* Each name and type once. */
static int add_names(struct paging *p, size_t from, size_t to) {
    const struct series_row **rows = malloc((to - from + 1) * sizeof(const struct series_row *));
    if (!rows)
        return err_set(p->err, 0, "out of memory");
    for (size_t i = from; i < to; i++)
        rows[i - from] = &p->found->list[i].row;
    qsort(rows, to - from, sizeof(const struct series_row *), by_name);
    for (size_t i = 0; i < to - from; i++)
        if (i == 0 || by_name(&rows[i - 1], &rows[i]) != 0) {
            put_text(&p->names, rows[i]->name);
            put_u8(&p->names, (uint8_t)rows[i]->type);
        }
    free(rows);
    return 0;
}

static void add_remarked(struct paging *p) {
    for (size_t i = 0; i < p->spelled.n; i++)
        if (p->spelled.list[i].remarks.n) {
            put_u32(&p->remarked, (uint32_t)p->spelled.list[i].ord);
            put_u32(&p->remarked, (uint32_t)p->spelled.list[i].id);
        }
}

static void begin_group(struct paging *p) {
    fleet_spelled_free(&p->spelled);
    buf_clear(&p->mem);
    buf_clear(&p->names);
    buf_clear(&p->remarked);
    p->after_series = p->after_id = 0;
}

/* The samples of series from..to. */
static int read_group(struct paging *p, size_t from, size_t to) {
    uint64_t expected = 0, before = p->given;
    begin_group(p);
    for (size_t i = from; i < to; i++) {
        fleet_members(p->r, p->found, &p->found->list[i], &p->mem);
        expected += p->found->list[i].row.samples;
    }
    if (add_names(p, from, to) != 0 || fleet_spell(p->r, p->found, from, to, &p->spelled, p->err) != 0)
        return -1;
    add_remarked(p);
    if (p->f->remarked && p->remarked.n == 0)
        return 0;
    uint64_t limit = p->f->limit && (p->f->newest || p->f->limit < PAGE) ? p->f->limit : PAGE;
    do
        if (ask_page(p, limit) != 0 || hand_out(p) != 0)
            return -1;
    while (!p->stop && p->in_page == limit && !p->f->newest);
    if (!p->stop && !has_conditions(p->f) && p->given - before != expected)
        return err_set(p->err, 0, "%s gave %" PRIu64 " of %" PRIu64 " samples",
                       fleet_http_where(p->r->f.http), p->given - before, expected);
    return 0;
}

static int read_groups(struct paging *p, size_t from, size_t end) {
    for (size_t to = from; from < end && !p->stop; from = to) {
        uint64_t samples = 0;
        while (to < end && (to == from || samples + p->found->list[to].row.samples <= PAGE))
            samples += p->found->list[to++].row.samples;
        if (read_group(p, from, to) != 0)
            return -1;
    }
    return 0;
}

int fleet_read(struct fleet_reader *r, const struct filter *f, const struct fleet_found *found, size_t from,
               size_t to, bool ordered, int (*row)(void *, const struct sample_row *), void *arg,
               struct fleet_spelled *kept, struct err *err) {
    struct paging p = {
        .r = r, .f = f, .ordered = ordered, .row = row, .arg = arg, .err = err, .found = found};
    int failed = from == to ? 0 : ordered ? read_group(&p, from, to) : read_groups(&p, from, to);
    if (kept)
        *kept = p.spelled;
    else
        fleet_spelled_free(&p.spelled);
    buf_free(&p.mem);
    buf_free(&p.names);
    buf_free(&p.remarked);
    buf_free(&p.answer);
    free(p.keys);
    free(p.counts);
    return failed;
}

/* Keeps the series that the filter wants. */
static void drop_unwanted(const struct filter *f, struct fleet_found *found) {
    size_t n = 0;
    for (size_t i = 0; i < found->n && f->wants_series; i++)
        if (f->wants_series(f->wants_arg, found->list[i].row.id))
            found->list[n++] = found->list[i];
    found->n = f->wants_series ? n : found->n;
}

int fleet_samples(struct reader *reader, const struct filter *f, bool ordered,
                  int (*row)(void *, const struct sample_row *), void *arg, struct err *err) {
    struct fleet_reader *r = (struct fleet_reader *)reader;
    struct fleet_found found;
    struct filter of_series = *f, of_samples = *f;
    of_series.remarked = of_series.sampled = of_series.newest = false;
    of_series.limit = 0;
    of_samples.newest = f->newest && f->limit > 0;
    if (fleet_find_for(r, &of_series, &found, err) != 0)
        return -1;
    drop_unwanted(f, &found);
    int failed =
        fleet_read(r, &of_samples, &found, 0, found.n, ordered || of_samples.newest, row, arg, NULL, err);
    fleet_found_free(&found);
    return failed;
}
