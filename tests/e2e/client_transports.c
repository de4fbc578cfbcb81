/* The library against the real server: every transport, one story. Compiled against the installed tree. */
#include <math.h>
#include <statwit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct statwit_error error;

static void *need(void *thing, const char *what) {
    if (!thing) {
        fprintf(stderr, "%s: %s\n", what, error.text);
        exit(1);
    }
    return thing;
}

static void emit(const struct statwit_options *options) {
    struct statwit_metrics *metrics = need(statwit_open(options, &error), "open");
    for (int i = 1; i <= 100; i++) {
        statwit_incr(metrics, "hits", .tags = STATWIT_TAGS({"env", "ci"}, {"ok", STATWIT_BOOL(true)}));
        statwit_timing(metrics, "latency", i, .tags = STATWIT_TAGS({"path", "/größe"}));
        statwit_gauge(metrics, "level", 0.1 * i);
        statwit_set(metrics, "users", i % 7);
    }
    statwit_event(metrics, "Deploy finished", "all\nis well", .alert_type = "success",
                  .tags = STATWIT_TAGS({"env", "ci"}));
    statwit_check(metrics, "app.ok", STATWIT_CHECK_OK, .tags = STATWIT_TAGS({"env", "ci"}));
    statwit_close(metrics);
    struct statwit_health health;
    statwit_health(metrics, &health);
    if (health.dropped_full + health.dropped_invalid + health.dropped_late + health.dropped_refused > 0) {
        fprintf(stderr, "dropped: %s\n", health.last_trouble);
        exit(1);
    }
}

static const char notices[] = "event \"Deploy finished\"{env:ci}\ncheck app.ok{env:ci} status == ok\n";
static const char datagrams[] = "incr t.hits[env:ci,ok:True] sum == 100\n"
                                "timing t.latency{path:/größe} count == 100 and sum == 5050 and p95 > 90\n"
                                "gauge t.level last == 10.0\n"
                                "set t.users distinct == 7\n";

static void story(struct statwit_recorder *recorder, const char *variable, bool aggregate) {
    struct statwit_session_options with_sockets = {.unix_sockets = true};
    struct statwit_session *session = need(statwit_session_open(recorder, &with_sockets, &error), "session");
    struct statwit_options options = {.prefix = "t.", .aggregate = aggregate, .close_timeout_ms = 60000};
    const char *path = variable ? statwit_session_variable(session, variable) : NULL;
    char url[300];
    statwit_session_aim(session, &options);
    if (variable) {
        need((void *)path, variable);
        snprintf(url, sizeof url, "%s%s",
                 strstr(path, "://")          ? ""
                 : strstr(variable, "STREAM") ? "unixstream://"
                                              : "unixgram://",
                 path);
        options.url = url;
    }
    emit(&options);
    statwit_assert(session, datagrams);
    statwit_assert(session, notices);
    struct statwit_list list;
    if (statwit_list_series(session, NULL, &list, &error) || list.n != 4) {
        fprintf(stderr, "%zu series: %s\n", list.n, error.text);
        exit(1);
    }
    statwit_list_free(&list);
    statwit_session_close(session);
}

static void http_story(struct statwit_recorder *recorder) {
    struct statwit_session *session = need(statwit_session_open(recorder, NULL, &error), "session");
    struct statwit_options options = {.prefix = "t.", .backend = "datadog", .close_timeout_ms = 60000};
    statwit_session_aim(session, &options);
    emit(&options);
    statwit_assert(session, notices);
    statwit_assert(
        session,
        "rate t.hits{env:ci} sum > 0\nany t.latency.count samples >= 1\nany t.latency.max max == 100");
    struct statwit_list list;
    struct statwit_filter filter = {.source = "http", .name = "t.latency.*"};
    if (statwit_list_series(session, &filter, &list, &error) || list.n != 8) {
        fprintf(stderr, "%zu series over HTTP: %s\n", list.n, error.text);
        exit(1);
    }
    statwit_list_free(&list);
    statwit_session_close(session);
}

/* The same calls and the same expectations, whichever of the two backends is set. */
static void same_story(struct statwit_recorder *recorder, const char *backend) {
    struct statwit_session *session = need(statwit_session_open(recorder, NULL, &error), "session");
    struct statwit_options options = {.prefix = "t.", .backend = backend, .close_timeout_ms = 60000};
    statwit_session_aim(session, &options);
    struct statwit_metrics *metrics = need(statwit_open(&options, &error), "open");
    static const double fractions[] = {0.1, 0.2, 0.3};
    for (int i = 0; i < 3; i++) {
        statwit_incr(metrics, "login.attempt", .instance = "failure");
        statwit_count(metrics, "bytes", 1500);
        statwit_count(metrics, "share", fractions[i]);
        statwit_gauge(metrics, "level", i + 0.5);
        statwit_timing(metrics, "latency", 12);
        statwit_histogram(metrics, "size", 7);
        statwit_distribution(metrics, "spread", 2 * i);
    }
    statwit_incr(metrics, "login.attempt", .instance = "success");
    statwit_close(metrics);
    statwit_assert(session,
                   "prefix t.\n"
                   "incr login.attempt{instance:failure} sum == 3 and count == 3\n"
                   "incr login.* sum == 4 and series == 2 and samples >= 2\n"
                   "incr bytes sum == 4500\n"
                   "incr share sum == 0.6\n"
                   "incr share sum ~ 0.6\n"
                   "no incr login.attempt{instance:other}\n"
                   "no incr errors.*\n"
                   "no incr login.attempt sum > 4\n"
                   "gauge level last == 2.5\n"
                   "timing latency count == 3 and avg == 12 and p95 == 12 and min == 12 and max == 12\n"
                   "timing latency each <= 12 and series == 1\n"
                   "no timing latency each > 12\n"
                   "no timing latency p95 > 500\n"
                   "histogram size count >= 1 and p95 < 500\n"
                   "distribution spread count == 3 and sum == 6 and max == 4 and distinct == 3\n"
                   "no any errors.*\n");
    struct statwit_report report;
    if (statwit_expect(session, "no incr t.login.*", NULL, &report, &error) || report.verdict != STATWIT_FAIL)
        need(NULL, "a no that matched");
    statwit_report_free(&report);
    statwit_session_close(session);
}

/* Waiting, marks, reset, export of the environment, a failing and a malformed expectation. */
static void assertions(struct statwit_recorder *recorder) {
    struct statwit_session *session = need(statwit_session_open(recorder, NULL, &error), "session");
    struct statwit_report report;
    if (statwit_session_export(session, &error))
        need(NULL, "export");
    struct statwit_metrics *metrics = need(statwit_open(NULL, &error), "open");
    statwit_incr(metrics, "before");
    statwit_flush(metrics, 1000);
    int64_t mark = statwit_mark(session, &error);
    statwit_incr(metrics, "after"); /* leaves by itself, while the question waits */
    statwit_assert_within(session, "incr after sum == 1", 60000);
    struct statwit_expect_options since = {.since = mark, .file = "story.expect"};
    if (statwit_expect(session, "incr before", &since, &report, &error) || report.verdict != STATWIT_FAIL ||
        report.n_results != 1 || !strstr(report.text, "incr before"))
        need(NULL, "since");
    statwit_report_free(&report);
    double number;
    if (statwit_expect_value(session, "incr after where value == 1", "sum", &number) != STATWIT_PASS ||
        number != 1)
        need(NULL, "value");
    struct statwit_expect_options strict = {.no_rejects = true};
    if (statwit_expect(session, "incr after where value > 1 samples == 0", &strict, &report, &error) ||
        report.verdict != STATWIT_PASS || report.n_results != 2)
        need(NULL, "no_rejects");
    statwit_report_free(&report);
    struct statwit_expect_options datadog = {.as_datadog = true};
    if (statwit_expect(session, "rate after sum == 0.1", &datadog, &report, &error) ||
        report.verdict != STATWIT_PASS)
        need(NULL, "as_datadog");
    statwit_report_free(&report);
    if (statwit_expect(session, "incr a{", NULL, &report, &error) == 0 || error.code != STATWIT_INVALID)
        need(NULL, "malformed");
    if (statwit_reset(session, &error))
        need(NULL, "reset");
    statwit_assert(session, "no any *");
    statwit_close(metrics);
    statwit_session_close(session);
    if (statwit_session_attach(recorder, "no such session", &error) || error.status != 404)
        need(NULL, "attach");
}

/* What a test sends after its end reaches no other test. */
static void late(struct statwit_recorder *recorder) {
    struct statwit_options options = {.aggregate = false};
    struct statwit_session *ended = need(statwit_session_open(recorder, NULL, &error), "session");
    statwit_session_aim(ended, &options);
    struct statwit_metrics *metrics = need(statwit_open(&options, &error), "open");
    statwit_session_close(ended);
    struct statwit_session *other = need(statwit_session_open(recorder, NULL, &error), "session");
    struct statwit_session *common = need(statwit_session_attach(recorder, NULL, &error), "default");
    statwit_incr(metrics, "late");
    statwit_flush(metrics, 1000);
    statwit_assert(other, "no any *");
    statwit_assert(common, "no any late");
    statwit_close(metrics);
    statwit_session_close(common);
    statwit_session_close(other);
}

int main(void) {
    struct statwit_recorder *recorder = need(statwit_recorder_start(NULL, &error), "start");
    static const char *const variables[] = {NULL, "DD_DOGSTATSD_SOCKET", "DD_DOGSTATSD_STREAM_SOCKET"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        story(recorder, variables[i], false);
        story(recorder, variables[i], true);
    }
    http_story(recorder);
    same_story(recorder, "dogstatsd");
    same_story(recorder, "datadog");
    assertions(recorder);
    late(recorder);
    struct statwit_losses losses;
    if (statwit_recorder_losses(recorder, &losses, &error) || losses.kernel_drop > 0)
        need(NULL, "losses");
    statwit_recorder_close(recorder);
    if (statwit_recorder_start(&(struct statwit_start_options){.binary = "/no/such/statwit"}, &error) ||
        !strstr(error.text, "/no/such/statwit"))
        need(NULL, "a binary that is not there");
    puts("transports: ok");
    return 0;
}
