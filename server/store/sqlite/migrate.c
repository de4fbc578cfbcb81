#include "store/sqlite/migrate.h"

#include "core/buf.h"
#include "core/embed.h"
#include <errno.h>
#include <inttypes.h>

EMBED(sql_0002, "schema/sqlite/0002_large_datagrams.sql");
EMBED(sql_0003, "schema/sqlite/0003_runs.sql");
EMBED(sql_0004, "schema/sqlite/0004_remarks.sql");
EMBED(sql_0005, "schema/sqlite/0005_payloads.sql");
EMBED(sql_0006, "schema/sqlite/0006_verdicts.sql");
EMBED(sql_0007, "schema/sqlite/0007_totals.sql");
EMBED(sql_0008, "schema/sqlite/0008_kept.sql");
EMBED(sql_0009, "schema/sqlite/0009_strays.sql");
EMBED(sql_0010, "schema/sqlite/0010_labels.sql");
EMBED(sql_0011, "schema/sqlite/0011_kept_runs.sql");
EMBED(sql_0012, "schema/sqlite/0012_steps.sql");
EMBED(sql_0013, "schema/sqlite/0013_own_spellings.sql");
EMBED(sql_views, "schema/sqlite/views.sql");

/* What makes of version i the next one. A new file is of today's version at once (template.h). */
static const char *const steps[] = {NULL,     sql_0002, sql_0003, sql_0004, sql_0005, sql_0006, sql_0007,
                                    sql_0008, sql_0009, sql_0010, sql_0011, sql_0012, sql_0013};
#define VERSION ((int64_t)(sizeof steps / sizeof steps[0]))

int migrate_check(const char *path, int64_t user_version, struct err *err) {
    if (user_version <= VERSION)
        return 0;
    return err_set(err, 0,
                   "%s was recorded by a newer statwit (schema %" PRId64 ", this one knows %" PRId64
                   "): use that one, or another --db (it was left as it is)",
                   path, user_version, VERSION);
}

static int migrate_unfinished(const char *path, struct err *err) {
    err_set(err, 0, "%s is not a whole recording", path);
    if (err)
        err->sys = ENODATA;
    return -1;
}

/* As a recorder makes it. To count its pages SQLite would read the schema, which may not be there yet. */
static bool is_empty(sqlite3 *db) {
    sqlite3_file *file = NULL;
    sqlite3_int64 size = -1;
    return sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK && file &&
           file->pMethods && file->pMethods->xFileSize(file, &size) == SQLITE_OK && size == 0;
}

int migrate_state(sqlite3 *db, const char *path, struct err *err) {
    int64_t id, version;
    if (db_int(db, "PRAGMA application_id", 0, &id, err) != 0 ||
        db_int(db, "PRAGMA user_version", 0, &version, err) != 0)
        return -1;
    if (is_empty(db))
        return migrate_unfinished(path, err);
    if (id != MIGRATE_APPLICATION_ID)
        return err_set(err, 0, "%s is not a recording", path);
    if (version < 1) /* as long as it is being made */
        return migrate_unfinished(path, err);
    if (migrate_check(path, version, err) != 0)
        return -1;
    return version < VERSION;
}

/* The views are made of what the tables became, so all of them are made anew. */
static int remake_views(sqlite3 *db, struct err *err) {
    struct buf drops = {.max = 65536};
    sqlite3_stmt *stmt = db_prepare(db, "SELECT name FROM sqlite_schema WHERE type = 'view'", err);
    if (!stmt)
        return -1;
    int got;
    while ((got = db_row(db, stmt, err)) == 1)
        buf_printf(&drops, "DROP VIEW \"%s\";", (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    int result =
        got == 0 && (drops.n == 0 || db_run(db, drops.p, err) == 0) ? db_run(db, sql_views, err) : -1;
    buf_free(&drops);
    return result;
}

static int apply(sqlite3 *db, const char *path, struct err *err) {
    int64_t version;
    if (db_int(db, "PRAGMA user_version", 0, &version, err) != 0 || migrate_check(path, version, err) != 0)
        return -1;
    if (version < 1)
        return migrate_unfinished(path, err);
    for (int64_t i = version; i < VERSION; i++)
        if (db_run(db, steps[i], err) != 0)
            return -1;
    if (remake_views(db, err) != 0)
        return -1;
    char sql[64];
    sqlite3_snprintf(sizeof sql, sql, "PRAGMA user_version = %lld", (long long)VERSION);
    return db_run(db, sql, err);
}

int migrate_run(sqlite3 *db, const char *path, struct err *err) {
    if (db_run(db, "BEGIN IMMEDIATE", err) != 0)
        return -1;
    if (apply(db, path, err) == 0 && db_run(db, "COMMIT", err) == 0)
        return 0;
    db_run(db, "ROLLBACK", NULL);
    return -1;
}
