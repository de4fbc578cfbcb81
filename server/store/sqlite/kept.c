/* What keep.c kept: into its place with the next commit, or, in a file that a killed recorder left, back into the slice. */
#include "store/sqlite/private.h"
#include "store/sqlite/vals.h"

#include <errno.h>

int store_fold_kept(struct store *s, struct err *err) {
    if (s->n_kept == 0)
        return 0;
    s->rows = true;
    s->n_kept = 0; /* a transaction that is rolled back finds them again */
    return db_run(
        s->db, "INSERT INTO request SELECT * FROM kept_request; DELETE FROM kept; DELETE FROM kept_request",
        err);
}

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
        if (!store_put_text(s, id, ix, (enum metric_type)type, &vals.value, span_of(text.p + 5, text.n - 6),
                            &when)) {
            got = err_set(err, ENOMEM, "cannot record");
            break;
        }
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
