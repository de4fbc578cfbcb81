/* DESIGN. A commit writes two rows for each series that it has samples of, which is a thousand times the work of one body of a POST. So
 * what a producer waits for is first kept as it came: one row for all samples since the last time, one for each request. The samples stay
 * in the open slice, too; the next commit makes chunks and summaries of them and empties the tables. A file that a killed recorder
 * left is loaded with what was kept back in the slice (decisions/0028).
 *
 *     store_put -> slice -> store_keep:   kept, kept_request               it survives
 *                        -> store_commit: chunk, summary, arrival, request   and readers see it
 *
 * Readers would see other rows before the samples that came before them, so where there are such rows it is a commit. */
#include "core/number.h"
#include "store/sqlite/private.h"

#include <errno.h>

/* Values kept for each row that a commit would write; with more, a commit is less work. */
#define KEPT_PER_ROW 8

/*   [17,2.5]   and before it the bracket of the list, or a comma */
static void add_entry(struct buf *b, uint64_t context_id, const struct slice_entry *e) {
    if (!buf_reserve(b, e->n + 2 + NUMBER_DIGITS + 2))
        return;
    char *p = b->p + b->n;
    *p++ = b->n ? ',' : '[';
    *p++ = '[';
    p += number_put(context_id, p);
    *p++ = ',';
    memcpy(p, e + 1, e->n);
    p[e->n] = ']';
    b->n = (size_t)(p + e->n + 1 - b->p);
    b->p[b->n] = '\0';
}

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
        add_entry(b, s->intern.contexts[e->context].id, e);
        slice->kept = slice_entry_end(slice->kept, e->n);
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
