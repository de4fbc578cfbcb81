/* DESIGN. Who reads a file without locks trusts that nobody writes it; this is how it is found out (decisions/0045). */
#include "store/sqlite/still_file.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <sys/stat.h>

/* It stands behind the usual VFS's file, which is read by way of it. */
struct still {
    sqlite3_io_methods methods; /* the usual ones, but for xRead */
    int (*read)(sqlite3_file *, void *, int, sqlite3_int64);
    const char *path; /* SQLite's, as long as the file is open */
    struct stat then;
};

static sqlite3_vfs *usual;

static struct still *still_of(sqlite3_file *file) {
    return (struct still *)(void *)((char *)file + usual->szOsFile);
}

/* No recorder finds a file that was deleted or moved. */
static bool is_still(const struct still *s) {
    struct stat now;
    if (stat(s->path, &now) != 0 || now.st_ino != s->then.st_ino || now.st_dev != s->then.st_dev)
        return true;
    return now.st_size == s->then.st_size && now.st_mtim.tv_sec == s->then.st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == s->then.st_mtim.tv_nsec;
}

/* It is looked at afterwards: what came from it came before anybody wrote. */
static int still_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 at) {
    int code = still_of(file)->read(file, bytes, n, at);
    return is_still(still_of(file)) ? code : SQLITE_IOERR_DATA;
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
    (void)vfs;
    struct still *s = still_of(file);
    *s = (struct still){.path = name};
    bool watched = flags & SQLITE_OPEN_MAIN_DB && stat(name, &s->then) == 0;
    int code = usual->xOpen(usual, name, file, flags, out);
    if (code != SQLITE_OK || !watched)
        return code;
    s->read = file->pMethods->xRead;
    s->methods = *file->pMethods;
    s->methods.xRead = still_read;
    file->pMethods = &s->methods;
    return SQLITE_OK;
}

static sqlite3_vfs own;

static void make_own(void) {
    usual = sqlite3_vfs_find(NULL);
    if (!usual)
        return;
    own = *usual;
    own.pNext = NULL;
    own.zName = "statwit-still";
    own.szOsFile += (int)sizeof(struct still);
    own.xOpen = open_file;
    if (sqlite3_vfs_register(&own, 0) != SQLITE_OK)
        usual = NULL;
}

const char *still_file_vfs(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_own);
    return usual ? own.zName : NULL;
}
