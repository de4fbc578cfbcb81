/* DESIGN. A commit writes two rows for each series that it has samples of, which is a thousand times the work of one body of a POST. So
 * what a producer waits for is first kept as it came: one row for all samples since the last time, one for each request. The samples stay
 * in the open slice, too; the next commit makes chunks and summaries of them and empties the tables. A file that a killed recorder
 * left is loaded with what was kept back in the slice (decisions/0029).
 *
 *     store_put -> slice -> store_keep:   kept, kept_request               it survives
 *                        -> store_commit: chunk, summary, arrival, request   and readers see it
 *
 * Readers would see other rows before the samples that came before them, so where there are such rows it is a commit. */
#include "store/sqlite/private.h"
#include "store/sqlite/vals.h"

#include <errno.h>

#define KEPT_REQUESTS_MAX 4096
#define KEPT_BYTES_MAX    ((size_t)1 << 20)
/* Values kept for each row that a commit would write; with more, a commit is less work. */
#define KEPT_PER_ROW 8

/* --- requests ---------------------------------------------------------------------------------- */

int store_add_request(struct store *s, uint64_t id, const struct request *r, struct err *err) {
    struct bulk_list *list = &s->new_requests;
    struct bulk_value *v = bulk_list_add(list);
    if (!v)
        return err_set(err, ENOMEM, "cannot record");
    const struct span spans[] = {r->encoding, r->content_type, r->user_agent, r->api_key, r->body, r->note};
    v[0] = bulk_id(id);
    v[1] = bulk_id(s->arrival.session_id);
    v[2] = bulk_integer(s->arrival.received_at);
    v[3] = bulk_integer((int)s->arrival.source);
    v[4] = bulk_list_text(list, r->method);
    v[5] = bulk_list_text(list, r->path);
    v[6] = bulk_list_text(list, r->query);
    v[7] = bulk_integer(r->status);
    v[8] = bulk_id(r->wire_bytes);
    v[9] = bulk_id(r->body_bytes);
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
        v[10 + i] = bulk_list_text(list, spans[i]);
    if (list->texts.failed)
        return err_set(err, ENOMEM, "cannot record");
    return list->n < KEPT_REQUESTS_MAX && list->texts.used < KEPT_BYTES_MAX ? 0
                                                                            : store_write_requests(s, err);
}

int store_write_requests(struct store *s, struct err *err) {
    s->rows = s->rows || s->new_requests.n > 0;
    return bulk_list_run(s->db, s->sql[SQL_REQUEST], &s->feed, &s->new_requests, err);
}

/* --- keeping ----------------------------------------------------------------------------------- */

/* The values of one row of `kept`, as long as ids follow each other and came in together. */
static bool gather_row(struct store *s, struct buf *b, uint64_t *first_id, const struct slice_run **run) {
    struct slice *slice = &s->slice;
    uint64_t next = 0;
    buf_clear(b);
    while (slice->kept < slice->arena.n) {
        const struct slice_entry *e = slice_entry_at(slice, slice->kept);
        uint64_t id = slice->first_id + e->offset;
        while (slice->runs[slice->kept_run].last_id < id)
            slice->kept_run++;
        const struct slice_run *at = &slice->runs[slice->kept_run];
        if (b->n > 0 && (id != next || at != *run))
            break;
        if (b->n == 0) {
            *first_id = id;
            *run = at;
        }
        buf_str(b, b->n ? ",[" : "[[");
        buf_u64(b, s->intern.contexts[e->context].id);
        buf_char(b, ',');
        buf_add(b, e + 1, e->n);
        buf_char(b, ']');
        slice->kept = slice_entry_end(slice->kept, e);
        next = id + 1;
    }
    buf_char(b, ']');
    return !b->failed;
}

static int keep_samples(struct store *s, struct err *err) {
    struct slice *slice = &s->slice;
    sqlite3_stmt *stmt = s->sql[SQL_KEPT];
    s->tags.max = STORE_SCRATCH_MAX;
    while (slice->kept < slice->arena.n) {
        uint64_t first_id = 0;
        const struct slice_run *run = NULL;
        if (!gather_row(s, &s->tags, &first_id, &run))
            return err_set(err, ENOMEM, "cannot record");
        db_bind_id(stmt, 1, first_id);
        sqlite3_bind_int64(stmt, 2, run->received_at);
        sqlite3_bind_int(stmt, 3, (int)run->source);
        db_bind_span(stmt, 4, buf_view(&s->tags));
        if (db_done(s->db, stmt, err) != 0)
            return -1;
    }
    return 0;
}

/* Whether a commit is needed, or is less work. */
static bool must_commit(const struct store *s) {
    return s->rows || s->slice.sampled || s->refused || s->large || s->new_series.n || s->new_contexts.n ||
           s->pending > KEPT_PER_ROW * (uint64_t)(2 * s->slice.n_groups + s->new_requests.n + 1);
}

int store_keep(struct store *s, struct err *err) {
    if (must_commit(s))
        return store_commit(s, err);
    if (!s->open_transaction)
        return 0;
    uint64_t n = s->pending;
    if (keep_samples(s, err) != 0 ||
        bulk_list_run(s->db, s->sql[SQL_KEPT_REQUEST], &s->feed, &s->new_requests, err) != 0 ||
        db_done(s->db, s->sql[SQL_COMMIT], err) != 0) {
        store_roll_back(s, err);
        s->pending = 0;
        return -1;
    }
    s->open_transaction = false;
    s->n_kept += n;
    s->pending = 0;
    store_publish(s);
    return 0;
}

uint64_t store_kept(const struct store *s) {
    return s->n_kept;
}

int store_fold_kept(struct store *s, struct err *err) {
    if (s->n_kept == 0)
        return 0;
    s->rows = true;
    s->n_kept = 0; /* a transaction that is rolled back finds them again */
    return db_run(
        s->db, "INSERT INTO request SELECT * FROM kept_request; DELETE FROM kept; DELETE FROM kept_request",
        err);
}

/* --- loading ----------------------------------------------------------------------------------- */

static uint32_t context_of_id(const struct intern *in, uint64_t id) {
    uint32_t low = 0, high = in->n_contexts;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (in->contexts[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < in->n_contexts && in->contexts[low].id == id ? low : INTERN_NONE;
}

/*   [17,[1700000000,2.5]]
 *    ^^ ^^^^^^^^^^^^^^^^  the context, and a value as in a chunk, which is read as {"0":value}
 */
static int read_value(struct span entry, uint64_t *context_id, struct buf *b, struct vals_reader *vals) {
    size_t at = 1;
    *context_id = 0;
    while (at < entry.n && entry.p[at] >= '0' && entry.p[at] <= '9')
        *context_id = *context_id * 10 + (uint64_t)(entry.p[at++] - '0');
    if (at + 2 > entry.n || entry.p[at] != ',')
        return -1;
    buf_clear(b);
    buf_str(b, "{\"0\":");
    buf_span(b, span_of(entry.p + at + 1, entry.n - at - 2));
    buf_char(b, '}');
    vals_start(vals, buf_view(b));
    return b->failed || vals_next(vals) != 1 ? -1 : 0;
}

static int load_samples(struct store *s, struct err *err) {
    sqlite3_stmt *stmt = db_prepare(
        s->db,
        "SELECT k.first_id + e.key, e.value, k.received_at, k.source, m.type, m.session_id FROM kept k"
        " CROSS JOIN json_each(k.vals) e CROSS JOIN context x ON x.id = json_extract(e.value, '$[0]')"
        " CROSS JOIN metric m ON m.id = x.metric_id",
        err);
    struct vals_reader vals = {0};
    struct buf text = {.max = STORE_SCRATCH_MAX};
    int got = -1;
    while (stmt && (got = db_row(s->db, stmt, err)) == 1) {
        uint64_t id = db_id(stmt, 0), context_id;
        int type = sqlite3_column_int(stmt, 4), source = sqlite3_column_int(stmt, 3);
        if (read_value(db_span(stmt, 1), &context_id, &text, &vals) != 0 || type < 0 ||
            type >= METRIC_N_TYPES || source < 0 || source >= SOURCE_N)
            continue;
        uint32_t ix = context_of_id(&s->intern, context_id);
        if (ix == INTERN_NONE)
            continue;
        struct store_when when = {sqlite3_column_int64(stmt, 2), (enum source)source};
        got = store_put_value(s, id, ix, (enum metric_type)type, &vals.value, span_of(text.p + 5, text.n - 6),
                              when, err);
        if (got != 0)
            break;
        struct store_session *session = store_find_session(s, db_id(stmt, 5));
        if (session)
            session->held.samples++;
        s->n_kept++;
    }
    sqlite3_finalize(stmt);
    vals_free(&vals);
    buf_free(&text);
    return got < 0 ? -1 : 0;
}

int store_load_kept(struct store *s, struct err *err) {
    int64_t any, requests;
    s->n_kept = 0;
    if (db_int(s->db, "SELECT (SELECT count(*) FROM (SELECT 1 FROM kept LIMIT 1))", 0, &any, err) != 0 ||
        db_int(s->db, "SELECT count(*) FROM kept_request", 0, &requests, err) != 0 ||
        (any && load_samples(s, err) != 0))
        return -1;
    s->kept_samples = s->n_kept;
    s->n_kept += (uint64_t)requests;
    s->slice.kept = s->slice.arena.n;
    return 0;
}
