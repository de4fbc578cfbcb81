/* A copy of an older recording, or of one whose recorder was killed, with everything in its place. */
#include "store/sqlite/migrate.h"
#include "store/sqlite/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COPY_BLOCK ((size_t)1 << 20)

static int copy_file(const char *from, const char *to, struct err *err) {
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    char *block = malloc(COPY_BLOCK);
    ssize_t n = -1;
    while (in >= 0 && out >= 0 && block && (n = read(in, block, COPY_BLOCK)) > 0)
        if (write(out, block, (size_t)n) != n) {
            n = -1;
            break;
        }
    int failed =
        n == 0 ? 0 : err_set(err, errno, "cannot copy %s, which must be brought up to date to be read", from);
    free(block);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return failed;
}

void store_copy_remove(const char *path) {
    char name[FILE_PATH_MAX];
    file_drop_logs(path);
    unlink(path);
    snprintf(name, sizeof name, "%s", path);
    char *slash = strrchr(name, '/');
    *slash = '\0';
    rmdir(name);
}

/* A copy that is brought up to date, with all that was kept in its place, as the file itself is not to be changed. */
int store_copy_settled(const char *path, char copy[FILE_PATH_MAX], struct err *err) {
    char directory[FILE_PATH_MAX], from_log[FILE_PATH_MAX + 8], to_log[FILE_PATH_MAX + 8];
    if (file_private_directory(directory, err) != 0)
        return -1;
    if (snprintf(copy, FILE_PATH_MAX, "%s/db", directory) >= FILE_PATH_MAX)
        return err_set(err, ENAMETOOLONG, "cannot copy %s", path);
    snprintf(from_log, sizeof from_log, "%s-wal", path);
    snprintf(to_log, sizeof to_log, "%s-wal", copy);
    sqlite3 *db = NULL;
    int failed = copy_file(path, copy, err) != 0 ||
                 (access(from_log, F_OK) == 0 && copy_file(from_log, to_log, err) != 0);
    if (!failed && sqlite3_open_v2(copy, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        failed = err_set(err, 0, "cannot open a copy of %s", path);
    failed = failed || migrate_run(db, path, err) != 0;
    sqlite3_close(db);
    failed = failed || store_settle(copy, err) != 0;
    if (failed)
        store_copy_remove(copy);
    return failed ? -1 : 0;
}
