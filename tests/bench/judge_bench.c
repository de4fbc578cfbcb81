/* 1,000 expectations on 1 million samples in 1,000 series, in a recording on disk; beside the bare reading of all samples, which
 * any judge that must look at each would have to do.
 */
#include "load.h"

#include "core/clock.h"
#include "judge/judge.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define N_SERIES     1000
#define N_SAMPLES    1000000
#define N_LINES      (N_SAMPLES / N_SERIES)
#define EXPECTATIONS 1000

static void die(const char *what, const struct err *err) {
    fprintf(stderr, "judge_bench: %s: %s\n", what, err->text);
    exit(1);
}

static int count(void *arg, const struct sample_row *row) {
    (void)row;
    ++*(uint64_t *)arg;
    return 0;
}

static double read_all_ms(struct reader *r) {
    struct err err = {0};
    struct filter all = {0};
    uint64_t n = 0;
    int64_t start = clock_mono_ns();
    if (r->ops->begin(r, &err) != 0 || r->ops->samples(r, &all, false, count, &n, &err) != 0)
        die("read", &err);
    r->ops->end(r);
    if (n != N_SAMPLES)
        fprintf(stderr, "judge_bench: read %llu samples\n", (unsigned long long)n);
    return (double)(clock_mono_ns() - start) / 1e6;
}

/* The question: parse, start, verdict, report. */
static double judge_ms(struct reader *r, const char *clause, const char *only) {
    static char text[EXPECTATIONS * 128];
    size_t at = 0;
    for (int i = 0; i < EXPECTATIONS; i++)
        at += (size_t)sprintf(text + at, only ? only : "any service.request%d{env:ci} %s\n", i, clause);
    int64_t start = clock_mono_ns();
    struct judge_source source = {.text = span_of(text, at)};
    struct judge_error error;
    struct judge *j = judge_parse(&source, 1, NULL, &error);
    struct err err = {0};
    if (!j) {
        fprintf(stderr, "judge_bench: %s\n%s\n", error.message, error.excerpt);
        exit(1);
    }
    if (r->ops->begin(r, &err) != 0 || judge_start(j, r, &err) != 0)
        die("start", &err);
    json_t *report = judge_report(j, r, &err);
    if (!report)
        die("report", &err);
    r->ops->end(r);
    double ms = (double)(clock_mono_ns() - start) / 1e6;
    const char *verdict = json_string_value(json_object_get(report, "verdict"));
    printf("%-44s %8.1f ms  %s\n", clause, ms, verdict);
    json_decref(report);
    judge_free(j);
    return ms;
}

int main(void) {
    char folder[] = "/tmp/statwit-judge-bench-XXXXXX", path[64];
    struct err err = {0};
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/r.db", folder);
    struct store_options options = {.path = path};
    struct store *s = store_open(&options, &err);
    if (!s)
        die(path, &err);
    load_store(s, &(struct load_series){.n_series = N_SERIES,
                                        .n_per_name = 1,
                                        .n_lines = N_LINES,
                                        .by_turns = true,
                                        .name = "service.request%zu"});
    struct reader *r = store_reader_take(s, &err);
    if (!r)
        die("reader", &err);
    printf("%d expectations, %d samples, %d series\n", EXPECTATIONS, N_SAMPLES, N_SERIES);
    double all = read_all_ms(r);
    printf("%-44s %8.1f ms\n", "(reading all samples, nothing else)", all);
    judge_ms(r, "samples == 1000 and sum > 0", NULL);
    judge_ms(r, "each >= 0 and last < 1000", NULL);
    double hard = judge_ms(r, "p95 < 1000 and distinct > 1 and first >= 0", NULL);
    judge_ms(r, "sum == 1", NULL);
    judge_ms(r, "1,000 globs over all names, samples >= 1", "any *request*%d samples >= 1\n");
    printf("quantiles of everything: %.1f times the bare reading\n", hard / all);
    store_reader_give(s, r);
    store_close(s);
    for (const char *const *end = (const char *const[]){"", "-wal", "-shm", NULL}; *end; end++) {
        char file[80];
        snprintf(file, sizeof file, "%s%s", path, *end);
        unlink(file);
    }
    return rmdir(folder) != 0;
}
