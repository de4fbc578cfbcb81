/* DESIGN. Who reads a file without locks trusts that nobody writes it; this is how it is found out (decisions/0043). */
#include "store/sqlite/reading_vfs.h"

#include "store/sqlite/db.h"
#include "store/sqlite/file.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* It stands behind the usual VFS's file, which is read by way of it. */
struct still {
    sqlite3_io_methods methods; /* the usual ones, but for xRead */
    int (*read)(sqlite3_file *, void *, int, sqlite3_int64);
    int (*close)(sqlite3_file *);
    int fd; /* O_PATH: to close it leaves the process its locks on the file */
    struct stat then;
};

static sqlite3_vfs *usual;

static struct still *still_of(sqlite3_file *file) {
    return (struct still *)(void *)((char *)file + usual->szOsFile);
}

/* Also when it was moved or deleted: who records it may have it open. */
static bool is_still(const struct still *s) {
    struct stat now;
    return fstat(s->fd, &now) == 0 && now.st_size == s->then.st_size &&
           now.st_mtim.tv_sec == s->then.st_mtim.tv_sec && now.st_mtim.tv_nsec == s->then.st_mtim.tv_nsec;
}

/* It is looked at afterwards: what came from it came before anybody wrote. */
static int still_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 at) {
    int code = still_of(file)->read(file, bytes, n, at);
    return is_still(still_of(file)) ? code : SQLITE_IOERR_DATA;
}

static int still_close(sqlite3_file *file) {
    int (*usual_close)(sqlite3_file *) = still_of(file)->close;
    close(still_of(file)->fd);
    return usual_close(file);
}

/* Whether the name leads to the file that is watched: before SQLite opened it, it did. */
static bool is_named(const struct still *s, const char *name) {
    struct stat now;
    return stat(name, &now) == 0 && now.st_ino == s->then.st_ino && now.st_dev == s->then.st_dev;
}

static int open_watched(struct still *s, const char *name, sqlite3_file *file, int flags, int *out) {
    if (fstat(s->fd, &s->then) != 0)
        return SQLITE_CANTOPEN;
    int code = usual->xOpen(usual, name, file, flags, out);
    if (code != SQLITE_OK)
        return code;
    s->read = file->pMethods->xRead;
    s->close = file->pMethods->xClose;
    s->methods = *file->pMethods;
    s->methods.xRead = still_read;
    s->methods.xClose = still_close;
    if (is_named(s, name)) {
        file->pMethods = &s->methods;
        return SQLITE_OK;
    }
    file->pMethods->xClose(file);
    file->pMethods = NULL;
    return SQLITE_CANTOPEN;
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
    (void)vfs;
    struct still *s = still_of(file);
    if (!(flags & SQLITE_OPEN_MAIN_DB))
        return usual->xOpen(usual, name, file, flags, out);
    s->fd = open(name, O_PATH | O_CLOEXEC);
    int code = s->fd < 0 ? SQLITE_CANTOPEN : open_watched(s, name, file, flags, out);
    if (code != SQLITE_OK && s->fd >= 0)
        close(s->fd);
    return code;
}

/* Where a file is empty, SQLite removes the log beside it, also for who may only read: but it is that of a recorder who is making the file. */
static int delete_nothing(sqlite3_vfs *vfs, const char *name, int sync) {
    (void)vfs, (void)name, (void)sync;
    return SQLITE_OK;
}

static sqlite3_vfs reading, still;

static void make_own(void) {
    usual = sqlite3_vfs_find(NULL);
    if (!usual)
        return;
    reading = *usual;
    reading.pNext = NULL;
    reading.zName = "statwit-reading";
    reading.xDelete = delete_nothing;
    still = reading;
    still.zName = "statwit-still";
    still.szOsFile += (int)sizeof(struct still);
    still.xOpen = open_file;
    if (sqlite3_vfs_register(&reading, 0) != SQLITE_OK || sqlite3_vfs_register(&still, 0) != SQLITE_OK)
        usual = NULL;
}

static void make_once(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_own);
}

/* A path as an SQLite URI. immutable: without locks and without files beside it. */
static int uri_of(const char *path, bool immutable, char *uri, size_t size) {
    size_t n = (size_t)snprintf(uri, size, "file:");
    for (const unsigned char *p = (const unsigned char *)path; *p; p++) {
        if (n + 4 >= size)
            return -1;
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
                     strchr("/._-", *p);
        if (plain)
            uri[n++] = (char)*p;
        else
            n += (size_t)snprintf(uri + n, size - n, "%%%02X", *p);
    }
    if (n + 32 >= size)
        return -1;
    snprintf(uri + n, size - n, immutable ? "?mode=ro&immutable=1" : "?mode=ro");
    return 0;
}

sqlite3 *reading_open(const char *path, bool still_file, struct err *err) {
    char uri[3 * FILE_PATH_MAX + 64];
    sqlite3 *db = NULL;
    if (uri_of(path, still_file, uri, sizeof uri) != 0)
        return err_set(err, ENOMEM, "cannot open the recording"), NULL;
    db_settings();
    make_once();
    const char *vfs = !usual ? NULL : still_file ? still.zName : reading.zName;
    if (sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, vfs) ==
        SQLITE_OK) {
        sqlite3_extended_result_codes(db, 1);
        return db;
    }
    db_fail(db, err, "open the recording");
    sqlite3_close(db);
    return NULL;
}
