/* A reader of a file that somebody names: whatever state its recorder left it in, and whoever goes on recording it. */
#include "core/clock.h"
#include "core/retry.h"
#include "store/sqlite/file.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/private.h"
#include "store/sqlite/rows.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COARSEST_S 2 /* of a file system's times */

/* Of one that goes on, its next commit puts it into its place. */
static bool holds_kept(const struct rows *r, const char *path) {
    int64_t kept;
    return db_int(r->db, "SELECT EXISTS (SELECT 1 FROM kept) OR EXISTS (SELECT 1 FROM kept_request)", 0,
                  &kept, NULL) == 0 &&
           kept && file_lock_holder(path) == 0;
}

/* A file and its log that were copied to where nothing can be written: SQLite wants to make an index of the log beside it. */
static bool log_is_closed(const char *path) {
    char name[FILE_PATH_MAX + 8];
    snprintf(name, sizeof name, "%s-shm", path);
    bool indexed = access(name, F_OK) == 0;
    snprintf(name, sizeof name, "%s-wal", path);
    if (indexed || access(name, R_OK) != 0)
        return false;
    char *slash = strrchr(name, '/');
    if (slash)
        slash[1] = '\0';
    return access(slash ? name : ".", W_OK) != 0;
}

/* Its recorder has the file by another name: that writes into it what it knows of no reader here. */
static bool log_is_elsewhere(const char *path) {
    char name[FILE_PATH_MAX + 8];
    snprintf(name, sizeof name, "%s-wal", path);
    return access(name, F_OK) != 0;
}

bool store_reader_unsettled(const char *path) {
    if (file_index_is_foreign(path) && file_lock_holder(path) == 0)
        return true;
    struct rows *r = rows_open(path, NULL);
    int older = r ? migrate_state(r->db, path, NULL) : -1;
    bool unsettled = older < 0 ? log_is_closed(path) : older == 1 || holds_kept(r, path);
    if (r)
        reader_close(&r->reader);
    return unsettled;
}

/* The file stays as its recorder left it when it was killed: a copy is read. */
static struct reader *open_settled(const char *path, struct err *err) {
    char copy[FILE_PATH_MAX];
    bool left_out;
    if (store_copy_settled(path, copy, &left_out, err) != 0)
        return NULL;
    struct reader *reader = store_reader_on(copy, true, err);
    if (reader && left_out)
        store_reader_left_out(reader);
    file_private_remove(copy);
    return reader;
}

bool store_reader_see(const char *path, struct rows_seen *seen) {
    char log[FILE_PATH_MAX + 8];
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    *seen = (struct rows_seen){.dev = st.st_dev, .ino = st.st_ino, .size = st.st_size, .changed = st.st_mtim};
    seen->recent = st.st_mtim.tv_nsec == 0 && clock_wall_ns() / NS_PER_S - st.st_mtim.tv_sec <= COARSEST_S;
    snprintf(log, sizeof log, "%s-wal", path);
    if (stat(log, &st) == 0) {
        seen->log_ino = st.st_ino;
        seen->log_size = st.st_size;
        seen->log_changed = st.st_mtim;
    }
    snprintf(log, sizeof log, "%s-shm", path);
    if (stat(log, &st) == 0)
        seen->index_ino = st.st_ino;
    return true;
}

static bool is_same_time(struct timespec a, struct timespec b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same_file(const struct rows_seen *a, const struct rows_seen *b) {
    return a->dev == b->dev && a->ino == b->ino;
}

/* And what lies beside it, too. What a connection has of these is still in use, so that no other file can have its number. */
static bool are_same_files(const struct rows_seen *a, const struct rows_seen *b) {
    return is_same_file(a, b) && a->log_ino == b->log_ino && a->index_ino == b->index_ino;
}

/* Of the file alone. */
static bool is_same_state(const struct rows_seen *a, const struct rows_seen *b) {
    return is_same_file(a, b) && a->size == b->size && is_same_time(a->changed, b->changed);
}

static bool is_as_seen(const struct rows_seen *a, const struct rows_seen *b) {
    return is_same_state(a, b) && a->log_size == b->log_size && is_same_time(a->log_changed, b->log_changed);
}

bool store_reader_unchanged(const char *path, const struct rows_seen *then) {
    struct rows_seen now;
    return store_reader_see(path, &now) && is_as_seen(&now, then);
}

/* The path of what is open leads to another file since then, or nowhere, as that of a copy does. */
static bool is_moved(const struct rows *r) {
    int moved = 0;
    return sqlite3_file_control(r->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved;
}

/* A process that can be asked cheaply whether it has ended. -1: the system does not do that. */
static int open_life(long pid) {
#ifdef SYS_pidfd_open
    return pid > 0 ? (int)syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1;
#else
    return -1;
#endif
}

/* Who holds the lock, and a descriptor of that process. Its number is another's as soon as it has ended, so the lock is asked again. */
static void find_recorder(const char *path, long *recorder, int *life) {
    *recorder = file_lock_holder(path);
    *life = open_life(*recorder);
    if (*life >= 0 && file_lock_holder(path) != *recorder) {
        close(*life);
        *life = -1; /* so that the lock is asked each time */
    }
}

/* Whether its recorder may be another one than was found. Where nobody was found, a new one writes something first: changed_hands. */
static bool may_have_ended(const struct rows *r) {
    struct pollfd end = {.fd = r->life, .events = POLLIN};
    if (r->recorder == ROWS_RECORDER_UNKNOWN)
        return true;
    if (r->life < 0)
        return r->recorder && file_lock_holder(r->path) != r->recorder;
    return poll(&end, 1, 0) != 0;
}

static struct rows *open_of_one(const char *path, const char *given, bool settles, struct err *err);

/* Hands `why` on. again: it says nothing of the file, which is becoming something else. */
static int set_again(struct err *err, const struct err *why, bool again) {
    err_pass(err, why, NULL);
    if (err && again && why->sys != EBUSY)
        err->sys = EAGAIN;
    return -1;
}

/* Whether what is at the path by now is still what is open. */
static bool is_current(const struct rows *r, const struct rows_seen *now) {
    if (r->is_still)
        return is_as_seen(now, &r->seen) && !r->seen.recent;
    return are_same_files(now, &r->seen) && (r->recorder || is_same_state(now, &r->seen));
}

/* Opens the file anew when somebody went on recording it unseen, or put another one or another index there, or its recorder began or ended. One that
 * is gone stays open, also while a new one is being made in its place. */
static int look_again(struct rows *r, struct err *err) {
    struct rows_seen now;
    bool is_there = store_reader_see(r->path, &now);
    if (r->db && (!is_there || (is_current(r, &now) && !may_have_ended(r))))
        return 0;
    struct err why = {0};
    struct rows *anew = open_of_one(r->path, r->path, r->settles, &why);
    if (!anew && r->db && (why.sys == ENODATA || why.sys == ENOENT || !store_reader_see(r->path, &now)))
        return 0;
    if (!anew && why.sys == EBUSY) {
        rows_drop(r);
        if (r->stuck)
            r->stuck(r->view);
    }
    if (!anew)
        return set_again(err, &why,
                         !r->db && (why.sys == ENODATA || why.sys == ENOENT)); /* it is being made */
    struct rows before = *r;
    *r = *anew;
    r->opened = before.opened + 1;
    r->stuck = before.stuck;
    r->view = before.view;
    *anew = before;
    reader_close(&anew->reader);
    return 0;
}

void rows_drop(struct rows *r) {
    struct rows_seen now;
    if (r->db && !r->is_still && store_reader_see(r->path, &now) && is_same_file(&now, &r->seen))
        rows_close_db(r);
}

/* To read the system's list of locks costs more than many questions. Whoever records writes what run it is before anything else, and
 * when it has ended; so as long as nothing was written, the lock is the same process's, or that has died (may_have_ended). */
static bool changed_hands(struct rows *r) {
    if (r->asked_at == r->version)
        return false;
    r->asked_at = r->version;
    struct rows_seen now;
    if (!store_reader_see(r->path, &now))
        return false;
    if (!is_same_file(&now, &r->seen))
        return true; /* what was read may have been in that one's log */
    if (is_moved(r) || file_lock_holder(r->path) == r->recorder)
        return false;
    r->recorder = ROWS_RECORDER_UNKNOWN;
    return true;
}

static int is_readable(const char *path, const char *given, struct err *err) {
    struct stat st;
    if (stat(path, &st) != 0)
        return err_set(err, errno, "cannot read the recording %s", given);
    if (!S_ISREG(st.st_mode))
        return err_set(err, 0, "cannot read the recording %s: it is not a file", given);
    return access(path, R_OK) == 0 ? 0 : err_set(err, errno, "cannot read the recording %s", given);
}

static struct reader *open_as_it_stands(const char *path, long recorder, bool settles, struct err *err) {
    struct err why = {0};
    if (!recorder && file_index_is_foreign(path))
        return open_settled(path, err);
    struct reader *reader = store_reader_on(path, !recorder || log_is_elsewhere(path), &why);
    if (reader    ? !recorder && holds_kept((struct rows *)reader, path)
        : settles ? store_reader_unsettled(path)
                  : log_is_closed(path)) {
        reader_close(reader);
        return open_settled(path, err);
    }
    if (!reader)
        err_pass(err, &why, NULL);
    return reader;
}

static struct rows *open_once(const char *path, const char *given, bool settles, const struct rows_seen *seen,
                              struct err *err) {
    long recorder;
    int life;
    if (is_readable(path, given, err) != 0)
        return NULL;
    find_recorder(path, &recorder, &life); /* before: it may end meanwhile, but then all is there */
    struct rows *r = (struct rows *)open_as_it_stands(path, recorder, settles, err);
    char *name = r ? strdup(path) : NULL;
    if (!name) {
        if (life >= 0)
            close(life);
        if (r)
            reader_close(&r->reader);
        err_set(err, ENOMEM, "cannot read the recording %s", given);
        return NULL;
    }
    r->path = name;
    r->life = life;
    r->recorder = recorder;
    r->asked_at = UINT_MAX;
    r->seen = *seen;
    r->of_file = true;
    r->settles = settles;
    r->look = look_again;
    r->changed_hands = changed_hands;
    if (recorder)
        snprintf(
            r->note, sizeof r->note,
            "is being recorded by process %ld: what that has not written yet is not here; asked by --url, it answers "
            "completely",
            recorder);
    return r;
}

/* What was opened is the file that lay there before and afterwards. A copy lies elsewhere: it is of that file as long as nobody wrote it. */
static bool is_of_one(const struct rows *r, const struct rows_seen *before, const struct rows_seen *after) {
    bool same = r->is_still ? is_same_file(before, after) : are_same_files(before, after);
    return same && (!is_moved(r) || (r->is_still && is_as_seen(before, after)));
}

/* EAGAIN: the file became another one meanwhile. What failed then says nothing about either; a copy may hold some of both; and SQLite may have
 * opened the log of the one for the other, or the index of one log for another, as it does that by the name. */
static struct rows *open_of_one(const char *path, const char *given, bool settles, struct err *err) {
    struct rows_seen before = {0}, after = {0};
    struct err why = {0};
    store_reader_see(path, &before);
    struct rows *r = open_once(path, given, settles, &before, &why);
    store_reader_see(path, &after);
    if (r && is_of_one(r, &before, &after))
        return r;
    if (r)
        reader_close(&r->reader);
    else if (are_same_files(&before, &after))
        return set_again(err, &why, !is_as_seen(&before, &after)), NULL;
    err_set(&why, 0, "one file after another takes the place of %s: ask again", given);
    return set_again(err, &why, true), NULL;
}

struct reader *store_reader_open(const char *given, struct err *err) {
    char path[FILE_PATH_MAX];
    if (file_path(given, path, err) != 0)
        return NULL;
    file_real(path);
    struct err why;
    struct rows *r;
    struct retry retry = retry_begin();
    do
        why = (struct err){0};
    while (!(r = open_of_one(path, given, false, &why)) && rows_passes(&why) && retry_lasts(&retry));
    if (!r) {
        why.sys = rows_passes(&why) ? EAGAIN : why.sys;
        err_pass(err, &why, given);
    }
    return r ? &r->reader : NULL;
}

void store_reader_settles(struct reader *reader) {
    ((struct rows *)reader)->settles = true;
}

int store_reader_stands_for(struct reader *reader, const char *path, const struct rows_seen *seen,
                            struct err *err) {
    struct rows *r = (struct rows *)reader;
    char *name = strdup(path);
    if (!name)
        return err_set(err, ENOMEM, "cannot read the recording %s", path);
    free(r->path);
    r->path = name;
    r->seen = *seen;
    if (r->life >= 0)
        close(r->life);
    find_recorder(path, &r->recorder, &r->life);
    r->is_still = true;
    return 0;
}
