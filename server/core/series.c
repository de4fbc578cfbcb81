#include "core/series.h"

#include "core/buf.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* The series that is being summed up; samples come series by series. */
struct summary {
    struct series_row row;
    struct buf text;   /* the bytes that row points into */
    struct span *tags; /* row.tags */
    size_t cap_tags;
    int (*emit)(void *, const struct series_row *);
    void *arg;
    bool stopped, failed;
};

static int order(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

/* Copies a span into the text, whose room was reserved. */
static struct span keep_span(struct summary *s, struct span from) {
    if (!from.p)
        return from;
    const char *at = s->text.p + s->text.n;
    buf_add(&s->text, from.p, from.n);
    return span_of(at, from.n);
}

static void start_summary(struct summary *s, const struct sample_row *from) {
    const struct metric *m = from->spelling;
    size_t need = from->session.n + m->name.n + m->origin.host.n + m->device.n + 1;
    for (size_t i = 0; i < m->n_tags; i++)
        need += m->tags[i].n;
    if (m->n_tags > s->cap_tags) {
        struct span *tags = realloc(s->tags, m->n_tags * sizeof *tags);
        s->failed = s->failed || !tags;
        if (!tags)
            return;
        s->tags = tags;
        s->cap_tags = m->n_tags;
    }
    buf_clear(&s->text);
    if (!buf_reserve(&s->text, need)) {
        s->failed = true;
        return;
    }
    for (size_t i = 0; i < m->n_tags; i++)
        s->tags[i] = keep_span(s, m->tags[i]);
    if (m->n_tags)
        qsort(s->tags, m->n_tags, sizeof *s->tags, order);
    size_t n = 0;
    for (size_t i = 0; i < m->n_tags; i++)
        if (n == 0 || !span_eq(s->tags[n - 1], s->tags[i]))
            s->tags[n++] = s->tags[i];
    s->row = (struct series_row){.id = from->series_id,
                                 .session = keep_span(s, from->session),
                                 .name = keep_span(s, m->name),
                                 .type = m->type,
                                 .n_tags = n,
                                 .tags = s->tags,
                                 .host = keep_span(s, m->origin.host),
                                 .device = keep_span(s, m->device),
                                 .min = (double)INFINITY,
                                 .max = -(double)INFINITY,
                                 .first_at = from->received_at,
                                 .first_id = from->id};
}

static int flush(struct summary *s) {
    if (s->row.samples == 0)
        return 0;
    if (metric_is(s->row.type, METRIC_TEXT))
        s->row.sum = s->row.min = s->row.max = s->row.last = (double)NAN;
    int stop = s->emit(s->arg, &s->row);
    s->row.samples = 0;
    return stop;
}

static int add_sample(void *arg, const struct sample_row *sample) {
    struct summary *s = arg;
    const struct metric *m = sample->spelling;
    if (s->row.samples == 0 || s->row.id != sample->series_id) {
        if (flush(s)) {
            s->stopped = true;
            return 1;
        }
        start_summary(s, sample);
        if (s->failed)
            return 1;
    }
    struct series_row *row = &s->row;
    const struct sketch *sketch = sample->value.sketch;
    double value = sample->value.number;
    struct metric_weight weight = metric_weigh(m->type, m->sample_rate);
    row->samples++;
    row->count += sketch ? (double)sketch->count : weight.count;
    row->sum += sketch ? sketch->sum : value * weight.factor;
    row->min = fmin(row->min, sketch ? sketch->min : value);
    row->max = fmax(row->max, sketch ? sketch->max : value);
    row->last = value;
    row->last_at = sample->received_at;
    row->last_id = sample->id;
    row->sampled = row->sampled || m->sample_rate != 1;
    return 0;
}

static int emit_tally(void *arg, const struct series_row *row, bool fell) {
    (void)fell;
    struct summary *s = arg;
    return s->emit(s->arg, row);
}

int series_since(struct reader *r, const struct filter *filter, int (*row)(void *, const struct series_row *),
                 void *arg, struct err *err) {
    struct summary s = {.emit = row, .arg = arg};
    if (r->ops->tallies && !filter->remarked && !filter->timed && !filter->limit && !filter->wants_series)
        return r->ops->tallies(r, filter, emit_tally, &s, err);
    int result = r->ops->samples(r, filter, false, add_sample, &s, err);
    if (result == 0 && s.failed)
        result = err_set(err, ENOMEM, "cannot sum up a series");
    if (result == 0 && !s.stopped)
        flush(&s);
    buf_free(&s.text);
    free(s.tags);
    return result;
}
