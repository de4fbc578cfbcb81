#include "command/pushing.h"

#include "command/command.h"
#include "command/labels.h"
#include "command/table.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LABEL_SHOWN 80 /* bytes of a label that people are shown */

/* --- what was done ------------------------------------------------------------------------------------------ */

const char *pushing_place(const struct fleet_url *url, char place[PUSHING_PLACE]) {
    bool six = strchr(url->host, ':') != NULL;
    snprintf(place, PUSHING_PLACE, "%s%s%s:%d/%s", six ? "[" : "", url->host, six ? "]" : "", url->port,
             url->database);
    return place;
}

/* The place stands before it already. */
const char *pushing_why(const struct push_options *push, const struct err *err) {
    char place[PUSHING_PLACE];
    size_t n = strlen(pushing_place(&push->url, place));
    return strncmp(err->text, place, n) == 0 && strncmp(err->text + n, ": ", 2) == 0 ? err->text + n + 2
                                                                                     : err->text;
}

static void show_labels(const struct push_options *push, struct buf *text) {
    for (int i = 0; i < FLEET_LABELS; i++) {
        struct span label = push->labels[i];
        bool shown = label.n && i != fleet_label_of("host") && i != fleet_label_of("version");
        bool cut = label.n > LABEL_SHOWN;
        if (i == fleet_label_of("commit") && label.n > 7)
            label.n = 7;
        label.n = label.n > LABEL_SHOWN ? LABEL_SHOWN : label.n;
        if (shown) {
            buf_str(text, text->n ? " " : "");
            text_harmless(text, label);
            buf_str(text, cut ? "…" : "");
        }
    }
}

static void put_label(struct buf *b, size_t *n, struct span key, struct span value) {
    buf_str(b, (*n)++ ? "," : "");
    json_put_string(b, key);
    buf_char(b, ':');
    json_put_string(b, value);
}

static void put_result(struct buf *b, const struct push_options *push, const struct push_result *r) {
    char place[PUSHING_PLACE];
    size_t n = 0;
    buf_str(b, "{\"to\":");
    json_put_string(b, span_str(pushing_place(&push->url, place)));
    buf_printf(b, ",\"recording\":\"%s\",\"labels\":{", r->recording);
    for (int i = 0; i < FLEET_LABELS; i++)
        if (push->labels[i].n)
            put_label(b, &n, span_str(fleet_labels[i]), push->labels[i]);
    for (size_t i = 0; i < push->n_others; i++)
        put_label(b, &n, push->others[i].key, push->others[i].value);
    buf_printf(b,
               "},\"unchanged\":%s,\"samples\":%" PRIu64 ",\"series\":%" PRIu64 ",\"records\":%" PRIu64
               ",\"bytes\":%" PRIu64 ",\"retries\":%u,\"seconds\":",
               r->known ? "true" : "false", r->samples, r->series, r->records, r->bytes, r->tries);
    json_put_number(b, (double)r->took_ns / 1e9);
    buf_str(b, "}\n");
}

void pushing_tell(const struct options *o, const struct push_options *push, const struct push_result *r) {
    char place[PUSHING_PLACE];
    struct buf labels = {.max = 65536}, text = {.max = 16 << 20};
    show_labels(push, &labels);
    if (option_on(o, OPT_JSON)) {
        put_result(&text, push, r);
        text_write(stdout, buf_view(&text));
    } else if (!option_on(o, OPT_QUIET)) {
        buf_printf(&text, "%s%" PRIu64 " sample%s in %" PRIu64 " series %s %s%s%.*s (recording %s",
                   r->known ? "unchanged: " : "pushed ", r->samples, r->samples == 1 ? "" : "s", r->series,
                   r->known ? "are already in" : "to", pushing_place(&push->url, place),
                   labels.n ? " as " : "", SPAN_ARG(buf_view(&labels)), r->recording);
        if (!r->known)
            buf_printf(&text, ", %.1f MB, %.1f s", (double)r->bytes / 1e6, (double)r->took_ns / 1e9);
        buf_str(&text, ")\n");
        text_write(stderr, buf_view(&text));
    }
    buf_free(&labels);
    buf_free(&text);
}

/* --- progress ----------------------------------------------------------------------------------------------- */

#define BAR 30

static void draw_progress(void *arg, uint64_t samples, uint64_t of) {
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

void pushing_show_progress(const struct options *o, struct push_options *push) {
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    bool plain = (no && no[0]) || (term && strcmp(term, "dumb") == 0);
    if (isatty(STDERR_FILENO) && !plain && !option_on(o, OPT_QUIET) && !option_on(o, OPT_JSON))
        push->progress = draw_progress;
}

/* --- where to ----------------------------------------------------------------------------------------------- */

int pushing_target(const char *to, struct push_options *push) {
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

/* --- run --push --------------------------------------------------------------------------------------------- */

int pushing_check(const struct options *o) {
    struct push_options push = {0};
    if (option_text(o, OPT_PUSH) && option_text(o, OPT_PUSH)[0])
        return pushing_target(option_text(o, OPT_PUSH), &push);
    if (option_on(o, OPT_PUSH_REQUIRED)) {
        log_error("--push-required says nothing without --push");
        return EXIT_USAGE;
    }
    return EXIT_PASS;
}

/* What to type later: with what the environment may not say then. */
static void put_command(struct buf *b, const struct options *o, const char *file) {
    buf_printf(b, "the recording is in %s: statwit push ", file);
    text_quoted(b, file);
    if (o->value[OPT_PUSH].from == FROM_FLAG) {
        buf_str(b, " --to ");
        text_quoted(b, option_text(o, OPT_PUSH));
    }
    for (size_t i = 0; i < o->list[OPT_LABEL].n; i++) {
        buf_str(b, " --label ");
        text_quoted(b, o->list[OPT_LABEL].texts[i]);
    }
}

static void tell_failure(const struct options *o, const struct push_options *push, const struct err *err,
                         const char *kept) {
    char place[PUSHING_PLACE];
    struct buf text = {.max = 8 << 20};
    buf_printf(&text, "not pushed to %s: %s; ", pushing_place(&push->url, place), pushing_why(push, err));
    if (kept)
        put_command(&text, o, kept);
    else
        buf_str(&text, "the recording is gone: give --db FILE to keep it");
    log_line(option_on(o, OPT_PUSH_REQUIRED) ? LOG_ERROR : LOG_WARNING, "%s", text.p ? text.p : err->text);
    buf_free(&text);
}

/* The engine's words may be of any bytes. */
static json_t *harmless_json(const char *text) {
    struct buf b = {.max = 8192};
    text_harmless(&b, span_str(text));
    json_t *json = json_string(b.p ? b.p : "");
    buf_free(&b);
    return json;
}

int pushing_after(const struct options *o, struct reader *from, const char *kept, const atomic_bool *stop,
                  json_t **told) {
    struct labels labels = {0};
    struct push_result result = {0};
    struct err err = {0};
    bool required = option_on(o, OPT_PUSH_REQUIRED);
    int64_t limit = option_number(o, OPT_PUSH_TIMEOUT);
    struct push_options push = {.patience_ns = limit, .until_ns = clock_mono_ns() + limit, .stop = stop};
    *told = NULL;
    int status = pushing_target(option_text(o, OPT_PUSH), &push);
    if (status == EXIT_PASS)
        status = labels_collect(o, &labels, &push);
    if (status == EXIT_PASS) {
        char place[PUSHING_PLACE];
        int failed = push_run(from, &push, &result, &err);
        if (failed)
            tell_failure(o, &push, &err, kept);
        else
            pushing_tell(o, &push, &result);
        status = failed && required ? EXIT_CANNOT : EXIT_PASS;
        *told = json_pack("{s:b, s:s, s:b}", "ok", !failed, "to", pushing_place(&push.url, place), "required",
                          required);
        if (failed)
            json_object_set_new(*told, "why", harmless_json(pushing_why(&push, &err)));
        else
            json_object_set_new(*told, "recording", json_string(result.recording));
    }
    labels_free(&labels);
    return status;
}
