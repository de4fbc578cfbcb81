/* One expectation on a recording of 10 and of 100,000 series: a name without wildcards costs the same on both. Beside it the
 * bare reading of all series, which a judge without the index of names would have to do.
 */
#include "load.h"

#include "core/clock.h"
#include "judge/judge.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FEW    10
#define MANY   100000
#define ROUNDS 15

static void die(const char *what, const struct err *err) {
    fprintf(stderr, "names_bench: %s: %s\n", what, err->text);
    exit(1);
}

static int count(void *arg, const struct series_row *row) {
    (void)row;
    ++*(uint64_t *)arg;
    return 0;
}

static double read_ms(struct reader *r) {
    struct err err = {0};
    struct filter all = {0};
    uint64_t n = 0;
    int64_t start = clock_mono_ns();
    if (r->ops->begin(r, &err) != 0 || r->ops->series(r, &all, count, &n, &err) != 0)
        die("read", &err);
    r->ops->end(r);
    return (double)(clock_mono_ns() - start) / 1e6;
}

/* The question: parse, start, verdict, report. */
static double judge_once(struct reader *r, const char *text, uint64_t since, const char **verdict) {
    int64_t start = clock_mono_ns();
    struct judge_source source = {.text = span_str(text)};
    struct judge_options options = {.since = since};
    struct judge_error error;
    struct judge *j = judge_parse(&source, 1, &options, &error);
    struct err err = {0};
    if (!j) {
        fprintf(stderr, "names_bench: %s\n%s\n", error.message, error.excerpt);
        exit(1);
    }
    if (r->ops->begin(r, &err) != 0 || judge_start(j, r, &err) != 0)
        die("start", &err);
    json_t *report = judge_report(j, r, &err);
    if (!report)
        die("report", &err);
    r->ops->end(r);
    *verdict = verdict_word(judge_verdict(j));
    json_decref(report);
    judge_free(j);
    return (double)(clock_mono_ns() - start) / 1e6;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double judge_ms(struct reader *r, const char *text, uint64_t since, const char **verdict) {
    double ms[ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        ms[i] = judge_once(r, text, since, verdict);
    qsort(ms, ROUNDS, sizeof *ms, by_size);
    return ms[ROUNDS / 2];
}

/* Five samples of each series. */
static struct store *make(const char *folder, int n_series, size_t n_per_name, struct reader **r) {
    char path[64];
    struct err err = {0};
    snprintf(path, sizeof path, "%s/%d.db", folder, n_series);
    struct store_options options = {.path = path};
    struct store *s = store_open(&options, &err);
    if (!s)
        die(path, &err);
    load_store(s, &(struct load_series){.n_series = (size_t)n_series,
                                        .n_per_name = n_per_name,
                                        .n_lines = 5,
                                        .commits = true,
                                        .name = "service.request%zu.done"});
    *r = store_reader_take(s, &err);
    if (!*r)
        die("reader", &err);
    return s;
}

static void forget(struct store *s, struct reader *r, const char *folder, int n_series) {
    store_reader_give(s, r);
    store_close(s);
    for (const char *const *end = (const char *const[]){"", "-wal", "-shm", NULL}; *end; end++) {
        char file[80];
        snprintf(file, sizeof file, "%s/%d.db%s", folder, n_series, *end);
        unlink(file);
    }
}

int main(void) {
    static const struct {
        const char *text;
        uint64_t since;
    } questions[] = {
        {"incr service.request0.done sum >= 0", 0},
        {"incr service.request0.done{env:ci,shard:0} samples >= 1", 0},
        {"incr service.request0.done{host:web-1} samples >= 1", 0},
        {"incr service.request0.done samples >= 1 and each >= 0", 0},
        {"incr service.request0.done samples >= 1", 1},
        {"no incr service.missing", 0},
        {"timing service.missing.latency samples <= 0", 0},
        {"incr service.request0.* samples >= 1", 0},
        {"no any errors.*", 0},
        {"no any *.missing.*", 0},
        {"no any *error*", 0},
        {"incr service.missing samples >= 1", 0},
        {"incr service.request0.dome samples >= 1", 0},
        {"incr services.*.done samples >= 1", 0},
        {"incr *.missing samples >= 1", 0},
        {"any * samples >= 1", 0},
    };
    char folder[] = "/tmp/statwit-names-bench-XXXXXX";
    if (!mkdtemp(folder))
        return 1;
    static const size_t of_a_name[] = {10, 1};
    for (size_t k = 0; k < 2; k++) {
        size_t per_name = of_a_name[k];
        struct reader *few, *many;
        struct store *of_few = make(folder, FEW, per_name, &few),
                     *of_many = make(folder, MANY, per_name, &many);
        printf("one expectation, %d and %d series, %zu of a name: median of %d\n", FEW, MANY, per_name,
               ROUNDS);
        printf("%-58s %9.3f ms %9.3f ms\n", "(reading all series, nothing else)", read_ms(few),
               read_ms(many));
        for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
            const char *verdict;
            double a = judge_ms(few, questions[i].text, questions[i].since, &verdict),
                   b = judge_ms(many, questions[i].text, questions[i].since, &verdict);
            printf("%-58s %9.3f ms %9.3f ms  %8.1f times  %s\n", questions[i].text, a, b, b / a, verdict);
        }
        forget(of_few, few, folder, FEW);
        forget(of_many, many, folder, MANY);
    }
    return rmdir(folder) != 0;
}
