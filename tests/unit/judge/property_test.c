/* The engine beside plain SQL: random samples, events and service checks in a real recording, random expectations, and for
 * each a query over the `samples`, `events` or `service_checks` view that says the same. All judges must agree with it: one that started at the end, one that started half-way
 * and was fed the rest, and both since a mark.
 *
 * Values and rates are binary fractions, so that no sum depends on the order of its terms.
 */
#include "judge/judge.h"
#include "judge/language/expectation.h"
#include "store/store.h"
#include "unit.h"

#include <assert.h>
#include <sqlite3.h>
#include <unistd.h>

#define N_SAMPLES      1500
#define N_EXPECTATIONS 800

static uint64_t state;

static unsigned pick(unsigned n) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33) % n;
}

/* --- the recording --------------------------------------------------------------------------------------------------- */

static const char *const names[] = {"a", "a.b", "a.c", "b", "b.b"};
static const char *const tag_texts[] = {"env:ci", "env:prod", "x", "x:1", "y:22"};
static const double rates[] = {1, 1, 1, 0.5, 0.25};

static void put_record(struct store *s, int i, const struct record *record) {
    struct err err = {0};
    int result = store_arrival(s, 1, (enum source)pick(3), 1795000000000000000 + i * 1000, &err) == 0
                     ? store_put(s, record, &err)
                     : -1;
    assert(result == 0);
}

/* With the name, the tags and the host of a metric. */
static void put_event_or_check(struct store *s, int i, const struct metric *m) {
    struct record event = {.kind = RECORD_EVENT,
                           .event = {.title = m->name,
                                     .text = SPAN("text"),
                                     .n_tags = m->n_tags,
                                     .tags = m->tags,
                                     .origin = m->origin}};
    struct record check = {.kind = RECORD_SERVICE_CHECK,
                           .check = {.name = m->name,
                                     .status = (int)pick(4),
                                     .n_tags = m->n_tags,
                                     .tags = m->tags,
                                     .origin = m->origin}};
    put_record(s, i, pick(2) ? &event : &check);
}

static void put_records(struct store *s, int n) {
    for (int i = 0; i < n; i++) {
        struct span tags[3];
        struct value values[4];
        static const char *const texts[] = {"p", "q", "r", "3"};
        struct metric m = {.type = (enum metric_type)pick(METRIC_SET + 1),
                           .name = span_str(names[pick(5)]),
                           .sample_rate = rates[pick(5)],
                           .n_tags = pick(4),
                           .tags = tags,
                           .n_values = 1 + pick(3),
                           .values = values};
        for (size_t k = 0; k < m.n_tags; k++)
            tags[k] = span_str(tag_texts[pick(5)]);
        if (m.type == METRIC_SET)
            m.n_values = 1;
        for (size_t k = 0; k < m.n_values; k++) {
            values[k] = (struct value){.number = (double)pick(41) / 4 - 3};
            if (m.type == METRIC_SET)
                values[k] = (struct value){.text = span_str(texts[pick(4)])};
        }
        if (m.n_tags)
            m.origin.host = pick(2) ? SPAN("web") : (struct span){NULL, 0};
        struct record record = {.kind = RECORD_METRIC, .metric = m};
        put_record(s, i, &record);
        if (pick(4) == 0)
            put_event_or_check(s, i, &m);
    }
    struct err err = {0};
    assert(store_commit(s, &err) == 0);
}

/* --- expectations, twice --------------------------------------------------------------------------------------------- */

struct pair {
    char text[512];
    enum subject subject;
    char where[2048]; /* which samples */
    char one[4096];   /* under `no`: what one and the same sample must satisfy */
    char sql[8192];   /* SELECT … a truth value; %s in it: more conditions on samples */
};

static void add_term(struct pair *p, bool exact, char *all_taken) {
    static const struct {
        const char *text, *condition; /* of one tag `t.value` */
    } terms[] = {
        {"env", "(t.value = 'env' OR t.value GLOB 'env:*')"},
        {"env:ci", "t.value = 'env:ci'"},
        {"env:p*", "t.value GLOB 'env:p*'"},
        {"x", "(t.value = 'x' OR t.value GLOB 'x:*')"},
        {"x:?", "t.value GLOB 'x:?'"},
        {"y:*2", "t.value GLOB 'y:*2'"},
        {"host", "host IS NOT NULL"}, /* of the row: from here on */
        {"host:w*", "coalesce(host, '') GLOB 'w*'"},
        {"host:db", "coalesce(host, '') = 'db'"},
    };
    unsigned i = pick(9);
    bool negated = pick(4) == 0;
    if (i >= 6) {
        sprintf(p->text + strlen(p->text), "%s%s", negated ? "!" : "", terms[i].text);
        sprintf(p->where + strlen(p->where), " AND %s(%s)", negated ? "NOT " : "", terms[i].condition);
        return;
    }
    sprintf(p->text + strlen(p->text), "%s%s", negated ? "!" : "", terms[i].text);
    sprintf(p->where + strlen(p->where), " AND %sEXISTS (SELECT 1 FROM json_each(tags) t WHERE %s)",
            negated ? "NOT " : "", terms[i].condition);
    if (exact && !negated)
        sprintf(all_taken + strlen(all_taken), " OR %s", terms[i].condition);
}

static void add_tags(struct pair *p) {
    bool exact = pick(3) == 0;
    char all_taken[1024] = "0";
    strcat(p->text, exact ? "[" : "{");
    for (unsigned i = 0, n = pick(3); i < n; i++) {
        strcat(p->text, i ? "," : "");
        add_term(p, exact, all_taken);
    }
    strcat(p->text, exact ? "]" : "}");
    if (exact)
        sprintf(p->where + strlen(p->where),
                " AND NOT EXISTS (SELECT 1 FROM json_each(tags) t WHERE NOT (%s))", all_taken);
}

/* What an op asks of a number, as the manual puts it: a tolerance widens what holds, but of != it narrows it. */
static const char *const ops[] = {"==", "!=", "<", "<=", ">", ">=", "~"};

static void put_condition(char *sql, const char *number, unsigned op, double value, double tolerance) {
    sql += strlen(sql);
    if (op == 0 || op == 6)
        sprintf(sql, "abs(%s - %g) <= %g", number, value, tolerance);
    else if (op == 1)
        sprintf(sql, "abs(%s - %g) > %g", number, value, tolerance);
    else
        sprintf(sql, "%s %s %g", number, ops[op], op <= 3 ? value + tolerance : value - tolerance);
}

/* Under `no`; the clause itself is true then, and what all of these say of one stands at the end. */
static void add_of_one(struct pair *p, const char *condition) {
    sprintf(p->one + strlen(p->one), "%s%s", p->one[0] ? " AND " : "", condition);
    strcat(p->sql, "1");
}

/* One clause; the tables are: m, the matching samples with weight w and factor f. */
static void add_clause(struct pair *p, bool set, bool no) {
    static const struct {
        const char *stat, *sql;
    } stats[] = {
        {"samples", "(SELECT count(*) FROM m)"},
        {"count", "(SELECT total(w) FROM m)"},
        {"distinct", "(SELECT count(DISTINCT coalesce('t' || text, value + 0.0)) FROM m)"},
        {"series", "(SELECT count(DISTINCT series_id) FROM m)"},
        {"per_series", "(SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM m GROUP BY series_id))"},
        {"sum",
         "(SELECT CASE WHEN count(*) AND NOT count(value) THEN NULL ELSE total(value * f) END FROM m)"},
        {"last", "(SELECT value FROM m ORDER BY id DESC LIMIT 1)"},
        {"first", "(SELECT value FROM m ORDER BY id LIMIT 1)"},
        {"min", "(SELECT min(value) FROM m)"},
        {"max", "(SELECT max(value) FROM m)"},
        {"avg", "(SELECT sum(value * f) / sum(w) FROM m WHERE value IS NOT NULL)"},
        {"median", "(SELECT min(value) FROM q WHERE upto * 100 >= 50 * (SELECT sum(w) FROM q))"},
        {"p95", "(SELECT min(value) FROM q WHERE upto * 100 >= 95 * (SELECT sum(w) FROM q))"},
        {"p12.5", "(SELECT min(value) FROM q WHERE upto * 100 >= 12.5 * (SELECT sum(w) FROM q))"},
        {"each", "value"},
        {"rate", "sample_rate"},
    };
    unsigned i = set ? pick(5) : pick(16), op = pick(7);
    double tolerance = pick(4) ? 0 : (double)(1 + pick(9)) / 4;
    bool by_sampling =
        i == 1 || i == 5 || (i >= 10 && i <= 13); /* what ~ alone means then is another test's */
    if (op == 6 && by_sampling && tolerance == 0)
        op = 0;
    double value = i < 6     ? (double)pick(12) * (pick(3) ? 1 : 25)
                   : i == 15 ? rates[pick(5)]
                             : (double)pick(41) / 4 - 3;
    sprintf(p->text + strlen(p->text), " %s %s %g", stats[i].stat, ops[op], value);
    if (tolerance > 0)
        sprintf(p->text + strlen(p->text), " +- %g", tolerance);
    char condition[1024] = "";
    put_condition(condition, stats[i].sql, op, value, tolerance);
    if (i < 14)
        sprintf(p->sql + strlen(p->sql), "coalesce(%s, 0)", condition);
    else if (no)
        add_of_one(p, condition);
    else
        sprintf(
            p->sql + strlen(p->sql),
            "(EXISTS (SELECT 1 FROM m WHERE %s IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM m WHERE NOT (%s)))",
            stats[i].sql, condition);
}

/* Which samples of those are looked at. A set's value is a text, which no number is like. */
static void add_value_condition(struct pair *p, bool set, bool any) {
    unsigned op = set ? pick(2) : pick(6);
    double value = pick(2) ? 3 : (double)pick(41) / 4 - 3;
    char condition[1024] = "", text[64] = "0";
    put_condition(condition, "value", op, value, 0);
    if (op < 2 && (set || any))
        sprintf(text, "text %s '%g'", ops[op], value);
    sprintf(p->text + strlen(p->text), "value %s %g", ops[op], value);
    sprintf(p->where + strlen(p->where), " AND CASE WHEN type = 'set' THEN %s ELSE %s END", text, condition);
}

static void add_conditions(struct pair *p, bool set, bool any) {
    static const struct {
        const char *text, *sql;
        bool of_all; /* also of events and checks */
    } others[] = {
        {"host == w*", "coalesce(host, '') GLOB 'w*'", true},
        {"host != \"web\"", "coalesce(host, '') <> 'web'", true},
        {"host =~ \"(w|x)[^x]b\"", "coalesce(host, '') = 'web'", true},
        {"host == \"\"", "coalesce(host, '') = ''", true},
        {"source == udp", "source = 'udp'", false},
        {"source !~ \"uni.*\"", "source = 'udp'", false},
        {"rate == 1", "sample_rate = 1", false},
        {"rate < 0.5", "sample_rate < 0.5", false},
    };
    for (unsigned i = 0, n = 1 + pick(2); i < n; i++) {
        unsigned which = pick(8);
        strcat(p->text, i ? " and " : " where ");
        if (p->subject == SUBJECT_METRIC && pick(2)) {
            add_value_condition(p, set, any);
            continue;
        }
        which = p->subject == SUBJECT_METRIC ? which : which % 4;
        strcat(p->text, others[which].text);
        sprintf(p->where + strlen(p->where), " AND %s", others[which].sql);
    }
}

/* Of events and service checks: how many, and of checks the newest status, or under `no` any. */
static void add_record_clause(struct pair *p, bool no) {
    static const char *const words[] = {"ok", "warning", "critical", "unknown"};
    unsigned op = pick(6), value = pick(60);
    if (p->subject == SUBJECT_CHECK && pick(2)) {
        const char *compared = pick(2) ? "==" : "!=", *word = words[pick(4)];
        sprintf(p->text + strlen(p->text), " status %s %s", compared, word);
        char condition[64];
        sprintf(condition, "status %s '%s'", compared, word);
        if (no)
            add_of_one(p, condition);
        else
            sprintf(p->sql + strlen(p->sql), "coalesce((SELECT %s FROM m ORDER BY id DESC LIMIT 1), 0)",
                    condition);
        return;
    }
    sprintf(p->text + strlen(p->text), " %s %s %u", pick(2) ? "samples" : "count", ops[op], value);
    put_condition(p->sql, "(SELECT count(*) FROM m)", op, value, 0);
}

static void make(struct pair *p) {
    static const char *const types[] = {"count", "gauge", "timing", "histogram", "distribution",
                                        "set",   "any",   "event",  "check"};
    static const char *const patterns[] = {"a", "a.b", "b", "a*", "*", "?.b", "*.?", "zzz"};
    unsigned type = pick(9);
    p->subject = type == 7 ? SUBJECT_EVENT : type == 8 ? SUBJECT_CHECK : SUBJECT_METRIC;
    bool no = pick(4) == 0;
    const char *pattern = patterns[pick(8)];
    p->where[0] = '\0';
    sprintf(p->text, "%s%s %s", no ? "no " : "", types[type], pattern);
    sprintf(p->where, "name GLOB '%s'", pattern);
    if (type < 6)
        sprintf(p->where + strlen(p->where), " AND type = '%s'", types[type]);
    if (pick(2))
        add_tags(p);
    if (pick(3) == 0)
        add_conditions(p, type == 5, type == 6);
    sprintf(p->sql, "SELECT %s(", no ? "NOT " : "");
    unsigned n = pick(4);
    p->one[0] = '\0';
    if (n == 0)
        strcat(p->sql, "EXISTS (SELECT 1 FROM m)");
    for (unsigned i = 0; i < n; i++) {
        strcat(p->text, i ? " and" : "");
        strcat(p->sql, i ? " AND " : "");
        if (p->subject == SUBJECT_METRIC)
            add_clause(p, type == 5, no);
        else
            add_record_clause(p, no);
    }
    if (p->one[0])
        sprintf(p->sql + strlen(p->sql), " AND EXISTS (SELECT 1 FROM m WHERE %s)", p->one);
    strcat(p->sql, ")");
}

static bool ask_sql(sqlite3 *db, const struct pair *p, uint64_t since) {
    static char sql[16384];
    static const char *const tables[] = {
        [SUBJECT_METRIC] = "copy", [SUBJECT_EVENT] = "copy_events", [SUBJECT_CHECK] = "copy_checks"};
    snprintf(
        sql, sizeof sql,
        "WITH m AS MATERIALIZED (SELECT *,"
        "  CASE WHEN type = 'count' THEN 1 / sample_rate WHEN type IN ('gauge', 'set') THEN 1"
        "       ELSE CAST(1 / sample_rate AS INTEGER) END AS w,"
        "  CASE WHEN type IN ('gauge', 'set') THEN 1 ELSE 1 / sample_rate END AS f"
        "  FROM %s WHERE id > %llu AND %s),"
        " q AS MATERIALIZED (SELECT value, w, sum(w) OVER (ORDER BY value) AS upto FROM m WHERE value IS NOT NULL) %s",
        tables[p->subject], (unsigned long long)since, p->where, p->sql);
    sqlite3_stmt *stmt = NULL;
    int result = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    if (result != SQLITE_OK)
        fprintf(stderr, "%s\n%s\n", sqlite3_errmsg(db), sql);
    assert(result == SQLITE_OK);
    result = sqlite3_step(stmt);
    assert(result == SQLITE_ROW);
    bool truth = sqlite3_column_int(stmt, 0) != 0;
    sqlite3_finalize(stmt);
    return truth;
}

/* --- judges ---------------------------------------------------------------------------------------------------------- */

static struct judge *parse_all(const struct pair *pairs, uint64_t since) {
    static struct judge_source sources[N_EXPECTATIONS];
    for (size_t i = 0; i < N_EXPECTATIONS; i++)
        sources[i] = (struct judge_source){.text = span_str(pairs[i].text)};
    struct judge_error error;
    struct judge_options options = {.since = since};
    struct judge *j = judge_parse(sources, N_EXPECTATIONS, &options, &error);
    if (!j)
        fprintf(stderr, "%s\n%s\n", error.message, error.excerpt);
    assert(j);
    return j;
}

static void start(struct judge *j, struct store *s) {
    struct err err = {0};
    struct reader *r = store_reader_take(s, &err);
    assert(r && r->ops->begin(r, &err) == 0);
    assert(judge_start(j, r, &err) == 0);
    r->ops->end(r);
    store_reader_give(s, r);
}

static int feed_series(void *j, const struct series_row *row) {
    return judge_take_series(j, row);
}

static int feed_sample(void *j, const struct sample_row *row) {
    return judge_take_sample(j, row);
}

static int feed_event(void *j, const struct event_row *row) {
    return judge_take_event(j, row);
}

static int feed_check(void *j, const struct check_row *row) {
    return judge_take_check(j, row);
}

static void feed_rest(struct judge *j, struct store *s) {
    struct err err = {0};
    struct reader *r = store_reader_take(s, &err);
    struct filter all = {0}, rest = {.since = judge_seen(j)};
    assert(r && r->ops->begin(r, &err) == 0);
    assert(r->ops->series(r, &all, feed_series, j, &err) == 0);
    assert(r->ops->samples(r, &rest, true, feed_sample, j, &err) == 0);
    assert(r->ops->events(r, &rest, feed_event, j, &err) == 0);
    assert(r->ops->checks(r, &rest, feed_check, j, &err) == 0);
    r->ops->end(r);
    store_reader_give(s, r);
}

static void compare(struct judge *j, struct store *s, sqlite3 *db, const struct pair *pairs, uint64_t since,
                    const char *which) {
    struct err err = {0};
    struct reader *r = store_reader_take(s, &err);
    assert(r && r->ops->begin(r, &err) == 0);
    json_t *report = judge_report(j, r, &err);
    assert(report);
    size_t held = 0, wrong = 0;
    for (size_t i = 0; i < N_EXPECTATIONS; i++) {
        json_t *result = json_array_get(json_object_get(report, "results"), i);
        bool engine = strcmp(json_string_value(json_object_get(result, "verdict")), "pass") == 0;
        bool sql = ask_sql(db, &pairs[i], since);
        held += sql;
        if (engine != sql && wrong++ < 5)
            fprintf(stderr, "%s: %s: %s, SQL says %s; %s\n", which, pairs[i].text, engine ? "pass" : "fail",
                    sql ? "pass" : "fail", json_string_value(json_object_get(result, "why")));
    }
    EQ_INT(wrong, 0);
    /* a test that always says the same tests nothing */
    CU_ASSERT(held > N_EXPECTATIONS / 5 && held < N_EXPECTATIONS * 4 / 5);
    json_decref(report);
    r->ops->end(r);
    store_reader_give(s, r);
    judge_free(j);
}

static void test_agrees_with_sql(void) {
    static struct pair pairs[N_EXPECTATIONS];
    char folder[] = "/tmp/statwit-property-XXXXXX", path[64];
    assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/r.db", folder);
    struct err err = {0};
    struct store_options options = {.path = path};
    struct store *s = store_open(&options, &err);
    if (!s)
        fprintf(stderr, "%s\n", err.text);
    assert(s);
    state = 20261122;
    for (size_t i = 0; i < N_EXPECTATIONS; i++)
        make(&pairs[i]);
    put_records(s, N_SAMPLES / 2);
    uint64_t mark = store_last_id(s);
    struct judge *fed = parse_all(pairs, 0), *fed_since = parse_all(pairs, mark - 500);
    start(fed, s);
    start(fed_since, s);
    put_records(s, N_SAMPLES / 2);
    feed_rest(fed, s);
    feed_rest(fed_since, s);
    struct judge *started = parse_all(pairs, 0), *started_since = parse_all(pairs, mark - 500);
    start(started, s);
    start(started_since, s);
    sqlite3 *db = NULL;
    assert(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK);
    /* The view opens up every value anew for each question: once is enough. */
    static const char copies[] =
        "CREATE TEMP TABLE copy AS SELECT * FROM samples WHERE session = 'default';"
        "CREATE TEMP TABLE copy_events AS SELECT id, title AS name, tags, host, 'gauge' AS type, 1 AS sample_rate, NULL AS value"
        " FROM events WHERE session = 'default';"
        "CREATE TEMP TABLE copy_checks AS SELECT id, name, status, tags, host, 'gauge' AS type, 1 AS sample_rate, NULL AS value"
        " FROM service_checks WHERE session = 'default'";
    assert(sqlite3_exec(db, copies, NULL, NULL, NULL) == SQLITE_OK);
    compare(started, s, db, pairs, 0, "started");
    compare(fed, s, db, pairs, 0, "fed");
    compare(started_since, s, db, pairs, mark - 500, "started since a mark");
    compare(fed_since, s, db, pairs, mark - 500, "fed since a mark");
    sqlite3_close(db);
    store_close(s);
    for (const char *const *end = (const char *const[]){"", "-wal", "-shm", "-lock", "-journal", NULL}; *end;
         end++) {
        char file[80];
        snprintf(file, sizeof file, "%s%s", path, *end);
        unlink(file);
    }
    EQ_INT(rmdir(folder), 0);
}

UNIT_MAIN("judge/property", {"random expectations agree with SQL", test_agrees_with_sql})
