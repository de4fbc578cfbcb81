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

/* Of those from `low` up to `high`, which are in order of ids. */
static uint32_t context_between(const struct intern *in, uint64_t id, uint32_t low, uint32_t high) {
    const uint32_t end = high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (in->contexts[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < end && in->contexts[low].id == id ? low : INTERN_NONE;
}

/* The table has just been loaded. */
static uint32_t context_of_id(const struct store *s, uint64_t id) {
    const struct intern *in = &s->intern;
    uint32_t ix = context_between(in, id, s->n_own_spellings, in->n_contexts);
    return ix == INTERN_NONE ? context_between(in, id, 0, s->n_own_spellings) : ix;
}

/* A row of `kept` while it is read (keep.c shows what stands in it). */
struct loading {
    struct store *s;
    sqlite3_stmt *of_context; /* its type and session */
    struct vals_reader vals;
    struct buf text; /* {"0":value}, as of a chunk */
    struct store_when when;
    uint64_t first_id;
    bool stamped;
    int64_t timestamp; /* of values without one, when stamped */
};

static bool take_number(struct span *rest, uint64_t *n) {
    size_t at = 0;
    for (*n = 0; at < rest->n && rest->p[at] >= '0' && rest->p[at] <= '9'; at++)
        *n = *n * 10 + (uint64_t)(rest->p[at] - '0');
    bool ok = at > 0 && at < rest->n && rest->p[at] == ',';
    *rest = span_from(*rest, ok ? at + 1 : 0);
    return ok;
}

/*   [1700000000,2.5],3],[2,45,1]]
 *   ^^^^^^^^^^^^^^^^              up to the comma or bracket behind it
 */
static struct span take_value(struct span *rest) {
    size_t at = 0, depth = 0;
    for (bool quoted = false; at < rest->n; at++) {
        char c = rest->p[at];
        if (c == '"')
            quoted = !quoted;
        else if (quoted)
            at += c == '\\';
        else if (depth == 0 && (c == ',' || c == ']'))
            break;
        else
            depth = depth + (c == '[' || c == '{') - (c == ']' || c == '}');
    }
    struct span value = span_of(rest->p, at < rest->n ? at : rest->n);
    *rest = span_from(*rest, value.n);
    return value;
}

static int load_value(struct loading *l, uint64_t id, uint64_t context_id, struct span value,
                      struct err *err) {
    struct store *s = l->s;
    uint32_t ix = context_of_id(s, context_id);
    if (ix == INTERN_NONE || value.n == 0)
        return 0;
    buf_clear(&l->text);
    buf_str(&l->text, "{\"0\":");
    bool stamped = l->stamped && value.p[0] != '[' && value.p[0] != '{';
    if (stamped)
        buf_printf(&l->text, "[%lld,", (long long)l->timestamp);
    buf_span(&l->text, value);
    buf_str(&l->text, stamped ? "]}" : "}");
    vals_start(&l->vals, buf_view(&l->text), 0);
    if (l->text.failed || vals_next(&l->vals) != 1)
        return 0;
    db_bind_id(l->of_context, 1, context_id);
    int got = db_row(s->db, l->of_context, err), type = got == 1 ? sqlite3_column_int(l->of_context, 0) : -1;
    uint64_t session_id = got == 1 ? db_id(l->of_context, 1) : 0;
    sqlite3_reset(l->of_context);
    if (got != 1 || type < 0 || type >= METRIC_N_TYPES)
        return got < 0 ? -1 : 0;
    struct span text = span_of(l->text.p + 5, l->text.n - 6);
    if (!store_put_text(s, id, ix, (enum metric_type)type, &l->vals.value, text, &l->when))
        return err_set(err, ENOMEM, "cannot record");
    struct store_session *session = store_find_session(s, session_id);
    if (session)
        session->held.samples++;
    s->n_kept++;
    return 0;
}

/* What is not as keep.c writes it ends the row. */
static int load_row(struct loading *l, struct span vals, struct err *err) {
    uint64_t place, context_id;
    struct span rest = span_starts(vals, SPAN("[[")) ? span_from(vals, 1) : span_of("", 0);
    while (span_starts(rest, SPAN("["))) {
        rest = span_from(rest, 1);
        if (!take_number(&rest, &place) || !take_number(&rest, &context_id))
            break;
        for (;;) {
            if (load_value(l, l->first_id + place++, context_id++, take_value(&rest), err) != 0)
                return -1;
            if (!span_starts(rest, SPAN(",")))
                break;
            rest = span_from(rest, 1);
        }
        rest = span_from(rest, span_starts(rest, SPAN("],")) ? 2 : rest.n);
    }
    return 0;
}

static int load_samples(struct store *s, struct err *err) {
    struct loading l = {.s = s, .text = {.max = STORE_SCRATCH_MAX}};
    sqlite3_stmt *stmt = db_prepare(
        s->db, "SELECT first_id, received_at, source, timestamp, vals FROM kept ORDER BY first_id", err);
    l.of_context =
        db_prepare(s->db, "SELECT m.type, m.session_id FROM (SELECT ?1 AS id) s" DB_SPELLING("s.id"), err);
    int got = -1;
    while (stmt && l.of_context && (got = db_row(s->db, stmt, err)) == 1) {
        int source = sqlite3_column_int(stmt, 2);
        if (source < 0 || source >= SOURCE_N)
            continue;
        l.first_id = db_id(stmt, 0);
        l.when = (struct store_when){sqlite3_column_int64(stmt, 1), (enum source)source};
        l.stamped = sqlite3_column_type(stmt, 3) != SQLITE_NULL;
        l.timestamp = sqlite3_column_int64(stmt, 3);
        if ((got = load_row(&l, db_span(stmt, 4), err)) != 0)
            break;
    }
    sqlite3_finalize(stmt);
    sqlite3_finalize(l.of_context);
    vals_free(&l.vals);
    buf_free(&l.text);
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
