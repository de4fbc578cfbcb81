/* A recording that is looked at while somebody makes it, writes it or puts another one in its place. */
#include "store/ended.h"
#include "store/sqlite/private.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/template.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#define ROWS  20000 /* more than SQLite keeps pages of */
#define MAKES 5000

static int count_row(void *arg, const struct sample_row *row) {
    (void)row;
    ++*(int *)arg;
    return 0;
}

/* How many samples are in the moment that has begun; -1 with why. */
static int count(struct reader *r, struct err *why) {
    int n = 0;
    return r->ops->samples(r, &everything, false, count_row, &n, why) == 0 ? n : -1;
}

static struct reader *begin_at(const char *path) {
    struct reader *r = store_reader_open(path, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    OK(r->ops->begin(r, &err));
    return r;
}

/* A reader that has begun cannot have the rest of its moment. The next moment is that of the file as it is. */
static void written_meanwhile(void) {
    struct place p;
    struct err why = {0};
    place_make(&p);
    record(p.path, "one", ROWS);
    struct reader *r = begin_at(p.path);
    record(p.path, "two", 1);
    EQ_INT(count(r, &why), -1);
    EQ_INT(why.sys, EAGAIN);
    CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "somebody began to record into it meanwhile: ask again"));
    r->ops->end(r);
    OK(r->ops->begin(r, &err));
    EQ_INT(count(r, NULL), ROWS + 1);
    r->ops->end(r);
    reader_close(r);
    place_remove(&p);
}

#define IN_USE 128 /* the byte of an index that all lock who have it open */

/* As SQLite in another process does that opens the index: it cuts it off when nobody has it open. */
static bool is_in_use(const char *index) {
    pid_t child = fork();
    if (child == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = IN_USE, .l_len = 1};
        int fd = open(index, O_RDWR | O_CLOEXEC);
        if (fd < 0 || fcntl(fd, F_GETLK, &lock) != 0)
            _exit(2);
        if (lock.l_type == F_UNLCK && ftruncate(fd, 3) != 0)
            _exit(2);
        _exit(lock.l_type == F_UNLCK);
    }
    int status;
    waitpid(child, &status, 0);
    return status == 0;
}

/* The index of a log is mapped by the readers of two files that lay there one after the other. When those of one are done, those of the
 * other still have it open. */
static void index_of_two(void) {
    struct place p;
    char other[160], index[160];
    sqlite3 *db;
    place_make(&p);
    snprintf(other, sizeof other, "%s.other", p.path);
    snprintf(index, sizeof index, "%s-shm", p.path);
    record_killed(p.path, "one", ROWS);
    struct reader *r = begin_at(p.path);
    record(other, "two", 1);
    CU_ASSERT_EQUAL_FATAL(rename(other, p.path), 0);
    EQ_INT(sqlite3_open_v2(p.path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    sqlite3_exec(db, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL);
    sqlite3_close(db);
    CU_ASSERT(is_in_use(index));
    EQ_INT(count(r, NULL), ROWS);
    r->ops->end(r);
    reader_close(r);
    place_remove(&p);
}

/* Also when its name leads elsewhere by then. */
static void written_and_moved(void) {
    struct place p;
    struct err why = {0};
    char moved[160];
    place_make(&p);
    snprintf(moved, sizeof moved, "%s.moved", p.path);
    record(p.path, "one", ROWS);
    struct reader *r = begin_at(p.path);
    struct store *s = open_at(p.path);
    put_number(s, "two", 1);
    COMMIT(s);
    CU_ASSERT_EQUAL(rename(p.path, moved), 0);
    store_close(s);
    EQ_INT(count(r, &why), -1);
    EQ_INT(why.sys, EAGAIN);
    r->ops->end(r);
    reader_close(r);
    unlink(moved);
    place_remove(&p);
}

/* Its recorder knows of no reader of another name: what it copies into the file is told, not read as if it belonged together. */
static void recorded_by_another_name(void) {
    struct place p;
    struct err why = {0};
    char other[160];
    place_make(&p);
    snprintf(other, sizeof other, "%s.other", p.path);
    record(p.path, "one", ROWS);
    struct store *s = open_at(p.path);
    CU_ASSERT_EQUAL_FATAL(link(p.path, other), 0);
    struct reader *r = begin_at(other);
    CU_ASSERT_PTR_NOT_NULL(strstr(r->ops->note(r), "is being recorded by process"));
    struct store_removed removed;
    OK(store_reset(s, 1, &removed, &err));
    for (int i = 0; i < ROWS; i++)
        put_number(s, "two", i * 1.37);
    COMMIT(s);
    log_copy(s);
    EQ_INT(count(r, &why), -1);
    EQ_INT(why.sys, EAGAIN);
    r->ops->end(r);
    OK(r->ops->begin(r, &err));
    EQ_INT(count(r, NULL), ROWS);
    r->ops->end(r);
    reader_close(r);
    store_close(s);
    unlink(other);
    place_remove(&p);
}

/* SQLite removes the log beside an empty file, also for who only reads it; a recorder that makes the file may be about to use it. */
static void log_of_nothing(void) {
    struct place p;
    place_make(&p);
    close(open(p.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    int fd = open(p.log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    EQ_INT(write(fd, "x", 1), 1);
    close(fd);
    CU_ASSERT_PTR_NULL(store_reader_open(p.path, NULL));
    EQ_INT(access(p.log, F_OK), 0);
    place_remove(&p);
}

/* Who views a file goes on when that is an older one by now. */
static void older_in_its_place(void) {
    struct place p;
    char older[160];
    const char *paths[] = {place_make(&p)};
    struct err why = {0};
    snprintf(older, sizeof older, "%s.older", p.path);
    record(older, "older", 3);
    run_sql(older, TO_VERSION_7);
    record(p.path, "one", 1);
    struct store *s = store_open_view(paths, 1, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    for (int i = 0; i < 2; i++) {
        struct reader *r = store_reader_take(s, NULL);
        OK(r->ops->begin(r, &err));
        EQ_INT(count(r, NULL), i == 0 ? 1 : 3);
        r->ops->end(r);
        store_reader_give(s, r);
        if (i == 0)
            CU_ASSERT_EQUAL(rename(older, p.path), 0);
    }
    store_close(s);
    place_remove(&p);
}

/* A clean end leaves all in the file, also while somebody else reads it. */
static void ended_beside_a_reader(void) {
    struct place p;
    struct stat st;
    place_make(&p);
    struct store *s = open_at(p.path);
    put_number(s, "one", 1);
    COMMIT(s);
    struct reader *r = begin_at(p.path);
    r->ops->end(r);
    store_close(s);
    CU_ASSERT(stat(p.log, &st) != 0 || st.st_size == 0);
    EXPECT_SQL(p.path, "SELECT count(*) FROM samples", "1");
    reader_close(r);
    place_remove(&p);
}

/* It stays what it was, also while another one is made in its place. */
static void replaced_meanwhile(void) {
    struct place p;
    place_make(&p);
    record(p.path, "one", ROWS);
    struct reader *r = begin_at(p.path);
    unlink(p.path);
    record(p.path, "two", 1);
    EQ_INT(count(r, NULL), ROWS);
    r->ops->end(r);
    int fd = open(p.path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    OK(r->ops->begin(r, &err));
    r->ops->end(r);
    close(fd);
    reader_close(r);
    place_remove(&p);
}

static int (*usual_look)(struct rows *, struct err *);
static const char *comes_then;

static int look_then_replace(struct rows *r, struct err *err) {
    int result = usual_look(r, err);
    CU_ASSERT(!comes_then || rename(comes_then, r->path) == 0);
    comes_then = NULL;
    return result;
}

/* Between a reader's look at its path and the moment that it reads: that is of the one which is there then. */
static void replaced_after_the_look(void) {
    struct place p;
    char other[160];
    place_make(&p);
    snprintf(other, sizeof other, "%s.other", p.path);
    record(p.path, "one", 2);
    record(other, "other", 5);
    struct reader *r = store_reader_open(p.path, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    struct rows *rows = (struct rows *)r;
    usual_look = rows->look;
    comes_then = other;
    rows->look = look_then_replace;
    OK(r->ops->begin(r, &err));
    EQ_INT(count(r, NULL), 5);
    r->ops->end(r);
    reader_close(r);
    place_remove(&p);
}

/* Who reads what a killed recorder left, or records in memory, and is ended by a signal. */
static void ended_beside_a_copy(void) {
    struct place p;
    char copy[FILE_PATH_MAX] = "";
    place_make(&p);
    record_killed(p.path, "one", 3);
    for (int in_memory = 0; in_memory < 2; in_memory++) {
        int named[2], status;
        CU_ASSERT_EQUAL_FATAL(pipe(named), 0);
        pid_t child = fork();
        if (child == 0) {
            bool made =
                (in_memory ? file_private(copy, NULL) : store_copy_settled(p.path, copy, NULL, NULL)) == 0;
            if (!made || write(named[1], copy, sizeof copy) != sizeof copy)
                _exit(1);
            raise(SIGTERM);
        }
        waitpid(child, &status, 0);
        CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
        EQ_INT(read(named[0], copy, sizeof copy), sizeof copy);
        CU_ASSERT(strlen(copy) > 4);
        CU_ASSERT_NOT_EQUAL(access(copy, F_OK), 0);
        *strrchr(copy, '/') = '\0';
        CU_ASSERT_NOT_EQUAL(access(copy, F_OK), 0);
        close(named[0]);
        close(named[1]);
    }
    place_remove(&p);
}

static void expect_unfinished(const char *path) {
    struct err why = {0};
    struct reader *r = store_reader_open(path, &why);
    CU_ASSERT_PTR_NULL(r);
    EQ_INT(why.sys, ENODATA);
    CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "is not a whole recording"));
    reader_close(r);
}

/* Each state of a file that is being made, as far as its size and header go. */
static void being_made(void) {
    struct place p;
    char late[36] = {0}, header[100];
    struct stat st;
    place_make(&p);
    int fd = open(p.path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    expect_unfinished(p.path);
    OK(template_write(fd, false, AT, &err));
    OK(fstat(fd, &st));
    EQ_INT(pread(fd, header, sizeof header, 0), sizeof header);
    EQ_INT(pwrite(fd, late, sizeof late, 28), sizeof late);
    expect_unfinished(p.path); /* but for the last write */
    OK(ftruncate(fd, 0));
    memset(header + 28, 0, sizeof late);
    EQ_INT(pwrite(fd, header, sizeof header, 0), sizeof header);
    expect_unfinished(p.path); /* after the first */
    OK(ftruncate(fd, st.st_size));
    expect_unfinished(p.path);
    close(fd);
    place_remove(&p);
}

struct making {
    const char *path;
    atomic_bool done;
};

static void *make_again(void *arg) {
    struct making *m = arg;
    int fd = open(m->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    for (int i = 0; i < MAKES; i++)
        template_write(fd, false, AT, NULL);
    close(fd);
    atomic_store(&m->done, true);
    return NULL;
}

/* Whatever it meets is a recording, or none yet; never a damaged one. */
static void made_again_and_again(void) {
    struct place p;
    place_make(&p);
    struct making m = {.path = p.path};
    pthread_t maker;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&maker, NULL, make_again, &m), 0);
    while (!atomic_load(&m.done)) {
        struct err why = {0};
        struct reader *r = store_reader_open(p.path, &why);
        if (!r && why.sys != ENODATA && why.sys != ENOENT && why.sys != EAGAIN) {
            fprintf(stderr, "%s\n", why.text);
            CU_FAIL("it says something about a file that is being made");
        }
        reader_close(r);
    }
    pthread_join(maker, NULL);
    place_remove(&p);
}

UNIT_MAIN("store/still", {"written while it is read", written_meanwhile},
          {"written and moved", written_and_moved}, {"an older one in its place", older_in_its_place},
          {"ended beside a reader", ended_beside_a_reader}, {"ended beside a copy", ended_beside_a_copy},
          {"the log of nothing", log_of_nothing}, {"recorded by another name", recorded_by_another_name},
          {"the index of two files", index_of_two}, {"another one in its place", replaced_meanwhile},
          {"another one after the look", replaced_after_the_look}, {"while it is made", being_made},
          {"made again and again", made_again_and_again})
