/* DESIGN. A page asks about the same metric again and again, each time for all of its samples (or the newest). So the samples that a
 * question chose are kept, and the next one with the same choice only reads those that came since. They are right as long as the series
 * that it chooses have as many samples as were read for it: what was evicted or forgotten makes them fewer, and then all are read
 * again. */
#include "control/glance.h"

#include "core/array.h"
#include "core/clock.h"
#include "core/glob.h"
#include <math.h>
#include <stdlib.h>

/* --- reading ---------------------------------------------------------------------------------------------- */

static int take_point(void *arg, const struct sample_row *row) {
    struct glance_points *p = arg;
    if (!array_room(&p->list, p->n, &p->cap, sizeof *p->list)) {
        p->failed = true;
        return 1;
    }
    const struct metric *m = row->spelling;
    const struct sketch *sketch = row->value.sketch;
    struct metric_weight weight = metric_weigh(m->type, m->sample_rate);
    if (sketch)
        weight.count = weight.factor = (double)sketch->count;
    int64_t at_s = row->value.timestamp;
    p->list[p->n++] = (struct glance_point){
        .at_ns = at_s > 0 && at_s < INT64_MAX / NS_PER_S ? at_s * NS_PER_S : row->received_at,
        .value = metric_is(m->type, METRIC_TEXT) ? (double)NAN : row->value.number,
        .weight = weight.count,
        .factor = weight.factor,
    };
    return 0;
}

/* The newest samples after `since`, the oldest of them first. *n: how many came; of more than are kept the newest are. */
static int read_points(struct glance *g, uint64_t since, struct glance_points *points, struct err *err) {
    struct filter f = g->ask.filter;
    f.since = since;
    f.until = g->last_id;
    f.newest = true;
    f.limit = GLANCE_SAMPLES_MAX;
    if (since >= g->last_id)
        return 0;
    int result = g->reader->ops->samples(g->reader, &f, true, take_point, points, err);
    return result == 0 && points->failed ? err_set(err, 0, "out of memory") : result;
}

static int add_samples(void *arg, const struct series_row *row) {
    *(uint64_t *)arg += row->samples;
    return 0;
}

static int add_name(void *arg, const struct name_row *row) {
    *(uint64_t *)arg += row->samples;
    return 0;
}

/* How many samples the question chooses. */
static int count_samples(struct glance *g, uint64_t *n, struct err *err) {
    const struct filter *f = &g->ask.filter;
    uint64_t names;
    struct name_filter by_name = {
        .session = f->session, .name = f->name, .has_type = f->has_type, .type = f->type, .n = UINT64_MAX};
    *n = 0;
    if (g->reader->ops->name_rows && f->session.p && f->name.p && f->n_tags == 0)
        return g->reader->ops->name_rows(g->reader, &by_name, add_name, n, &names, err);
    return g->reader->ops->series(g->reader, f, add_samples, n, err);
}

/* --- what is kept ----------------------------------------------------------------------------------------- */

static void put_part(struct buf *b, struct span s) {
    buf_printf(b, "%zd:", s.p ? (ssize_t)s.n : (ssize_t)-1);
    buf_span(b, s);
}

static int put_question(struct buf *b, const struct glance *g, struct err *err) {
    const struct filter *f = &g->ask.filter;
    struct reader_file of[2] = {0}; /* where files are only looked at, another one may be in its place */
    if (g->reader->ops->file(g->reader, of, err) != 0)
        return -1;
    for (size_t i = 0; i < 2; i++) {
        put_part(b, span_str(of[i].recording));
        buf_printf(b, "%llx %llx ", (unsigned long long)of[i].device, (unsigned long long)of[i].inode);
    }
    buf_printf(b, "%llu ", (unsigned long long)g->ask.session_id); /* two sessions may have had one name */
    put_part(b, f->session);
    put_part(b, f->name);
    buf_printf(b, "%d %zu ", f->has_type ? (int)f->type : -1, f->n_tags);
    for (size_t i = 0; i < f->n_tags; i++)
        put_part(b, f->tags[i]);
    return b->failed ? err_set(err, 0, "out of memory") : 0;
}

/* With the lock: the place of the question, or the one that was used the longest time ago. */
static struct http_kept *find_kept(struct http *h, struct span question) {
    struct http_kept *oldest = &h->kept[0];
    for (size_t i = 0; i < HTTP_KEPT; i++) {
        struct http_kept *k = &h->kept[i];
        if (k->question && span_eq(span_of(k->question, k->n_question), question))
            return k;
        if (k->used_at < oldest->used_at)
            oldest = k;
    }
    free(oldest->question);
    free(oldest->list);
    *oldest = (struct http_kept){0};
    return oldest;
}

/* The points are the place's from then on. */
static void keep_points(struct http_kept *k, struct glance *g, struct span question,
                        struct glance_points *points, uint64_t total) {
    free(k->list);
    k->list = points->list;
    k->n = points->n;
    k->cap = points->cap;
    k->total = total;
    k->last_id = g->last_id;
    if (!k->question) {
        k->question = malloc(question.n);
        k->n_question = k->question ? question.n : 0;
        if (k->question)
            memcpy(k->question, question.p, question.n);
    }
    *points = (struct glance_points){0};
}

static int add_points(struct http_kept *k, struct glance_points *more) {
    struct glance_points all = {.list = k->list, .n = k->n, .cap = k->cap};
    for (size_t i = 0; i < more->n; i++) {
        if (!array_room(&all.list, all.n, &all.cap, sizeof *all.list))
            return -1;
        all.list[all.n++] = more->list[i];
        k->list = all.list;
        k->n = all.n;
        k->cap = all.cap;
    }
    if (all.n > GLANCE_SAMPLES_MAX) {
        size_t over = all.n - GLANCE_SAMPLES_MAX;
        memmove(all.list, all.list + over, GLANCE_SAMPLES_MAX * sizeof *all.list);
        k->n = GLANCE_SAMPLES_MAX;
    }
    return 0;
}

/* With the lock: brings what is kept up to date. */
static int renew(struct glance *g, struct http_kept *k, struct span question, struct err *err) {
    struct glance_points points = {0};
    uint64_t total;
    if (k->question && k->last_id > g->last_id) { /* another one has looked at a later moment */
        g->last_id = k->last_id;
        return 0;
    }
    if (count_samples(g, &total, err) != 0)
        return -1;
    int result = k->question ? read_points(g, k->last_id, &points, err) : 0;
    bool fits = k->question && total == k->total + points.n && points.n < GLANCE_SAMPLES_MAX;
    if (result == 0 && fits) {
        result = add_points(k, &points) == 0 ? 0 : err_set(err, 0, "out of memory");
        k->total = total;
        k->last_id = g->last_id;
    } else if (result == 0) {
        points.n = 0;
        result = read_points(g, 0, &points, err);
        if (result == 0)
            keep_points(k, g, question, &points, total);
    }
    free(points.list);
    return result;
}

static int copy_points(const struct http_kept *k, struct glance_points *points, struct err *err) {
    points->list = malloc((k->n + 1) * sizeof *points->list);
    if (!points->list)
        return err_set(err, 0, "out of memory");
    if (k->n)
        memcpy(points->list, k->list, k->n * sizeof *points->list);
    points->n = k->n;
    points->cap = k->n + 1;
    points->partial = k->total > k->n;
    return 0;
}

int glance_points(struct glance *g, struct glance_points *points, struct err *err) {
    struct http *h = g->rq->http;
    struct buf question = {.max = 1 << 20};
    if (put_question(&question, g, err) != 0) {
        buf_free(&question);
        return -1;
    }
    pthread_mutex_lock(&h->kept_lock);
    struct http_kept *k = find_kept(h, buf_view(&question));
    k->used_at = ++h->n_kept_uses;
    int result = renew(g, k, buf_view(&question), err);
    if (result == 0)
        result = copy_points(k, points, err);
    pthread_mutex_unlock(&h->kept_lock);
    buf_free(&question);
    return result;
}
