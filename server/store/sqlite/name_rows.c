/* DESIGN. The index of names has a row for each series, in order of name, session, type and id. The walk steps through it, and jumps
 * where steps would lead through rows that do not matter:
 *
 *     behind a name and type of which STEPS series were met, if its totals are found (totals.h), or if it is only counted
 *     from other sessions' rows to our session's, or behind a name that our session does not have
 *
 * So it takes a step for each name, and one for each series of names that have few. Only names that are handed out are summed up.
 */
#include "store/sqlite/rows.h"

#include "core/array.h"
#include "core/glob.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

#define STEPS     6 /* to series of a name, before its totals are looked for; a jump takes as long */
#define STRANGERS 8 /* rows of another session before a jump */

struct total_walk {
    struct rows *r;
    const struct name_filter *f;
    struct err *err;
    sqlite3_stmt *rows; /* one of the next two: */
    sqlite3_stmt *by_name, *by_all, *total, *summary;
    int64_t session_id;
    struct span start; /* what all names that match begin with */

    struct buf name; /* the one that the walk is in */
    struct buf jump; /* behind which name it was begun last */
    int type;
    bool any;      /* it is in one */
    bool matters;  /* the name does */
    bool taken;    /* it is to be handed out */
    size_t n_rows; /* of this name and type so far */
    size_t strangers;
    struct rows_ids ids; /* of those to be summed up */

    uint64_t n;   /* that match */
    bool stopped; /* by who takes them */
    struct rows_tags tags;
    struct buf texts; /* of keys */
    struct {
        size_t at, n;
    } keys[NAME_KEYS];
    size_t n_keys;
    int (*row)(void *, const struct name_row *);
    void *arg;
};

/* --- summing up ------------------------------------------------------------------------------------------ */

static void add_keys(struct total_walk *w, const struct rows_tags *tags) {
    for (size_t i = 0; i < tags->n && w->n_keys < NAME_KEYS; i++) {
        struct span tag = tags->tags[i];
        const char *colon = tag.n ? memchr(tag.p, ':', tag.n) : NULL;
        struct span key = colon ? span_of(tag.p, (size_t)(colon - tag.p)) : tag;
        size_t k = 0;
        while (k < w->n_keys && !span_eq(span_of(w->texts.p + w->keys[k].at, w->keys[k].n), key))
            k++;
        if (k < w->n_keys)
            continue;
        w->keys[k].at = w->texts.n;
        w->keys[k].n = key.n;
        w->n_keys++;
        buf_span(&w->texts, key);
        buf_char(&w->texts, '\0');
    }
}

static int add_series(struct total_walk *w, uint64_t id, struct name_row *row) {
    sqlite3_stmt *stmt = w->summary;
    sqlite3_reset(stmt);
    db_bind_id(stmt, 1, id);
    int got = db_row(w->r->db, stmt, w->err);
    if (got != 1)
        return got;
    row->series++;
    row->samples += db_id(stmt, 0);
    row->count += db_number(stmt, 1);
    row->sum += db_number(stmt, 2);
    row->min = fmin(row->min, db_number(stmt, 3));
    row->max = fmax(row->max, db_number(stmt, 4));
    if (sqlite3_column_int64(stmt, 6) < row->first_at)
        row->first_at = sqlite3_column_int64(stmt, 6);
    if (db_id(stmt, 8) >= row->last_id) {
        row->last_id = db_id(stmt, 8);
        row->last_at = sqlite3_column_int64(stmt, 7);
        row->last = db_number(stmt, 5);
    }
    if (w->f->keys && w->n_keys < NAME_KEYS) {
        if (rows_tags(&w->tags, db_span(stmt, 9), w->err) != 0)
            return -1;
        add_keys(w, &w->tags);
    }
    return 0;
}

static bool is_enough(const struct total_walk *w) {
    return !w->f->to_end && w->n >= w->f->from && w->n - w->f->from >= w->f->n;
}

/* 1: enough, -1. */
static int hand_out(struct total_walk *w, struct name_row *row) {
    struct span keys[NAME_KEYS];
    if (w->texts.failed || w->name.failed)
        return err_set(w->err, ENOMEM, "cannot read the recording");
    for (size_t i = 0; i < w->n_keys; i++)
        keys[i] = span_of(w->texts.p + w->keys[i].at, w->keys[i].n);
    row->name = w->name.n ? buf_view(&w->name) : SPAN("");
    row->type = (enum metric_type)w->type;
    row->n_keys = w->n_keys;
    row->keys = keys;
    w->taken = false;
    w->stopped = row->series && w->row(w->arg, row) != 0;
    return w->stopped || is_enough(w);
}

static struct name_row nothing(struct total_walk *w) {
    w->n_keys = 0;
    buf_clear(&w->texts);
    return (struct name_row){
        .min = (double)NAN, .max = (double)NAN, .last = (double)NAN, .first_at = INT64_MAX};
}

/* The end of a name and type: what it comes to is handed out, unless its totals were. 1: enough, -1. */
static int end_name(struct total_walk *w) {
    if (!w->any || !w->taken)
        return 0;
    struct name_row row = nothing(w);
    for (size_t i = 0; i < w->ids.n; i++)
        if (add_series(w, w->ids.list[i], &row) < 0)
            return -1;
    return hand_out(w, &row);
}

/* 1: its totals are there and were handed out, 2: that was enough, 0: they are not there. */
static int find_total(struct total_walk *w) {
    sqlite3_stmt *stmt = w->total;
    sqlite3_reset(stmt);
    db_bind_id(stmt, 1, w->ids.list[0]);
    int got = db_row(w->r->db, stmt, w->err);
    if (got != 1)
        return got;
    struct name_row row = nothing(w);
    row.series = db_id(stmt, 0);
    row.samples = db_id(stmt, 1);
    row.count = db_number(stmt, 2);
    row.sum = db_number(stmt, 3);
    row.min = db_number(stmt, 4);
    row.max = db_number(stmt, 5);
    row.last = db_number(stmt, 6);
    row.first_at = sqlite3_column_int64(stmt, 7);
    row.last_at = sqlite3_column_int64(stmt, 8);
    row.last_id = db_id(stmt, 9);
    if (w->f->keys) {
        if (rows_tags(&w->tags, db_span(stmt, 10), w->err) != 0)
            return -1;
        add_keys(w, &w->tags);
    }
    got = hand_out(w, &row);
    return got < 0 ? -1 : 1 + got;
}

/* --- walking --------------------------------------------------------------------------------------------- */

/* The walk goes on with the first row that is not before these. The name may be that of the row that the walk stands at. SQLite looks at
 * what is bound with each row, so it has a copy of its own. */
static int walk_from(struct total_walk *w, struct span name, int64_t session_id, int type) {
    bool jump = session_id || type;
    buf_clear(&w->jump);
    buf_span(&w->jump, name);
    if (w->rows)
        sqlite3_reset(w->rows);
    w->rows = jump ? w->by_all : w->by_name;
    db_bind_span(w->rows, 1, w->jump.n ? buf_view(&w->jump) : SPAN(""));
    if (jump) {
        sqlite3_bind_int64(w->rows, 2, session_id);
        sqlite3_bind_int(w->rows, 3, type);
    }
    return w->jump.failed ? err_set(w->err, ENOMEM, "cannot read the recording") : 0;
}

static bool name_matters(const struct total_walk *w, struct span name) {
    const struct name_filter *f = w->f;
    if (f->name.p && (f->exact ? !span_eq(f->name, name) : !glob_match(f->name, name)))
        return false;
    return !f->wants || f->wants(f->wants_arg, name);
}

/* A row of the next name and type. 1: enough, -1. */
static int begin_name(struct total_walk *w, struct span name, int type) {
    bool same = w->any && span_eq(buf_view(&w->name), name);
    if (!same) {
        buf_clear(&w->name);
        buf_span(&w->name, name);
        w->matters = name_matters(w, name);
    }
    w->any = true;
    w->type = type;
    w->n_rows = 0;
    w->ids.n = 0;
    w->taken = false;
    if (!w->matters || type < 0 || type >= METRIC_N_TYPES || (w->f->has_type && (int)w->f->type != type))
        return 0;
    if (is_enough(w))
        return 1;
    w->taken = w->n >= w->f->from && w->n - w->f->from < w->f->n;
    w->n++;
    return 0;
}

/* Another session's row. */
static int pass_stranger(struct total_walk *w, struct span name, int64_t session_id) {
    if (++w->strangers < STRANGERS)
        return 0;
    w->strangers = 0;
    bool before = session_id < w->session_id;
    return walk_from(w, name, before ? w->session_id : INT64_MAX, 0);
}

/* Our session's row. 1: enough, -1. */
static int take_row(struct total_walk *w, struct span name, int type, uint64_t id) {
    int result = 0;
    w->strangers = 0;
    if (!w->any || type != w->type || !span_eq(buf_view(&w->name), name)) {
        result = end_name(w);
        result = result ? result : begin_name(w, name, type);
        if (result)
            return result;
    }
    w->n_rows++;
    if (w->taken) {
        if (!array_room(&w->ids.list, w->ids.n, &w->ids.cap, sizeof *w->ids.list))
            return err_set(w->err, ENOMEM, "cannot read the recording");
        w->ids.list[w->ids.n++] = id;
    }
    if (w->n_rows != STEPS)
        return 0;
    bool jump = !w->taken;
    if (w->taken) {
        result = find_total(w);
        jump = result > 0;
        result = result < 0 ? -1 : result == 2;
    }
    return jump && result == 0 ? walk_from(w, buf_view(&w->name), w->session_id, w->type + 1) : result;
}

static int walk(struct total_walk *w) {
    const struct name_filter *f = w->f;
    int got = f->exact ? walk_from(w, w->start, w->session_id, f->has_type ? (int)f->type : 0)
                       : walk_from(w, w->start, 0, 0);
    while (got == 0 && (got = db_row(w->r->db, w->rows, w->err)) == 1) {
        struct span name = db_span(w->rows, 0);
        int64_t session_id = sqlite3_column_int64(w->rows, 1);
        if (f->exact ? !span_eq(name, w->start) : !span_starts(name, w->start)) {
            got = 0;
            break;
        }
        got = session_id != w->session_id
                  ? pass_stranger(w, name, session_id)
                  : take_row(w, name, sqlite3_column_int(w->rows, 2), db_id(w->rows, 3));
        if (got != 0)
            return got < 0 ? -1 : 0;
    }
    return got < 0 || end_name(w) < 0 ? -1 : 0;
}

static int walk_begin(struct total_walk *w) {
    struct rows *r = w->r;
    w->by_name = rows_statement(r,
                                "SELECT name, session_id, type, id FROM metric INDEXED BY metric_name"
                                " WHERE name >= ?1 ORDER BY name, session_id, type",
                                w->err);
    w->by_all =
        rows_statement(r,
                       "SELECT name, session_id, type, id FROM metric INDEXED BY metric_name"
                       " WHERE (name, session_id, type) >= (?1, ?2, ?3) ORDER BY name, session_id, type",
                       w->err);
    w->total = rows_statement(
        r,
        "SELECT series, samples, count, sum, min, max, last, first_at, last_at, last_id, tag_keys"
        " FROM name_total WHERE metric_id = ?",
        w->err);
    w->summary = rows_statement(
        r,
        w->f->keys ? "SELECT y.samples, y.count, y.sum, y.min, y.max, y.last, y.first_at, y.last_at,"
                     " y.last_id, m.tags FROM summary y CROSS JOIN metric m ON m.id = y.metric_id"
                     " WHERE y.metric_id = ?"
                   : "SELECT samples, count, sum, min, max, last, first_at, last_at, last_id"
                     " FROM summary WHERE metric_id = ?",
        w->err);
    return w->by_name && w->by_all && w->total && w->summary ? 0 : -1;
}

static void walk_end(struct total_walk *w) {
    sqlite3_stmt *const all[] = {w->by_name, w->by_all, w->total, w->summary};
    for (size_t i = 0; i < 4; i++)
        if (all[i])
            rows_done(w->r, all[i]);
    rows_ids_free(&w->ids);
    rows_tags_free(&w->tags);
    buf_free(&w->name);
    buf_free(&w->jump);
    buf_free(&w->texts);
}

/* --- what was counted before ----------------------------------------------------------------------------- */

/* Ids of series are never given twice: with the same newest one, and as many series, a session has the same names. */
static int look_up(struct rows *r, const struct name_filter *f, struct rows_counted *now, bool *known,
                   struct err *err) {
    sqlite3_stmt *stmt = rows_statement(
        r, "SELECT (SELECT max(id) FROM metric), (SELECT series FROM session_count WHERE session_id = ?)",
        err);
    if (!stmt)
        return -1;
    db_bind_id(stmt, 1, now->session_id);
    int got = db_row(r->db, stmt, err);
    now->max_id = got == 1 ? db_id(stmt, 0) : 0;
    now->series = got == 1 ? db_id(stmt, 1) : 0;
    rows_done(r, stmt);
    uint64_t seed = f->wants_key ^ (uint64_t)f->exact << 8 ^ (uint64_t)(f->has_type ? f->type + 1 : 0);
    now->question = XXH3_64bits_withSeed(f->name.p ? f->name.p : "\xff", f->name.p ? f->name.n : 1, seed) | 1;
    *known = false;
    for (size_t i = 0; i < ROWS_COUNTED && !*known; i++) {
        const struct rows_counted *c = &r->counted[i];
        *known = c->question == now->question && c->session_id == now->session_id &&
                 c->max_id == now->max_id && c->series == now->series;
        now->n = *known ? c->n : 0;
    }
    return got < 0 ? -1 : 0;
}

static int walk_counted(struct total_walk *w, struct name_filter *f) {
    struct rows_counted now = {.session_id = (uint64_t)w->session_id};
    bool known = false, may = f->to_end && (f->wants_key || !f->wants);
    if (may && look_up(w->r, f, &now, &known, w->err) != 0)
        return -1;
    if (known)
        f->to_end = false;
    bool nothing_left = known && (f->n == 0 || f->from >= now.n);
    if (!nothing_left && walk(w) != 0)
        return -1;
    if (known) {
        w->n = now.n;
    } else if (may && !w->stopped) {
        now.n = w->n;
        w->r->counted[w->r->next_counted++ % ROWS_COUNTED] = now;
    }
    return 0;
}

int rows_name_rows(struct reader *reader, const struct name_filter *f,
                   int (*row)(void *, const struct name_row *), void *arg, uint64_t *n, struct err *err) {
    struct name_filter filter = *f; /* a name without wildcards is looked up */
    filter.exact = f->exact || (f->name.p && !glob_is_pattern(f->name));
    struct total_walk w = {.r = (struct rows *)reader,
                           .f = &filter,
                           .err = err,
                           .row = row,
                           .arg = arg,
                           .name.max = ROWS_TEXT_MAX,
                           .jump.max = ROWS_TEXT_MAX,
                           .texts.max = ROWS_TEXT_MAX,
                           .start = f->name.p ? f->name : SPAN("")};
    uint64_t session_id;
    *n = 0;
    if (reader->ops->session_id(reader, f->session, &session_id, err) != 0)
        return -1;
    if (session_id == 0)
        return 0;
    w.session_id = (int64_t)session_id;
    for (size_t i = 0; !filter.exact && i < w.start.n; i++)
        if (w.start.p[i] == '*' || w.start.p[i] == '?')
            w.start.n = i;
    int result = walk_begin(&w) == 0 ? walk_counted(&w, &filter) : -1;
    walk_end(&w);
    *n = w.n;
    return result;
}
