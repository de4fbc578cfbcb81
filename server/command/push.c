/* statwit push: a recording into a fleet's ClickHouse. */
#include "command/pushing.h"

#include "command/commands.h"
#include "command/labels.h"
#include "command/table.h"
#include "core/clock.h"
#include "core/log.h"
#include "store/clickhouse/push.h"
#include "store/open.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- what was done ------------------------------------------------------------------------------------------ */

/* host:8123/statwit */
static void show_place(const struct fleet_url *url, char *text, size_t size) {
    bool six = strchr(url->host, ':') != NULL;
    snprintf(text, size, "%s%s%s:%d/%s", six ? "[" : "", url->host, six ? "]" : "", url->port, url->database);
}

static void show_labels(const struct push_options *push, struct buf *text) {
    for (int i = 0; i < FLEET_LABELS; i++) {
        struct span label = push->labels[i];
        bool shown = label.p && label.n && i != fleet_label_of("host") && i != fleet_label_of("version");
        if (i == fleet_label_of("commit") && label.n > 7)
            label.n = 7;
        if (shown) {
            buf_str(text, text->n ? " " : "");
            buf_span(text, label);
        }
    }
}

static json_t *result_json(const struct push_options *push, const struct push_result *r, const char *place) {
    json_t *labels = json_object();
    for (int i = 0; i < FLEET_LABELS; i++)
        if (push->labels[i].n)
            json_object_set_new(labels, fleet_labels[i], json_stringn(push->labels[i].p, push->labels[i].n));
    return json_pack("{s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:i, s:f}", "to", place, "recording", r->recording,
                     "labels", labels, "samples", (json_int_t)r->samples, "series", (json_int_t)r->series,
                     "records", (json_int_t)r->records, "bytes", (json_int_t)r->bytes, "retries",
                     (int)r->tries, "seconds", (double)r->took_ns / 1e9);
}

static void tell_result(const struct options *o, const struct push_options *push,
                        const struct push_result *r) {
    char place[400];
    struct buf labels = {.max = 65536}, text = {.max = 1 << 20};
    show_place(&push->url, place, sizeof place);
    if (option_on(o, OPT_JSON)) {
        json_t *json = result_json(push, r, place);
        char *line = json ? json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
        puts(line ? line : "{}");
        free(line);
        json_decref(json);
    } else if (!option_on(o, OPT_QUIET)) {
        show_labels(push, &labels);
        buf_printf(
            &text,
            "pushed %" PRIu64 " sample%s in %" PRIu64 " series to %s%s%.*s (recording %s, %.1f MB, %.1f s)\n",
            r->samples, r->samples == 1 ? "" : "s", r->series, place, labels.n ? " as " : "",
            SPAN_ARG(buf_view(&labels)), r->recording, (double)r->bytes / 1e6, (double)r->took_ns / 1e9);
        text_write(stderr, buf_view(&text));
    }
    buf_free(&labels);
    buf_free(&text);
}

/* --- progress ----------------------------------------------------------------------------------------------- */

#define BAR 30

static void show_progress(void *arg, uint64_t samples, uint64_t of) {
    (void)arg;
    char bar[BAR + 1];
    size_t full = of ? (size_t)(samples * BAR / of) : BAR;
    for (size_t i = 0; i < BAR; i++)
        bar[i] = i < full ? '#' : '.';
    bar[BAR] = '\0';
    fprintf(stderr, "\r[%s] %" PRIu64 " of %" PRIu64 " samples", bar, samples, of);
    if (samples >= of)
        fputs("\r\033[K", stderr);
    fflush(stderr);
}

/* --- the command -------------------------------------------------------------------------------------------- */

static const char *target_of(const struct options *o) {
    const char *to = option_text(o, OPT_TO);
    return to ? to : getenv("STATWIT_PUSH");
}

static int read_target(const char *to, struct push_options *push) {
    struct err err = {0};
    if (!to || fleet_url_parse(to, clock_wall_ns(), &push->url, &err) != 0) {
        log_error("%s", to ? err.text : "where to? --to clickhouse://HOST/DATABASE, or STATWIT_PUSH");
        return EXIT_USAGE;
    }
    if (push->url.n_words || push->url.since || push->url.until || push->url.latest ||
        push->url.recording[0] || push->url.lossless) {
        log_error("conditions in the URL are for reading: to push, labels are given with --label KEY=VALUE");
        return EXIT_USAGE;
    }
    return EXIT_PASS;
}

static int push_file(const struct options *o, const char *path, struct push_options *push) {
    struct err err = {0};
    struct push_result result;
    bool usage;
    if (reader_is_url(path)) {
        log_error("push takes the file of a recording, not %s", path);
        return EXIT_USAGE;
    }
    struct reader *from = reader_open(path, NULL, 0, &usage, &err);
    if (!from) {
        log_error("%s", err.text);
        return EXIT_CANNOT;
    }
    if (from->ops->note(from))
        log_info("%s %s", path, from->ops->note(from));
    if (isatty(STDERR_FILENO) && !option_on(o, OPT_QUIET) && !option_on(o, OPT_JSON))
        push->progress = show_progress;
    int status = push_run(from, push, &result, &err) == 0 ? EXIT_PASS : EXIT_CANNOT;
    reader_close(from);
    if (status == EXIT_PASS)
        tell_result(o, push, &result);
    else
        log_error("not pushed: %s", err.text);
    return status;
}

static int make_tables(const struct options *o, const struct push_options *push) {
    struct err err = {0};
    if (push_init(push, &err) != 0) {
        log_error("%s", err.text);
        return EXIT_CANNOT;
    }
    char place[400];
    show_place(&push->url, place, sizeof place);
    if (!option_on(o, OPT_QUIET))
        log_info("%s has the tables of statwit", place);
    return EXIT_PASS;
}

static bool cluster_is_name(const char *text) {
    return text[0] && strlen(text) <= 64 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(text);
}

int push_command(const struct options *o) {
    struct labels labels = {0};
    struct push_options push = {.init = option_on(o, OPT_INIT),
                                .cluster = option_text(o, OPT_CLUSTER),
                                .ca_file = option_text(o, OPT_CA_FILE),
                                .with_requests = option_on(o, OPT_WITH_REQUESTS),
                                .patience_ns = option_number(o, OPT_TIMEOUT)};
    const char *path = o->n_args ? o->args[0] : option_text(o, OPT_DB);
    int status = read_target(target_of(o), &push);
    if (status == EXIT_PASS && push.cluster && (!push.init || !cluster_is_name(push.cluster))) {
        log_error("--cluster takes the name of a cluster, in letters, digits and _, together with --init");
        status = EXIT_USAGE;
    }
    if (status == EXIT_PASS && !path && !push.init) {
        log_error("statwit push needs a recording: statwit push FILE");
        status = EXIT_USAGE;
    }
    if (status == EXIT_PASS)
        status = labels_collect(o, &labels, &push);
    if (status == EXIT_PASS)
        status = path ? push_file(o, path, &push) : make_tables(o, &push);
    labels_free(&labels);
    return status;
}

/* --- run --push --------------------------------------------------------------------------------------------- */

int pushing_check(const struct options *o) {
    struct push_options push = {0};
    if (option_text(o, OPT_PUSH) && option_text(o, OPT_PUSH)[0])
        return read_target(option_text(o, OPT_PUSH), &push);
    if (option_on(o, OPT_PUSH_REQUIRED)) {
        log_error("--push-required says nothing without --push");
        return EXIT_USAGE;
    }
    return EXIT_PASS;
}

int pushing_after(const struct options *o, struct reader *from, const char *kept) {
    struct labels labels = {0};
    struct push_result result;
    struct err err = {0};
    int64_t limit = option_number(o, OPT_PUSH_TIMEOUT);
    struct push_options push = {.patience_ns = limit, .until_ns = clock_mono_ns() + limit};
    int status = read_target(option_text(o, OPT_PUSH), &push);
    if (status == EXIT_PASS)
        status = labels_collect(o, &labels, &push);
    if (status == EXIT_PASS && push_run(from, &push, &result, &err) != 0) {
        bool required = option_on(o, OPT_PUSH_REQUIRED);
        struct buf text = {.max = 8192};
        buf_printf(&text, "not pushed: %s; ", err.text);
        if (kept)
            buf_printf(&text, "the recording is in %s: statwit push %s", kept, kept);
        else
            buf_str(&text, "give --db FILE to keep the recording");
        if (required)
            log_error("%s", text.p);
        else
            log_warning("%s", text.p);
        status = required ? EXIT_CANNOT : EXIT_PASS;
        buf_free(&text);
    } else if (status == EXIT_PASS)
        tell_result(o, &push, &result);
    labels_free(&labels);
    return status;
}
