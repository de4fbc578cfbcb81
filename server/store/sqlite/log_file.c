/* DESIGN. SQLite writes each frame of its log in two pieces, a head of 24 bytes and a page, with a call each: eight calls for one body of
 * a POST. While a transaction is committed nobody else may write, and nobody reads its frames before its last one, whose head says
 * so. So what is written meanwhile is gathered until that frame is whole, and no longer. It goes out before, too, when there is no room, when what comes
 * next does not follow, and before this connection reads or measures the file. What is left when the commit failed is dropped:
 * by then somebody else may have written there. All other files are the usual VFS's own.
 *
 *     [head|page][head|page]...[head, of the last|page] -> one write */
#include "store/sqlite/log_file.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HEAD                                                                                                 \
    24 /* bytes of a frame's head; at 4: the size of the database, in the last frame of a transaction, else 0 */

struct log_file {
    sqlite3_file base;
    sqlite3_int64 at; /* where what was gathered belongs */
    size_t n;
    bool gathers; /* between log_file_begin and _end */
    bool last;    /* the head of the last frame is there */
    char *bytes;
};

static struct log_file *log_of(sqlite3_file *file) {
    return (struct log_file *)(void *)file;
}

/* The usual VFS's file stands behind ours. */
static sqlite3_file *real_of(sqlite3_file *file) {
    return (sqlite3_file *)(void *)(log_of(file) + 1);
}

static int write_out(sqlite3_file *file) {
    struct log_file *log = log_of(file);
    size_t n = log->n;
    log->n = 0;
    log->last = false;
    return n ? real_of(file)->pMethods->xWrite(real_of(file), log->bytes, (int)n, log->at) : SQLITE_OK;
}

static bool is_last(const void *head, int n) {
    static const char none[4];
    return n == HEAD && memcmp((const char *)head + 4, none, sizeof none) != 0;
}

static int log_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at) {
    struct log_file *log = log_of(file);
    size_t size = (size_t)n;
    if (!log->gathers)
        return real_of(file)->pMethods->xWrite(real_of(file), bytes, n, at);
    if (log->n && (at != log->at + (sqlite3_int64)log->n || log->n + size > LOG_FILE_BYTES)) {
        bool last = log->last;
        int code = write_out(file);
        if (code != SQLITE_OK)
            return code;
        log->last = last;
    }
    if (size > LOG_FILE_BYTES)
        return real_of(file)->pMethods->xWrite(real_of(file), bytes, n, at);
    if (log->n == 0)
        log->at = at;
    memcpy(log->bytes + log->n, bytes, size);
    log->n += size;
    if (log->last) {
        log->gathers =
            false; /* what SQLite still writes now, new checksums of frames that it had to write before, is not gathered */
        return write_out(file);
    }
    log->last = is_last(bytes, n);
    return SQLITE_OK;
}

static int log_close(sqlite3_file *file) {
    free(log_of(file)->bytes);
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int log_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 at) {
    int code = write_out(file);
    return code != SQLITE_OK ? code : real_of(file)->pMethods->xRead(real_of(file), bytes, n, at);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size) {
    int code = write_out(file);
    return code != SQLITE_OK ? code : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int log_sync(sqlite3_file *file, int flags) {
    int code = write_out(file);
    return code != SQLITE_OK ? code : real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *size) {
    int code = write_out(file);
    return code != SQLITE_OK ? code : real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int log_lock(sqlite3_file *file, int lock) {
    return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static int log_unlock(sqlite3_file *file, int lock) {
    return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}

static int log_reserved(sqlite3_file *file, int *out) {
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int log_control(sqlite3_file *file, int op, void *arg) {
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int log_sector(sqlite3_file *file) {
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int log_traits(sqlite3_file *file) {
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static const sqlite3_io_methods methods = {.iVersion = 1, /* without shared memory, which is the database's */
                                           .xClose = log_close,
                                           .xRead = log_read,
                                           .xWrite = log_write,
                                           .xTruncate = log_truncate,
                                           .xSync = log_sync,
                                           .xFileSize = log_size,
                                           .xLock = log_lock,
                                           .xUnlock = log_unlock,
                                           .xCheckReservedLock = log_reserved,
                                           .xFileControl = log_control,
                                           .xSectorSize = log_sector,
                                           .xDeviceCharacteristics = log_traits};

static sqlite3_vfs *usual;

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
    (void)vfs;
    if (!(flags & SQLITE_OPEN_WAL))
        return usual->xOpen(usual, name, file, flags, out);
    struct log_file *log = log_of(file);
    *log = (struct log_file){.bytes = malloc(LOG_FILE_BYTES)};
    if (!log->bytes)
        return SQLITE_NOMEM;
    int code = usual->xOpen(usual, name, real_of(file), flags, out);
    if (code != SQLITE_OK)
        free(log->bytes);
    else
        log->base.pMethods = &methods;
    return code;
}

static sqlite3_vfs own;

static void make_own(void) {
    usual = sqlite3_vfs_find(NULL);
    if (!usual)
        return;
    own = *usual;
    own.pNext = NULL;
    own.zName = "statwit";
    own.szOsFile += (int)sizeof(struct log_file);
    own.xOpen = open_file;
    if (sqlite3_vfs_register(&own, 0) != SQLITE_OK)
        usual = NULL;
}

const char *log_file_vfs(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_own);
    return usual ? own.zName : NULL;
}

/* NULL: not there yet, or not ours. */
static struct log_file *log_of_connection(sqlite3 *db) {
    sqlite3_file *file = NULL;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) != SQLITE_OK || !file ||
        file->pMethods != &methods)
        return NULL;
    return log_of(file);
}

void log_file_begin(sqlite3 *db) {
    struct log_file *log = log_of_connection(db);
    if (log)
        log->gathers = true;
}

void log_file_end(sqlite3 *db) {
    struct log_file *log = log_of_connection(db);
    if (!log)
        return;
    log->gathers = log->last = false;
    log->n = 0;
}
