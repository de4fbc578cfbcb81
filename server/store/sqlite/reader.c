#include "core/clock.h"
#include "core/retry.h"
#include "store/sqlite/private.h"
#include "store/sqlite/rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int run_statement(struct rows *r, const char *sql, struct err *err) {
    sqlite3_stmt *stmt = rows_statement(r, sql, err);
    if (!stmt)
        return -1;
    int got = db_row(r->db, stmt, err);
    rows_done(r, stmt);
    return got < 0 ? -1 : 0;
}

static int begin_moment(struct rows *r, struct err *err) {
    if (r->look && r->look(r, err) != 0)
        return -1;
    r->n_arrivals = r->want_arrivals = 0; /* they were of another moment */
    r->moment++;
    if (run_statement(r, "BEGIN", err) != 0)
        return -1;
    if (run_statement(r, "SELECT 1 FROM session LIMIT 1", err) == 0) { /* from here on it is that moment */
        sqlite3_file_control(r->db, "main", SQLITE_FCNTL_DATA_VERSION, &r->version);
        return 0;
    }
    run_statement(r, "ROLLBACK", NULL);
    return -1;
}

static int begin_reading(struct reader *reader, struct err *err) {
    struct rows *r = (struct rows *)reader;
    struct err why;
    struct retry retry = retry_begin();
    do {
        why = (struct err){0};
        bool begun = begin_moment(r, &why) == 0;
        if (begun && (!r->changed_hands || !r->changed_hands(r)))
            return 0;
        if (begun)
            run_statement(r, "ROLLBACK", NULL);
        else if (!rows_passes(&why))
            return err_pass(err, &why, NULL);
    } while (retry_lasts(&retry));
    err_set(err, 0, "%s", why.set ? why.text : "one recorder after another takes it: ask again");
    if (err)
        err->sys = EAGAIN;
    return -1;
}

static void end_reading(struct reader *reader) {
    run_statement((struct rows *)reader, "COMMIT", NULL);
}

static int last_id(struct reader *reader, uint64_t *id, struct err *err) {
    struct rows *r = (struct rows *)reader;
    sqlite3_stmt *stmt = rows_statement(
        r,
        "SELECT max((SELECT value FROM counters WHERE name = 'last_id'), coalesce((SELECT max(id) FROM event), 0),"
        " coalesce((SELECT max(id) FROM service_check), 0), coalesce((SELECT max(id) FROM reject), 0),"
        " coalesce((SELECT max(id) FROM request), 0), coalesce((SELECT max(id) FROM loss), 0),"
        " coalesce((SELECT last_id FROM arrival ORDER BY first_id DESC LIMIT 1), 0))",
        err);
    if (!stmt)
        return -1;
    int got = db_row(r->db, stmt, err);
    *id = got == 1 ? db_id(stmt, 0) : 0;
    rows_done(r, stmt);
    return got < 0 ? -1 : 0;
}

static int sessions(struct reader *reader, int (*row)(void *, const struct session_row *), void *arg,
                    struct err *err) {
    struct rows *r = (struct rows *)reader;
    sqlite3_stmt *stmt = rows_statement(
        r,
        "SELECT s.id, s.name, s.api_key, s.created_at, s.expires_at, s.open, c.samples, c.series, c.events, c.checks,"
        " c.rejects, s.reset_id, s.label"
        " FROM session s LEFT JOIN session_count c ON c.session_id = s.id ORDER BY s.id",
        err);
    if (!stmt)
        return -1;
    int got, stop = 0;
    while (!stop && (got = db_row(r->db, stmt, err)) == 1) {
        struct session_row out = {.id = db_id(stmt, 0),
                                  .name = db_span(stmt, 1),
                                  .api_key = db_span(stmt, 2),
                                  .created_at = sqlite3_column_int64(stmt, 3),
                                  .expires_at = sqlite3_column_int64(stmt, 4),
                                  .open = sqlite3_column_int(stmt, 5) != 0,
                                  .samples = db_id(stmt, 6),
                                  .series = db_id(stmt, 7),
                                  .events = db_id(stmt, 8),
                                  .checks = db_id(stmt, 9),
                                  .rejects = db_id(stmt, 10),
                                  .reset_id = db_id(stmt, 11),
                                  .label = db_span(stmt, 12)};
        stop = row(arg, &out);
    }
    rows_done(r, stmt);
    return !stop && got < 0 ? -1 : 0;
}

static int session_id(struct reader *reader, struct span name, uint64_t *id, struct err *err) {
    struct rows *r = (struct rows *)reader;
    sqlite3_stmt *stmt = rows_statement(r, "SELECT id FROM session WHERE name = ?", err);
    if (!stmt)
        return -1;
    db_bind_span(stmt, 1, name);
    int got = db_row(r->db, stmt, err);
    *id = got == 1 ? db_id(stmt, 0) : 0;
    rows_done(r, stmt);
    return got < 0 ? -1 : 0;
}

/* The latest records of a process that is still recording to the file may be missing from it. To a reader that is a loss. */
static void tell_unwritten(const struct rows *r, const struct filter *f,
                           int (*row)(void *, const struct loss_row *), void *arg) {
    char detail[64];
    int n = snprintf(detail, sizeof detail, "process %ld is recording", r->recorder);
    struct loss_row unwritten = {.id = INT64_MAX,
                                 .at = clock_wall_ns(),
                                 .loss = LOSS_UNWRITTEN,
                                 .n = 1,
                                 .detail = span_of(detail, (size_t)n)};
    if (r->recorder && !f->until)
        row(arg, &unwritten);
}

/* Nobody records the file, and its last recorder has not ended its run: it died, or this is a copy made meanwhile. Later than any
 * mark, as what is missing would be. */
static int tell_died(struct rows *r, const struct filter *f, int (*row)(void *, const struct loss_row *),
                     void *arg, struct err *err) {
    if (!r->of_file || r->recorder || f->until)
        return 0;
    sqlite3_stmt *stmt = rows_statement(r, RUN_DIED, err);
    if (!stmt)
        return -1;
    int got = db_row(r->db, stmt, err);
    struct loss_row died = {
        .id = INT64_MAX, .at = clock_wall_ns(), .loss = LOSS_UNCLEAN_END, .n = 1, .detail = db_span(stmt, 0)};
    if (got == 1)
        row(arg, &died);
    rows_done(r, stmt);
    return got < 0 ? -1 : 0;
}

/* A session's losses: its own and those of all, but for what came before it was made or reset. */
static int losses(struct reader *reader, const struct filter *f, int (*row)(void *, const struct loss_row *),
                  void *arg, struct err *err) {
    struct rows *r = (struct rows *)reader;
    sqlite3_stmt *stmt = rows_statement(
        r,
        f->session.p
            ? "SELECT * FROM (SELECT l.id, l.at, CASE WHEN l.session_id THEN s.name END, l.loss, l.n, l.detail"
              " FROM session s CROSS JOIN loss l WHERE s.name = ?4 AND (l.session_id = s.id OR l.session_id IS NULL)"
              " AND l.id > s.reset_id AND l.id > ?1 AND l.id <= ?2 ORDER BY l.id * ?5 LIMIT ?3) ORDER BY 1"
            : "SELECT * FROM (SELECT l.id, l.at, s.name, l.loss, l.n, l.detail FROM loss l LEFT JOIN session s"
              " ON s.id = l.session_id WHERE l.id > ?1 AND l.id <= ?2 AND ?4 IS NULL ORDER BY l.id * ?5 LIMIT ?3) ORDER BY 1",
        err);
    if (!stmt)
        return -1;
    db_bind_id(stmt, 1, f->since);
    sqlite3_bind_int64(stmt, 2, f->until ? (int64_t)f->until : INT64_MAX);
    sqlite3_bind_int64(stmt, 3, f->limit ? (int64_t)f->limit : -1);
    db_bind_span(stmt, 4, f->session);
    sqlite3_bind_int(stmt, 5, f->limit && f->newest ? -1 : 1);
    int got, stop = 0;
    while (!stop && (got = db_row(r->db, stmt, err)) == 1) {
        int loss = loss_of(db_span(stmt, 3));
        struct loss_row out = {.id = db_id(stmt, 0),
                               .at = sqlite3_column_int64(stmt, 1),
                               .session = db_span(stmt, 2),
                               .loss = (enum loss)loss,
                               .n = db_id(stmt, 4),
                               .detail = db_span(stmt, 5)};
        if (loss < 0) {
            got = rows_damaged(err);
            break;
        }
        stop = row(arg, &out);
    }
    rows_done(r, stmt);
    if (!stop && got == 0) {
        tell_unwritten(r, f, row, arg);
        got = tell_died(r, f, row, arg, err);
    }
    return !stop && got < 0 ? -1 : 0;
}

static int large(struct reader *reader, struct span session, int (*row)(void *, const struct large_row *),
                 void *arg, struct err *err) {
    struct rows *r = (struct rows *)reader;
    sqlite3_stmt *stmt = rows_statement(r,
                                        "SELECT d.over, sum(d.n), max(d.largest), max(d.last_id)"
                                        " FROM session s JOIN large_datagram d ON d.session_id = s.id"
                                        " WHERE ?1 IS NULL OR s.name = ?1 GROUP BY d.over ORDER BY d.over",
                                        err);
    if (!stmt)
        return -1;
    if (session.p)
        db_bind_span(stmt, 1, session);
    else
        sqlite3_bind_null(stmt, 1);
    int got, stop = 0;
    while (!stop && (got = db_row(r->db, stmt, err)) == 1) {
        struct large_row out = {db_id(stmt, 0), db_id(stmt, 1), db_id(stmt, 2), db_id(stmt, 3)};
        stop = row(arg, &out);
    }
    rows_done(r, stmt);
    return !stop && got < 0 ? -1 : 0;
}

static int runs(struct reader *reader, uint64_t limit, int (*row)(void *, const struct run_row *), void *arg,
                struct err *err) {
    struct rows *r = (struct rows *)reader;
    sqlite3_stmt *stmt = rows_statement(
        r,
        "SELECT * FROM (SELECT id, started_at, ended_at, version, mark FROM run ORDER BY id DESC LIMIT ?1) ORDER BY 1",
        err);
    if (!stmt)
        return -1;
    db_bind_id(stmt, 1, limit);
    int got, stop = 0;
    while (!stop && (got = db_row(r->db, stmt, err)) == 1) {
        struct run_row out = {.id = db_id(stmt, 0),
                              .started_at = sqlite3_column_int64(stmt, 1),
                              .ended_at = sqlite3_column_int64(stmt, 2),
                              .version = db_span(stmt, 3),
                              .mark = db_id(stmt, 4)};
        stop = row(arg, &out);
    }
    rows_done(r, stmt);
    return !stop && got < 0 ? -1 : 0;
}

static int verdicts(struct reader *reader, int (*row)(void *, const struct verdict_row *), void *arg,
                    struct err *err) {
    struct rows *r = (struct rows *)reader;
    sqlite3_stmt *stmt = rows_statement(
        r,
        "SELECT id, first_at, at, asked, question, session, kind, verdict, report FROM verdict ORDER BY id",
        err);
    if (!stmt)
        return -1;
    int got, stop = 0;
    while (!stop && (got = db_row(r->db, stmt, err)) == 1) {
        struct verdict_row out = {.id = db_id(stmt, 0),
                                  .first_at = sqlite3_column_int64(stmt, 1),
                                  .at = sqlite3_column_int64(stmt, 2),
                                  .asked = db_id(stmt, 3),
                                  .question = db_id(stmt, 4),
                                  .session = db_span(stmt, 5),
                                  .kind = db_span(stmt, 6),
                                  .verdict = db_span(stmt, 7),
                                  .report = db_span(stmt, 8)};
        stop = row(arg, &out);
    }
    rows_done(r, stmt);
    return !stop && got < 0 ? -1 : 0;
}

static int recording(struct reader *reader, char name[RECORDING_NAME_SIZE], struct err *err) {
    struct rows *r = (struct rows *)reader;
    sqlite3_stmt *stmt = rows_statement(r,
                                        "SELECT (SELECT value FROM counters WHERE name = 'recording_high'),"
                                        " (SELECT value FROM counters WHERE name = 'recording_low')",
                                        err);
    if (!stmt)
        return -1;
    int got = db_row(r->db, stmt, err);
    if (got == 1)
        snprintf(name, RECORDING_NAME_SIZE, "%016llx%016llx", (unsigned long long)db_id(stmt, 0),
                 (unsigned long long)db_id(stmt, 1));
    rows_done(r, stmt);
    return got == 1 ? 0 : -1;
}

static int file(struct reader *reader, struct reader_file of[2], struct err *err) {
    const struct rows *r = (const struct rows *)reader;
    of->device = r->seen.dev;
    of->inode = r->seen.ino;
    return recording(reader, of->recording, err);
}

bool rows_passes(const struct err *why) {
    return why->sys == EAGAIN || why->sys == EBUSY;
}

void rows_close_db(struct rows *r) {
    for (size_t i = 0; i < ROWS_STATEMENTS; i++) {
        sqlite3_finalize(r->statements[i].stmt);
        free(r->statements[i].sql);
        r->statements[i].stmt = NULL;
        r->statements[i].sql = NULL;
    }
    sqlite3_close(r->db);
    r->db = NULL;
}

static void rows_free(struct reader *reader) {
    struct rows *r = (struct rows *)reader;
    rows_close_db(r);
    rows_spellings_free(r);
    rows_remarks_free(&r->remarks);
    free(r->arrivals);
    free(r->path);
    if (r->life >= 0)
        close(r->life);
    free(r);
}

static const char *note(struct reader *reader) {
    const struct rows *r = (const struct rows *)reader;
    return r->note[0] ? r->note : NULL;
}

static int names(struct reader *reader, int (*row)(void *, struct span), void *arg, struct err *err) {
    return rows_names((struct rows *)reader, row, arg, err);
}

const struct reader_ops rows_ops = {
    .close = rows_free,
    .note = note,
    .begin = begin_reading,
    .end = end_reading,
    .series = rows_series,
    .names = names,
    .name_rows = rows_name_rows,
    .chunks = rows_chunks,
    .samples = rows_samples,
    .samples_open = rows_samples_open,
    .samples_more = rows_samples_more,
    .samples_close = rows_samples_close,
    .points = rows_points,
    .numbers = rows_values,
    .spellings = rows_spellings,
    .strays = rows_strays,
    .cadence = rows_cadence,
    .events = rows_events,
    .checks = rows_checks,
    .rejects = rows_rejects,
    .requests = rows_requests,
    .payloads = rows_payloads,
    .posted = rows_posted,
    .datagrams = rows_datagrams,
    .losses = losses,
    .large = large,
    .sessions = sessions,
    .session_id = session_id,
    .runs = runs,
    .last_id = last_id,
    .first_at = rows_first_at,
    .verdicts = verdicts,
    .recording = recording,
    .file = file,
};
