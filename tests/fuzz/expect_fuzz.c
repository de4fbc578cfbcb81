/* The expectation language: any text is either refused with a place that lies in it, or can be judged. What was accepted
 * is accepted again as the report shows it, and a judge that was fed agrees with itself.
 */
#include "judge/judge.h"
#include "report/report.h"

#include <stdint.h>
#include <stdlib.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

/* A recording of a few series; the samples are only fed. */
static const struct span tags[] = {{"env:ci", 6}, {"x", 1}};
static const struct series_row rows[] = {
    {.id = 1, .session = {"default", 7}, .name = {"a", 1}, .type = METRIC_COUNT, .n_tags = 2, .tags = tags},
    {.id = 2, .session = {"default", 7}, .name = {"a.b", 3}, .type = METRIC_GAUGE, .host = {"web", 3}},
    {.id = 3, .session = {"default", 7}, .name = {"a.avg", 5}, .type = METRIC_GAUGE},
    {.id = 4, .session = {"default", 7}, .name = {"u", 1}, .type = METRIC_SET},
    {.id = 5, .session = {"default", 7}, .name = {"a", 1}, .type = METRIC_TIMING},
};
#define N_ROWS (sizeof rows / sizeof rows[0])

static int read_series(struct reader *r, const struct filter *f,
                       int (*row)(void *, const struct series_row *), void *arg, struct err *err) {
    (void)r, (void)f, (void)err;
    for (size_t i = 0; i < N_ROWS; i++)
        row(arg, &rows[i]);
    return 0;
}

static int read_samples(struct reader *r, const struct filter *f, bool ordered,
                        int (*row)(void *, const struct sample_row *), void *arg, struct err *err) {
    (void)r, (void)f, (void)ordered, (void)row, (void)arg, (void)err;
    return 0;
}

#define NOTHING(name, type)                                                                                  \
    static int name(struct reader *r, const struct filter *f, int (*row)(void *, const struct type *),       \
                    void *arg, struct err *err) {                                                            \
        (void)r, (void)f, (void)row, (void)arg, (void)err;                                                   \
        return 0;                                                                                            \
    }
NOTHING(read_events, event_row)
NOTHING(read_checks, check_row)
NOTHING(read_rejects, reject_row)
NOTHING(read_losses, loss_row)
NOTHING(read_spellings, spelling_row)

static int read_sessions(struct reader *r, int (*row)(void *, const struct session_row *), void *arg,
                         struct err *err) {
    static const struct session_row other = {.id = 2, .name = {"other", 5}, .open = true, .samples = 1};
    (void)r, (void)err;
    row(arg, &other);
    return 0;
}

static int last_id(struct reader *r, uint64_t *id, struct err *err) {
    (void)r, (void)err;
    *id = 0;
    return 0;
}

static const struct reader_ops ops = {.series = read_series,
                                      .samples = read_samples,
                                      .events = read_events,
                                      .checks = read_checks,
                                      .rejects = read_rejects,
                                      .losses = read_losses,
                                      .spellings = read_spellings,
                                      .sessions = read_sessions,
                                      .last_id = last_id};

static void feed(struct judge *j) {
    for (uint64_t id = 1; id <= 12; id++) {
        const struct series_row *series = &rows[id % N_ROWS];
        struct metric spelling = {
            .type = series->type, .name = series->name, .sample_rate = id % 3 ? 1 : 0.5, .interval = 10};
        struct sample_row row = {.id = id,
                                 .series_id = series->id,
                                 .source = id % 2 ? SOURCE_HTTP : SOURCE_UDP,
                                 .session = series->session,
                                 .text = {"v", 1},
                                 .value = {.number = (double)id - 3},
                                 .spelling = &spelling};
        CHECK(judge_take_sample(j, &row) == 0);
        (void)judge_verdict(j);
        (void)judge_final(j);
    }
}

/* The report's expectations, as sources of their own, give the same verdicts. */
static void check_report(struct judge *j, struct reader *reader) {
    struct err err = {0};
    json_t *report = judge_report(j, reader, &err);
    CHECK(report);
    json_t *results = json_object_get(report, "results");
    for (size_t i = 0; i < json_array_size(results) && i < 20; i++) {
        json_t *result = json_array_get(results, i), *text = json_object_get(result, "expectation");
        struct span again = {json_string_value(text), json_string_length(text)};
        if (memmem(again.p, again.n, "\xef\xbf\xbd", 3) || json_object_get(result, "pattern"))
            continue; /* bytes that are not UTF-8 are shown as U+FFFD */
        struct judge_source source = {.text = again};
        struct judge_error error;
        struct judge *second = judge_parse(&source, 1, NULL, &error);
        CHECK(second);
        judge_free(second);
    }
    struct buf b = {.max = 1 << 24};
    report_junit(report, &b);
    report_tap(report, &b);
    report_github(report, &b);
    buf_free(&b);
    json_decref(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct judge_source source = {.text = {(const char *)data, n}};
    struct judge_error error = {0};
    struct judge *j = judge_parse(&source, 1, NULL, &error);
    if (!j) {
        CHECK(error.line >= 1 && error.column >= 1 && error.column <= n + 1 && error.message[0]);
        CHECK(strlen(error.excerpt) < sizeof error.excerpt);
        return 0;
    }
    struct reader reader = {&ops};
    struct err err = {0};
    CHECK(judge_start(j, &reader, &err) == 0);
    feed(j);
    check_report(j, &reader);
    judge_free(j);
    return 0;
}
