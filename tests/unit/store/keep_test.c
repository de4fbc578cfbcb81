/* What is kept before it is committed: it survives, everybody who opens the file finds it, and it becomes what a commit makes of it. */
#include "store/fixture.h"

#include <signal.h>
#include <sys/wait.h>

#define KEEP(s) OK(store_keep(s, &err))

static void put_points(struct store *s, const char *name, enum metric_type type, struct value value) {
    struct record record = {
        .kind = RECORD_METRIC,
        .metric = {.type = type, .name = span_str(name), .sample_rate = 1, .n_values = 1, .values = &value}};
    OK(store_arrival(s, 1, SOURCE_HTTP, AT + (int64_t)store_last_id(s), &err));
    OK(store_put(s, &record, &err));
}

static void put_request(struct store *s) {
    OK(store_request(
        s,
        &(struct request){.method = SPAN("POST"), .path = SPAN("/p\xff?"), .status = 202, .note = SPAN("n")},
        &err));
}

/* One of everything that can be kept; n tells rounds apart. */
static void put_round(struct store *s, int n) {
    int32_t key = 3;
    uint32_t count = 2;
    struct sketch sketch = {.count = 2,
                            .sum = 5,
                            .min = n,
                            .max = 3 + n,
                            .avg = 2.5,
                            .n_bins = 1,
                            .keys = &key,
                            .counts = &count};
    put_points(s, "plain", METRIC_GAUGE, (struct value){.number = 0.1 * n});
    put_points(s, "plain", METRIC_GAUGE, (struct value){.number = 1.5, .text = SPAN("1.50")});
    put_points(s, "timed", METRIC_RATE, (struct value){.number = 1e300 / n, .timestamp = 1700000000 + n});
    put_points(s, "set", METRIC_SET, (struct value){.text = SPAN("a \"b\"\\]}, \xff\n")});
    put_points(s, "sketch", METRIC_DISTRIBUTION, (struct value){.number = 2.5, .sketch = &sketch});
    put_request(s);
}

/* Of one body: contexts that follow each other and that do not, values with the timestamp of most, with another and with none. */
static void put_body(struct store *s, int n) {
    uint32_t count = 2;
    int32_t key = 3;
    struct sketch sketch = {
        .count = 2, .sum = 5, .min = 1, .max = 4, .avg = 2.5, .n_bins = 1, .keys = &key, .counts = &count};
    const int64_t now = 1700000000 + n;
    const struct {
        const char *name;
        enum metric_type type;
        struct value value;
    } points[] = {
        {"a", METRIC_GAUGE, {.number = 0.1 * n, .timestamp = now}},
        {"b", METRIC_GAUGE, {.number = n, .timestamp = now}},
        {"set", METRIC_SET, {.text = SPAN("],[7,\"x\\"), .timestamp = now}},
        {"sketch", METRIC_DISTRIBUTION, {.number = 2.5, .sketch = &sketch, .timestamp = now}},
        {"c", METRIC_GAUGE, {.number = 1.5, .text = SPAN("1.50"), .timestamp = now}},
        {"c", METRIC_GAUGE, {.number = -2, .timestamp = now + 1}},
        {"c", METRIC_GAUGE, {.number = INFINITY, .timestamp = now}},
        {"a", METRIC_GAUGE, {.number = 3}},
        {"b", METRIC_GAUGE, {.number = 4}},
        {"set", METRIC_SET, {.text = SPAN("[1,\"y\"]")}},
        {"c", METRIC_GAUGE, {.number = 7}},
        {"b", METRIC_GAUGE, {.number = 5, .timestamp = -now}},
        {"a", METRIC_GAUGE, {.number = 6, .timestamp = now}},
    };
    OK(store_arrival(s, 1, SOURCE_HTTP, AT + n, &err));
    put_request(s); /* so that the newest id is a sample's */
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
        OK(store_put(s,
                     &(struct record){.kind = RECORD_METRIC,
                                      .metric = {.type = points[i].type,
                                                 .name = span_str(points[i].name),
                                                 .sample_rate = 1,
                                                 .n_values = 1,
                                                 .values = &points[i].value}},
                     &err));
}

/* A recorder that is killed after it has committed the first round, and then kept, or committed, the others. */
static void die_recording(const char *path, bool keeps, int rounds, void (*put)(struct store *, int),
                          size_t n) {
    pid_t child = fork();
    if (child == 0) {
        struct store *s = open_at(path);
        for (int i = 1; i <= rounds; i++) {
            put(s, i);
            if (keeps && i > 1) {
                KEEP(s);
                if (store_kept(s) != n * (uint64_t)(i - 1) || store_pending(s) != 0)
                    _exit(1);
            } else {
                COMMIT(s);
            }
        }
        put_number(s, "never", 1); /* neither: it is gone */
        kill(getpid(), SIGKILL);
    }
    int status;
    waitpid(child, &status, 0);
    CU_ASSERT(WIFSIGNALED(status));
}

static void expect_same_sql(const char *a, const char *b, const char *sql) {
    static char of_a[65536], of_b[65536];
    ask_sql(a, sql, of_a, sizeof of_a);
    ask_sql(b, sql, of_b, sizeof of_b);
    CU_ASSERT(strlen(of_a) > 100);
    EQ_STR(of_a, of_b);
}

static void expect_same_views(const char *a, const char *b) {
    expect_same_sql(a, b,
                    "SELECT group_concat(id||session||received_at||source||name||type||coalesce(value,'-')"
                    "||coalesce(text,'-')||sample_rate||tags||coalesce(timestamp,'-')||series_id, x'0a')"
                    " FROM (SELECT * FROM samples ORDER BY id)");
    expect_same_sql(
        a, b,
        "SELECT group_concat(id||session||name||type||samples||' '||coalesce(count,'-')||' '"
        "||coalesce(sum,'-')||' '||coalesce(min,'-')||' '||coalesce(max,'-')||' '||coalesce(last,'-')||' '"
        "||first_at||last_at||sampled||' '||first_id||' '||last_id, x'0a') FROM (SELECT * FROM series ORDER BY id)");
    expect_same_sql(a, b,
                    "SELECT group_concat(id||session||received_at||method||path||status||note, x'0a')"
                    " FROM (SELECT * FROM requests ORDER BY id)");
}

static void expect_same_lines(struct lines a, struct lines b) {
    EQ_INT(a.n, b.n);
    for (size_t i = 0; i < a.n && i < b.n; i++)
        EQ_STR(a.text[i], b.text[i]);
    lines_free(&a);
    lines_free(&b);
}

static struct lines lines_of_file(const char *path, enum what what) {
    struct lines got = {0};
    struct err why = {0};
    struct reader *r = store_reader_open(path, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    OK(r->ops->begin(r, &err));
    OK(read_lines(r, what, &everything, &got, &err));
    r->ops->end(r);
    reader_close(r);
    return got;
}

static struct lines lines_of_view(const char *path, enum what what, uint64_t *samples) {
    struct err why = {0};
    struct store *s = store_open_view(&path, 1, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    struct store_stats stats;
    store_stats(s, &stats);
    *samples = stats.samples;
    struct lines got = lines_of(s, what, everything);
    store_close(s);
    return got;
}

/* With SQL, with a reader, with a view, and for the next recorder: as if each had been committed. */
static void what_was_kept_survives(void) {
    static const enum what whats[] = {SAMPLES, SERIES, REQUESTS};
    struct place kept, committed;
    place_make(&kept);
    place_make(&committed);
    die_recording(kept.path, true, 4, put_round, 6);
    die_recording(committed.path, false, 4, put_round, 6);
    EXPECT_SQL(kept.path, "SELECT (SELECT count(*) FROM kept) || (SELECT count(*) FROM kept_request)", "153");
    expect_same_views(kept.path, committed.path);
    struct buf before = read_file(kept.path);
    for (size_t i = 0; i < sizeof whats / sizeof whats[0]; i++) {
        uint64_t n, m;
        expect_same_lines(lines_of_file(kept.path, whats[i]), lines_of_file(committed.path, whats[i]));
        expect_same_lines(lines_of_view(kept.path, whats[i], &n),
                          lines_of_view(committed.path, whats[i], &m));
        EQ_INT(n, 20);
        EQ_INT(m, 20);
    }
    struct buf after = read_file(kept.path); /* who only looks changes nothing */
    CU_ASSERT(before.n == after.n && memcmp(before.p, after.p, before.n) == 0);
    EXPECT_SQL(kept.path, "SELECT (SELECT count(*) FROM kept) || (SELECT count(*) FROM kept_request)", "153");
    buf_free(&before);
    buf_free(&after);
    struct store *s = open_at(kept.path), *t = open_at(committed.path);
    EQ_INT(store_last_id(s), store_last_id(t));
    EXPECT_SQL(kept.path, "SELECT (SELECT count(*) FROM kept) || (SELECT count(*) FROM kept_request)", "00");
    for (size_t i = 0; i < sizeof whats / sizeof whats[0]; i++)
        expect_same_lines(lines_of(s, whats[i], everything), lines_of(t, whats[i], everything));
    struct store_stats a, b;
    store_stats(s, &a);
    store_stats(t, &b);
    CU_ASSERT(a.samples == b.samples && a.samples == 20 && a.requests == b.requests);
    struct store_earlier earlier;
    store_earlier(s, 1, &earlier);
    EQ_INT(earlier.samples, 20);
    store_close(s);
    store_close(t);
    expect_same_views(kept.path, committed.path);
    place_remove(&kept);
    place_remove(&committed);
}

static void expect_same_lists(const char *a, const char *b) {
    static const enum what whats[] = {SAMPLES, SERIES, REQUESTS};
    struct store *s = open_at(a), *t = open_at(b);
    EQ_INT(store_last_id(s), store_last_id(t));
    for (size_t i = 0; i < sizeof whats / sizeof whats[0]; i++)
        expect_same_lines(lines_of(s, whats[i], everything), lines_of(t, whats[i], everything));
    store_close(s);
    store_close(t);
}

/* One row holds what has one timestamp for the most part; what a value without one would take for its own begins another. */
static void a_body_survives(void) {
    struct place kept, committed;
    place_make(&kept);
    place_make(&committed);
    die_recording(kept.path, true, 3, put_body, 14);
    die_recording(committed.path, false, 3, put_body, 14);
    EXPECT_SQL(
        kept.path,
        "SELECT group_concat(first_id||' '||coalesce(timestamp,'-')||vals) FROM kept WHERE first_id < 30",
        "16 1700000002[[0,1,0.2,2,\"],[7,\\\"x\\\\\",{\"ts\":1700000002,\"n\":2,\"sum\":5,\"min\":1,\"max\":4,"
        "\"avg\":2.5,\"k\":[3],\"c\":[2]},1.50],[5,5,[1700000003,-2]],[6,5,1e999]],"
        "23 -[[0,1,3,4,\"[1,\\\"y\\\"]\"],[3,5,7],[4,2,[-1700000002,5]],[5,1,[1700000002,6]]]");
    expect_same_views(kept.path, committed.path);
    expect_same_lists(kept.path, committed.path);
    expect_same_views(kept.path, committed.path);
    place_remove(&kept);
    place_remove(&committed);
}

/* As the version before left it: [[context, value], ...], each value with its timestamp. */
static void an_older_recorder_kept_it(void) {
    struct place old, committed;
    place_make(&old);
    place_make(&committed);
    die_recording(old.path, false, 1, put_body, 14);
    die_recording(committed.path, false, 2, put_body, 14);
    run_sql(
        old.path, TO_VERSION_11
        "DROP VIEW requests; DROP TABLE kept;"
        "CREATE TABLE kept (first_id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, source INTEGER NOT NULL,"
        " vals TEXT NOT NULL); PRAGMA user_version = 10;"
        "INSERT INTO kept_request SELECT 15, session_id, 1700000000000000002, source, method, path, query, status, wire_bytes,"
        " body_bytes, encoding, content_type, user_agent, api_key, body, note FROM request;"
        "INSERT INTO kept VALUES (16, 1700000000000000002, 3, '[[1,[1700000002,0.2]],[2,[1700000002,2]],"
        "[3,[1700000002,\"],[7,\\\"x\\\\\"]],[4,{\"ts\":1700000002,\"n\":2,\"sum\":5,\"min\":1,\"max\":4,\"avg\":2.5,\"k\":[3],"
        "\"c\":[2]}],[5,[1700000002,1.50]],[5,[1700000003,-2]],[5,[1700000002,1e999]],[1,3],[2,4],[3,\"[1,\\\"y\\\"]\"],"
        "[5,7],[2,[-1700000002,5]],[1,[1700000002,6]]]');");
    expect_same_lists(old.path, committed.path);
    expect_same_views(old.path, committed.path);
    place_remove(&old);
    place_remove(&committed);
}

/* Readers see it with the next commit, in one piece, and not before. */
static void a_commit_makes_it_visible(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    put_round(s, 1);
    KEEP(s); /* the series are new, so it was a commit */
    EQ_INT(store_kept(s), 0);
    EQ_INT(count_of(s, SAMPLES, everything), 5);
    put_round(s, 2);
    KEEP(s);
    KEEP(s); /* of nothing */
    EQ_INT(store_kept(s), 6);
    EQ_INT(count_of(s, SAMPLES, everything), 5);
    EQ_INT(count_of(s, REQUESTS, everything), 1);
    put_round(s, 3);
    COMMIT(s);
    EQ_INT(store_kept(s), 0);
    EQ_INT(count_of(s, SAMPLES, everything), 15);
    EQ_INT(count_of(s, REQUESTS, everything), 3);
    EXPECT_SQL(p.path, "SELECT (SELECT count(*) FROM kept) || (SELECT count(*) FROM kept_request)", "00");
    EXPECT_SQL(p.path, "SELECT count(*) FROM chunk", "8"); /* two rounds became one chunk for each series */
    put_round(s, 4);
    KEEP(s);
    store_close(s); /* folds it in */
    EXPECT_SQL(p.path, "SELECT (SELECT count(*) FROM kept) || (SELECT count(*) FROM kept_request)", "00");
    EXPECT_SQL(p.path, "SELECT count(*) FROM samples", "20");
    place_remove(&p);
}

/* Else a reader that goes by ids would pass the samples by. */
static void other_rows_make_it_a_commit(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    struct record reject = {.kind = RECORD_REJECT, .reject = {.reason = REASON_NO_PIPE, .text = SPAN("x:1")}};
    put_round(s, 1);
    COMMIT(s);
    for (int i = 0; i < 4; i++) {
        put_round(s, 2 + i);
        if (i == 0)
            OK(store_put(s, &reject, &err));
        if (i == 1)
            OK(store_loss(s, 0, LOSS_TRUNCATED, 2, SPAN("d"), &err));
        if (i == 2)
            put_number(s, "new", 1);
        if (i == 3)
            put_in(s, 1, SOURCE_UDP, AT, "new", 7, METRIC_SET, "env:ci");
        KEEP(s);
        EQ_INT(store_kept(s), 0);
    }
    uint64_t other;
    put_round(s, 9);
    KEEP(s);
    OK(store_session_add(s, SPAN("other"), SPAN("k"), 0, &other, &err));
    EQ_INT(store_kept(s), 0);
    put_round(s, 10);
    KEEP(s);
    struct store_removed removed;
    OK(store_reset(s, 1, &removed, &err)); /* what was kept is forgotten with the rest */
    EQ_INT(removed.requests, 7);
    EQ_INT(removed.samples, 37);
    EQ_INT(count_of(s, SAMPLES, everything), 0);
    store_close(s);
    place_remove(&p);
}

/* A commit that fails: what was kept is still there, for the next one. */
static void a_full_disk(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    put_round(s, 1);
    COMMIT(s);
    put_round(s, 2);
    KEEP(s);
    sqlite3 *db;
    struct err why = {0};
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(p.path, &db), SQLITE_OK);
    CU_ASSERT_EQUAL(
        sqlite3_exec(db,
                     "CREATE TRIGGER full BEFORE INSERT ON summary BEGIN SELECT raise(ABORT, 'full'); END;"
                     "CREATE TRIGGER full2 BEFORE INSERT ON kept BEGIN SELECT raise(ABORT, 'full'); END",
                     NULL, NULL, NULL),
        SQLITE_OK);
    put_round(s, 3);
    CU_ASSERT_EQUAL(store_keep(s, &why), -1); /* not acknowledged */
    EQ_INT(store_pending(s), 0);
    EQ_INT(store_kept(s), 6);
    why = (struct err){0};
    CU_ASSERT_EQUAL(store_commit(s, &why), -1);
    EQ_INT(store_kept(s), 6);
    why = (struct err){0};
    CU_ASSERT_EQUAL(sqlite3_exec(db, "DROP TRIGGER full; DROP TRIGGER full2", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    COMMIT(s);
    EQ_INT(count_of(s, SAMPLES, everything), 10);
    struct store_stats stats;
    store_stats(s, &stats);
    EQ_INT(stats.samples, 10);
    EQ_INT(stats.requests, 2);
    store_close(s);
    EXPECT_SQL(p.path, "SELECT count(*) FROM samples", "10");
    place_remove(&p);
}

/* It says which id is the newest, so the file could not be opened any more. */
static void a_damaged_row_is_passed_over(void) {
    static const char *const rows[] = {"{", "[]", "[[0]]", "7", "\"x\""};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct place p;
        char sql[128];
        place_make(&p);
        store_close(open_at(p.path));
        snprintf(sql, sizeof sql,
                 "INSERT INTO kept (first_id, received_at, source, vals) VALUES (9, 1, 0, '%s')", rows[i]);
        run_sql(p.path, sql);
        struct store *s = open_at(p.path);
        put_round(s, 1);
        COMMIT(s);
        EQ_INT(count_of(s, SAMPLES, everything), 5);
        store_close(s);
        place_remove(&p);
    }
}

UNIT_MAIN("store/keep", {"what was kept survives", what_was_kept_survives},
          {"a body survives", a_body_survives}, {"an older recorder kept it", an_older_recorder_kept_it},
          {"a commit makes it visible", a_commit_makes_it_visible},
          {"other rows make it a commit", other_rows_make_it_a_commit}, {"a full disk", a_full_disk},
          {"a damaged row is passed over", a_damaged_row_is_passed_over})
