/* The views and words that a person reads in the file with SQL. */
#include "store/fixture.h"

static void views(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    struct record event = {.kind = RECORD_EVENT,
                           .event = {.title = SPAN("t"), .text = SPAN("x"), .timestamp = 3}};
    struct record check = {.kind = RECORD_SERVICE_CHECK, .check = {.name = SPAN("c"), .status = 2}};
    struct record reject = {.kind = RECORD_REJECT, .reject = {.reason = REASON_NO_PIPE, .text = SPAN("x:1")}};
    int32_t key = 3;
    uint32_t count = 2;
    struct sketch sketch = {
        .count = 2, .sum = 5, .min = 2, .max = 3, .avg = 2.5, .n_bins = 1, .keys = &key, .counts = &count};
    struct span tags[] = {SPAN("b"), SPAN("a:1")};
    struct value values[] = {{.number = 1.5, .text = SPAN("1.5")},
                             {.number = 2, .timestamp = 77},
                             {.number = 2.5, .sketch = &sketch}};
    struct record metric = {.kind = RECORD_METRIC,
                            .metric = {.type = METRIC_DISTRIBUTION,
                                       .name = SPAN("login.attempt"),
                                       .sample_rate = 0.5,
                                       .n_tags = 2,
                                       .tags = tags,
                                       .n_values = 3,
                                       .values = values}};
    put_in(s, 1, SOURCE_UDP, AT + 1, "users", 7, METRIC_SET, "env:ci");
    for (int i = 0; i < 3; i++)
        OK(store_put(s, &metric, &err));
    OK(store_put(s, &event, &err));
    OK(store_put(s, &check, &err));
    OK(store_put(s, &reject, &err));
    OK(store_request(s, &(struct request){.method = SPAN("GET"), .path = SPAN("/"), .status = 200}, &err));
    OK(store_loss(s, 0, LOSS_TRUNCATED, 2, SPAN("d"), &err));
    COMMIT(s);
    store_close(s);
    EXPECT_SQL(
        p.path,
        "SELECT name||'|'||type||'|'||value||'|'||tags FROM samples WHERE name = 'login.attempt' LIMIT 1",
        "login.attempt|distribution|1.5|[\"b\",\"a:1\"]");
    EXPECT_SQL(
        p.path,
        "SELECT group_concat(id||'='||value||coalesce('@'||timestamp,'')) FROM samples WHERE name = 'login.attempt'",
        "2=1.5,3=2@77,4=2.5,5=1.5,6=2@77,7=2.5,8=1.5,9=2@77,10=2.5");
    EXPECT_SQL(
        p.path,
        "SELECT text||coalesce(value,'-')||received_at||source||session FROM samples WHERE type = 'set'",
        "7-2023-11-14T22:13:20.000000001Zudpdefault");
    EXPECT_SQL(p.path, "SELECT count(*) FROM samples, json_each(samples.tags) j WHERE j.value = 'a:1'", "9");
    EXPECT_SQL(
        p.path,
        "SELECT tags||samples||'/'||count||'/'||sum||'/'||min||'/'||max||'/'||last FROM series WHERE name = 'login.attempt'",
        "[\"a:1\",\"b\"]9/18.0/36.0/1.5/3.0/2.5");
    EXPECT_SQL(p.path, "SELECT title||text||timestamp||session||source FROM events", "tx3defaultudp");
    EXPECT_SQL(p.path, "SELECT name||status FROM service_checks", "ccritical");
    EXPECT_SQL(p.path, "SELECT reason||text||offset FROM rejects", "no_pipex:10");
    EXPECT_SQL(p.path, "SELECT method||path||status FROM requests", "GET/200");
    EXPECT_SQL(p.path, "SELECT name||open FROM sessions", "default1");
    EXPECT_SQL(p.path, "SELECT loss||n||detail||coalesce(session,'all') FROM losses", "truncated2dall");
    EXPECT_SQL(p.path, "PRAGMA application_id", "1400133492");
    EXPECT_SQL(p.path, "SELECT (ended_at > started_at)||ended_cleanly||mark FROM runs", "110");
    EXPECT_SQL(p.path, "PRAGMA user_version", SCHEMA_VERSION);
    place_remove(&p);
}

/* Every step of the plan but the opening of JSON is a search in an index. */
static void views_use_indexes(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    put_number(s, "x", 1);
    COMMIT(s);
    store_close(s);
    sqlite3 *db;
    sqlite3_stmt *stmt;
    sqlite3_open_v2(p.path, &db, SQLITE_OPEN_READONLY, NULL);
    CU_ASSERT_EQUAL_FATAL(
        sqlite3_prepare_v2(db,
                           "EXPLAIN QUERY PLAN SELECT name, type, value, tags FROM samples WHERE name = 'x'",
                           -1, &stmt, NULL),
        SQLITE_OK);
    int searches = 0;
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(stmt, 3);
        static const char *const tables[] = {"SCAN m", "SCAN y", "SCAN s", "SCAN t",
                                             "SCAN c", "SCAN x", "SCAN l", "SCAN a"};
        for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
            CU_ASSERT(strncmp(step, tables[i], strlen(tables[i])) != 0 ||
                      (step[strlen(tables[i])] != ' ' && step[strlen(tables[i])] != '\0'));
        searches += strstr(step, "INDEX metric_name") != NULL;
    }
    EQ_INT(searches, 1);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    place_remove(&p);
}

/* The small numbers in the tables mean what the lists in core/ say. */
static void words(void) {
    struct place p;
    place_make(&p);
    store_close(open_at(p.path));
    char sql[80];
    for (int i = 0; i < METRIC_N_TYPES; i++) {
        snprintf(sql, sizeof sql, "SELECT word FROM types WHERE id = %d", i);
        EXPECT_SQL(p.path, sql, metric_word((enum metric_type)i));
    }
    for (int i = 0; i < SOURCE_N; i++) {
        snprintf(sql, sizeof sql, "SELECT word FROM sources WHERE id = %d", i);
        EXPECT_SQL(p.path, sql, source_word((enum source)i));
    }
    place_remove(&p);
}

UNIT_MAIN("store/view", {"views", views}, {"views use indexes", views_use_indexes},
          {"words of the tables", words})
