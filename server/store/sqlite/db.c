#include "store/sqlite/db.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>

#define INDEX_LOCKS     120 /* the first byte that SQLite locks of the index of a log, */
#define INDEX_LOCKS_END 129 /* and the one behind the last. Those of a database lie at 1 GiB */

static int own_command(int command) {
    return command == F_GETLK ? F_OFD_GETLK : command == F_SETLK ? F_OFD_SETLK : F_OFD_SETLKW;
}

static int lock_call(int fd, int command, struct flock *lock) {
    struct flock own = *lock;
    own.l_pid = 0;
    bool is_index = lock->l_start >= INDEX_LOCKS && lock->l_start < INDEX_LOCKS_END;
    int result = is_index ? fcntl(fd, own_command(command), &own) : -1;
    if (!is_index || (result != 0 && errno == EINVAL)) /* the system is older than such locks */
        return fcntl(fd, command, lock);
    if (result == 0 && command == F_GETLK)
        *lock = own;
    return result;
}

/* A process loses all its locks on a file when it closes any descriptor of it. Two files that lay at one path one after the other share the
 * index of the log there; a reader of the one would then lose its locks when a reader of the other ends, and the next one to open the index
 * would believe that nobody has it mapped, and cut it off. So locks on an index are the descriptor's own. */
static int call_fcntl(int fd, int command, ...) {
    va_list rest;
    va_start(rest, command);
    bool locks = command == F_GETLK || command == F_SETLK || command == F_SETLKW;
    int result =
        locks ? lock_call(fd, command, va_arg(rest, struct flock *)) : fcntl(fd, command, va_arg(rest, int));
    va_end(rest);
    return result;
}

/* By default SQLite sets aside 280 KiB for each connection and writes to every page of it, and counts each allocation under a lock. */
static void make_settings(void) {
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_vfs *usual = sqlite3_vfs_find(NULL);
    if (usual && usual->iVersion >= 3)
        usual->xSetSystemCall(usual, "fcntl", (sqlite3_syscall_ptr)call_fcntl);
}

void db_settings(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_settings);
}

int db_fail(sqlite3 *db, struct err *err, const char *doing) {
    int extended = sqlite3_extended_errcode(db), code = extended & 0xff;
    if (code == SQLITE_FULL)
        return err_set(err, ENOSPC, "cannot %s", doing);
    if (code == SQLITE_NOMEM)
        return err_set(err, ENOMEM, "cannot %s", doing);
    if (extended == SQLITE_IOERR_DATA) { /* reading_vfs.h */
        err_set(err, 0, "cannot %s: somebody began to record into it meanwhile: ask again", doing);
        if (err)
            err->sys = EAGAIN;
        return -1;
    }
    int sys = sqlite3_system_errno(db); /* of an earlier call, where this one did not fail in the system */
    if (sys == EAGAIN || (sys == ENOENT && code != SQLITE_CANTOPEN))
        sys = 0;
    if ((code == SQLITE_IOERR || code == SQLITE_CANTOPEN) && sys != 0)
        return err_set(err, sys, "cannot %s: %s", doing, sqlite3_errmsg(db));
    return err_set(err, 0, "cannot %s: %s", doing, sqlite3_errmsg(db));
}

int db_run(sqlite3 *db, const char *sql, struct err *err) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_fail(db, err, "use the recording");
}

sqlite3_stmt *db_prepare(sqlite3 *db, const char *sql, struct err *err) {
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK)
        db_fail(db, err, "use the recording");
    return stmt;
}

int db_done(sqlite3 *db, sqlite3_stmt *stmt, struct err *err) {
    int code = sqlite3_step(stmt);
    if (code != SQLITE_DONE)
        db_fail(db, err, "write the recording");
    sqlite3_reset(stmt);
    return code == SQLITE_DONE ? 0 : -1;
}

int db_row(sqlite3 *db, sqlite3_stmt *stmt, struct err *err) {
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        return 1;
    if (code != SQLITE_DONE)
        db_fail(db, err, "read the recording");
    sqlite3_reset(stmt);
    return code == SQLITE_DONE ? 0 : -1;
}

int db_int(sqlite3 *db, const char *sql, int64_t none, int64_t *value, struct err *err) {
    sqlite3_stmt *stmt = db_prepare(db, sql, err);
    if (!stmt)
        return -1;
    int got = db_row(db, stmt, err);
    *value = got == 1 && sqlite3_column_type(stmt, 0) != SQLITE_NULL ? sqlite3_column_int64(stmt, 0) : none;
    sqlite3_finalize(stmt);
    return got < 0 ? -1 : 0;
}

void db_bind_span(sqlite3_stmt *stmt, int at, struct span s) {
    if (s.p)
        sqlite3_bind_text64(stmt, at, s.p, s.n, SQLITE_STATIC, SQLITE_UTF8);
    else
        sqlite3_bind_null(stmt, at);
}

struct span db_span(sqlite3_stmt *stmt, int column) {
    if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
        return span_of(NULL, 0);
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    size_t n = (size_t)sqlite3_column_bytes(stmt, column);
    return text ? span_of(text, n) : SPAN("");
}

double db_number(sqlite3_stmt *stmt, int column) {
    return sqlite3_column_type(stmt, column) == SQLITE_NULL ? (double)NAN
                                                            : sqlite3_column_double(stmt, column);
}
