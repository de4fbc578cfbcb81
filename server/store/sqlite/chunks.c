/* DESIGN. A chunk names its context, and that its series. With each commit chunks of the same contexts come again, so what a context is
 * stays known for as long as the question takes: of 5,000 chunks of 1,000 contexts, a fifth is looked up.
 */
#include "store/sqlite/rows.h"

#include "core/arena.h"
#include "core/array.h"
#include "core/table.h"
#include <errno.h>
#include <stdlib.h>

#define NAMES_MEMORY ((size_t)32 << 20) /* when it is full, all is looked up anew */

struct known_context {
    int64_t session_id;
    uint64_t series_id;
    int type; /* a newer program's may be none that this one knows */
    struct span name;
};

struct chunk_walk {
    struct rows *r;
    sqlite3_stmt *chunks, *context;
    struct table by_id; /* of the context, places in `known` */
    struct known_context *known;
    size_t n_known, cap_known;
    struct arena names;
    struct err *err;
};

static void forget_contexts(struct chunk_walk *w) {
    table_free(&w->by_id);
    w->n_known = 0;
    arena_reset(&w->names);
}

/* 1: it is at *known; 0: there is none of this id. */
static int find_context(struct chunk_walk *w, uint64_t id, const struct known_context **known) {
    const uint32_t *at = table_get(&w->by_id, id);
    if (at) {
        *known = &w->known[*at];
        return 1;
    }
    db_bind_id(w->context, 1, id);
    int got = db_row(w->r->db, w->context, w->err);
    if (got == 1) {
        struct span name = db_span(w->context, 0);
        if (w->names.used + name.n > NAMES_MEMORY)
            forget_contexts(w);
        struct known_context one = {.session_id = sqlite3_column_int64(w->context, 2),
                                    .series_id = db_id(w->context, 3),
                                    .type = sqlite3_column_int(w->context, 1),
                                    .name = arena_copy(&w->names, name)};
        if (w->names.failed || !array_room(&w->known, w->n_known, &w->cap_known, sizeof *w->known) ||
            table_set(&w->by_id, id, (uint32_t)w->n_known) != 0)
            got = err_set(w->err, ENOMEM, "cannot read chunks");
        else {
            w->known[w->n_known] = one;
            *known = &w->known[w->n_known++];
        }
    }
    sqlite3_reset(w->context);
    return got;
}

static int walk_begin(struct chunk_walk *w) {
    w->chunks = rows_statement(
        w->r, "SELECT id, n, context_id, sum FROM chunk WHERE id > ?1 ORDER BY id DESC LIMIT ?2", w->err);
    w->context = rows_statement(
        w->r, "SELECT m.name, m.type, m.session_id, m.id FROM (SELECT ?1 AS id) s" DB_SPELLING("s.id"),
        w->err);
    return w->chunks && w->context ? 0 : -1;
}

static void walk_end(struct chunk_walk *w) {
    if (w->chunks)
        rows_done(w->r, w->chunks);
    if (w->context)
        rows_done(w->r, w->context);
    table_free(&w->by_id);
    free(w->known);
    arena_free(&w->names);
}

int rows_chunks(struct reader *reader, struct span session, uint64_t since, uint64_t max,
                int (*row)(void *, const struct chunk_row *), void *arg, uint64_t *from, struct err *err) {
    struct chunk_walk w = {.r = (struct rows *)reader, .err = err};
    uint64_t session_id = 0, n = 0;
    int got = -1;
    *from = since;
    if (walk_begin(&w) != 0 ||
        (session.p && reader->ops->session_id(reader, session, &session_id, err) != 0)) {
        walk_end(&w);
        return -1;
    }
    db_bind_id(w.chunks, 1, since);
    db_bind_id(w.chunks, 2, max);
    while ((got = db_row(w.r->db, w.chunks, err)) == 1) {
        const struct known_context *c = NULL;
        struct chunk_row out = {
            .id = db_id(w.chunks, 0), .n = db_id(w.chunks, 1), .sum = db_number(w.chunks, 3)};
        *from = ++n == max ? out.id : since;
        if ((got = find_context(&w, db_id(w.chunks, 2), &c)) < 0)
            break;
        if (!c || (session.p && (uint64_t)c->session_id != session_id) || c->type < 0 ||
            c->type >= METRIC_N_TYPES)
            continue;
        out.series_id = c->series_id;
        out.name = c->name;
        out.type = (enum metric_type)c->type;
        if (row(arg, &out) != 0) {
            got = 0;
            break;
        }
    }
    walk_end(&w);
    return got < 0 ? -1 : 0;
}
