#include "broken_reader.h"

/* Whether this call succeeds. */
static bool lives(struct broken *b) {
    if (b->left-- > 0)
        return true;
    b->failed = true;
    return false;
}

static int break_down(struct err *err) {
    return err_set(err, 0, "the disk is on fire");
}

#define OP(op, type)                                                                                         \
    static int op(struct reader *r, const struct filter *q, int (*row)(void *, const struct type *),         \
                  void *arg, struct err *err) {                                                              \
        struct broken *b = (struct broken *)r;                                                               \
        bool lived = lives(b);                                                                               \
        int result = lived || b->midway ? b->real->ops->op(b->real, q, row, arg, err) : 0;                   \
        return lived ? result : break_down(err);                                                             \
    }
OP(series, series_row)
OP(spellings, spelling_row)
OP(events, event_row)
OP(checks, check_row)
OP(rejects, reject_row)
OP(losses, loss_row)

static int samples(struct reader *r, const struct filter *q, bool ordered,
                   int (*row)(void *, const struct sample_row *), void *arg, struct err *err) {
    struct broken *b = (struct broken *)r;
    bool lived = lives(b);
    int result = lived || b->midway ? b->real->ops->samples(b->real, q, ordered, row, arg, err) : 0;
    return lived ? result : break_down(err);
}

static int names(struct reader *r, int (*row)(void *, struct span name), void *arg, struct err *err) {
    struct broken *b = (struct broken *)r;
    bool lived = lives(b);
    int result = lived || b->midway ? b->real->ops->names(b->real, row, arg, err) : 0;
    return lived ? result : break_down(err);
}

static int large(struct reader *r, struct span session, int (*row)(void *, const struct large_row *),
                 void *arg, struct err *err) {
    struct broken *b = (struct broken *)r;
    return lives(b) ? b->real->ops->large(b->real, session, row, arg, err) : break_down(err);
}

static int last_id(struct reader *r, uint64_t *id, struct err *err) {
    struct broken *b = (struct broken *)r;
    return lives(b) ? b->real->ops->last_id(b->real, id, err) : break_down(err);
}

static const struct reader_ops ops = {.series = series,
                                      .names = names,
                                      .samples = samples,
                                      .spellings = spellings,
                                      .events = events,
                                      .checks = checks,
                                      .rejects = rejects,
                                      .losses = losses,
                                      .large = large,
                                      .last_id = last_id};

void broken_init(struct broken *b, struct reader *real, long left, bool midway) {
    *b = (struct broken){.reader = {&ops}, .real = real, .left = left, .midway = midway};
}
