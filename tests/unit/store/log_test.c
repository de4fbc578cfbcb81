/* SQLite's log. Every so many commits one copied it into the database before anybody was told, which took as long as the commit itself. */
#include "store/fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define SERIES 500
#define PAGE   8192

static off_t size_of(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 ? st.st_size : 0;
}

static void commit_round(struct store *s) {
    char name[16];
    for (int i = 0; i < SERIES; i++) {
        snprintf(name, sizeof name, "s.%d", i);
        put_in(s, 1, SOURCE_UDP, AT, name, i, METRIC_COUNT, NULL);
    }
    COMMIT(s);
}

static void test_not_in_a_commit(void) {
    struct place p;
    const char *path = place_make(&p);
    struct store *s = open_at(path);
    off_t database = size_of(path);
    for (int i = 0; size_of(p.log) < 700 * PAGE && i < 1000; i++)
        commit_round(s);
    CU_ASSERT_EQUAL(size_of(path), database);
    store_shorten_log(s);
    database = size_of(path);
    CU_ASSERT(database > 100 * PAGE);
    off_t length = size_of(p.log); /* used again from its beginning */
    for (int i = 0; i < 5; i++) {
        commit_round(s);
        store_shorten_log(s);
    }
    CU_ASSERT_EQUAL(size_of(p.log), length);
    CU_ASSERT_EQUAL(size_of(path), database); /* it is short: nothing to do */
    store_close(s);
    place_remove(&p);
}

static void test_nobody_calls(void) {
    struct place p;
    const char *path = place_make(&p);
    struct store *s = open_at(path);
    for (int i = 0; i < 150; i++)
        commit_round(s);
    CU_ASSERT(size_of(p.log) < (off_t)2200 * PAGE);
    store_close(s);
    place_remove(&p);
}

/* What comes last has no room in the file. */
static void end_without_room(const char *path, const char *told) {
    signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_PTR_NOT_NULL(freopen(told, "w", stderr));
    struct store *s = open_at(path);
    commit_round(s);
    const struct rlimit as_it_is = {.rlim_cur = (rlim_t)size_of(path), .rlim_max = RLIM_INFINITY};
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &as_it_is), 0);
    store_close(s);
    _exit(CU_get_number_of_failures() > 0);
}

static void test_no_room_at_the_end(void) {
    struct place p;
    char told[160];
    int status;
    place_make(&p);
    snprintf(told, sizeof told, "%s.told", p.path);
    pid_t child = fork();
    if (child == 0)
        end_without_room(p.path, told);
    waitpid(child, &status, 0);
    EQ_INT(status, 0);
    struct buf text = read_file(told);
    buf_char(&text, '\0');
    CU_ASSERT_PTR_NOT_NULL(strstr(text.p, "cannot empty its log: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.p, "keep the two together"));
    CU_ASSERT(size_of(p.log) > 0);
    buf_free(&text);
    unlink(told);
    place_remove(&p);
}

UNIT_MAIN("store/log", {"not within a commit", test_not_in_a_commit}, {"nobody calls", test_nobody_calls},
          {"no room at the end", test_no_room_at_the_end})
