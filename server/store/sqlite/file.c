#include "store/sqlite/file.h"

#include "core/folder.h"
#include "core/leftover.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/template.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define HEADER_SIZE   100
#define LOCK_LOOKS    8 /* at a list of locks that does not fit into a page */
#define LOCKS_PART    8192
#define ASIDES_MAX    99
#define INDEX_IS_MADE 12 /* a byte of the first header of an index; in it also: */
/* Two numbers of 32 bits: how many frames the log has, and how many pages the database, 0 where the log was empty when the index was made. */
#define INDEX_FRAMES    4
#define INDEX_PAGES     5
#define INDEX_SALT      32 /* bytes of the index, which the header of the log has at */
#define LOG_SALT        16
#define SALT_SIZE       8
#define SHM_FREE_WANTED ((uint64_t)1 << 30)

int file_path(const char *path, char out[FILE_PATH_MAX], struct err *err) {
    int n = snprintf(out, FILE_PATH_MAX, "%s%s", path[0] == '/' ? "" : "./", path);
    return n < 0 || n >= FILE_PATH_MAX ? err_set(err, ENAMETOOLONG, "cannot open the recording") : 0;
}

void file_real(char path[FILE_PATH_MAX]) {
    char *real = realpath(path, NULL);
    if (real && strlen(real) < FILE_PATH_MAX)
        memcpy(path, real, strlen(real) + 1);
    free(real);
}

static const char *const beside[] = {"-shm", "-wal", "-journal"};

void file_drop_logs(const char *path) {
    char name[FILE_PATH_MAX + 16];
    for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, beside[i]);
        unlink(name);
    }
}

bool file_has_log(const char *path) {
    char log[FILE_PATH_MAX + 8];
    struct stat st;
    snprintf(log, sizeof log, "%s-wal", path);
    return stat(log, &st) == 0 && st.st_size > 0;
}

/* A name that nothing has, not even a link that leads nowhere. */
static bool find_aside(const char *path, char aside[FILE_ASIDE_MAX]) {
    struct stat st;
    for (int i = 1; i <= ASIDES_MAX; i++) {
        snprintf(aside, FILE_ASIDE_MAX, "%s-wal.%d", path, i);
        if (lstat(aside, &st) != 0)
            return errno == ENOENT;
    }
    errno = EEXIST;
    return false;
}

bool file_set_log_aside(const char *path, char aside[FILE_ASIDE_MAX]) {
    char log[FILE_PATH_MAX + 8];
    snprintf(log, sizeof log, "%s-wal", path);
    if (!find_aside(path, aside) || rename(log, aside) != 0)
        return false;
    file_drop_logs(path);
    return true;
}

static bool read_start(const char *path, const char *end, void *to, size_t n) {
    char name[FILE_PATH_MAX + 8];
    snprintf(name, sizeof name, "%s%s", path, end);
    int in = open(name, O_RDONLY | O_CLOEXEC);
    bool is_read = in >= 0 && pread(in, to, n, 0) == (ssize_t)n;
    if (in >= 0)
        close(in);
    return is_read;
}

bool file_read_index(const char *path, uint32_t index[FILE_INDEX_HEAD]) {
    return read_start(path, "-shm", index, FILE_INDEX_HEAD * sizeof *index) &&
           ((const unsigned char *)index)[INDEX_IS_MADE];
}

static bool has_salt(const uint32_t index[FILE_INDEX_HEAD], const unsigned char *log) {
    return memcmp((const char *)index + INDEX_SALT, log + LOG_SALT, SALT_SIZE) == 0;
}

bool file_index_fits(const uint32_t index[FILE_INDEX_HEAD], const unsigned char *log, bool is_recorded) {
    if (!((const unsigned char *)index)[INDEX_IS_MADE])
        return true;
    bool is_empty = index[INDEX_FRAMES] == 0;
    return log ? has_salt(index, log) || (is_recorded && is_empty) : is_empty;
}

bool file_index_is_foreign(const char *path) {
    uint32_t index[FILE_INDEX_HEAD];
    unsigned char log[FILE_LOG_HEAD];
    return file_read_index(path, index) &&
           !file_index_fits(index, read_start(path, "-wal", log, sizeof log) ? log : NULL, false);
}

static bool is_of_other_size(const char *path, int fd) {
    char name[FILE_PATH_MAX + 8];
    unsigned char header[HEADER_SIZE];
    uint32_t index[FILE_INDEX_HEAD];
    struct stat log, db;
    snprintf(name, sizeof name, "%s-wal", path);
    if ((stat(name, &log) == 0 && log.st_size > 0) || fstat(fd, &db) != 0 ||
        pread(fd, header, sizeof header, 0) != sizeof header || !file_read_index(path, index))
        return false;
    uint32_t page = (uint32_t)header[16] << 8 | header[17];
    page = page == 1 ? 65536 : page;
    return index[INDEX_PAGES] && page && (uint64_t)index[INDEX_PAGES] * page != (uint64_t)db.st_size;
}

void file_drop_index(const char *path, int fd) {
    char name[FILE_PATH_MAX + 8];
    snprintf(name, sizeof name, "%s-shm", path);
    if (file_index_is_foreign(path) || is_of_other_size(path, fd))
        unlink(name);
}

static int open_fails(const char *path, struct err *err) {
    int why = errno;
    struct stat st;
    if (why == EISDIR || (stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return err_set(err, EISDIR, "cannot record to %s: give --db the path of a file in it", path);
    if (why == ENOENT)
        return err_set(err, ENOENT, "cannot record to %s: make the directory first, or choose another --db",
                       path);
    if (why == EACCES || why == EPERM || why == EROFS)
        return err_set(err, why, "cannot record to %s: choose a --db that can be written, or :memory:", path);
    return err_set(err, why, "cannot record to %s", path);
}

/* The process of a line of the system's list; 0: it is of another file, or of another kind of lock. */
static long holder_of(const char *line, const struct stat *st) {
    long pid;
    unsigned major_nr, minor_nr;
    uint64_t inode;
    const char *at = strstr(line, "FLOCK");
    bool is_it = at &&
                 sscanf(at, "FLOCK %*s %*s %ld %x:%x:%" SCNu64, &pid, &major_nr, &minor_nr, &inode) == 4 &&
                 inode == st->st_ino && major_nr == major(st->st_dev) && minor_nr == minor(st->st_dev);
    return is_it && pid > 0 ? pid : 0;
}

/* Looks through the whole lines of a part of the list, which is cut into them. */
static long holder_among(char *part, const struct stat *st) {
    long holder = 0;
    for (char *end; !holder && (end = strchr(part, '\n')); part = end + 1) {
        *end = '\0';
        holder = holder_of(part, st);
    }
    return holder;
}

/* *n_parts: in how many the system gave its list, each a page at most. */
static long look_through_locks(const struct stat *st, int *n_parts) {
    char part[LOCKS_PART + 1];
    long holder = 0;
    int fd = open("/proc/locks", O_RDONLY | O_CLOEXEC);
    size_t cut = 0; /* bytes of a line that goes on in the next part */
    ssize_t n;
    *n_parts = 0;
    while (fd >= 0 && !holder && (n = read(fd, part + cut, LOCKS_PART - cut)) > 0) {
        part[cut + (size_t)n] = '\0';
        ++*n_parts;
        char *end = strrchr(part, '\n');
        holder = holder_among(part, st);
        cut = end ? strlen(end + 1) : 0;
        memmove(part, end ? end + 1 : part, cut);
    }
    if (fd >= 0)
        close(fd);
    return holder;
}

/* The process that holds a flock on the file; 0 when the system does not tell. A lock may be missing in a list of several parts when
 * another one went away between two of them, as what follows moves up: such a list is looked through several times. */
static long lock_holder(const struct stat *st) {
    long holder = 0;
    int n_parts = 2;
    for (int i = 0; !holder && n_parts > 1 && i < LOCK_LOOKS; i++)
        holder = look_through_locks(st, &n_parts);
    return holder;
}

long file_lock_holder(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 ? lock_holder(&st) : 0;
}

bool file_is_at(const char *path, int fd) {
    struct stat open, there;
    return fstat(fd, &open) != 0 ||
           (stat(path, &there) == 0 && open.st_ino == there.st_ino && open.st_dev == there.st_dev);
}

static uint32_t big_endian(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int check_header(const char *path, int fd, bool *is_new, struct err *err) {
    unsigned char header[HEADER_SIZE];
    ssize_t n = pread(fd, header, sizeof header, 0);
    if (n < 0)
        return err_set(err, errno, "cannot read %s", path);
    *is_new = n == 0;
    if (n == 0)
        return 0;
    if (n < HEADER_SIZE || memcmp(header, "SQLite format 3", 16) != 0)
        return err_set(err, 0, "%s is not a recording: give --db another path (the file was left as it is)",
                       path);
    if (big_endian(header + 68) != MIGRATE_APPLICATION_ID)
        return err_set(
            err, 0,
            "%s is an SQLite database of something else: give --db another path (it was left as it is)",
            path);
    *is_new = template_unfinished(big_endian(header + 60));
    return migrate_check(path, big_endian(header + 60), err);
}

int file_lock(const char *path, bool *is_new, int *out, struct err *err) {
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return err_set(err, 0, "cannot record to %s: it is not a regular file", path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return open_fails(path, err);
    if (fstat(fd, &st) != 0) {
        err_set(err, errno, "cannot look at %s", path);
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        long pid = errno == EWOULDBLOCK ? lock_holder(&st) : 0;
        if (pid)
            err_set(err, EBUSY, "%s is being recorded by process %ld: stop it, or choose another --db", path,
                    pid);
        else
            err_set(err, errno, "%s is being recorded by another process: stop it, or choose another --db",
                    path);
    } else if (check_header(path, fd, is_new, err) == 0) {
        *out = fd;
        return 0;
    }
    close(fd);
    return -1;
}

static uint64_t free_bytes(const char *directory) {
    struct statvfs fs;
    if (statvfs(directory, &fs) != 0 || access(directory, W_OK | X_OK) != 0)
        return 0;
    return (uint64_t)fs.f_bavail * fs.f_frsize;
}

#define PRIVATE_NAMES 5 /* a recording, what SQLite puts beside it, and at last their folder */

static const char *private_name(const char *path, size_t i, char name[FILE_PATH_MAX + 16]) {
    snprintf(name, FILE_PATH_MAX + 16, "%s%s", path, i > 0 && i < PRIVATE_NAMES - 1 ? beside[i - 1] : "");
    if (i == PRIVATE_NAMES - 1)
        *strrchr(name, '/') = '\0';
    return name;
}

int file_private(char path[FILE_PATH_MAX], struct err *err) {
    const char *temporary = folder_temporary(FILE_PATH_MAX / 2);
    /* Containers often have 64 MB of /dev/shm, and a recording wants more. */
    uint64_t in_memory = free_bytes("/dev/shm");
    bool fits = in_memory >= SHM_FREE_WANTED || in_memory >= free_bytes(temporary);
    char name[FILE_PATH_MAX + 16];
    sigset_t before;
    leftover_hold(&before);
    int made = folder_private(fits ? "/dev/shm" : temporary, "a recording in memory", path,
                              FILE_PATH_MAX - sizeof "/db", err);
    if (made == 0) {
        strcat(path, "/db");
        for (size_t i = 0; i < PRIVATE_NAMES; i++)
            leftover_add(private_name(path, i, name));
    }
    leftover_release(&before);
    return made;
}

void file_private_remove(const char *path) {
    char name[FILE_PATH_MAX + 16];
    for (size_t i = 0; i < PRIVATE_NAMES; i++) {
        remove(private_name(path, i, name));
        leftover_forget(name);
    }
}
