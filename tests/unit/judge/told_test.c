/* A reader that tells what samples amount to (ranked, distinct, values) is asked for no samples, and the verdict is the one that samples
 * give. Every check judges in both ways: told, and fed sample by sample. */
#include "judging.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#define SAMPLES 1000

static const struct reader_ops *plain;
static uint64_t handed_out;
static bool cannot;

struct gathered {
    size_t n;
    struct values_row rows[4 * SAMPLES];
    size_t n_series;
    const uint64_t *series;
};
static struct gathered gathered;

static int count_sample(void *arg, const struct sample_row *row) {
    const struct filter *f = arg;
    handed_out += !f->wants_series || f->wants_series(f->wants_arg, row->series_id);
    return 0;
}

static int gather(void *arg, const struct sample_row *row) {
    struct gathered *g = arg;
    for (size_t i = 0; i < g->n_series; i++)
        if (g->series[i] == row->series_id)
            g->rows[g->n++] =
                (struct values_row){row->spelling->type, row->value.number, row->spelling->sample_rate, 1};
    return 0;
}

static void read_all(struct reader *r, size_t n_series, const uint64_t *series) {
    static const struct filter all;
    struct err err = {0};
    gathered.n = 0;
    gathered.n_series = n_series;
    gathered.series = series;
    CU_ASSERT_FATAL(plain->samples(r, &all, false, gather, &gathered, &err) == 0);
}

static int samples(struct reader *r, const struct filter *f, bool ordered,
                   int (*row)(void *, const struct sample_row *), void *arg, struct err *err) {
    struct filter asked = *f;
    return plain->samples(r, f, ordered, count_sample, &asked, err) == 0
               ? plain->samples(r, f, ordered, row, arg, err)
               : -1;
}

static int by_value(const void *a, const void *b) {
    double x = ((const struct values_row *)a)->value, y = ((const struct values_row *)b)->value;
    return (x > y) - (x < y);
}

static int ranked(struct reader *r, size_t n_series, const uint64_t *series, size_t n,
                  const double *percentiles, double *values, struct err *err) {
    (void)err;
    read_all(r, n_series, series);
    qsort(gathered.rows, gathered.n, sizeof *gathered.rows, by_value);
    for (size_t i = 0; i < n; i++) {
        double rank = percentiles[i] * (double)gathered.n / 100;
        size_t k = (size_t)rank + ((double)(size_t)rank < rank);
        values[i] = gathered.rows[k ? k - 1 : 0].value;
    }
    return cannot;
}

static int distinct(struct reader *r, size_t n_series, const uint64_t *series, uint64_t *n, struct err *err) {
    (void)err;
    read_all(r, n_series, series);
    qsort(gathered.rows, gathered.n, sizeof *gathered.rows, by_value);
    *n = 0;
    for (size_t i = 0; i < gathered.n; i++)
        *n += i == 0 || gathered.rows[i].value != gathered.rows[i - 1].value;
    return cannot;
}

static int values(struct reader *r, size_t n_series, const uint64_t *series,
                  int (*row)(void *, const struct values_row *), void *arg, struct err *err) {
    (void)err;
    read_all(r, n_series, series);
    for (size_t i = 0; i < gathered.n && !cannot; i++)
        if (row(arg, &gathered.rows[i]) != 0)
            break;
    return cannot;
}

static struct reader_ops telling;

static struct fake *send_many(void) {
    struct fake *f = fake_new();
    char line[64];
    for (int i = 0; i < SAMPLES; i++) {
        snprintf(line, sizeof line, "t:%d|ms|#part:%d\nsome:%d|ms|@0.5", i, i % 3, i % 10);
        fake_send(f, line);
    }
    plain = fake_reader(f)->ops;
    telling = *plain;
    telling.far = true;
    telling.samples = samples;
    telling.ranked = ranked;
    telling.distinct = distinct;
    telling.values = values;
    fake_reader(f)->ops = &telling;
    handed_out = 0;
    return f;
}

static void judge_told(struct fake *f, const char *text) {
    struct judge *j = judging_start(text, NULL, f);
    EQ_STR(judging_word((int)judge_verdict(j)), "pass");
    judge_free(j);
}

static void test_no_sample_is_handed_out(void) {
    struct fake *f = send_many();
    cannot = false;
    judge_told(f,
               "timing t p95 == 949 and p50 == 499 and samples == 1000 and distinct == 1000 and last == 999");
    judge_told(f, "timing t{part:0} p99.9 == 999 and p0 == 0");
    judge_told(f, "timing t each != 1000.5");
    judge_told(f, "timing some p50 == 4 and distinct == 10 and count == 2000");
    EQ_INT(handed_out, 0);
    fake_free(f);
}

static void test_the_verdict_is_that_of_the_samples(void) {
    struct fake *f = send_many();
    for (int pass = 0; pass < 2; pass++) {
        cannot = pass;
        PASSES(f, "timing t p95 == 949 and median == 499");
        FAILS(f, "timing t p95 == 950");
        FAILS(f, "timing t each != 7 and p50 > 1");
        FAILS(f, "no any * distinct == 1000");
        PASSES(f, "timing some p95 == 9 and p10 == 0");
        FAILS(f, "timing some p50 == 5 and each != 3");
        PASSES(f, "any some p50 ~ 4");
        PASSES(f, "timing t p50 == 499 and first == 0 and rate == 1");
    }
    CU_ASSERT(handed_out > 0);
    fake_free(f);
}

UNIT_MAIN("judge/told", {"no sample is handed out for what can be told", test_no_sample_is_handed_out},
          {"the verdict is the one that samples give", test_the_verdict_is_that_of_the_samples})
