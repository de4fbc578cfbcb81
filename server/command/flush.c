/* statwit flush: what an Agent would have sent for a session, of a server or of a file. */
#include "control/flush.h"

#include "command/commands.h"
#include "command/file.h"
#include "command/rows.h"
#include "command/table.h"
#include "core/clock.h"
#include "core/log.h"
#include <inttypes.h>
#include <stdio.h>

#define PAGE_MAX       ((size_t)512 << 20)
#define INTERVAL_S_MAX 86400

static int refuse(const char *flag, const struct err *err) {
    log_error("%s: %s", flag, err->text);
    return EXIT_USAGE;
}

static int read_interval(const struct options *o, int64_t *seconds) {
    int64_t ns = option_number(o, OPT_INTERVAL);
    *seconds = ns / NS_PER_S;
    if (ns % NS_PER_S == 0 && ns > 0 && *seconds <= INTERVAL_S_MAX)
        return EXIT_PASS;
    log_error("--interval takes whole seconds from 1s to 24h, not '%s'", option_text(o, OPT_INTERVAL));
    return EXIT_USAGE;
}

static int read_agent(const struct options *o, struct agent_options *agent) {
    const char *hostname = option_text(o, OPT_HOSTNAME);
    struct err err = {0};
    agent_defaults(agent);
    if (hostname)
        agent->hostname = span_str(hostname);
    agent->explain = span_str(option_text(o, OPT_EXPLAIN));
    if (option_given(o, OPT_HISTOGRAM_AGGREGATES) &&
        agent_read_aggregates(agent, span_str(option_text(o, OPT_HISTOGRAM_AGGREGATES)), &err) != 0)
        return refuse("--histogram-aggregates", &err);
    if (option_given(o, OPT_HISTOGRAM_PERCENTILES) &&
        agent_read_percentiles(agent, span_str(option_text(o, OPT_HISTOGRAM_PERCENTILES)), &err) != 0)
        return refuse("--histogram-percentiles", &err);
    return EXIT_PASS;
}

/* Also what a server is asked is checked here: then an error names the flag. */
static int read_question(const struct options *o, struct flush_question *q) {
    struct err err = {0};
    int64_t seconds;
    int status = read_agent(o, &q->feed.agent);
    if (status == EXIT_PASS)
        status = read_interval(o, &seconds);
    if (status != EXIT_PASS)
        return status;
    if (option_given(o, OPT_FLUSH_AT) && o->value[OPT_INTERVAL].from != FROM_DEFAULT) {
        log_error("give --interval or --flush-at, not both");
        return EXIT_USAGE;
    }
    q->feed.interval_ns = seconds * NS_PER_S;
    q->format = (enum payload_format)payload_format_of(span_str(option_text(o, OPT_FORMAT)));
    /* Shown is what is explained, unless more is asked for. */
    q->only = span_str(o->n_args ? o->args[0] : NULL);
    if (option_given(o, OPT_FLUSH_AT) &&
        feed_read_times(&q->feed, span_str(option_text(o, OPT_FLUSH_AT)), &err) != 0)
        return refuse("--flush-at", &err);
    return EXIT_PASS;
}

/* --- a file ----------------------------------------------------------------------------------------------------------- */

/* Where the text goes. */
struct flush_output {
    FILE *to;
    uint64_t n_bytes;
};

static bool write_bytes(void *arg, const char *bytes, size_t size) {
    struct flush_output *out = arg;
    out->n_bytes += size;
    return fwrite(bytes, 1, size, out->to) == size;
}

static int write_pages(const struct flush_question *q, struct reader *r, struct flush_output *out,
                       struct err *err) {
    struct buf page = {.max = PAGE_MAX};
    struct flushes *f = flush_new(q, err);
    int more = f ? 1 : -1;
    while (more > 0 && !ferror(out->to)) {
        buf_clear(&page);
        more = flush_step(f, r, &page, err);
        if (more >= 0)
            write_bytes(out, page.p ? page.p : "", page.n);
    }
    flush_free(f);
    buf_free(&page);
    return more < 0 ? EXIT_CANNOT : EXIT_PASS;
}

/* What a file says about losses is part of an answer: an Agent might have seen more. */
static int on_loss(void *arg, const struct loss_row *row) {
    uint64_t *lost = arg;
    *lost += row->n;
    return 0;
}

static void warn_of_losses(struct reader *r, const struct filter *filter) {
    uint64_t lost = 0;
    struct err err = {0};
    struct filter f = {.session = filter->session, .since = filter->since};
    if (r->ops->losses(r, &f, on_loss, &lost, &err) == 0 && lost)
        log_warning("%" PRIu64 " losses are noted in the recording: an Agent might have sent more "
                    "(`sqlite3 FILE 'SELECT * FROM losses'`)",
                    lost);
}

static int flush_file(const struct options *o, struct flush_question *q, struct flush_output *out) {
    struct err err = {0};
    const char *session = rows_session(o);
    int status;
    struct reader *r = rows_open_file(o, &status);
    if (!r)
        return status;
    q->feed.filter = (struct filter){.session = span_str(strcmp(session, "*") == 0 ? NULL : session),
                                     .since = (uint64_t)option_number(o, OPT_SINCE)};
    status = r->ops->begin(r, &err) == 0 ? EXIT_PASS : EXIT_CANNOT;
    if (status == EXIT_PASS) {
        status = rows_find_session(r, o, span_str(session), &err);
        if (status == EXIT_PASS)
            status = rows_find_mark(r, o, &err);
        if (status == EXIT_PASS)
            status = write_pages(q, r, out, &err);
        if (status == EXIT_PASS)
            warn_of_losses(r, &q->feed.filter);
        r->ops->end(r);
    }
    reader_close(r);
    if (status != EXIT_PASS)
        log_error("%s", err.text);
    return status;
}

/* --- a server --------------------------------------------------------------------------------------------------------- */

static int flush_server(const struct options *o, struct flush_output *out) {
    struct remote remote;
    struct buf path = {.max = 1 << 20};
    char seconds[32];
    snprintf(seconds, sizeof seconds, "%lld", option_number(o, OPT_INTERVAL) / NS_PER_S);
    buf_str(&path, "/recorder/v1/flush");
    remote_arg(&path, "session", option_text(o, OPT_SESSION));
    remote_arg(&path, "since", option_text(o, OPT_SINCE));
    remote_arg(&path, "name", o->n_args ? o->args[0] : NULL);
    remote_arg(&path, "format", option_text(o, OPT_FORMAT));
    remote_arg(&path, "flush_at", option_text(o, OPT_FLUSH_AT));
    remote_arg(&path, "interval_s", option_given(o, OPT_FLUSH_AT) ? NULL : seconds);
    remote_arg(&path, "hostname", option_text(o, OPT_HOSTNAME));
    remote_arg(&path, "explain", option_text(o, OPT_EXPLAIN));
    remote_arg(&path, "histogram_aggregates", option_text(o, OPT_HISTOGRAM_AGGREGATES));
    remote_arg(&path, "histogram_percentiles", option_text(o, OPT_HISTOGRAM_PERCENTILES));
    int status = remote_open(&remote, o);
    if (status == EXIT_PASS)
        status = remote_stream(&remote, path.p, write_bytes, out);
    remote_close(&remote);
    buf_free(&path);
    return status;
}

int flush_command(const struct options *o) {
    struct flush_question q = {.only = {NULL, 0}};
    struct file_output file;
    struct err err = {0};
    const char *path = option_text(o, OPT_OUTPUT);
    bool to_file = path && !file_is_stdout(path);
    int status = read_question(o, &q);
    if (status == EXIT_PASS && to_file && file_begin(&file, path, &err) != 0)
        status = EXIT_CANNOT;
    if (status == EXIT_PASS) {
        struct flush_output out = {.to = to_file ? file.to : stdout};
        status = rows_from_file(o) ? flush_file(o, &q, &out) : flush_server(o, &out);
        if (status == EXIT_PASS && out.n_bytes == 0 && q.format == PAYLOAD_TABLE)
            log_info("an Agent would have sent nothing%s", q.only.p || q.feed.agent.explain.p
                                                               ? " of that name"
                                                               : ": no sample came over DogStatsD");
        if (to_file && file_end(&file, status == EXIT_PASS, &err) != 0)
            status = EXIT_CANNOT;
    }
    if (err.set)
        log_error("%s", err.text);
    free(q.feed.at_ns);
    return status;
}
