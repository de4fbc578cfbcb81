#include "control/forget.h"

#include "http/watch.h"
#include <errno.h>
#include <stdlib.h>

struct forget {
    bool all; /* ended ones too, which go altogether */
    size_t n;
    uint64_t *ids; /* of the sessions */
    struct store_removed removed;
};

static int forget(struct store *store, void *arg, struct err *err) {
    struct forget *f = arg;
    for (size_t i = 0; i < f->n; i++) {
        struct store_removed r = {0};
        if (store_reset(store, f->ids[i], &r, err) != 0)
            return -1;
        f->removed.samples += r.samples;
        f->removed.series += r.series;
        f->removed.events += r.events;
        f->removed.checks += r.checks;
        f->removed.rejects += r.rejects;
        f->removed.requests += r.requests;
        f->removed.datagrams += r.datagrams;
    }
    return f->all ? store_remove_ended(store, &f->removed, err) : 0;
}

static void note_id(void *arg, const struct ingest_session *session) {
    struct forget *f = arg;
    if (f->n < INGEST_SESSIONS_MAX)
        f->ids[f->n++] = session->id;
}

int forget_session(struct http *h, uint64_t session_id, struct store_removed *removed, struct err *err) {
    struct forget f = {.all = session_id == INGEST_ALL, .ids = calloc(INGEST_SESSIONS_MAX, sizeof *f.ids)};
    if (!f.ids)
        return err_set(err, ENOMEM, "out of memory");
    if (f.all)
        ingest_session_each(h->ingest, note_id, &f);
    else
        f.ids[f.n++] = session_id;
    int result = ingest_call(h->ingest, session_id, forget, &f, err);
    for (size_t i = 0; i < f.n; i++)
        watch_forget(h, f.ids[i]);
    *removed = f.removed;
    free(f.ids);
    return result;
}
