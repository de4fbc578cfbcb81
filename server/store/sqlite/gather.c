#include "store/sqlite/reading.h"

#include "core/array.h"

#define GATHER_MAX ((size_t)4 << 20) /* chunks; beyond, the table is read instead */

/* --- select ------------------------------------------------------------------------------------ */

static const struct rows_columns series_columns = {.id = "m.id",
                                                   .session_id = "m.session_id",
                                                   .name = "m.name",
                                                   .type = "m.type",
                                                   .series_id = "m.id",
                                                   .remarks = ROWS_SERIES_REMARKS,
                                                   .sampled = "y.sampled",
                                                   .has_tags = true,
                                                   .has_names = true,
                                                   .all_ids = true};

static int choose_rows(struct reading *g, sqlite3_stmt *stmt, struct rows_tags *tags) {
    const struct filter *f = g->filter;
    int got;
    while ((got = db_row(g->r->db, stmt, g->err)) == 1) {
        if (!rows_name_matches(f, db_span(stmt, 5)))
            continue;
        if (f->n_tags > 0) {
            if (rows_tags(tags, db_span(stmt, 6), g->err) != 0)
                return -1;
            if (!rows_tags_match(f, tags))
                continue;
        }
        if (g->max_chosen && g->n_chosen == g->max_chosen)
            return 1;
        if (!array_room(&g->chosen, g->n_chosen, &g->cap_chosen, sizeof *g->chosen))
            return reading_no_memory(g);
        g->chosen[g->n_chosen++] =
            (struct chosen){db_id(stmt, 0), db_id(stmt, 1), db_id(stmt, 2), db_id(stmt, 3), db_id(stmt, 4)};
    }
    return got;
}

/* Of these ids, or (NULL) of all series. As gather_series. */
static int choose(struct reading *g, const struct rows_where *w, const struct rows_ids *ids) {
    struct rows_tags tags = {0};
    struct buf sql = {.max = 16384};
    buf_str(&sql, "SELECT m.id, y.last_chunk, y.first_id, y.last_id, y.samples, m.name, m.tags"
                  " FROM metric m CROSS JOIN summary y ON y.metric_id = m.id");
    buf_span(&sql, buf_view(&w->sql));
    if (ids)
        buf_printf(&sql, "%s m.id = ?%d", w->n ? " AND" : " WHERE", w->n + 1);
    else
        buf_str(&sql, " ORDER BY m.id");
    sqlite3_stmt *stmt = sql.failed ? NULL : rows_statement(g->r, sql.p, g->err);
    buf_free(&sql);
    if (!stmt)
        return -1;
    rows_where_bind(w, stmt);
    int result = ids ? 0 : choose_rows(g, stmt, &tags);
    for (size_t i = 0; ids && i < ids->n && result == 0; i++) {
        db_bind_id(stmt, w->n + 1, ids->list[i]);
        result = choose_rows(g, stmt, &tags);
        sqlite3_reset(stmt);
    }
    rows_done(g->r, stmt);
    rows_tags_free(&tags);
    return result;
}

int gather_series(struct reading *g, bool ordered) {
    struct filter f = *g->filter; /* the source is a matter of each sample, and so is which are the newest */
    f.has_source = f.newest = false;
    if (ordered)
        f.after_series = 0;
    struct rows_where w;
    struct rows_ids ids = {.all = true};
    if (rows_one_type(g->r, &f, g->err) != 0)
        return -1;
    rows_where(&w, &f, &series_columns);
    int result = rows_by_name(&f) ? rows_named(g->r, &f, &ids, g->err) : 0;
    if (result == 0)
        result = choose(g, &w, ids.all ? NULL : &ids);
    rows_ids_free(&ids);
    buf_free(&w.sql);
    return result;
}

static bool is_chosen(const struct reading *g, uint64_t series_id) {
    const struct filter *f = g->filter;
    if (f && f->wants_series && !f->wants_series(f->wants_arg, series_id))
        return false;
    if (g->all)
        return true;
    size_t low = 0, high = g->n_list;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (g->list[middle].id < series_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < g->n_list && g->list[low].id == series_id;
}

/* --- gather ------------------------------------------------------------------------------------ */

/* The chunks of one series in [from, to], newest first. 1: too many. */
static int walk_chain(struct reading *g, sqlite3_stmt *stmt, uint64_t head, uint64_t from, uint64_t to) {
    for (uint64_t id = head; id >= from && id > 0;) {
        if (id <= to) {
            if (g->n_ids == GATHER_MAX)
                return 1;
            if (!array_room(&g->ids, g->n_ids, &g->cap_ids, sizeof *g->ids))
                return reading_no_memory(g);
            g->ids[g->n_ids++] = id;
        }
        db_bind_id(stmt, 1, id);
        int got = db_row(g->r->db, stmt, g->err);
        if (got < 0)
            return -1;
        if (got == 0) { /* evicted: the chain ends here */
            if (g->n_ids > 0 && g->ids[g->n_ids - 1] == id)
                g->n_ids--;
            return 0;
        }
        uint64_t prev = db_id(stmt, 0);
        sqlite3_reset(stmt);
        if (prev >= id)
            return rows_damaged(g->err);
        id = prev;
    }
    return 0;
}

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* 1: too many. */
static int gather_chains(struct reading *g, uint64_t from, uint64_t to) {
    g->n_ids = g->at_id = 0;
    sqlite3_stmt *stmt = rows_statement(g->r, "SELECT prev FROM chunk WHERE id = ?", g->err);
    if (!stmt)
        return -1;
    int result = 0;
    for (size_t i = 0; result == 0 && i < g->n_list; i++)
        if (g->list[i].last_id >= g->from)
            result = walk_chain(g, stmt, g->list[i].last_chunk, from, to);
    rows_done(g->r, stmt);
    if (result == 0 && g->n_ids > 1)
        qsort(g->ids, g->n_ids, sizeof *g->ids, by_number);
    return result;
}

static int open_table(struct reading *g, uint64_t from, uint64_t to) {
#define SELECT_CHUNKS                                                                                        \
    "SELECT c.id, c.context_id, c.vals, c.step, coalesce(x.metric_id, c.context_id) FROM chunk c"
    g->by_table = true;
    g->stmt = rows_statement(
        g->r,
        g->of_session ? SELECT_CHUNKS DB_SPELLING(
                            "c.context_id") " WHERE c.id >= ?1 AND c.id <= ?2 AND m.session_id ="
                                            " (SELECT id FROM session WHERE name = ?3) ORDER BY c.id"
                      : SELECT_CHUNKS " LEFT JOIN context x ON x.id = c.context_id"
                                      " WHERE c.id >= ?1 AND c.id <= ?2 ORDER BY c.id",
        g->err);
    if (!g->stmt)
        return -1;
    db_bind_id(g->stmt, 1, from);
    sqlite3_bind_int64(g->stmt, 2, to > INT64_MAX ? INT64_MAX : (int64_t)to);
    if (g->of_session)
        db_bind_span(g->stmt, 3, g->filter->session);
    return 0;
}

/* How many samples lie between g->from and the ends of the chains, which are walked from there: about. */
static double behind_from(const struct reading *g) {
    double n = 0;
    for (size_t i = 0; i < g->n_list; i++) {
        const struct chosen *c = &g->list[i];
        if (c->last_id < g->from)
            continue;
        double all = (double)(c->last_id - c->first_id + 1), behind = (double)(c->last_id - g->from + 1);
        n += (double)c->samples * (g->from <= c->first_id ? 1 : behind / all);
    }
    return n;
}

/* Walking a chain costs about as much a sample as passing over a good part of the table does, so it is for series that are few in
 * what must be walked over. */
#define SHARE_WALKED 4

int gather_chunks(struct reading *g) {
    uint64_t start;
    if (rows_slice_start(g->r, g->from, &start, g->err) != 0)
        return -1;
    g->by_table = false;
    if (!g->all && behind_from(g) * SHARE_WALKED <= (double)(g->to - start) + 1) {
        int result = gather_chains(g, start, g->to);
        if (result == 0) {
            g->stmt =
                rows_statement(g->r, "SELECT id, context_id, vals, step FROM chunk WHERE id = ?", g->err);
            return g->stmt ? 0 : -1;
        }
        if (result < 0)
            return -1;
    }
    return open_table(g, start, g->to);
}

int gather_next(struct reading *g) {
    if (!g->by_table) {
        if (g->at_id == g->n_ids)
            return 0;
        sqlite3_reset(g->stmt);
        db_bind_id(g->stmt, 1, g->ids[g->at_id++]);
        int got = db_row(g->r->db, g->stmt, g->err);
        return got == 0 ? rows_damaged(g->err) : got;
    }
    int got;
    while ((got = db_row(g->r->db, g->stmt, g->err)) == 1 && !is_chosen(g, db_id(g->stmt, 4)))
        ;
    return got;
}
