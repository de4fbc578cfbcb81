#include "flushed/private.h"

#include <stdlib.h>

/* Each session's name, one behind the other. */
struct flushed_sessions {
    struct arena arena;
    struct span *names;
    size_t n;
};

static int count_session(void *arg, const struct session_row *row) {
    struct flushed_sessions *s = arg;
    (void)row;
    s->n++;
    return 0;
}

static int keep_session(void *arg, const struct session_row *row) {
    struct flushed_sessions *s = arg;
    s->names[s->n++] = arena_copy(&s->arena, row->name);
    return 0;
}

static int build_all(struct flushed *f, const struct flushed_options *options, struct err *err) {
    struct reader *r = f->recording;
    struct flushed_sessions s = {.n = 0};
    int failed = r->ops->sessions(r, count_session, &s, err);
    s.names = failed ? NULL : arena_alloc(&s.arena, (s.n + 1) * sizeof *s.names);
    s.n = 0;
    if (s.names)
        failed = r->ops->sessions(r, keep_session, &s, err);
    if (!failed && (!s.names || s.arena.failed))
        failed = err_set(err, 0, "out of memory");
    for (size_t i = 0; i < s.n && !failed; i++)
        failed = flushed_build(f, s.names[i], options, err);
    arena_free(&s.arena);
    return failed;
}

struct reader *flushed_open(struct reader *recording, const struct flushed_options *options,
                            struct err *err) {
    struct flushed *f = calloc(1, sizeof *f);
    if (!f) {
        err_set(err, 0, "out of memory");
        return NULL;
    }
    f->reader.ops = &flushed_ops;
    f->recording = recording;
    f->arena.max = FLUSHED_BYTES_MAX;
    f->key.max = 1 << 20;
    bool one = options->session.p && !span_eq(options->session, SPAN(EVERY_SESSION));
    int failed = one ? flushed_build(f, options->session, options, err) : build_all(f, options, err);
    if (!failed)
        return &f->reader;
    reader_close(&f->reader);
    return NULL;
}
