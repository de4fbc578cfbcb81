#include "judging.h"

#include <assert.h>
#include <stdio.h>

struct judge *judging_parse(const char *text, const struct judge_options *options) {
    struct judge_source source = {.text = span_str(text)};
    struct judge_error error;
    struct judge *j = judge_parse(&source, 1, options, &error);
    if (!j)
        fprintf(stderr, "%s: %s\n%s\n", text, error.message, error.excerpt);
    assert(j);
    return j;
}

struct judge *judging_start(const char *text, const struct judge_options *options, struct fake *f) {
    struct judge *j = judging_parse(text, options);
    struct err err = {0};
    int result = judge_start(j, fake_reader(f), &err);
    assert(result == 0);
    return j;
}

struct feeding {
    struct judge *judge;
    int result;
};

#define FEED(what, type)                                                                                     \
    static int feed_##what(void *arg, const struct type *row) {                                              \
        struct feeding *feeding = arg;                                                                       \
        return feeding->result = judge_take_##what(feeding->judge, row);                                     \
    }
FEED(series, series_row)
FEED(sample, sample_row)
FEED(event, event_row)
FEED(check, check_row)
FEED(reject, reject_row)
FEED(loss, loss_row)

int judging_feed_all(struct judge *j, struct fake *f) {
    struct feeding feeding = {.judge = j};
    struct filter all = {0};
    struct reader *r = fake_reader(f);
    r->ops->series(r, &all, feed_series, &feeding, NULL);
    if (!feeding.result)
        r->ops->samples(r, &all, true, feed_sample, &feeding, NULL);
    if (!feeding.result)
        r->ops->events(r, &all, feed_event, &feeding, NULL);
    if (!feeding.result)
        r->ops->checks(r, &all, feed_check, &feeding, NULL);
    if (!feeding.result)
        r->ops->rejects(r, &all, feed_reject, &feeding, NULL);
    if (!feeding.result)
        r->ops->losses(r, &all, feed_loss, &feeding, NULL);
    return feeding.result;
}

struct judge *judging_feed(const char *text, const struct judge_options *options, struct fake *f) {
    struct fake *nothing = fake_new();
    if (options)
        fake_skip_to(nothing, options->since);
    struct judge *j = judging_start(text, options, nothing);
    fake_free(nothing);
    int result = judging_feed_all(j, f);
    assert(result == 0);
    return j;
}

int judging_verdict(struct fake *f, const char *text, const struct judge_options *options) {
    struct judge *started = judging_start(text, options, f), *fed = judging_feed(text, options, f);
    int a = (int)judge_verdict(started), b = (int)judge_verdict(fed);
    if (a != b)
        fprintf(stderr, "%s: %s when started, %s when fed\n", text, judging_word(a), judging_word(b));
    judge_free(started);
    judge_free(fed);
    return a == b ? a : -1;
}

int judging_final(struct fake *f, const char *text) {
    struct judge *started = judging_start(text, NULL, f), *fed = judging_feed(text, NULL, f);
    bool a = judge_final(started), b = judge_final(fed);
    judge_free(started);
    judge_free(fed);
    return a == b ? a : -1;
}

json_t *judging_result(struct fake *f, const char *text, const struct judge_options *options) {
    struct judge *j = judging_start(text, options, f);
    struct err err = {0};
    json_t *report = judge_report(j, fake_reader(f), &err);
    assert(report);
    json_t *result = json_incref(json_array_get(json_object_get(report, "results"), 0));
    json_decref(report);
    judge_free(j);
    return result;
}

const char *judging_text(struct fake *f, const char *text, const char *key) {
    static char answer[4096];
    json_t *result = judging_result(f, text, NULL);
    const char *value = json_string_value(json_object_get(result, key));
    snprintf(answer, sizeof answer, "%s", value ? value : "(none)");
    json_decref(result);
    return answer;
}

const char *judging_word(int verdict) {
    return verdict < 0 ? "(disagreement)" : verdict_word((enum verdict)verdict);
}
