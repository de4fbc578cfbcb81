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
#include <stdlib.h>

/* Values kept for each row that a commit would write; with more, a commit is less work. */
#define KEPT_PER_ROW 8

/* A row of `kept` while it is gathered: samples whose ids follow each other and that came in together. */
struct row {
    uint64_t first_id, next_id, next_context;
    const struct slice_run *run;
    struct span
        stamp; /* "[1700000000," of its first sample, which its others mostly have, too; none: that one has no timestamp */
};

static struct span text_of(const struct slice_entry *e) {
    return span_of((const char *)(e + 1), e->n);
}

/*   [1700000000,2.5]
 *   ^^^^^^^^^^^^       nothing of a bare value, or of a sketch
 */
static struct span stamp_of(struct span text) {
    const char *comma = text.p[0] == '[' ? memchr(text.p, ',', text.n) : NULL;
    return span_of(text.p, comma ? (size_t)(comma + 1 - text.p) : 0);
}

static bool belongs(const struct row *row, uint64_t id, const struct slice_run *run, struct span text) {
    bool bare = text.p[0] != '[' && text.p[0] != '{'; /* it would take the row's timestamp for its own */
    return id == row->next_id && run == row->run && !(row->stamp.n && bare);
}

/*   [[0,17,2.5,3],[2,45,[1700000001,1]]]
 *         ^^^^^^                           the values of contexts 17 and 18, at the row's timestamp
 *                  ^^^^                    the third value, of context 45
 */
static void add_entry(struct buf *b, struct row *row, uint64_t id, uint64_t context_id, struct span text) {
    if (!buf_reserve(b, text.n + 2 * NUMBER_DIGITS + 6))
        return;
    char *p = b->p + b->n;
    if (b->n == 0 || context_id != row->next_context) {
        memcpy(p, b->n ? "],[" : "[[", 3);
        p += b->n ? 3 : 2;
        p += number_put(id - row->first_id, p);
        *p++ = ',';
        p += number_put(context_id, p);
    }
    *p++ = ',';
    if (row->stamp.n && span_starts(text, row->stamp))
        text = span_of(text.p + row->stamp.n, text.n - row->stamp.n - 1);
    memcpy(p, text.p, text.n);
    b->n = (size_t)(p + text.n - b->p);
    b->p[b->n] = '\0';
    row->next_id = id + 1;
    row->next_context = context_id + 1;
}

static bool gather_row(struct store *s, struct buf *b, struct row *row) {
    struct slice *slice = &s->slice;
    buf_clear(b);
    while (slice->kept < slice->arena.n) {
        const struct slice_entry *e = slice_entry_at(slice, slice->kept);
        uint64_t id = slice->first_id + e->offset;
        struct span text = text_of(e);
        while (slice->runs[slice->kept_run].last_id < id)
            slice->kept_run++;
        const struct slice_run *run = &slice->runs[slice->kept_run];
        if (b->n == 0)
            *row = (struct row){.first_id = id, .run = run, .stamp = stamp_of(text)};
        else if (!belongs(row, id, run, text))
            break;
        add_entry(b, row, id, s->intern.contexts[e->context].id, text);
        slice->kept = slice_entry_end(slice->kept, e->n);
    }
    buf_str(b, "]]");
    return !b->failed;
}

static int keep_samples(struct store *s, struct err *err) {
    struct slice *slice = &s->slice;
    sqlite3_stmt *stmt = s->sql[SQL_KEPT];
    s->tags.max = STORE_SCRATCH_MAX;
    while (slice->kept < slice->arena.n) {
        struct row row = {0};
        if (!gather_row(s, &s->tags, &row))
            return err_set(err, ENOMEM, "cannot record");
        db_bind_id(stmt, 1, row.first_id);
        sqlite3_bind_int64(stmt, 2, row.run->received_at);
        sqlite3_bind_int(stmt, 3, (int)row.run->source);
        if (row.stamp.n)
            sqlite3_bind_int64(stmt, 4, strtoll(row.stamp.p + 1, NULL, 10));
        else
            sqlite3_bind_null(stmt, 4);
        db_bind_span(stmt, 5, buf_view(&s->tags));
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
        store_end(s, err) != 0) {
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
