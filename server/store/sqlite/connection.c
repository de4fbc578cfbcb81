/* A reader on a path: a connection to the file, with the log that lies beside it or without. */
#include "store/sqlite/file.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/private.h"
#include "store/sqlite/reading_vfs.h"
#include "store/sqlite/rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct rows *open_rows(const char *path, bool immutable, struct err *err) {
    struct rows *r = calloc(1, sizeof *r);
    if (!r) {
        err_set(err, ENOMEM, "cannot open the recording");
        return NULL;
    }
    r->reader.ops = &rows_ops;
    r->is_still = immutable;
    r->life = -1;
    r->db = reading_open(path, immutable, err);
    if (r->db) {
        sqlite3_busy_timeout(r->db, 5000);
        if (db_run(r->db,
                   "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;"
                   "PRAGMA trusted_schema = OFF",
                   err) == 0)
            return r;
    }
    reader_close(&r->reader);
    return NULL;
}

void store_reader_left_out(struct reader *reader) {
    struct rows *r = (struct rows *)reader;
    snprintf(
        r->note, sizeof r->note, "%s",
        "has a log beside it that does not follow it, but another recording or another state of this one: it is left out");
}

/* Without a log, or with an empty one that a reader kept from being removed, nobody is writing, so nothing has to be locked, and nothing is made
 * in its directory. Another file's log is as good as none. With an index of another log nothing can be read for now (EBUSY), nor where it cannot be told whose log it
 * is (EAGAIN). */
static struct rows *open_beside(const char *path, bool may_be_alone, struct err *err) {
    bool immutable = may_be_alone && !file_has_log(path);
    struct rows *r = open_rows(path, immutable, err);
    if (!r || immutable)
        return r;
    db_run(r->db, "PRAGMA user_version", NULL); /* opens both */
    bool is_at_name = !log_index_is_elsewhere(r->db, path);
    enum log_of whose = is_at_name ? log_whose(r->db, path, !may_be_alone, err) : LOG_UNKNOWN;
    bool is_foreign = whose == LOG_FOREIGN;
    bool fits = is_at_name && !log_index_is_foreign(r->db, !may_be_alone);
    if (whose == LOG_ITS_OWN && fits)
        return r;
    reader_close(&r->reader);
    if (is_foreign && (r = open_rows(path, true, err)) != NULL)
        store_reader_left_out(&r->reader);
    if (is_foreign)
        return r;
    err_set(err, 0, "somebody began to record into it meanwhile: ask again");
    if (err)
        err->sys = fits ? EAGAIN : EBUSY;
    return NULL;
}

struct rows *rows_open(const char *path, struct err *err) {
    return open_beside(path, true, err);
}

static struct reader *of_today(struct rows *r, const char *path, struct err *err) {
    if (!r)
        return NULL;
    int older = migrate_state(r->db, path, err);
    if (older == 0)
        return &r->reader;
    if (older == 1)
        err_set(err, 0, "%s was recorded by an older statwit: `statwit serve --db` brings it up to date",
                path);
    reader_close(&r->reader);
    return NULL;
}

struct reader *store_reader_on(const char *path, bool may_be_alone, struct err *err) {
    return of_today(open_beside(path, may_be_alone, err), path, err);
}

struct reader *store_reader_own(const char *path, struct err *err) {
    return of_today(open_rows(path, false, err), path, err);
}
