/* DESIGN. Which series have a name that a question is about, found in the index of names alone: its rows are names and ids in
 * order of names, so no series is read that is not asked for.
 *
 *     patterns   each has a fixed beginning (of a name without wildcards: all of it); sorted by that
 *     cursor     stands in the index; from a name behind one pattern it jumps to where the next one begins
 *
 * A jump ends at a name that matters or passes a pattern, so there are at most as many jumps as the fewer of the two. What is
 * found is sorted by id, and read one by one. When it is a good part of all series, the table is read in its order instead.
 *
 * Where many series have one name, SQLite is asked for each name once, which takes it a third less time, and for the ids of those
 * that matter. Where few have, that would take it three times as long: so the first PROBE rows decide.
 */
#include "store/sqlite/rows.h"

#include "core/array.h"
#include "core/glob.h"
#include <errno.h>
#include <stdlib.h>

#define GLOBS_TRIED 16 /* of more globs, the fixed beginning alone decides */
#define SHARE       4  /* of all series: from this part on the table is read instead; */
#define FEW         64 /* but never for so few */

#define PROBE 512 /* rows */
#define MANY  4   /* series of a name, on the average */

/* The index of names, from a name on. */
struct name_walk {
    struct rows *r;
    struct err *err;
    sqlite3_stmt *each, *once; /* a row for each series; for each name */
    bool by_name;              /* `once` is read */
    size_t rows, names;        /* of `each` so far */
    struct buf last;           /* the name before */
};

struct named_pattern {
    struct span text, start; /* start: before the first wildcard */
    bool literal;
};

struct name_search {
    struct rows *r;
    const struct filter *filter;
    struct rows_ids *ids;
    struct err *err;
    struct named_pattern *patterns;
    size_t n, at; /* at: the first one that names from here on may match */
    size_t n_globs;
    uint64_t low, high; /* the ids that the filter's session has */
    uint64_t most;      /* so many ids are fewer than SHARE of all */
    bool last_matters;  /* the walk's last name */
    struct name_walk walk;
};

/* --- the index of names ---------------------------------------------------------------------------------- */

static int walk_begin(struct name_walk *w, struct rows *r, struct err *err) {
    *w = (struct name_walk){.r = r, .err = err, .last.max = ROWS_TEXT_MAX};
    w->each = rows_statement(
        r, "SELECT name, id FROM metric INDEXED BY metric_name WHERE name >= ? ORDER BY name", err);
    w->once = rows_statement(
        r, "SELECT DISTINCT name FROM metric INDEXED BY metric_name WHERE name >= ? ORDER BY name", err);
    return w->each && w->once ? 0 : -1;
}

static void walk_end(struct name_walk *w) {
    if (w->each)
        rows_done(w->r, w->each);
    if (w->once)
        rows_done(w->r, w->once);
    buf_free(&w->last);
}

static void walk_from(struct name_walk *w, struct span start) {
    sqlite3_stmt *stmt = w->by_name ? w->once : w->each;
    sqlite3_reset(stmt);
    db_bind_span(stmt, 1, start.p ? start : SPAN(""));
}

/* As db_span for a column that is never NULL, in half the calls: for each name of the recording this is most of the time. */
static struct span name_at(sqlite3_stmt *stmt) {
    const char *p = sqlite3_column_blob(stmt, 0);
    return p ? span_of(p, (size_t)sqlite3_column_bytes(stmt, 0)) : SPAN("");
}

/* 1: the next row; *id 0: it stands for all series of that name. *again: the name is that of the row before. 0: no more. */
static int walk_next(struct name_walk *w, struct span *name, uint64_t *id, bool *again) {
    bool change = !w->by_name && w->rows == PROBE && w->names * MANY < w->rows;
    w->by_name |= change;
    if (change) { /* the name before comes once more, whose other series may follow */
        sqlite3_reset(w->each);
        walk_from(w, buf_view(&w->last));
    }
    sqlite3_stmt *stmt = w->by_name ? w->once : w->each;
    int got = db_row(w->r->db, stmt, w->err);
    if (got != 1)
        return got;
    *name = name_at(stmt);
    *again = !change && !w->by_name && w->rows > 0 && span_eq(buf_view(&w->last), *name);
    *id = w->by_name ? 0 : db_id(stmt, 1);
    w->rows++;
    if (*again || w->by_name)
        return 1;
    w->names++;
    buf_clear(&w->last);
    buf_span(&w->last, *name);
    return w->last.failed ? err_set(w->err, ENOMEM, "cannot read the recording") : 1;
}

int rows_names(struct rows *r, int (*row)(void *, struct span name), void *arg, struct err *err) {
    struct name_walk walk;
    struct span name;
    uint64_t id;
    bool again, told = false;
    int got = walk_begin(&walk, r, err);
    if (got == 0) {
        walk_from(&walk, SPAN(""));
        while ((got = walk_next(&walk, &name, &id, &again)) == 1) {
            /* when the walk changes to names, the one before comes once more */
            bool twice = told && id == 0 && span_eq(buf_view(&walk.last), name);
            if (!again && !twice && row(arg, name) != 0) {
                got = 0;
                break;
            }
            told = true;
        }
    }
    walk_end(&walk);
    return got;
}

/* --- what is looked for ---------------------------------------------------------------------------------- */

static int by_start(const void *a, const void *b) {
    return span_cmp(((const struct named_pattern *)a)->start, ((const struct named_pattern *)b)->start);
}

static int list_patterns(struct name_search *s, size_t n, const struct span *names) {
    s->patterns = calloc(n + 1, sizeof *s->patterns);
    if (!s->patterns)
        return err_set(s->err, ENOMEM, "cannot read the recording");
    for (size_t i = 0; i < n; i++) {
        struct span text = names[i];
        size_t fixed = 0;
        while (fixed < text.n && text.p[fixed] != '*' && text.p[fixed] != '?')
            fixed++;
        bool literal = fixed == text.n;
        s->patterns[s->n++] = (struct named_pattern){text, span_of(text.p, fixed), literal};
        s->n_globs += !literal;
    }
    qsort(s->patterns, s->n, sizeof *s->patterns, by_start);
    return 0;
}

/* Whether the name lies behind all that the pattern matches. */
static bool is_past(const struct named_pattern *p, struct span name) {
    bool inside = p->literal ? span_eq(name, p->start) : span_starts(name, p->start);
    return !inside && span_cmp(name, p->start) > 0;
}

static bool matters(const struct name_search *s, struct span name) {
    const struct named_pattern *here = &s->patterns[s->at];
    if (here->literal || s->n_globs > GLOBS_TRIED)
        return true;
    for (size_t i = s->at; i < s->n && span_cmp(s->patterns[i].start, name) <= 0; i++)
        if (s->patterns[i].literal ? span_eq(s->patterns[i].text, name)
                                   : glob_match(s->patterns[i].text, name))
            return true;
    return false;
}

static int add_id(struct name_search *s, uint64_t id) {
    struct rows_ids *ids = s->ids;
    if (id < s->low || id > s->high)
        return 0;
    if (ids->n >= s->most) {
        ids->all = true;
        return 0;
    }
    if (!array_room(&ids->list, ids->n, &ids->cap, sizeof *ids->list))
        return err_set(s->err, ENOMEM, "cannot read the recording");
    ids->list[ids->n++] = id;
    return 0;
}

/* The ids of one name. */
static int add_ids(struct name_search *s, struct span name) {
    sqlite3_stmt *stmt =
        rows_statement(s->r, "SELECT id FROM metric INDEXED BY metric_name WHERE name = ?", s->err);
    if (!stmt)
        return -1;
    int got;
    db_bind_span(stmt, 1, name);
    while ((got = db_row(s->r->db, stmt, s->err)) == 1 && !s->ids->all)
        if (add_id(s, db_id(stmt, 0)) != 0) {
            got = -1;
            break;
        }
    rows_done(s->r, stmt);
    return got < 0 ? -1 : 0;
}

/* From where the first pattern begins to the first name that lies before the next pattern: 1: jump, 0: no more, -1. */
static int look_on(struct name_search *s) {
    int got;
    struct span name;
    uint64_t id;
    bool again;
    walk_from(&s->walk, s->patterns[s->at].start);
    while ((got = walk_next(&s->walk, &name, &id, &again)) == 1) {
        while (s->at < s->n && is_past(&s->patterns[s->at], name))
            s->at++;
        if (s->at == s->n)
            return 0;
        if (span_cmp(s->patterns[s->at].start, name) > 0)
            return 1;
        if (!again)
            s->last_matters = matters(s, name);
        if (s->last_matters && (id ? add_id(s, id) : add_ids(s, name)) != 0)
            return -1;
        if (s->ids->all)
            return 0;
    }
    return got;
}

static int find_ids(struct name_search *s) {
    int got = walk_begin(&s->walk, s->r, s->err) != 0 ? -1 : s->n > 0;
    while (got == 1)
        got = look_on(s);
    walk_end(&s->walk);
    return got;
}

/* How many series there are at most, and between which ids those of the session lie. */
static int find_bounds(struct name_search *s) {
    sqlite3_stmt *stmt = rows_statement(
        s->r,
        "SELECT (SELECT max(id) FROM metric),"
        " (SELECT min(id) FROM metric WHERE session_id = (SELECT id FROM session WHERE name = ?1)),"
        " (SELECT max(id) FROM metric WHERE session_id = (SELECT id FROM session WHERE name = ?1))",
        s->err);
    if (!stmt)
        return -1;
    db_bind_span(stmt, 1, s->filter->session);
    int got = db_row(s->r->db, stmt, s->err);
    if (got == 1) {
        s->most = db_id(stmt, 0) / SHARE > FEW ? db_id(stmt, 0) / SHARE : FEW;
        s->low = s->filter->session.p ? db_id(stmt, 1) : 0;
        s->high = s->filter->session.p ? db_id(stmt, 2) : UINT64_MAX;
    }
    rows_done(s->r, stmt);
    return got < 0 ? -1 : 0;
}

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* When the walk changes to names, the ids of one name come twice. */
static void sort_ids(struct rows_ids *ids) {
    size_t n = 1;
    qsort(ids->list, ids->n, sizeof *ids->list, by_number);
    for (size_t i = 1; i < ids->n; i++)
        if (ids->list[i] != ids->list[n - 1])
            ids->list[n++] = ids->list[i];
    ids->n = n;
}

bool rows_by_name(const struct filter *f) {
    bool one =
        f->name.p && glob_is_pattern(f->name); /* a single name without wildcards is a condition as good */
    return (f->n_names || one) && !f->series_id && !(f->limit && f->newest);
}

int rows_named(struct rows *r, const struct filter *f, struct rows_ids *ids, struct err *err) {
    struct name_search s = {.r = r, .filter = f, .ids = ids, .err = err};
    ids->n = 0;
    ids->all = false;
    int result = list_patterns(&s, f->n_names ? f->n_names : 1, f->n_names ? f->names : &f->name);
    if (result == 0)
        result = find_bounds(&s);
    if (result == 0)
        result = find_ids(&s);
    if (result == 0 && ids->n > 1 && !ids->all)
        sort_ids(ids);
    free(s.patterns);
    return result;
}

void rows_ids_free(struct rows_ids *ids) {
    free(ids->list);
    *ids = (struct rows_ids){0};
}
