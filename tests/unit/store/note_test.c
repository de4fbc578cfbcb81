/* A metric whose caller keeps it carries a note of where its values go. The note must not outlive what it is about. */
#include "store/fixture.h"

static struct metric_note note;

static void put_noted(struct store *s, uint64_t session, double number) {
    const struct metric metric = {.type = METRIC_COUNT,
                                  .name = SPAN("noted"),
                                  .sample_rate = 1,
                                  .key_kind = 'K',
                                  .key_name = SPAN("noted"),
                                  .note = &note};
    const struct value value = {.number = number};
    OK(store_arrival(s, session, SOURCE_HTTP, AT, &err));
    OK(store_put_values(s, &metric, 1, &value, &err));
}

static void expect_series(struct store *s, const char *session, const char *want) {
    struct lines series = lines_of(s, SERIES, (struct filter){.session = span_str(session)});
    EQ_INT(series.n, 1);
    EXPECT_LINE(series, 0, want);
    lines_free(&series);
}

static void begins_anew(const char *path) {
    struct store_removed removed = {0};
    struct store *s = open_at(path);
    note = (struct metric_note){0};
    put_noted(s, 1, 1);
    put_noted(s, 1, 2);
    COMMIT(s);
    expect_series(s, "default", "samples=2 count=2 sum=3");
    OK(store_reset(s, 1, &removed, &err));
    put_noted(s, 1, 4);
    COMMIT(s);
    expect_series(s, "default", "samples=1 count=1 sum=4");
    OK(store_empty(s, &err));
    put_noted(s, 1, 8);
    COMMIT(s);
    expect_series(s, "default", "samples=1 count=1 sum=8");
    store_close(s);
}
ON_EACH_MEDIUM(begins_anew)

static void is_of_one_session(void) {
    uint64_t other = 0;
    struct store *s = open_at(":memory:");
    note = (struct metric_note){0};
    OK(store_session_add(s, SPAN("other"), SPAN("key"), 0, &other, &err));
    for (int i = 0; i < 3; i++) {
        put_noted(s, 1, 1);
        put_noted(s, other, 10);
    }
    COMMIT(s);
    expect_series(s, "default", "samples=3 count=3 sum=3");
    expect_series(s, "other", "samples=3 count=3 sum=30");
    store_close(s);
}

/* The series that the note leads to was rolled back, and another took its place. */
static void is_of_one_table(void) {
    struct place place;
    struct err why = {0};
    struct store *s = open_at(place_make(&place));
    note = (struct metric_note){0};
    put_number(s, "before", 1);
    COMMIT(s);
    run_sql(place.path, "CREATE TRIGGER no BEFORE INSERT ON metric BEGIN SELECT "
                        "RAISE(ABORT, 'no'); END");
    put_noted(s, 1, 1);
    CU_ASSERT(store_commit(s, &why) != 0);
    run_sql(place.path, "DROP TRIGGER no");
    put_number(s, "after", 1);
    put_noted(s, 1, 5);
    COMMIT(s);
    struct lines series = lines_of(s, SERIES, (struct filter){.name = SPAN("noted")});
    EQ_INT(series.n, 1);
    EXPECT_LINE(series, 0, "samples=1 count=1 sum=5");
    lines_free(&series);
    store_close(s);
    place_remove(&place);
}

UNIT_MAIN("store/note", CASES("a noted series begins anew after a reset", begins_anew),
          {"a note is of one session", is_of_one_session}, {"a note is of one table", is_of_one_table})
