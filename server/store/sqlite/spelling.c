#include "store/sqlite/rows.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

void rows_origin(sqlite3_stmt *stmt, int at, struct origin *o) {
    o->container_id = db_span(stmt, at);
    o->external_data = db_span(stmt, at + 1);
    o->cardinality = db_span(stmt, at + 2);
    o->entity_id = db_span(stmt, at + 3);
    o->jmx_check_name = db_span(stmt, at + 4);
    o->has_inode = sqlite3_column_type(stmt, at + 5) != SQLITE_NULL;
    o->inode = db_id(stmt, at + 5);
}

static size_t bytes_of(const struct rows_spelling *sp) {
    return sp->text.cap + sp->remarks.text.cap + sp->tags.text.cap + sp->tags.cap * sizeof(struct span);
}

static void forget(struct rows *r, struct rows_spelling *sp) {
    r->n_spelled -= bytes_of(sp);
    buf_free(&sp->text);
    rows_tags_free(&sp->tags);
    rows_remarks_free(&sp->remarks);
    *sp = (struct rows_spelling){0};
}

static void forget_until(struct rows *r, size_t bytes) {
    for (size_t i = 0; i < r->n_spellings && r->n_spelled > bytes; i++)
        if (r->spellings[i])
            forget(r, r->spellings[i]);
}

void rows_spellings_free(struct rows *r) {
    forget_until(r, 0);
    for (size_t i = 0; i < r->n_spellings; i++)
        free(r->spellings[i]);
    free(r->spellings);
    r->spellings = NULL;
    r->n_spellings = 0;
    for (size_t i = 0; i < ROWS_SESSIONS; i++) {
        buf_free(&r->sessions[i].name);
        r->sessions[i] = (struct rows_session){0};
    }
}

/* Whether its session still has the name it had: one that was kept gives it away to the next (session.c). */
static bool is_named_so(struct rows *r, struct rows_spelling *sp, struct err *err) {
    struct rows_session *session = &r->sessions[sp->session_id % ROWS_SESSIONS];
    if (session->id != sp->session_id || session->moment != r->moment) {
        sqlite3_stmt *stmt = rows_statement(r, "SELECT name FROM session WHERE id = ?", err);
        if (!stmt)
            return false;
        db_bind_id(stmt, 1, sp->session_id);
        buf_clear(&session->name);
        if (db_row(r->db, stmt, err) == 1)
            buf_span(&session->name, db_span(stmt, 0));
        rows_done(r, stmt);
        session->id = session->name.failed ? 0 : sp->session_id;
        session->moment = r->moment;
    }
    if (!session->id || !span_eq(buf_view(&session->name), sp->session))
        return false;
    sp->moment = r->moment;
    return true;
}

/* Copies what the metric's spans point to, so that they outlive the statement's row. */
static bool keep_texts(struct rows_spelling *sp) {
    struct metric *m = &sp->metric;
    struct span *const spans[] = {&sp->session,
                                  &m->name,
                                  &m->origin.host,
                                  &m->device,
                                  &m->unit,
                                  &m->source_type,
                                  &m->resources,
                                  &m->origin.container_id,
                                  &m->origin.external_data,
                                  &m->origin.cardinality,
                                  &m->origin.entity_id,
                                  &m->origin.jmx_check_name};
    size_t total = 0, n = sizeof spans / sizeof spans[0];
    for (size_t i = 0; i < n; i++)
        total += spans[i]->n;
    sp->text.max = ROWS_TEXT_MAX;
    if (!buf_reserve(&sp->text, total + 1))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!spans[i]->p)
            continue;
        size_t at = sp->text.n;
        buf_span(&sp->text, *spans[i]);
        spans[i]->p = sp->text.p + at;
    }
    return true;
}

static int read_spelling(sqlite3_stmt *stmt, struct rows_spelling *sp, struct err *err) {
    struct metric *m = &sp->metric;
    int type = sqlite3_column_int(stmt, 1);
    if (type < 0 || type >= METRIC_N_TYPES)
        return rows_damaged(err);
    sp->series_id = db_id(stmt, 0);
    sp->session_id = db_id(stmt, 20);
    m->type = (enum metric_type)type;
    m->name = db_span(stmt, 2);
    m->origin.host = db_span(stmt, 3);
    m->device = db_span(stmt, 4);
    sp->session = db_span(stmt, 5);
    m->sample_rate = db_number(stmt, 7);
    rows_origin(stmt, 8, &m->origin);
    m->unit = db_span(stmt, 14);
    m->interval = sqlite3_column_int64(stmt, 15);
    m->source_type = db_span(stmt, 16);
    m->resources = db_span(stmt, 17);
    if (rows_tags(&sp->tags, db_span(stmt, 6), err) != 0)
        return -1;
    if (rows_remarks(&sp->remarks, db_span(stmt, 18), db_span(stmt, 19), err) != 0)
        return -1;
    m->remarks = sp->remarks.remarks.n ? &sp->remarks.remarks : NULL;
    m->n_tags = sp->tags.n;
    m->tags = sp->tags.tags;
    return keep_texts(sp) ? 0 : err_set(err, ENOMEM, "cannot read the recording");
}

/* There are fewer than `n`, a multiple of how many: no two come to one place that were not in one before. */
static int remember_more(struct rows *r, size_t n, struct err *err) {
    struct rows_spelling **more = calloc(n, sizeof *more);
    if (!more)
        return err_set(err, ENOMEM, "cannot read the recording");
    for (size_t i = 0; i < r->n_spellings; i++)
        if (r->spellings[i] && r->spellings[i]->context_id)
            more[r->spellings[i]->context_id % n] = r->spellings[i];
        else
            free(r->spellings[i]);
    free(r->spellings);
    r->spellings = more;
    r->n_spellings = n;
    r->n_displaced = 0;
    return 0;
}

/* The place of a spelling, which another one may hold. Each reader of a pool would remember as many, and that takes 25 MB. */
static struct rows_spelling *place_of(struct rows *r, uint64_t context_id, struct err *err) {
    size_t max = r->of_file && !r->settles ? ROWS_SPELLINGS_MAX : ROWS_SPELLINGS;
    if (r->n_displaced >= r->n_spellings && r->n_spellings < max &&
        remember_more(r, r->n_spellings ? r->n_spellings * 4 : ROWS_SPELLINGS, err) != 0)
        return NULL;
    struct rows_spelling **sp = &r->spellings[context_id % r->n_spellings];
    if (!*sp && !(*sp = calloc(1, sizeof **sp)))
        err_set(err, ENOMEM, "cannot read the recording");
    return *sp;
}

struct rows_spelling *rows_spelling(struct rows *r, uint64_t context_id, struct err *err) {
    struct rows_spelling *sp = place_of(r, context_id, err);
    if (!sp || (sp->context_id == context_id && (sp->moment == r->moment || is_named_so(r, sp, err))))
        return sp;
    r->n_displaced += sp->context_id != 0 && sp->context_id != context_id;
    forget_until(r, ROWS_SPELLED_MAX);
    forget(r, sp);
    sqlite3_stmt *stmt = rows_statement(
        r,
        "SELECT m.id, m.type, m.name, m.host, m.device, s.name, coalesce(x.tags, m.spelled, m.tags),"
        " iif(x.id IS NULL, 1.0, x.sample_rate), x.container_id, x.external_data, x.cardinality, x.entity_id,"
        " x.jmx_check_name, x.inode, x.unit, x.interval, x.source_type, x.resources, x.remarks, x.line, m.session_id"
        " FROM (SELECT ?1 AS id) c" DB_SPELLING(
            "c.id") " CROSS JOIN session s ON s.id = m.session_id WHERE x.id IS NOT NULL OR m.spelling IS NOT NULL",
        err);
    if (!stmt)
        return NULL;
    db_bind_id(stmt, 1, context_id);
    int got = db_row(r->db, stmt, err);
    int result = got == 1 ? read_spelling(stmt, sp, err) : got == 0 ? rows_damaged(err) : -1;
    rows_done(r, stmt);
    r->n_spelled += bytes_of(sp);
    if (result != 0) {
        forget(r, sp);
        return NULL;
    }
    sp->context_id = context_id;
    sp->moment = r->moment;
    return sp;
}

/* Reads on from the arrival that holds `id`: more each time, since whoever misses twice reads a lot. */
static int load_arrivals(struct rows *r, uint64_t id, struct err *err) {
    if (!r->arrivals && !(r->arrivals = malloc(ROWS_ARRIVALS * sizeof *r->arrivals)))
        return err_set(err, ENOMEM, "cannot read the recording");
    r->want_arrivals = r->want_arrivals == 0 ? 32 : r->want_arrivals * 4;
    if (r->want_arrivals > ROWS_ARRIVALS)
        r->want_arrivals = ROWS_ARRIVALS;
    sqlite3_stmt *stmt =
        rows_statement(r,
                       "SELECT first_id, received_at, source FROM arrival WHERE first_id >="
                       " coalesce((SELECT max(first_id) FROM arrival WHERE first_id <= ?1), ?1)"
                       " ORDER BY first_id LIMIT ?2",
                       err);
    if (!stmt)
        return -1;
    db_bind_id(stmt, 1, id);
    sqlite3_bind_int64(stmt, 2, (int64_t)r->want_arrivals + 1);
    r->n_arrivals = 0;
    r->arrivals_end = UINT64_MAX;
    int got;
    while ((got = db_row(r->db, stmt, err)) == 1) {
        if (r->n_arrivals == r->want_arrivals) {
            r->arrivals_end = db_id(stmt, 0);
            break;
        }
        int source = sqlite3_column_int(stmt, 2);
        r->arrivals[r->n_arrivals++] =
            (struct rows_arrival){db_id(stmt, 0), sqlite3_column_int64(stmt, 1),
                                  source >= 0 && source < SOURCE_N ? (enum source)source : SOURCE_UDP};
    }
    rows_done(r, stmt);
    if (got < 0)
        return -1;
    return r->n_arrivals > 0 && r->arrivals[0].first_id <= id ? 0 : rows_damaged(err);
}

int rows_arrival(struct rows *r, uint64_t id, struct rows_arrival *arrival, struct err *err) {
    uint64_t end;
    return rows_arrival_until(r, id, arrival, &end, err);
}

int rows_arrival_until(struct rows *r, uint64_t id, struct rows_arrival *arrival, uint64_t *end,
                       struct err *err) {
    if (r->n_arrivals == 0 || id < r->arrivals[0].first_id || id >= r->arrivals_end)
        if (load_arrivals(r, id, err) != 0)
            return -1;
    size_t low = 0, high = r->n_arrivals;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (r->arrivals[middle].first_id <= id)
            low = middle;
        else
            high = middle;
    }
    *arrival = r->arrivals[low];
    *end = low + 1 < r->n_arrivals ? r->arrivals[low + 1].first_id : r->arrivals_end;
    return 0;
}

int rows_slice_start(struct rows *r, uint64_t id, uint64_t *start, struct err *err) {
    sqlite3_stmt *stmt = rows_statement(
        r, "SELECT slice_id FROM arrival WHERE first_id <= ? ORDER BY first_id DESC LIMIT 1", err);
    if (!stmt)
        return -1;
    db_bind_id(stmt, 1, id);
    int got = db_row(r->db, stmt, err);
    *start = got == 1 ? db_id(stmt, 0) : id;
    rows_done(r, stmt);
    return got < 0 ? -1 : 0;
}
