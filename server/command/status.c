/* statwit status: what listens, what was recorded, what was lost. */
#include "command/commands.h"
#include "command/remote.h"
#include "command/rows.h"
#include "command/table.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/loss.h"
#include <stdarg.h>
#include <stdio.h>

#define WAIT_MAX_MS (24 * 3600 * 1000)

static void line(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void line(const char *name, const char *format, ...) {
    va_list args;
    printf("%s%-12s%s ", colour(COLOUR_BOLD), name, colour(COLOUR_OFF));
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

enum { TRANSPORT, ADDRESS, SESSION, DATAGRAMS, BYTES, DROPS, TRUNCATED, N };
static const struct column columns[N] = {
    [TRANSPORT] = {.title = "TRANSPORT"},
    [ADDRESS] = {.title = "ADDRESS", .colour = COLOUR_CYAN, .gives = true},
    [SESSION] = {.title = "SESSION"},
    [DATAGRAMS] = {.title = "DATAGRAMS", .right = true},
    [BYTES] = {.title = "BYTES", .right = true},
    [DROPS] = {.title = "DROPPED", .right = true},
    [TRUNCATED] = {.title = "TRUNCATED", .right = true},
};

static void show_listeners(const json_t *status) {
    struct text_table table;
    size_t i;
    json_t *row;
    table_begin(&table, N, columns);
    json_array_foreach(json_object_get(status, "listeners"), i, row) {
        bool http = json_object_get(row, "requests") != NULL;
        table_cell(&table, row_text(row, "transport"));
        table_cell(&table, row_text(row, "address"));
        table_cell(&table, http ? SPAN("-") : row_text(row, "session"));
        table_number(&table, row_number(row, http ? "requests" : "datagrams"));
        table_number(&table, row_number(row, "bytes"));
        table_number(&table, row_number(row, "kernel_drops"));
        table_number(&table, row_number(row, "truncated"));
    }
    table_end(&table);
}

/* Prints the losses in words; nothing when there are none. */
static void show_losses(const json_t *status) {
    const char *word;
    json_t *n;
    bool any = false;
    json_object_foreach(json_object_get(status, "losses"), word, n) {
        int loss = loss_of(span_str(word));
        if (json_number_value(n) <= 0 || loss < 0)
            continue;
        bool doubt = loss_kinds((enum loss)loss) == LOST_IN_DOUBT;
        printf("%s%-12s%s %.0f %s\n", colour(COLOUR_RED), doubt ? "perhaps lost" : "lost", colour(COLOUR_OFF),
               json_number_value(n), loss_sentence((enum loss)loss));
        any = any || !doubt;
    }
    if (!any)
        line("lost", "nothing");
}

/* This run and those before it. */
static void show_runs(const json_t *status) {
    const json_t *runs = json_object_get(status, "runs"), *earlier = json_object_get(status, "earlier");
    size_t n = json_array_size(runs), died = 0;
    for (size_t i = 0; i + 1 < n; i++)
        died += !json_is_true(json_object_get(json_array_get(runs, i), "ended_cleanly"));
    if (n < 2 && row_number(earlier, "records") <= 0)
        return;
    char samples[ROW_COUNT_SIZE], sessions[ROW_COUNT_SIZE], ended[64] = "";
    if (died)
        snprintf(ended, sizeof ended, "; %zu of them did not end cleanly", died);
    line("runs", "%zu before this one%s; %s in %s are left", n ? n - 1 : 0, ended,
         row_count(earlier, "samples", "sample", samples),
         row_count(earlier, "sessions", "session", sessions));
}

/* Writes that Datadog would refuse. */
static void show_keyless(const json_t *status) {
    size_t i;
    json_t *row;
    char text[ROW_COUNT_SIZE];
    json_array_foreach(json_object_get(status, "listeners"), i, row) {
        if (row_number(row, "without_api_key") > 0)
            line("keys", "%s had no API key and got a 403, as from Datadog",
                 row_count(row, "without_api_key", "request", text));
    }
}

/* What is passed on, and what was not. */
static void show_forward(const json_t *status) {
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(status, "forward"), i, row) {
        struct buf text = {.max = 1 << 16};
        double lost =
            row_number(row, "dropped") + row_number(row, "refused") + row_number(row, "datagrams_dropped");
        text_harmless(&text, row_text(row, "url"));
        if (row_text(row, "why").n) {
            buf_str(&text, ": ");
            text_harmless(&text, row_text(row, "why"));
        }
        line("forward", "%.0f passed on, %.0f waiting, %s%.0f lost%s to %.*s", row_number(row, "passed"),
             row_number(row, "waiting"), lost > 0 ? colour(COLOUR_RED) : "", lost,
             lost > 0 ? colour(COLOUR_OFF) : "", SPAN_ARG(buf_view(&text)));
        buf_free(&text);
    }
}

static void show(const json_t *status) {
    struct buf db = {.max = 1 << 16};
    const json_t *file = json_object_get(status, "db"), *counts = json_object_get(status, "counts");
    char text[5][ROW_COUNT_SIZE];
    text_harmless(&db, row_text(file, "path"));
    double up = row_number(status, "uptime_s");
    line("statwit", "%.*s, pid %.0f, up %.0f s", SPAN_ARG(row_text(status, "version")),
         row_number(status, "pid"), up);
    line("recording", "%.*s, %.1f MiB", SPAN_ARG(buf_view(&db)), row_number(file, "bytes") / 1048576);
    line("recorded", "%s in %s, %s, %s, %s", row_count(counts, "samples", "sample", text[0]),
         row_count(counts, "series", "series", text[1]), row_count(counts, "events", "event", text[2]),
         row_count(counts, "service_checks", "service check", text[3]),
         row_count(status, "sessions", "session", text[4]));
    show_runs(status);
    bool refused = row_number(counts, "rejects") > 0;
    line("refused", "%s%s", row_count(counts, "rejects", "line", text[0]),
         refused ? " (statwit rejects)" : "");
    show_keyless(status);
    show_losses(status);
    show_forward(status);
    putchar('\n');
    show_listeners(status);
    buf_free(&db);
}

static int wait_for_it(struct remote *remote, int64_t wait_ns) {
    struct statwit_error error;
    int64_t ms = wait_ns / NS_PER_MS;
    if (statwit_recorder_wait(remote->recorder, ms < WAIT_MAX_MS ? (int)ms : WAIT_MAX_MS, &error) == 0)
        return EXIT_PASS;
    log_error("%s", error.text);
    return EXIT_CANNOT;
}

static bool print_chunk(void *context, const char *bytes, size_t size) {
    (void)context;
    return text_write(stdout, span_of(bytes, size));
}

/* Whether the server would refuse the question for want of a token. That it is ready needs none. */
static bool wants_token(struct remote *remote) {
    struct statwit_request request = {.path = "/recorder/v1/faults"};
    struct statwit_response response = {0};
    struct statwit_error error;
    bool wants =
        statwit_request(remote->recorder, &request, &response, &error) == 0 && response.status == 401;
    statwit_response_free(&response);
    return wants;
}

/* A health check has no token. */
static bool is_answered(const struct options *o, struct remote *remote) {
    if (option_on(o, OPT_QUIET))
        return true;
    if (option_given(o, OPT_TOKEN) || option_on(o, OPT_JSON) || !wants_token(remote))
        return false;
    line("ready", "%s; what it recorded is told to those who have its token (STATWIT_TOKEN)",
         statwit_recorder_url(remote->recorder));
    return true;
}

int status_command(const struct options *o) {
    struct remote remote;
    json_t *answer = NULL;
    int status = remote_open(&remote, o);
    if (status == EXIT_PASS && option_given(o, OPT_WAIT))
        status = wait_for_it(&remote, option_number(o, OPT_WAIT));
    if (status == EXIT_PASS && option_given(o, OPT_WAIT) && is_answered(o, &remote)) {
        remote_close(&remote);
        return EXIT_PASS;
    }
    if (status == EXIT_PASS && option_on(o, OPT_JSON))
        status = remote_stream(&remote, "/recorder/v1/status", print_chunk, NULL);
    else if (status == EXIT_PASS &&
             (status = remote_call(&remote, NULL, "/recorder/v1/status", NULL, &answer)) == EXIT_PASS) {
        if (!option_on(o, OPT_QUIET))
            show(answer);
        json_decref(answer);
    }
    remote_close(&remote);
    return status;
}
