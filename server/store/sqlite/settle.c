/* A copy of an older recording, or of one whose recorder was killed, with everything in its place. */
#include "store/sqlite/file.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COPY_BLOCK 65536

/* Where bytes come from: as many as fit, at an offset; 0 at the end, -1 with errno. */
typedef ssize_t read_at(void *from, char *to, size_t n, int64_t offset);

static ssize_t read_log(void *from, char *to, size_t n, int64_t offset) {
    return pread(*(int *)from, to, n, offset);
}

static ssize_t read_database(void *from, char *to, size_t n, int64_t offset) {
    sqlite3_file *file = from;
    sqlite3_int64 size;
    if (file->pMethods->xFileSize(file, &size) != SQLITE_OK)
        return -1;
    if (size <= offset)
        return 0;
    n = size - offset < (int64_t)n ? (size_t)(size - offset) : n;
    int code = file->pMethods->xRead(file, to, (int)n, offset);
    return code == SQLITE_OK || code == SQLITE_IOERR_SHORT_READ ? (ssize_t)n : -1;
}

static int copy_bytes(read_at *read, void *from, const char *to, const char *path, struct err *err) {
    char block[COPY_BLOCK];
    ssize_t n = -1;
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    for (int64_t at = 0; out >= 0 && (n = read(from, block, sizeof block, at)) > 0; at += n)
        if (write(out, block, (size_t)n) != n) {
            n = -1;
            break;
        }
    int failed =
        n == 0 ? 0 : err_set(err, errno, "cannot copy %s, which must be brought up to date to be read", path);
    if (out >= 0)
        close(out);
    return failed;
}

/* By SQLite's own descriptor: who closes another one takes all locks of this process from the file, and so those of its readers. Then the next
 * recorder to stop believes that it was the last one, and removes the log that they read. */
static int copy_database(const char *path, const char *to, struct err *err) {
    sqlite3 *db = NULL;
    sqlite3_file *file = NULL;
    db_settings();
    int failed = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
                         sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
                         !file || !file->pMethods
                     ? db_fail(db, err, "open the recording")
                     : copy_bytes(read_database, file, to, path, err);
    sqlite3_close(db);
    return failed;
}

/* Nobody locks a log. */
static int copy_log(const char *log, const char *to, const char *path, struct err *err) {
    int in = open(log, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return errno == ENOENT ? 0 : err_set(err, errno, "cannot read the log of %s", path);
    int failed = copy_bytes(read_log, &in, to, path, err);
    close(in);
    return failed;
}

/* A copy that is brought up to date, with all that was kept in its place, as the file itself is not to be changed. */
int store_copy_settled(const char *path, char copy[FILE_PATH_MAX], bool *left_out, struct err *err) {
    char from_log[FILE_PATH_MAX + 8], to_log[FILE_PATH_MAX + 8];
    if (file_private(copy, err) != 0)
        return -1;
    snprintf(from_log, sizeof from_log, "%s-wal", path);
    snprintf(to_log, sizeof to_log, "%s-wal", copy);
    sqlite3 *db = NULL;
    bool removed = false;
    int failed = copy_database(path, copy, err) != 0 || copy_log(from_log, to_log, path, err) != 0;
    if (!failed && log_open_own(copy, NULL, NULL, &removed, &db) != SQLITE_OK)
        failed = err_set(err, 0, "cannot open a copy of %s", path);
    failed = failed || migrate_run(db, path, err) != 0;
    sqlite3_close(db);
    failed = failed || store_settle(copy, err) != 0;
    if (failed)
        file_private_remove(copy);
    if (left_out)
        *left_out = removed;
    return failed ? -1 : 0;
}
