/* Datagrams as an Agent flushes them.
 *
 * DESIGN. The thread decodes what comes, at once, and flushes at each multiple of interval_ns. A flush becomes requests in the poster's
 * queue. A body ends at SERIES_BYTES before compression, which is under every limit whatever the compression makes of it. At the end
 * what is left is flushed as soon as its bucket is over by the samples' own clock: nothing is kept for an Agent that will not be. */
#include "agent/payload.h"
#include "agent/records.h"
#include "core/arena.h"
#include "core/array.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/version.h"
#include "forward/private.h"

#include <string.h>
#include <zstd.h>

#define SERIES_BYTES  ((size_t)500000)
#define SERIES_POINTS 10000
#define RECORDS_BYTES ((size_t)2000000) /* of events and of checks, each, between two flushes */
#define LEVEL         1

struct forward_event {
    struct span source, json;
    bool sent;
};

struct forward_flush {
    struct forward_target *target;
    struct agent *agent;
    struct dogstatsd *decoder;
    struct agent_options options;
    int64_t at_ns, flushed_ns;
    struct err err;
    struct buf series, sketches, checks;
    size_t n_points;
    struct arena texts;
    struct forward_event *events;
    size_t n_events, cap_events;
};

static struct span hostname_of(const struct forward_flush *f) {
    return span_str(f->target->forward->hostname);
}

/* --- requests ------------------------------------------------------------------------------------------------------------ */

static void post(struct forward_flush *f, const char *path, const char *type, struct span body) {
    struct forward_target *poster = f->target->poster;
    size_t room = ZSTD_compressBound(body.n);
    char *packed = malloc(room);
    size_t n = packed ? ZSTD_compress(packed, room, body.p, body.n, LEVEL) : 0;
    if (packed && !ZSTD_isError(n))
        target_put_request(
            poster, &(struct forward_request){
                        .method = SPAN("POST"),
                        .path = span_str(path),
                        .content_type = span_str(type),
                        .content_encoding = SPAN("zstd"),
                        .user_agent = SPAN("datadog-agent/7.64.0 (statwit/" STATWIT_SERVER_VERSION ")"),
                        .body = span_of(packed, n)});
    else
        target_failed(f->target, 0, NULL, "out of memory");
    free(packed);
}

static void post_series(struct forward_flush *f) {
    if (f->series.n && !f->series.failed)
        post(f, "/api/v2/series", "application/x-protobuf", buf_view(&f->series));
    buf_clear(&f->series);
    f->n_points = 0;
}

static void post_sketches(struct forward_flush *f) {
    if (f->sketches.n && !f->sketches.failed)
        post(f, "/api/beta/sketches", "application/x-protobuf", buf_view(&f->sketches));
    buf_clear(&f->sketches);
}

/* --- a flush ---------------------------------------------------------------------------------------------------------------- */

static void begin_flush(void *arg, int64_t at_ns) {
    (void)arg, (void)at_ns;
}

static void take_series(void *arg, const struct agent_series *s) {
    struct forward_flush *f = arg;
    payload_protobuf_series(&f->series, s);
    f->n_points += s->n_points;
    if (f->series.n >= SERIES_BYTES || f->n_points >= SERIES_POINTS)
        post_series(f);
}

static void take_sketch(void *arg, const struct agent_sketch_series *s) {
    struct forward_flush *f = arg;
    payload_protobuf_sketch(&f->sketches, s);
    if (f->sketches.n >= SERIES_BYTES)
        post_sketches(f);
}

static void end_flush(void *arg) {
    post_series(arg);
    post_sketches(arg);
}

static const struct agent_sink sink = {begin_flush, take_series, take_sketch, take_series, end_flush};

static void post_checks(struct forward_flush *f) {
    if (f->checks.n && !f->checks.failed) {
        buf_char(&f->checks, ']');
        post(f, "/api/v1/check_run", "application/json", buf_view(&f->checks));
    }
    buf_clear(&f->checks);
}

/* {"apiKey":"","events":{"api":[…],"jenkins":[…]},"internalHostname":"…"} */
static void post_events(struct forward_flush *f) {
    struct buf body = {.max = 4 * RECORDS_BYTES};
    buf_str(&body, "{\"apiKey\":\"\",\"events\":{");
    for (size_t i = 0, n_sources = 0; i < f->n_events; i++) {
        if (f->events[i].sent)
            continue;
        buf_str(&body, n_sources++ ? "," : "");
        json_put_string(&body, f->events[i].source);
        buf_str(&body, ":[");
        for (size_t k = i; k < f->n_events; k++) {
            if (f->events[k].sent || !span_eq(f->events[k].source, f->events[i].source))
                continue;
            buf_str(&body, k > i ? "," : "");
            buf_span(&body, f->events[k].json);
            f->events[k].sent = k > i;
        }
        buf_char(&body, ']');
    }
    buf_str(&body, "},\"internalHostname\":");
    json_put_string(&body, hostname_of(f));
    buf_char(&body, '}');
    if (f->n_events && !body.failed)
        post(f, "/intake/", "application/json", buf_view(&body));
    buf_free(&body);
    f->n_events = 0;
    arena_reset(&f->texts);
}

static void renew_agent(struct forward_flush *f) {
    agent_free(f->agent);
    f->agent = agent_new(&f->options);
    if (f->err.set)
        target_failed(f->target, 0, NULL, "some samples were lost: %s", f->err.text);
    f->err = (struct err){0};
}

/* Flush times never fall, whatever the clock does. */
static void flush_at(struct forward_flush *f, int64_t at_ns) {
    if (f->agent && at_ns >= f->flushed_ns) {
        if (agent_flush(f->agent, at_ns, &sink, f, &f->err) != 0)
            renew_agent(f);
        f->flushed_ns = at_ns;
    }
    post_checks(f);
    post_events(f);
}

/* --- what comes --------------------------------------------------------------------------------------------------------------- */

static void take_metric(struct forward_flush *f, const struct metric *m) {
    for (size_t i = 0; i < m->n_values; i++) {
        struct agent_sample s = {.at_ns = f->at_ns,
                                 .type = m->type,
                                 .name = m->name,
                                 .host = m->origin.host,
                                 .n_tags = m->n_tags,
                                 .tags = m->tags,
                                 .value = m->values[i].number,
                                 .rate = m->sample_rate,
                                 .timestamp = m->values[i].timestamp};
        if (m->type == METRIC_SET) /* to a set, a number of the same name is a member without a text */
            s.text = m->values[i].text;
        if (!f->agent || agent_take(f->agent, &s, &f->err) != 0)
            renew_agent(f);
    }
}

static void take_event(struct forward_flush *f, const struct event *e) {
    struct buf json = {.max = 1 << 20};
    records_put_event(&json, e, hostname_of(f), f->at_ns / NS_PER_S);
    if (!json.failed && f->texts.used < RECORDS_BYTES &&
        array_room(&f->events, f->n_events, &f->cap_events, sizeof *f->events)) {
        f->events[f->n_events] = (struct forward_event){arena_copy(&f->texts, records_source(e)),
                                                        arena_copy(&f->texts, buf_view(&json)), false};
        f->n_events += !f->texts.failed;
    } else {
        target_failed(f->target, 0, NULL, "more events between two flushes than %zu bytes hold",
                      RECORDS_BYTES);
    }
    buf_free(&json);
}

static void take_check(struct forward_flush *f, const struct service_check *c) {
    if (f->checks.n > RECORDS_BYTES) {
        target_failed(f->target, 0, NULL, "more checks between two flushes than %zu bytes hold",
                      RECORDS_BYTES);
        return;
    }
    buf_char(&f->checks, f->checks.n ? ',' : '[');
    records_put_check(&f->checks, c, hostname_of(f), f->at_ns / NS_PER_S);
}

static void take_record(void *arg, const struct record *record) {
    struct forward_flush *f = arg;
    if (record->kind == RECORD_METRIC)
        take_metric(f, &record->metric);
    else if (record->kind == RECORD_EVENT)
        take_event(f, &record->event);
    else if (record->kind == RECORD_SERVICE_CHECK)
        take_check(f, &record->check);
}

static void take_chunk(struct forward_flush *f, const struct forward_item *chunk) {
    for (size_t at = 0; at < chunk->n_bytes;) {
        struct forward_head head;
        memcpy(&head, chunk->bytes + at, sizeof head);
        f->at_ns = head.at_ns > 0 ? head.at_ns : 0;
        dogstatsd_decode(f->decoder, span_of(chunk->bytes + at + sizeof head, head.n), take_record, f);
        at += sizeof head + head.n;
    }
    target_passed(f->target, chunk->n_datagrams);
}

/* --- the thread ----------------------------------------------------------------------------------------------------------------- */

static int64_t next_flush_ns(int64_t interval_ns) {
    int64_t now = clock_wall_ns();
    return now - now % interval_ns + interval_ns;
}

static void run(struct forward_flush *f) {
    struct forward_target *t = f->target;
    int64_t interval_ns = t->forward->options.interval_ns, next_ns = next_flush_ns(interval_ns);
    for (bool stopped = false; !stopped;) {
        int64_t now_ns = clock_wall_ns();
        if (now_ns >= next_ns || next_ns - now_ns > interval_ns) { /* due, or the clock was set back */
            flush_at(f, now_ns);
            next_ns = next_flush_ns(interval_ns);
        }
        struct forward_item *chunk = target_take(t, clock_mono_ns() + next_ns - clock_wall_ns(), &stopped);
        if (chunk) {
            stopped = false;
            take_chunk(f, chunk);
            free(chunk);
        }
    }
    int64_t due_s = f->agent ? agent_due_s(f->agent) : 0, now_ns = clock_wall_ns();
    flush_at(f, due_s * NS_PER_S > now_ns ? due_s * NS_PER_S : now_ns);
}

void *flush_run(void *target) {
    struct forward_target *t = target;
    struct forward_flush f = {.target = t,
                              .series = {.max = 64 << 20},
                              .sketches = {.max = 64 << 20},
                              .checks = {.max = 2 * RECORDS_BYTES},
                              .texts = {.max = 2 * RECORDS_BYTES}};
    agent_defaults(&f.options);
    agent_histogram_use(&f.options, &t->forward->options.histograms);
    f.options.hostname = hostname_of(&f);
    f.agent = agent_new(&f.options);
    f.decoder = dogstatsd_new(&t->forward->options.decode);
    if (f.agent && f.decoder)
        run(&f);
    else
        target_failed(t, 0, NULL, "out of memory");
    agent_free(f.agent);
    dogstatsd_free(f.decoder);
    buf_free(&f.series);
    buf_free(&f.sketches);
    buf_free(&f.checks);
    arena_free(&f.texts);
    free(f.events);
    return NULL;
}
