/* A reader of a file that somebody records into again, or puts another one in its place. */
#include "store/fixture.h"

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

UNIT_MAIN("store/again", {"recorded again", recorded_again}, {"another in its place", another_in_its_place},
          {"no id is given twice", no_id_is_given_twice})
