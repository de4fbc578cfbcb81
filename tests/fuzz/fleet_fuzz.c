/* An engine's answers: short, hostile or without an end, each is read to its end or refused in words. What is read never points outside.
 *
 * The first byte says how many recordings there are, the second how many series and records each is said to have; then come the answers, each behind its
 * length in two bytes.
 */
#include "core/reader.h"
#include "fleet_wire.h"
#include "store/clickhouse/clickhouse.h"
#include "store/clickhouse/rowbinary.h"

#include <stdint.h>
#include <stdlib.h>

/* --- the wire ----------------------------------------------------------------------------------------------- */

static struct {
    const uint8_t *at, *end;
    unsigned recordings, rows;
} input;

static void put_recordings(struct buf *b) {
    static const struct span labels[] = {{"shop", 4}, {"main", 4}, {NULL, 0}, {"unit", 4},
                                         {NULL, 0},   {NULL, 0},   {NULL, 0}};
    for (unsigned i = 0; i < input.recordings; i++) {
        put_uuid(b, (struct fleet_uuid){1, i});
        put_uuid(b, (struct fleet_uuid){2, i});
        put_i64(b, 1);
        put_i64(b, INT64_C(1700000000000000000) + i);
        put_u64(b, 1000);       /* last id */
        put_u64(b, input.rows); /* series */
        put_u64(b, input.rows); /* spellings */
        put_u64(b, 10 * input.rows);
        put_u64(b, input.rows); /* records */
        put_u64(b, 0);
        for (size_t k = 0; k < sizeof labels / sizeof labels[0]; k++)
            put_text(b, labels[k]);
        put_size(b, 0);
        put_size(b, 0);
    }
}

/* The next part of the input, at the end of a block of its own. */
static void put_next(struct buf *b) {
    if (input.end - input.at < 2)
        return;
    size_t n = input.at[0] | (size_t)input.at[1] << 8, left = (size_t)(input.end - input.at) - 2;
    n = n < left ? n : left;
    buf_add(b, (const char *)input.at + 2, n);
    input.at += 2 + n;
}

static enum fleet_outcome wire_post(const struct fleet_request *request, struct buf *answer, int *code,
                                    struct err *err) {
    (void)code, (void)err;
    if (wire_greets(request, answer))
        return FLEET_OK;
    if (wire_is_about(request, "FROM recordings"))
        put_recordings(answer);
    else if (wire_is_about(request, "count%28%29%20FROM%20series%20WHERE") ||
             wire_is_about(request, "count()%20FROM%20series%20WHERE") ||
             wire_is_about(request, "count()%20FROM%20records%20WHERE"))
        put_u64(answer, (uint64_t)input.rows * input.recordings);
    else
        put_next(answer);
    return FLEET_OK;
}

/* --- who reads ---------------------------------------------------------------------------------------------- */

static uint64_t touched;

static void touch(struct span s) {
    for (size_t i = 0; i < s.n; i++)
        touched += (unsigned char)s.p[i];
}

static void touch_all(size_t n, const struct span *list) {
    for (size_t i = 0; i < n; i++)
        touch(list[i]);
}

static uint64_t first_series;

static int on_series(void *arg, const struct series_row *row) {
    (void)arg;
    touch(row->name);
    touch(row->session);
    touch(row->host);
    touch_all(row->n_tags, row->tags);
    first_series = first_series ? first_series : row->id;
    return 0;
}

static int on_sample(void *arg, const struct sample_row *row) {
    (void)arg;
    touch(row->text);
    touch(row->session);
    touch(row->spelling->name);
    touch_all(row->spelling->n_tags, row->spelling->tags);
    for (size_t i = 0; row->value.sketch && i < row->value.sketch->n_bins; i++)
        touched += (uint64_t)row->value.sketch->keys[i] + row->value.sketch->counts[i];
    return 0;
}

static int on_spelling(void *arg, const struct spelling_row *row) {
    (void)arg;
    touch(row->spelling->unit);
    touch_all(row->spelling->n_tags, row->spelling->tags);
    return 0;
}

static int on_points(void *arg, const struct points_row *row) {
    (void)arg;
    for (size_t i = 0; i < row->n; i++)
        touched += (uint64_t)row->at_s[i] + (row->values[i] > 0);
    return 0;
}

static int on_event(void *arg, const struct event_row *row) {
    (void)arg;
    touch(row->event.title);
    touch(row->event.text);
    touch_all(row->event.n_tags, row->event.tags);
    return 0;
}

static int on_check(void *arg, const struct check_row *row) {
    (void)arg;
    touch(row->check.name);
    touch(row->check.message);
    return 0;
}

static int on_reject(void *arg, const struct reject_row *row) {
    (void)arg;
    touch(row->reject.text);
    touch(row->reject.detail);
    return 0;
}

static int on_request(void *arg, const struct request_row *row) {
    (void)arg;
    touch(row->request.path);
    touch(row->request.body);
    return 0;
}

static int on_loss(void *arg, const struct loss_row *row) {
    (void)arg;
    touch(row->session);
    touch(row->detail);
    return 0;
}

static int on_session(void *arg, const struct session_row *row) {
    (void)arg;
    touch(row->name);
    return 0;
}

static int on_run(void *arg, const struct run_row *row) {
    (void)arg;
    touch(row->version);
    return 0;
}

/* Each answer is either taken or refused in words. */
static void said(int failed, struct err *err) {
    if (failed && !err->set)
        abort();
    *err = (struct err){0};
}

static void ask_everything(struct reader *r) {
    struct filter all = {0}, named = {.name = {"a*", 2}};
    const struct reader_ops *ops = r->ops;
    struct cadence cadence;
    struct err err = {0};
    uint64_t id;
    first_series = 0;
    said(ops->series(r, &all, on_series, NULL, &err), &err);
    if (first_series) {
        said(ops->points(r, first_series, on_points, NULL, &err), &err);
        said(ops->cadence(r, first_series, 0, &cadence, &err), &err);
    }
    said(ops->samples(r, &all, false, on_sample, NULL, &err), &err);
    said(ops->samples(r, &named, true, on_sample, NULL, &err), &err);
    said(ops->spellings(r, &all, on_spelling, NULL, &err), &err);
    said(ops->events(r, &all, on_event, NULL, &err), &err);
    said(ops->checks(r, &all, on_check, NULL, &err), &err);
    said(ops->rejects(r, &all, on_reject, NULL, &err), &err);
    said(ops->requests(r, &all, on_request, NULL, &err), &err);
    said(ops->losses(r, &all, on_loss, NULL, &err), &err);
    said(ops->sessions(r, on_session, NULL, &err), &err);
    said(ops->runs(r, INT64_MAX, on_run, NULL, &err), &err);
    said(ops->first_at(r, 1, &id, &err), &err);
    said(ops->session_id(r, (struct span){"default", 7}, &id, &err), &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n < 2)
        return 0;
    input.at = data + 2;
    input.end = data + n;
    input.recordings = data[0] % 3;
    input.rows = data[1] % 4;
    struct err err = {0};
    bool usage;
    struct reader *r = clickhouse_reader_open("clickhouse://ch/statwit", NULL, 1, &usage, &err);
    if (!r && !err.set)
        abort();
    if (!r)
        return 0;
    if (r->ops->begin(r, &err) == 0) {
        ask_everything(r);
        r->ops->end(r);
    }
    r->ops->close(r);
    return 0;
}
