/* DESIGN. SQLite knows the log of a file by its name alone. Who moves a recording to where one lay whose recorder was killed leaves that one's
 * log beside it, and SQLite would put the pages of the one into the other. So each log says whose it is: with its first commit it has the page
 * of `counters`, where a random number is its own, beside that of the log before and a number of the file's own (sign_log). A log is signed once all
 * of the one before is in the file. So the file alone has the number of the one before, or, as soon as that page has come into it, that of this log;
 * also while it is recorded, as nothing comes into the file that a transaction which has begun does not see. No other file has either, and of the
 * copies of this one only those that say what it says; but one that was copied alone while a log is partly in it says so, too, of that log and of the
 * next one. */
#include "core/retry.h"
#include "store/sqlite/private.h"
#include "store/sqlite/reading_vfs.h"

#include <errno.h>
#include <string.h>

#define INDEX_PART 32768 /* as SQLite maps it */
#define WAIT_MS    2000  /* for one of them that makes an index */

struct signature {
    int64_t own, log, before;
};

/* hash_seed never changes; the recording's name does, when the file is emptied. Logs of earlier versions have no number: that is 0. */
static int read_signature(sqlite3 *db, struct signature *s, struct err *err) {
    return db_int(db, "SELECT value FROM counters WHERE name = 'hash_seed'", 0, &s->own, err) != 0 ||
                   db_int(db, "SELECT value FROM counters WHERE name = 'log'", 0, &s->log, err) != 0 ||
                   db_int(db, "SELECT value FROM counters WHERE name = 'log_before'", 0, &s->before, err) != 0
               ? -1
               : 0;
}

/* NULL: the connection has no log open. */
static sqlite3_file *open_log(sqlite3 *db) {
    sqlite3_file *log = NULL;
    return sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK && log &&
                   log->pMethods
               ? log
               : NULL;
}

/* The head of the index that a connection has open. To map it without a log would make one, which stays. */
static bool read_mapped(sqlite3 *db, uint32_t index[FILE_INDEX_HEAD]) {
    sqlite3_file *file = NULL;
    void volatile *mapped = NULL;
    if (!open_log(db) || sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
        !file || !file->pMethods || file->pMethods->iVersion < 2 ||
        file->pMethods->xShmMap(file, 0, INDEX_PART, 0, &mapped) != SQLITE_OK || !mapped)
        return false;
    for (size_t i = 0; i < FILE_INDEX_HEAD; i++)
        index[i] = ((const uint32_t volatile *)mapped)[i];
    return true;
}

/* What is the same before and afterwards was the same meanwhile, as it counts its changes. */
bool log_index_is_elsewhere(sqlite3 *db, const char *path) {
    uint32_t before[FILE_INDEX_HEAD], named[FILE_INDEX_HEAD], after[FILE_INDEX_HEAD];
    return read_mapped(db, before) && file_read_index(path, named) && read_mapped(db, after) &&
           memcmp(before, after, sizeof before) == 0 && memcmp(before, named, sizeof before) != 0;
}

bool log_index_is_foreign(sqlite3 *db, bool is_recorded) {
    uint32_t index[FILE_INDEX_HEAD];
    unsigned char head[FILE_LOG_HEAD];
    if (!read_mapped(db, index))
        return false;
    sqlite3_file *log = open_log(db);
    bool is_read = log->pMethods->xRead(log, head, sizeof head, 0) == SQLITE_OK;
    return !file_index_fits(index, is_read ? head : NULL, is_recorded);
}

/* What failed may not do so the next time: somebody writes the file that is read alone, or has a lock. */
static bool is_passing(sqlite3 *db) {
    int code = sqlite3_errcode(db) & 0xff;
    return code == SQLITE_BUSY || code == SQLITE_IOERR || code == SQLITE_PROTOCOL;
}

/* Where either cannot be read for another reason, what is wrong is told to who reads on. */
static enum log_of compare(sqlite3 *db, const char *path, bool is_recorded, struct err *why) {
    struct signature alone, with_log;
    bool is_read = read_signature(db, &with_log, why) == 0;
    int code = sqlite3_errcode(db) & 0xff;
    if (!is_read && code != SQLITE_CORRUPT && code != SQLITE_NOTADB && code != SQLITE_ERROR)
        return is_passing(db) ? LOG_UNKNOWN : LOG_ITS_OWN;
    if (log_index_is_foreign(db, is_recorded)) /* it says nothing of the log */
        return LOG_ITS_OWN;
    sqlite3 *file = reading_open(path, true, why);
    bool is_known = file && read_signature(file, &alone, why) == 0;
    bool passes = !file || is_passing(file); /* it was there to be read with its log */
    sqlite3_close(file);
    if (!is_known)
        return passes ? LOG_UNKNOWN : LOG_ITS_OWN;
    bool follows = is_read /* else the pages of the two do not fit together */ && with_log.own == alone.own &&
                   (with_log.log == alone.log || with_log.before == alone.log);
    return follows ? LOG_ITS_OWN : LOG_FOREIGN;
}

enum log_of log_whose(sqlite3 *db, const char *path, bool is_recorded, struct err *err) {
    struct err why = {0};
    if (!file_has_log(path) || db_run(db, "BEGIN", NULL) != 0)
        return LOG_ITS_OWN;
    enum log_of whose = compare(db, path, is_recorded, &why);
    db_run(db, "COMMIT", NULL);
    if (whose == LOG_UNKNOWN)
        err_pass(err, &why, NULL);
    return whose;
}

bool log_put_aside(const char *path, char *aside) {
    if (file_set_log_aside(path, aside))
        return true;
    aside[0] = '\0';
    return errno == ENOENT;
}

/* false: it is still there, and will be. */
static bool put_away(const char *path, bool foreign, char *aside, bool *removed) {
    if (foreign && aside)
        return log_put_aside(path, aside);
    if (foreign) {
        file_drop_logs(path);
        *removed = true;
    } else {
        file_drop_index(path, -1);
    }
    return true;
}

/* Who is about to open what is removed here may make an index once more, of the log that he has open. So it is looked at again when this connection
 * has it open: from then on nobody makes it anew. */
int log_open_own(const char *path, const char *vfs, char *aside, bool *removed, sqlite3 **db) {
    struct retry retry = retry_begin();
    for (;;) {
        int code = sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, vfs);
        if (code != SQLITE_OK)
            return code;
        sqlite3_busy_timeout(*db, WAIT_MS);
        db_run(*db, "PRAGMA user_version", NULL);
        enum log_of whose = log_whose(*db, path, false, NULL);
        if (whose == LOG_ITS_OWN && !log_index_is_foreign(*db, false))
            return code;
        sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                          NULL); /* nothing of it comes into the file */
        if (!retry_lasts(&retry))
            return whose == LOG_UNKNOWN ? SQLITE_IOERR_DATA : SQLITE_BUSY;
        sqlite3_close(*db);
        *db = NULL;
        if (whose != LOG_UNKNOWN && !put_away(path, whose == LOG_FOREIGN, aside, removed))
            return SQLITE_BUSY;
    }
}
