/* DESIGN. The engine reads the samples and answers numbers: the k-th value, how many different ones there are, or each value once with how
 * often it came. Its own idea of a percentile is another one than ours, so it is asked for the value at a place: where each sample has
 * the weight 1, the rank follows from how many there are, and level (k - 0.5) / n is the k-th of n in every version.
 *
 * Sums of doubles are not asked for: their last digits depend on the order. */
#include "store/clickhouse/fleet.h"

#include <inttypes.h>
#include <math.h>

#define OF_SAMPLES                                                                                           \
    " FROM samples WHERE (name, type) IN (SELECT name, type FROM nam) AND push IN (SELECT push FROM mem)"    \
    " AND (push, series) IN (SELECT push, series FROM mem)"
#define IS_SKETCH "(sk_n != 0 OR notEmpty(sk_keys))"
#define POSITIVE  "if(value = 0, 0., value)" /* -0 is 0 */

struct asking {
    struct fleet_reader *r;
    struct buf mem, names, sql, answer;
    uint64_t samples, numbers; /* as the summaries say */
    struct err *err;
};

static void free_asking(struct asking *a) {
    buf_free(&a->mem);
    buf_free(&a->names);
    buf_free(&a->sql);
    buf_free(&a->answer);
}

/* The tables that go along. 1: one of the series is not among what was found last. */
static int prepare(struct asking *a, size_t n_series, const uint64_t *series) {
    const struct fleet_found *found = NULL;
    a->sql.max = 65536;
    for (size_t i = 0; i < n_series; i++) {
        const struct fleet_series *s = fleet_known(a->r, series[i], &found);
        if (!s)
            return 1;
        fleet_members(a->r, found, s, &a->mem);
        put_text(&a->names, s->row.name);
        put_u8(&a->names, (uint8_t)s->row.type);
        a->samples += s->row.samples;
        a->numbers += metric_is(s->row.type, METRIC_TEXT) ? 0 : s->row.samples;
    }
    return 0;
}

static int ask(struct asking *a) {
    const struct fleet_table tables[] = {{"mem", FLEET_MEM, buf_view(&a->mem)},
                                         {"nam", "name String, type UInt8", buf_view(&a->names)}};
    if (a->mem.failed || a->names.failed || a->sql.failed)
        return err_set(a->err, 0, "out of memory");
    return fleet_ask(&a->r->f, a->sql.p, 2, tables, &a->answer, a->err);
}

static int check_count(const struct asking *a, uint64_t n) {
    if (n == a->samples)
        return 0;
    return err_set(a->err, 0, "%s gave %" PRIu64 " of %" PRIu64 " samples", fleet_http_where(a->r->f.http), n,
                   a->samples);
}

/* The start of the answer: whether all samples are there, and plain. 1: some are not. */
static int take_head(const struct asking *a, struct taker *t) {
    uint64_t samples = take_u64(t), odd = take_u64(t);
    if (t->failed)
        return fleet_damaged(a->r, a->err);
    return check_count(a, samples) != 0 ? -1 : odd > 0;
}

static void begin_question(struct asking *a) {
    buf_printf(&a->sql, "SELECT count(), countIf(" IS_SKETCH " OR (type != %d AND isNaN(value)))",
               (int)METRIC_SET);
}

int fleet_ranked(struct reader *reader, size_t n_series, const uint64_t *series, size_t n,
                 const double *percentiles, double *values, struct err *err) {
    struct asking a = {.r = (struct fleet_reader *)reader, .err = err};
    int result = prepare(&a, n_series, series);
    if (result == 0 && a.numbers == 0)
        result = 1;
    if (result == 0) {
        double total = (double)a.numbers;
        begin_question(&a);
        buf_str(&a.sql, ", quantilesExactIf(");
        for (size_t i = 0; i < n; i++) { /* the rank as judge/evaluate/bag.c has it */
            double rank = fmax(1, ceil(total * percentiles[i] / 100 - total * 1e-12));
            buf_printf(&a.sql, "%s%.17g", i ? "," : "", (rank - 0.5) / total);
        }
        buf_printf(&a.sql, ")(" POSITIVE ", type != %d)" OF_SAMPLES " FORMAT RowBinary", (int)METRIC_SET);
        result = ask(&a);
    }
    struct taker t = {a.answer.p, a.answer.p + a.answer.n, false};
    if (result == 0)
        result = take_head(&a, &t);
    if (result == 0) {
        size_t given = take_count(&t, 8);
        for (size_t i = 0; i < n; i++)
            values[i] = take_f64(&t);
        if (t.failed || given != n)
            result = fleet_damaged(a.r, err);
    }
    free_asking(&a);
    return result;
}

int fleet_distinct(struct reader *reader, size_t n_series, const uint64_t *series, uint64_t *n,
                   struct err *err) {
    struct asking a = {.r = (struct fleet_reader *)reader, .err = err};
    int result = prepare(&a, n_series, series);
    if (result == 0) {
        begin_question(&a);
        buf_printf(&a.sql,
                   ", uniqExactIf(reinterpretAsUInt64(reinterpretAsString(" POSITIVE
                   ")), type != %d), uniqExactIf(text, type = %d)" OF_SAMPLES " FORMAT RowBinary",
                   (int)METRIC_SET, (int)METRIC_SET);
        result = ask(&a);
    }
    struct taker t = {a.answer.p, a.answer.p + a.answer.n, false};
    if (result == 0)
        result = take_head(&a, &t);
    if (result == 0) {
        *n = take_u64(&t);
        *n += take_u64(&t);
        if (t.failed)
            result = fleet_damaged(a.r, err);
    }
    free_asking(&a);
    return result;
}

int fleet_values(struct reader *reader, size_t n_series, const uint64_t *series,
                 int (*row)(void *, const struct values_row *), void *arg, struct err *err) {
    struct asking a = {.r = (struct fleet_reader *)reader, .err = err};
    uint64_t samples = 0;
    int result = prepare(&a, n_series, series);
    if (result == 0) {
        buf_str(&a.sql, "SELECT type, value, rate, " IS_SKETCH ", count()" OF_SAMPLES
                        " GROUP BY type, value, rate, " IS_SKETCH " FORMAT RowBinary");
        result = ask(&a);
    }
    for (int pass = 0; pass < 2 && result == 0; pass++) { /* first whether all of it can be told so */
        struct taker t = {a.answer.p, a.answer.p + a.answer.n, false};
        int stop = 0;
        while (result == 0 && !stop && take_more(&t)) {
            uint8_t type = take_u8(&t);
            struct values_row values = {.type = (enum metric_type)type};
            values.value = take_f64(&t);
            values.rate = take_f64(&t);
            bool sketch = take_u8(&t) != 0;
            values.times = take_u64(&t);
            if (t.failed || type >= METRIC_N_TYPES)
                result = fleet_damaged(a.r, err);
            else if (pass == 0) {
                samples += values.times;
                result = sketch;
            } else if (!metric_is(values.type, METRIC_TEXT))
                stop = row(arg, &values);
        }
        if (pass == 0 && result == 0)
            result = check_count(&a, samples);
    }
    free_asking(&a);
    return result;
}
