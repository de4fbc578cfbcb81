/* Writes losses into the recording. */
#include "core/clock.h"
#include "store/sqlite/private.h"

static int add_loss(struct store *s, uint64_t id, uint64_t session_id, enum loss loss, uint64_t n,
                    struct span detail, struct err *err) {
    sqlite3_stmt *stmt = s->sql[SQL_LOSS];
    db_bind_id(stmt, 1, id);
    sqlite3_bind_int64(stmt, 2, clock_wall_ns());
    db_bind_id(stmt, 3, session_id);
    db_bind_span(stmt, 4, span_str(loss_word(loss)));
    db_bind_id(stmt, 5, n);
    db_bind_span(stmt, 6, detail);
    s->now.losses[loss] += n;
    s->n_loss_rows++;
    s->rows = true;
    return db_done(s->db, stmt, err);
}

int store_evicted(struct store *s, uint64_t session_id, enum loss loss, uint64_t n, uint64_t newest_id,
                  struct err *err) {
    store_count_evicted(s, session_id, loss, n);
    return add_loss(s, newest_id, session_id, loss, n, span_of(NULL, 0), err);
}

/* Losses come in floods: what repeats raises the count of its row, and takes the newest id; but only until the commit, since
 * who has read a row must not count it again. */
int store_loss(struct store *s, uint64_t session_id, enum loss loss, uint64_t n, struct span detail,
               struct err *err) {
    if (store_begin(s, err) != 0)
        return -1;
    s->pending++; /* a commit that fails takes it along, which is a loss, too */
    uint64_t detail_hash = intern_hash(&s->intern, detail).low;
    uint64_t id = ++s->last_id, again = s->last_loss.id; /* a mark made before the loss does not hide it */
    bool same = again && s->last_loss.session_id == session_id && s->last_loss.loss == loss &&
                s->last_loss.detail_hash == detail_hash;
    s->last_loss.id = id;
    s->last_loss.session_id = session_id;
    s->last_loss.loss = loss;
    s->last_loss.detail_hash = detail_hash;
    if (!same)
        return add_loss(s, id, session_id, loss, n, detail, err) == 0 ? 0 : store_roll_back(s, err);
    sqlite3_stmt *stmt = s->sql[SQL_LOSS_AGAIN];
    s->rows = true;
    db_bind_id(stmt, 1, id);
    db_bind_id(stmt, 2, n);
    db_bind_id(stmt, 3, again);
    s->now.losses[loss] += n;
    return db_done(s->db, stmt, err) == 0 ? 0 : store_roll_back(s, err);
}
