/* DESIGN. Samples are read apart from what stands among them, and merged by id: refused lines, since the Agent knows a series from a
 * value that is not finite, though it drops the value; events and checks. A step reads FEED_ASIDES of each, then the samples up to the
 * last of those. It ends early when there is enough to send; the next step goes on behind the last sample that was taken. */
#include "flushed/feed.h"

#include "agent/records.h"
#include "core/arena.h"
#include "core/clock.h"
#include "core/number.h"
#include "decode/dogstatsd.h"
#include <stdlib.h>

#define FEED_ASIDES 1000

/* What stands among the samples: a line with a value that is not finite, an event, a check. */
struct feed_aside {
    uint64_t id;
    int64_t at_ns;
    enum { ASIDE_LINE, ASIDE_EVENT, ASIDE_CHECK, ASIDE_N } kind;
    struct span text;
    size_t offset; /* of the value in the line */
};

struct feed {
    struct feed_question question;
    char session[FEED_TEXT_MAX], hostname[FEED_TEXT_MAX];
    struct feed_taker taker;
    struct agent *agent;
    struct dogstatsd *decoder;
    int64_t *at_ns;
    size_t next_at;
    int64_t next_ns; /* of the intervals; 0: before the first sample */
    uint64_t cursor, until;
    int64_t newest_ns; /* arrival of the newest sample that was taken */
    /* Those up to `horizon`: */
    bool has_asides;
    uint64_t horizon;
    struct arena texts;
    struct feed_aside asides[ASIDE_N * FEED_ASIDES];
    size_t n_asides, next_aside;
    size_t n_of[ASIDE_N]; /* of each kind */
    struct buf json;
    bool owes; /* an event or a check waits for a flush */
    /* Of the step under way: */
    bool stopped;
    size_t n_samples;
    struct err *err, step_err; /* err: the other one's place */
};

/* --- the question --------------------------------------------------------------------------------------------------- */

static int keep_text(struct span *text, char room[FEED_TEXT_MAX], const char *what, struct err *err) {
    if (!text->p)
        return 0;
    if (text->n >= FEED_TEXT_MAX)
        return err_set(err, 0, "the %s is longer than %d bytes", what, FEED_TEXT_MAX - 1);
    memcpy(room, text->p, text->n);
    *text = span_of(room, text->n);
    return 0;
}

static struct span keep_hostname(struct feed *f, struct span hostname) {
    size_t n = hostname.n < sizeof f->hostname ? hostname.n : sizeof f->hostname;
    if (n)
        memcpy(f->hostname, hostname.p, n);
    return span_of(hostname.p ? f->hostname : NULL, n);
}

struct feed *feed_new(const struct feed_question *q, const struct feed_taker *taker, struct err *err) {
    struct feed *f = calloc(1, sizeof *f);
    if (!f) {
        err_set(err, 0, "out of memory");
        return NULL;
    }
    f->question = *q;
    f->taker = *taker;
    int failed = keep_text(&f->question.filter.session, f->session, "session's name", err);
    f->cursor = q->filter.since;
    f->until = q->filter.until;
    f->agent = agent_new(&q->agent);
    f->decoder = dogstatsd_new(&(struct dogstatsd_options){0});
    f->at_ns = q->n_at ? malloc(q->n_at * sizeof *f->at_ns) : NULL;
    f->texts.max = (size_t)256 << 20;
    f->json.max = (size_t)16 << 20;
    f->question.agent.hostname = keep_hostname(f, q->agent.hostname);
    if (!failed && f->agent && f->decoder && (f->at_ns || !q->n_at)) {
        if (q->n_at)
            memcpy(f->at_ns, q->at_ns, q->n_at * sizeof *f->at_ns);
        return f;
    }
    err_set(err, 0, "out of memory");
    feed_free(f);
    return NULL;
}

void feed_free(struct feed *f) {
    if (!f)
        return;
    agent_free(f->agent);
    dogstatsd_free(f->decoder);
    arena_free(&f->texts);
    buf_free(&f->json);
    free(f->at_ns);
    free(f);
}

/* --- flushing --------------------------------------------------------------------------------------------------------- */

static int flush_now(struct feed *f, int64_t at_ns) {
    f->owes = false;
    return agent_flush(f->agent, at_ns, f->taker.sink, f->taker.arg, f->err);
}

/* The flushes before something that arrived at `at_ns`. */
static int flush_before(struct feed *f, int64_t at_ns) {
    if (f->question.n_at) {
        while (f->next_at < f->question.n_at && f->at_ns[f->next_at] < at_ns)
            if (flush_now(f, f->at_ns[f->next_at++]) != 0)
                return -1;
        return 0;
    }
    int64_t interval = f->question.interval_ns;
    if (f->next_ns == 0)
        f->next_ns = (at_ns + interval - 1) / interval * interval;
    while (f->next_ns < at_ns) {
        /* With nothing left, only the last one before the sample can matter. */
        if (agent_idle(f->agent) && !f->owes)
            f->next_ns = (at_ns - 1) / interval * interval;
        if (flush_now(f, f->next_ns) != 0)
            return -1;
        f->next_ns += interval;
    }
    return 0;
}

static int flush_rest(struct feed *f) {
    while (f->next_at < f->question.n_at)
        if (flush_now(f, f->at_ns[f->next_at++]) != 0)
            return -1;
    while (!f->question.n_at && (agent_due_s(f->agent) || f->owes)) {
        if (flush_now(f, f->next_ns) != 0)
            return -1;
        f->next_ns += f->question.interval_ns;
    }
    return 0;
}

/* --- samples ---------------------------------------------------------------------------------------------------------- */

static struct agent_sample sample_of(const struct metric *m, uint64_t id, int64_t at_ns) {
    return (struct agent_sample){.id = id,
                                 .at_ns = at_ns > 0 ? at_ns : 0,
                                 .type = m->type,
                                 .name = m->name,
                                 .host = m->origin.host,
                                 .n_tags = m->n_tags,
                                 .tags = m->tags,
                                 .rate = m->sample_rate};
}

struct refused_setting {
    struct feed *f;
    const struct feed_aside *reject;
    double value;
    int status;
};

static void take_refused(void *arg, const struct record *record) {
    struct refused_setting *r = arg;
    if (record->kind != RECORD_METRIC || record->metric.n_values == 0)
        return;
    struct agent_sample s = sample_of(&record->metric, r->reject->id, r->reject->at_ns);
    s.value = r->value;
    s.timestamp = record->metric.values[0].timestamp;
    r->status = agent_take(r->f->agent, &s, r->f->err);
}

/* NAME:1:NaN|c|#tags is read again as NAME:0|c|#tags, for its name and tags; what the value was is known from its place. */
static int take_reject(struct feed *f, const struct feed_aside *reject) {
    struct span line = reject->text;
    const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
    const char *pipe = line.n ? memchr(line.p, '|', line.n) : NULL;
    if (!colon || !pipe || pipe < colon || reject->offset >= line.n || flush_before(f, reject->at_ns) != 0)
        return f->err->set ? -1 : 0;
    struct span value = span_from(line, reject->offset);
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] == ':' || value.p[i] == '|')
            value.n = i;
    struct refused_setting refused = {.f = f, .reject = reject};
    if (number_parse(value, &refused.value) != NUMBER_OK)
        return 0;
    struct buf again = {.max = 1 << 20};
    buf_span(&again, span_of(line.p, (size_t)(colon - line.p)));
    buf_str(&again, ":0");
    buf_span(&again, span_of(pipe, line.n - (size_t)(pipe - line.p)));
    if (!again.failed)
        dogstatsd_decode(f->decoder, buf_view(&again), take_refused, &refused);
    buf_free(&again);
    return refused.status;
}

static int take_aside(struct feed *f, const struct feed_aside *aside) {
    if (aside->kind == ASIDE_LINE)
        return take_reject(f, aside);
    if (flush_before(f, aside->at_ns) != 0)
        return -1;
    f->taker.record(f->taker.arg, aside->kind == ASIDE_CHECK, aside->text);
    f->owes = true;
    return 0;
}

static int take_asides_before(struct feed *f, uint64_t id) {
    while (f->next_aside < f->n_asides && f->asides[f->next_aside].id < id)
        if (take_aside(f, &f->asides[f->next_aside++]) != 0)
            return -1;
    return 0;
}

static int take_sample(struct feed *f, const struct sample_row *row) {
    struct agent_sample s = sample_of(row->spelling, row->id, row->received_at);
    s.series_id = row->series_id;
    s.value = row->value.number;
    s.text = row->text;
    s.timestamp = row->value.timestamp;
    return agent_take(f->agent, &s, f->err);
}

/* --- a step ----------------------------------------------------------------------------------------------------------- */

/* Whether it came as a DogStatsD line. Over HTTP such lines come too (/dogstatsd/v2/proxy); all else that comes there has a time. */
static bool is_line(const struct sample_row *row) {
    const struct metric *m = row->spelling;
    return row->source != SOURCE_HTTP || (row->value.timestamp == 0 && !row->value.sketch &&
                                          m->type != METRIC_RATE && m->interval == 0 && !m->device.p);
}

static int on_other(struct feed *f, const struct sample_row *row) {
    f->cursor = row->id;
    if (!f->taker.other)
        return 0;
    f->newest_ns = row->received_at;
    if (f->taker.other(f->taker.arg, row) == 0)
        return 0;
    err_set(f->err, 0, "out of memory");
    return 1;
}

static int on_sample(void *arg, const struct sample_row *row) {
    struct feed *f = arg;
    if ((f->taker.enough && f->taker.enough(f->taker.arg)) || f->n_samples == FEED_STEP) {
        f->stopped = true;
        return 1;
    }
    if (!is_line(row))
        return on_other(f, row);
    f->n_samples++;
    if (take_asides_before(f, row->id) || flush_before(f, row->received_at))
        return 1;
    f->cursor = row->id;
    f->newest_ns = row->received_at;
    return take_sample(f, row);
}

/* Returns 1 when there may be more of the kind: then what stands behind its last one waits for the next time. */
static int keep_aside(struct feed *f, const struct feed_aside *aside) {
    struct feed_aside *last = f->n_asides ? &f->asides[f->n_asides - 1] : NULL;
    if (f->n_of[aside->kind] == FEED_ASIDES) {
        f->horizon = last->id < f->horizon ? last->id : f->horizon;
        return 1;
    }
    f->n_of[aside->kind]++;
    f->asides[f->n_asides] = *aside;
    f->asides[f->n_asides++].text = arena_copy(&f->texts, aside->text);
    return 0;
}

static int on_reject(void *arg, const struct reject_row *row) {
    if (row->reject.reason != REASON_NON_FINITE_VALUE || !span_eq(row->reject.family, SPAN("metric")))
        return 0;
    return keep_aside(arg, &(struct feed_aside){row->id, row->received_at, ASIDE_LINE, row->reject.text,
                                                row->reject.offset});
}

static int on_event(void *arg, const struct event_row *row) {
    struct feed *f = arg;
    if (row->source == SOURCE_HTTP)
        return 0;
    buf_clear(&f->json);
    records_put_event(&f->json, &row->event, f->question.agent.hostname, row->received_at / NS_PER_S);
    return keep_aside(f, &(struct feed_aside){row->id, row->received_at, ASIDE_EVENT, buf_view(&f->json), 0});
}

static int on_check(void *arg, const struct check_row *row) {
    struct feed *f = arg;
    if (row->source == SOURCE_HTTP)
        return 0;
    buf_clear(&f->json);
    records_put_check(&f->json, &row->check, f->question.agent.hostname, row->received_at / NS_PER_S);
    return keep_aside(f, &(struct feed_aside){row->id, row->received_at, ASIDE_CHECK, buf_view(&f->json), 0});
}

static int by_id(const void *a, const void *b) {
    uint64_t x = ((const struct feed_aside *)a)->id, y = ((const struct feed_aside *)b)->id;
    return (x > y) - (x < y);
}

/* In the order in which they came, up to the horizon. */
static void sort_asides(struct feed *f) {
    if (f->n_asides)
        qsort(f->asides, f->n_asides, sizeof *f->asides, by_id);
    while (f->n_asides && f->asides[f->n_asides - 1].id > f->horizon)
        f->n_asides--;
}

static int read_asides(struct feed *f, struct reader *r) {
    struct filter filter = f->question.filter;
    filter.since = f->cursor;
    filter.until = f->horizon = f->until;
    f->n_asides = f->next_aside = 0;
    memset(f->n_of, 0, sizeof f->n_of);
    arena_reset(&f->texts);
    if (f->taker.record && r->ops->events(r, &filter, on_event, f, f->err) != 0)
        return -1;
    filter.until = f->horizon; /* what is behind it would be read again the next time */
    if (f->taker.record && r->ops->checks(r, &filter, on_check, f, f->err) != 0)
        return -1;
    filter.until = f->horizon;
    if (r->ops->rejects(r, &filter, on_reject, f, f->err) != 0)
        return -1;
    if (f->texts.failed || f->json.failed)
        return err_set(f->err, 0, "out of memory");
    sort_asides(f);
    f->has_asides = true;
    return 0;
}

static int find_until(struct feed *f, struct reader *r) {
    return f->until ? 0 : r->ops->last_id(r, &f->until, f->err);
}

/* Up to the end of the recording, or until it is enough. */
static int read_on(struct feed *f, struct reader *r) {
    while (!f->stopped) {
        if (!f->has_asides && read_asides(f, r) != 0)
            return -1;
        struct filter filter = f->question.filter;
        filter.since = f->cursor;
        filter.until = f->horizon;
        if (f->cursor < f->horizon &&
            (r->ops->samples(r, &filter, true, on_sample, f, f->err) != 0 || f->err->set))
            return -1;
        if (f->stopped)
            return 1;
        if (take_asides_before(f, UINT64_MAX) != 0)
            return -1;
        f->has_asides = false;
        f->cursor = f->horizon;
        if (f->horizon >= f->until)
            break;
    }
    return 0;
}

int feed_step(struct feed *f, struct reader *r, struct err *err) {
    f->step_err = (struct err){0};
    f->err = &f->step_err;
    f->stopped = false;
    f->n_samples = 0;
    int more = find_until(f, r) == 0 ? read_on(f, r) : -1;
    if (more == 0)
        more = flush_rest(f);
    if (more < 0 || f->err->set)
        return err_set(err, 0, "%s", f->err->text);
    return more;
}

uint64_t feed_id(const struct feed *f) {
    return f->cursor;
}

int64_t feed_at_ns(const struct feed *f) {
    return f->newest_ns;
}
