/* DESIGN. The engine sums up each series' samples in the order of their ids, one after the other, as whoever reads them would: a sum of
 * doubles that is made in another order differs in its last digits. So for each series there is one array, sorted by id, whose
 * running sums are made; its last one is the answer. Series are asked for some at a time, because the arrays lie in the engine's memory. */
#include "store/clickhouse/fleet.h"

#include <inttypes.h>
#include <math.h>

#define AT_ONCE   10000000 /* samples */
#define IS_SKETCH "(s.sk_n != 0 OR notEmpty(s.sk_keys))"

struct tallying {
    struct fleet_reader *r;
    const struct filter *f;
    int (*row)(void *, const struct series_row *, bool fell);
    void *arg;
    struct fleet_found found;
    struct buf mem, names, sql, answer;
    bool stop;
    struct err *err;
};

/* The types that are weighed so, as a condition. */
static void put_weighing(struct buf *sql, enum metric_weighing weighing) {
    buf_str(sql, "s.type IN (255");
    for (int type = 0; type < METRIC_N_TYPES; type++)
        if (metric_table[type].weighing == weighing)
            buf_printf(sql, ",%d", type);
    buf_str(sql, ")");
}

/* As metric_weigh: `count` cuts fractions off where an Agent does. */
static void put_weight(struct buf *sql, bool count) {
    const char *whole = count ? "if(1 / s.rate < 0, ceil(1 / s.rate), floor(1 / s.rate))" : "1 / s.rate";
    buf_str(sql, "multiIf(s.rate = 1, 1., ");
    put_weighing(sql, WEIGH_INVERSE);
    buf_str(sql, ", 1 / s.rate, s.rate != 0 AND ");
    put_weighing(sql, WEIGH_WHOLE);
    buf_printf(sql, ", %s, s.rate > 0 AND s.rate <= 1 AND ", whole);
    put_weighing(sql, WEIGH_WHOLE_SHARE);
    buf_printf(sql, ", %s, 1.)", whole);
}

static void make_question(struct tallying *t) {
    const struct filter *f = t->f;
    struct buf *sql = &t->sql;
    buf_clear(sql);
    sql->max = 65536;
    buf_str(
        sql,
        "SELECT merged, length(a), arrayCumSum(arrayMap(x -> x.2, a))[-1], arrayCumSum(arrayMap(x -> x.3, a))[-1], n_low, low, n_high,"
        " high, a[-1].4, a[1].5, a[-1].5, a[1].1, a[-1].1, sampled,"
        " arrayExists(i -> i > 1 AND a[i].4 < a[i - 1].4, arrayEnumerate(a)) FROM"
        " (SELECT merged, arraySort(groupArray((gid, cnt, total, value, at))) AS a, countIf(lo = lo) AS n_low, minIf(lo, lo = lo) AS low,"
        " countIf(hi = hi) AS n_high, maxIf(hi, hi = hi) AS high, max(rate != 1) AS sampled FROM (SELECT r.merged AS merged, " FLEET_GID(
            "r.ord", "s.id") " AS gid, if(" IS_SKETCH ", toFloat64(s.sk_n), ");
    put_weight(sql, true);
    buf_str(sql, ") AS cnt, if(" IS_SKETCH ", s.sk_sum, s.value * ");
    put_weight(sql, false);
    buf_str(
        sql,
        ") AS total, s.value AS value, s.at AS at, if(" IS_SKETCH ", s.sk_min, s.value) AS lo, if(" IS_SKETCH
        ", s.sk_max, s.value) AS hi, s.rate AS rate FROM (SELECT push, series, id, type, at, rate, value, sk_n, sk_sum, sk_min, sk_max, sk_keys"
        " FROM samples WHERE (name, type) IN (SELECT name, type FROM nam) AND push IN (SELECT push FROM mem)"
        " AND (push, series) IN (SELECT push, series FROM mem)");
    if (f->has_source)
        buf_printf(sql, " AND source = %d", (int)f->source);
    buf_str(
        sql,
        ") AS s ALL INNER JOIN (SELECT push, series, ord, merged FROM mem) AS r USING (push, series)) AS u WHERE 1");
    if (f->since)
        buf_printf(sql, " AND gid > %" PRIu64, f->since);
    if (f->until)
        buf_printf(sql, " AND gid <= %" PRIu64, f->until);
    buf_str(sql, " GROUP BY merged) AS v ORDER BY merged FORMAT RowBinary");
}

static int ask_series(struct tallying *t, size_t from, size_t to) {
    buf_clear(&t->mem);
    buf_clear(&t->names);
    for (size_t i = from; i < to; i++) {
        const struct series_row *row = &t->found.list[i].row;
        fleet_members(t->r, &t->found, &t->found.list[i], &t->mem);
        put_text(&t->names, row->name);
        put_u8(&t->names, (uint8_t)row->type);
    }
    make_question(t);
    const struct fleet_table tables[] = {{"mem", FLEET_MEM, buf_view(&t->mem)},
                                         {"nam", "name String, type UInt8", buf_view(&t->names)}};
    if (t->mem.failed || t->names.failed || t->sql.failed)
        return err_set(t->err, 0, "out of memory");
    return fleet_ask(&t->r->f, t->sql.p, 2, tables, &t->answer, t->err);
}

/* `none` where no value is a number. */
static double take_end(struct taker *t, double none) {
    uint64_t n = take_u64(t);
    double end = take_f64(t);
    return n ? end : none;
}

/* The numbers of a row, in place of the summary's. */
static bool take_numbers(struct taker *t, struct series_row *row) {
    row->samples = take_u64(t);
    row->count = 0 + take_f64(t); /* -0 is what nobody has who starts at 0 */
    row->sum = 0 + take_f64(t);
    row->min = take_end(t, (double)INFINITY);
    row->max = take_end(t, -(double)INFINITY);
    row->last = take_f64(t);
    row->first_at = take_i64(t);
    row->last_at = take_i64(t);
    row->first_id = take_u64(t);
    row->last_id = take_u64(t);
    row->sampled = take_u8(t) != 0;
    if (metric_is(row->type, METRIC_TEXT))
        row->sum = row->min = row->max = row->last = (double)NAN;
    return take_u8(t) != 0;
}

static int hand_out(struct tallying *t, size_t at, size_t to) {
    struct taker taker = {t->answer.p, t->answer.p + t->answer.n, false};
    while (!t->stop && take_more(&taker)) {
        uint64_t merged = take_u64(&taker);
        while (at < to && t->found.list[at].row.id != merged)
            at++;
        if (at == to)
            return fleet_damaged(t->r, t->err);
        struct series_row row = t->found.list[at].row;
        bool fell = take_numbers(&taker, &row);
        if (taker.failed)
            return fleet_damaged(t->r, t->err);
        t->stop = t->row(t->arg, &row, fell) != 0;
    }
    return 0;
}

int fleet_tallies(struct reader *reader, const struct filter *f,
                  int (*row)(void *, const struct series_row *, bool fell), void *arg, struct err *err) {
    struct tallying t = {.r = (struct fleet_reader *)reader, .f = f, .row = row, .arg = arg, .err = err};
    if (fleet_find_for(t.r, f, &t.found, err) != 0)
        return -1;
    int failed = 0;
    for (size_t from = 0, to = 0; from < t.found.n && !failed && !t.stop; from = to) {
        uint64_t samples = 0;
        while (to < t.found.n && (to == from || samples + t.found.list[to].row.samples <= AT_ONCE))
            samples += t.found.list[to++].row.samples;
        failed = ask_series(&t, from, to) != 0 || hand_out(&t, from, to) != 0 ? -1 : 0;
    }
    fleet_found_free(&t.found);
    buf_free(&t.mem);
    buf_free(&t.names);
    buf_free(&t.sql);
    buf_free(&t.answer);
    return failed;
}
