/* A reader of a file that somebody records into again, or puts another one in its place. */
#include "store/fixture.h"
#include <signal.h>
#include <sys/wait.h>

static void record(const char *path, const char *name, int n) {
    struct store *s = open_at(path);
    for (int i = 0; i < n; i++)
        put_number(s, name, i);
    COMMIT(s);
    store_close(s);
}

static struct reader *read_at(const char *path) {
    struct err err = {0};
    struct reader *r = store_reader_open(path, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    return r;
}

static int add_name(void *arg, const struct sample_row *row) {
    struct buf *b = arg;
    buf_span(b, row->spelling->name);
    return 0;
}

static void expect_names(struct reader *r, const char *want) {
    struct buf names = {0};
    OK(r->ops->begin(r, &err));
    OK(r->ops->samples(r, &everything, true, add_name, &names, &err));
    r->ops->end(r);
    buf_char(&names, '\0');
    EQ_STR(names.p, want);
    buf_free(&names);
}

static void recorded_again(void) {
    struct place p;
    record(place_make(&p), "a", 2);
    struct reader *r = read_at(p.path);
    expect_names(r, "aa");
    record(p.path, "b", 1);
    expect_names(r, "aab");
    struct store *s = open_at(p.path); /* while it is recorded, too */
    put_number(s, "c", 1);
    COMMIT(s);
    expect_names(r, "aabc");
    put_number(s, "d", 1);
    COMMIT(s);
    expect_names(r, "aabcd");
    store_close(s);
    expect_names(r, "aabcd");
    reader_close(r);
    place_remove(&p);
}

static void another_in_its_place(void) {
    struct place p;
    record(place_make(&p), "a", 1);
    struct reader *r = read_at(p.path);
    expect_names(r, "a");
    unlink(p.path);
    expect_names(r, "a"); /* what is gone can be read to the end */
    record(p.path, "b", 1);
    expect_names(r, "b");
    reader_close(r);
    place_remove(&p);
}

/* What was forgotten leaves no id behind that stands for something else later. */
static void no_id_is_given_twice(void) {
    struct place p;
    struct store_removed removed;
    record(place_make(&p), "old", 2);
    struct store *s = open_at(p.path);
    struct reader *r = read_at(p.path);
    expect_names(r, "oldold");
    OK(store_reset(s, 1, &removed, &err));
    store_close(s);
    record(p.path, "new", 1);
    expect_names(r, "new");
    reader_close(r);
    place_remove(&p);
}

/* Calls of this process that read; -1: the system does not count them. */
static long reads(void) {
    FILE *f = fopen("/proc/self/io", "re");
    char line[128];
    long n = -1;
    while (f && n < 0 && fgets(line, sizeof line, f))
        if (sscanf(line, "syscr: %ld", &n) != 1)
            n = -1;
    if (f)
        fclose(f);
    return n;
}

#define QUESTIONS 50

/* Nothing is read when nothing was written, neither of the file nor of the system's locks. */
static void who_records_is_not_asked_each_time(void) {
    struct place p;
    struct store *s = open_at(place_make(&p));
    put_number(s, "a", 1);
    COMMIT(s);
    struct reader *r = read_at(p.path);
    expect_names(r, "a");
    CU_ASSERT_PTR_NOT_NULL(r->ops->note(r));
    long before = reads();
    for (int i = 0; i < QUESTIONS; i++)
        expect_names(r, "a");
    long after = reads();
    CU_ASSERT(before < 0 || after - before < QUESTIONS);
    put_number(s, "b", 1);
    COMMIT(s);
    expect_names(r, "ab");
    CU_ASSERT_PTR_NOT_NULL(r->ops->note(r));
    store_close(s);
    expect_names(r, "ab");
    CU_ASSERT_PTR_NULL(r->ops->note(r));
    reader_close(r);
    place_remove(&p);
}

/* Its end writes nothing, and what it had kept is seen at once. */
static void a_recorder_that_is_killed(void) {
    struct place p;
    int told[2];
    char byte;
    record(place_make(&p), "a", 1);
    struct reader *r = read_at(p.path);
    expect_names(r, "a");
    CU_ASSERT_EQUAL_FATAL(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *s = open_at(p.path);
        put_number(s, "b", 1);
        COMMIT(s);
        put_number(s, "b", 2); /* of a series that is there, so that it is kept, not committed */
        OK(store_keep(s, &err));
        if (write(told[1], "", 1) == 1)
            pause();
        _exit(1);
    }
    CU_ASSERT_EQUAL(read(told[0], &byte, 1), 1);
    expect_names(r, "ab");
    CU_ASSERT_PTR_NOT_NULL(r->ops->note(r));
    expect_names(r, "ab");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    expect_names(r, "abb");
    CU_ASSERT_PTR_NULL(r->ops->note(r));
    close(told[0]);
    close(told[1]);
    reader_close(r);
    place_remove(&p);
}

UNIT_MAIN("store/again", {"recorded again", recorded_again}, {"another in its place", another_in_its_place},
          {"no id is given twice", no_id_is_given_twice},
          {"who records is not asked each time", who_records_is_not_asked_each_time},
          {"a recorder that is killed", a_recorder_that_is_killed})
