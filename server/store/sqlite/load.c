/* Loads the state that is kept in memory about the file: sessions, hashes, summaries, counts. All of it can be read from the file again,
 * which is what happens when a transaction was rolled back or when much of it has been forgotten. */
#include "store/sqlite/private.h"

#include "core/array.h"
#include <errno.h>
#include <stdlib.h>

static int by_session_id(const void *key, const void *element) {
    uint64_t id = *(const uint64_t *)key, other = ((const struct store_session *)element)->id;
    return (id > other) - (id < other);
}

static struct intern_hash blob_hash(sqlite3_stmt *stmt, int column) {
    struct intern_hash hash = {0};
    const void *blob = sqlite3_column_blob(stmt, column);
    if (blob && sqlite3_column_bytes(stmt, column) == 12) {
        memcpy(&hash.low, blob, 8);
        memcpy(&hash.high, (const char *)blob + 8, 4);
    }
    return hash;
}

static int load_sessions(struct store *s, struct err *err) {
    sqlite3_stmt *stmt =
        db_prepare(s->db,
                   "SELECT s.id, s.era, c.samples, c.series, c.events, c.checks, c.rejects FROM session s"
                   " LEFT JOIN session_count c ON c.session_id = s.id ORDER BY s.id",
                   err);
    if (!stmt)
        return -1;
    struct store_session *before = s->sessions;
    size_t n_before = s->n_sessions;
    s->sessions = NULL;
    s->n_sessions = s->cap_sessions = 0;
    int got;
    while ((got = db_row(s->db, stmt, err)) == 1) {
        if (!array_room(&s->sessions, s->n_sessions, &s->cap_sessions, sizeof *s->sessions)) {
            got = err_set(err, ENOMEM, "cannot open the recording");
            break;
        }
        struct store_held held = {db_id(stmt, 2), db_id(stmt, 3), db_id(stmt, 4), db_id(stmt, 5),
                                  db_id(stmt, 6)};
        struct store_session session = {
            .id = db_id(stmt, 0), .era = db_id(stmt, 1), .held = held, .written = held};
        const struct store_session *old =
            n_before ? bsearch(&session.id, before, n_before, sizeof *before, by_session_id) : NULL;
        if (old) { /* not told yet */
            session.n_refused = old->n_refused;
            memcpy(session.large, old->large, sizeof session.large);
        }
        s->sessions[s->n_sessions++] = session;
    }
    sqlite3_finalize(stmt);
    free(before);
    return got;
}

#define SERIES_AND_SUMMARY                                                                                   \
    "SELECT m.id, m.hash, m.session_id, y.last_chunk, y.samples, y.first_id, y.last_id, y.first_at,"         \
    " y.last_at, y.count, y.sum, y.min, y.max, y.last, y.sampled, m.type, m.name, y.fell_id, m.spelling"     \
    " FROM metric m LEFT JOIN summary y ON y.metric_id = m.id"
#define TYPE_COLUMN     15
#define SPELLING_COLUMN 18

static struct intern_series series_row(sqlite3_stmt *stmt) {
    return (struct intern_series){
        .id = db_id(stmt, 0),
        .last_chunk = db_id(stmt, 3),
        .samples = db_id(stmt, 4),
        .first_id = db_id(stmt, 5),
        .last_id = db_id(stmt, 6),
        .first_at = sqlite3_column_int64(stmt, 7),
        .last_at = sqlite3_column_int64(stmt, 8),
        .count = db_number(stmt, 9),
        .sum = db_number(stmt, 10),
        .min = db_number(stmt, 11),
        .max = db_number(stmt, 12),
        .last = db_number(stmt, 13),
        .fell_id = sqlite3_column_type(stmt, 17) == SQLITE_NULL ? INTERN_FALL_UNKNOWN : db_id(stmt, 17),
        .own = INTERN_NONE,
        .before = INTERN_NONE,
        .sampled = sqlite3_column_int(stmt, 14) != 0};
}

/* Of a series that needs no row in `context` for its first spelling. */
static int load_own_spelling(struct store *s, sqlite3_stmt *stmt, uint32_t series, struct err *err) {
    int type = sqlite3_column_int(stmt, TYPE_COLUMN);
    if (sqlite3_column_type(stmt, SPELLING_COLUMN) == SQLITE_NULL || type < 0 || type >= METRIC_N_TYPES)
        return 0;
    struct intern_context context =
        store_context(s->intern.series[series].id, (enum metric_type)type, 1, series);
    uint32_t ix = intern_add_context(&s->intern, &context);
    bool sorted = sqlite3_column_bytes(stmt, SPELLING_COLUMN) == 0;
    if (sorted)
        s->intern.series[series].own = ix;
    if (ix == INTERN_NONE || (!sorted && !intern_lead(&s->intern, blob_hash(stmt, SPELLING_COLUMN), ix)))
        return err_set(err, ENOMEM, "cannot open the recording");
    return 0;
}

/* A series whose hashes lead nowhere yet. Their slots are fetched while the next rows are read, as each would have to be waited for. */
struct joining {
    struct intern_hash hash, name;
    uint64_t session_id; /* 0: there is none of it */
    uint32_t series;
};
#define JOINING 16

static int join(struct store *s, const struct joining *j, struct err *err) {
    if (!intern_lead(&s->intern, j->hash, j->series))
        return err_set(err, ENOMEM, "cannot open the recording");
    return j->session_id ? totals_join(s, j->session_id, j->name, j->series, 0, NULL, err) : 0;
}

static int load_row(struct store *s, sqlite3_stmt *stmt, struct joining *j, struct err *err) {
    struct intern_series series = series_row(stmt);
    *j = (struct joining){.hash = blob_hash(stmt, 1), .series = intern_add_series(&s->intern, &series)};
    if (j->series == INTERN_NONE)
        return err_set(err, ENOMEM, "cannot open the recording");
    intern_prefetch(&s->intern, j->hash);
    struct store_session *session = store_find_session(s, db_id(stmt, 2));
    if (session) {
        session->n_interned++;
        j->session_id = session->id;
        if (!totals_hash(s, session->id, session->era,
                         (enum metric_type)sqlite3_column_int(stmt, TYPE_COLUMN), db_span(stmt, 16),
                         &j->name))
            return err_set(err, ENOMEM, "cannot open the recording");
        intern_prefetch(&s->intern, j->name);
    }
    if (s->next_id <= series.id) /* never given twice: readers remember what they stand for */
        s->next_id = series.id + 1;
    return load_own_spelling(s, stmt, j->series, err);
}

static int load_series(struct store *s, struct err *err) {
    sqlite3_stmt *stmt = db_prepare(s->db, SERIES_AND_SUMMARY " ORDER BY m.id", err);
    if (!stmt)
        return -1;
    uint64_t expected = 0;
    for (size_t i = 0; i < s->n_sessions; i++)
        expected += s->sessions[i].held.series;
    intern_expect(&s->intern, expected);
    struct joining joining[JOINING];
    uint64_t n = 0, joined = 0;
    int got;
    while ((got = db_row(s->db, stmt, err)) == 1) {
        if (n - joined == JOINING && (got = join(s, &joining[joined++ % JOINING], err)) != 0)
            break;
        if ((got = load_row(s, stmt, &joining[n % JOINING], err)) != 0)
            break;
        n++;
    }
    sqlite3_finalize(stmt);
    while (got == 0 && joined < n)
        got = join(s, &joining[joined++ % JOINING], err);
    s->n_own_spellings = s->intern.n_contexts;
    return got;
}

static uint32_t series_of_id(const struct intern *in, uint64_t id) {
    uint32_t low = 0, high = in->n_series;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (in->series[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < in->n_series && in->series[low].id == id ? low : INTERN_NONE;
}

int store_load_remade(struct store *s, struct err *err) {
    sqlite3_stmt *stmt =
        db_prepare(s->db, SERIES_AND_SUMMARY " WHERE m.id IN (SELECT id FROM temp.touched)", err);
    if (!stmt)
        return -1;
    int got;
    while ((got = db_row(s->db, stmt, err)) == 1) {
        uint32_t ix = series_of_id(&s->intern, db_id(stmt, 0));
        if (ix == INTERN_NONE)
            continue;
        struct intern_series *y = &s->intern.series[ix], before = *y;
        *y = series_row(stmt);
        y->own = before.own;
        y->before = before.before;
        y->of = before.of;
        y->totalled = before.totalled;
        if (totals_lost(s, ix, err) != 0) {
            got = -1;
            break;
        }
    }
    sqlite3_finalize(stmt);
    return got;
}

static int load_contexts(struct store *s, struct err *err) {
    /* What its series says is looked up for few: those without a rate weigh the same, of whatever type they are. */
    sqlite3_stmt *stmt =
        db_prepare(s->db,
                   "SELECT c.id, c.hash, c.metric_id, c.sample_rate,"
                   " iif(c.sample_rate = 1, 0, (SELECT m.type FROM metric m WHERE m.id = c.metric_id)),"
                   " iif(c.remarks IS NULL, 0, (SELECT m.session_id FROM metric m WHERE m.id = c.metric_id))"
                   " FROM context c ORDER BY c.id",
                   err);
    if (!stmt)
        return -1;
    int got;
    while ((got = db_row(s->db, stmt, err)) == 1) {
        int type = sqlite3_column_int(stmt, 4);
        if (type < 0 || type >= METRIC_N_TYPES)
            continue;
        double rate = db_number(stmt, 3);
        uint32_t series = series_of_id(&s->intern, db_id(stmt, 2));
        if (series == INTERN_NONE)
            continue;
        struct intern_context context = store_context(db_id(stmt, 0), (enum metric_type)type, rate, series);
        uint32_t ix = intern_add_context(&s->intern, &context);
        if (ix == INTERN_NONE || !intern_lead(&s->intern, blob_hash(stmt, 1), ix)) {
            got = err_set(err, ENOMEM, "cannot open the recording");
            break;
        }
        struct store_session *session = store_find_session(s, db_id(stmt, 5));
        if (session)
            session->n_remarked++;
        if (s->next_id <= context.id)
            s->next_id = context.id + 1;
    }
    sqlite3_finalize(stmt);
    return got;
}

int store_count_losses(struct store *s, struct err *err) {
    memset(s->now.losses, 0, sizeof s->now.losses);
    s->n_loss_rows = 0;
    sqlite3_stmt *stmt = db_prepare(s->db, "SELECT loss, sum(n), count(*) FROM loss GROUP BY loss", err);
    if (!stmt)
        return -1;
    int got;
    while ((got = db_row(s->db, stmt, err)) == 1) {
        int loss = loss_of(db_span(stmt, 0));
        s->n_loss_rows += db_id(stmt, 2);
        if (loss >= 0)
            s->now.losses[loss] = db_id(stmt, 1);
    }
    sqlite3_finalize(stmt);
    return got;
}

int store_load_counts(struct store *s, struct err *err) {
    struct store_stats *now = &s->now;
    struct {
        const char *sql;
        uint64_t *count;
    } const counts[] = {
        {"SELECT sum(samples) FROM session_count", &now->samples},
        {"SELECT sum(series) FROM session_count", &now->series},
        {"SELECT sum(events) FROM session_count", &now->events},
        {"SELECT sum(checks) FROM session_count", &now->checks},
        {"SELECT sum(rejects) FROM session_count", &now->rejects},
        {"SELECT (SELECT count(*) FROM request) + (SELECT count(*) FROM kept_request)", &now->requests},
        {"SELECT count(*) FROM datagram", &now->datagrams},
        {"SELECT count(*) FROM payload", &now->payloads},
        {"SELECT coalesce(sum(length(bytes)), 0) FROM payload", &now->payload_bytes},
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (db_int(s->db, counts[i].sql, 0, (int64_t *)counts[i].count, err) != 0)
            return -1;
    now->samples += s->kept_samples;
    return store_count_losses(s, err);
}

int store_load_sessions(struct store *s, struct err *err) {
    s->stale = true;
    s->arrival.session = NULL;
    intern_clear(&s->intern);
    totals_clear(&s->totals);
    slice_clear(&s->slice);
    bulk_list_clear(&s->new_series);
    bulk_list_clear(&s->new_contexts);
    bulk_list_clear(&s->new_requests);
    s->rows = false;
    s->n_forgotten = 0;
    s->last_loss.id = 0;
    int64_t seed;
    if (db_int(s->db, "SELECT value FROM counters WHERE name = 'hash_seed'", 0, &seed, err) != 0)
        return -1;
    s->intern.seed = (uint64_t)seed;
    return load_sessions(s, err);
}

int store_load(struct store *s, struct err *err) {
    if (store_load_sessions(s, err) != 0 || load_series(s, err) != 0 || totals_begin(s, err) != 0 ||
        load_contexts(s, err) != 0 || store_load_kept(s, err) != 0)
        return -1;
    s->arrival.session = store_find_session(s, s->arrival.session_id);
    s->stale = false;
    return 0;
}
