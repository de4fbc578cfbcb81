#include "control/flush.h"

#include <stdlib.h>

struct flushes {
    char only[FLUSH_TEXT_MAX];
    struct agent_payload payload;
    struct feed *feed;
    bool begun;
};

static bool page_is_full(void *arg) {
    const struct agent_payload *payload = arg;
    return payload->out->n >= FLUSH_PAGE;
}

static void take_record(void *arg, bool is_check, struct span json) {
    payload_record(arg, is_check, json);
}

struct flushes *flush_new(const struct flush_question *q, struct err *err) {
    if (q->only.n >= FLUSH_TEXT_MAX) {
        err_set(err, 0, "the name is longer than %d bytes", FLUSH_TEXT_MAX - 1);
        return NULL;
    }
    struct flushes *f = calloc(1, sizeof *f);
    if (!f) {
        err_set(err, 0, "out of memory");
        return NULL;
    }
    if (q->only.n)
        memcpy(f->only, q->only.p, q->only.n);
    f->payload = (struct agent_payload){.format = q->format,
                                        .show_empty = q->feed.n_at > 0,
                                        .explains = q->feed.agent.explain.p,
                                        .only = q->only.p ? f->only : NULL};
    f->feed = feed_new(
        &q->feed,
        &(struct feed_taker){
            .sink = &payload_sink, .record = take_record, .enough = page_is_full, .arg = &f->payload},
        err);
    if (f->feed)
        return f;
    free(f);
    return NULL;
}

void flush_free(struct flushes *f) {
    if (!f)
        return;
    feed_free(f->feed);
    payload_free(&f->payload);
    free(f);
}

int flush_step(struct flushes *f, struct reader *r, struct buf *out, struct err *err) {
    f->payload.out = out;
    if (!f->begun)
        payload_begin(&f->payload);
    f->begun = true;
    int more = feed_step(f->feed, r, err);
    if (more == 0)
        payload_end(&f->payload);
    if (more >= 0 && out->failed)
        return err_set(err, 0, "one flush has more than %zu MB of text", out->max >> 20);
    return more;
}
