/* What must hold for every recording: an inferred catalog verifies, a snapshot checks, a diff with itself is empty and
 * reverses. The recordings are random, with a fixed seed. */
#include "catalog/diff.h"
#include "catalog/infer.h"
#include "catalog/verify.h"
#include "report/diff.h"

#include "fake_reader.h"
#include "unit.h"

#define ROUNDS 150

static const char *const names[] = {"login.attempt",
                                    "login.atempt",
                                    "a*",
                                    "a?",
                                    "a**",
                                    "http.time",
                                    "http.time.avg",
                                    "été.x",
                                    "b\xff\xfe",
                                    "with blank",
                                    "quote\"d",
                                    "x[1]",
                                    "datadog.dogstatsd.client.metrics",
                                    "#hash"};
static const char *const types[] = {"c", "g", "ms", "h", "d", "s"};
static const char *const tags[] = {"env:ci",
                                   "env:prod",
                                   "env",
                                   "env:",
                                   "user:12345678",
                                   "user:123e4567-e89b-12d3-a456-426614174000",
                                   "",
                                   "k:a b",
                                   "k:\"q\"",
                                   "k:]",
                                   "host:web",
                                   "bad:\xff",
                                   "time:1700000000",
                                   "star:*",
                                   "hash:deadbeefdeadbeef",
                                   "mail:a@b.c",
                                   "neg:-1234567",
                                   "k:{x}"};

static void fill(struct fake *f, int lines) {
    for (int i = 0; i < lines; i++) {
        char line[512];
        int n =
            snprintf(line, sizeof line, "%s:%d|%s|#", names[rand() % 14], rand() % 100, types[rand() % 6]);
        for (int k = rand() % 4; k > 0; k--)
            n += snprintf(line + n, sizeof line - (size_t)n, "%s,", tags[rand() % 18]);
        if (rand() % 2)
            n += snprintf(line + n, sizeof line - (size_t)n, "n:%d", rand() % 40);
        fake_send(f, line);
    }
}

static void infer_and_verify(struct fake *f) {
    struct err err = {0};
    struct catalog_error wrong = {0};
    struct verify_options options = {.strict = true};
    struct buf text = {0}, again = {0};
    struct catalog *c = catalog_infer(&options.scope, fake_reader(f), &err);
    CU_ASSERT_FATAL(c != NULL);
    catalog_write(c, CATALOG_JSON, true, &text);
    catalog_free(c);
    c = catalog_read("inferred", buf_view(&text), &wrong);
    if (!c || catalog_finish(c, &wrong))
        fprintf(stderr, "%zu:%zu %s\n%s\n", wrong.line, wrong.column, wrong.message, text.p);
    CU_ASSERT_FATAL(c && !wrong.set);
    catalog_write(c, CATALOG_JSON, true, &again);
    EQ_STR(again.p, text.p);
    json_t *report = catalog_verify(c, &options, fake_reader(f), &err);
    const char *verdict = json_string_value(json_object_get(report, "verdict"));
    EQ_STR(verdict, "pass");
    if (strcmp(verdict, "pass") != 0) {
        char *dump = json_dumps(report, JSON_INDENT(1));
        fprintf(stderr, "%s\n%s\n", text.p, dump);
        free(dump);
    }
    json_decref(report);
    catalog_free(c);
    buf_free(&text);
    buf_free(&again);
}

static struct snapshot *take(struct fake *f, const struct snapshot_options *options) {
    struct err err = {0};
    struct catalog_error wrong = {0};
    struct buf text = {0};
    CU_ASSERT_FATAL(snapshot_write(options, fake_reader(f), &text, &err) == 0);
    struct snapshot *s = snapshot_parse("s", buf_view(&text), &wrong);
    if (!s)
        fprintf(stderr, "%zu:%zu %s\n%s\n", wrong.line, wrong.column, wrong.message, text.p);
    CU_ASSERT_FATAL(s != NULL);
    buf_free(&text);
    return s;
}

static void check_snapshot(const struct snapshot *s, struct fake *f, const char *verdict, const char *diff) {
    struct err err = {0};
    struct scope scope = {0};
    json_t *report = snapshot_check(s, "s", &scope, fake_reader(f), &err);
    EQ_STR(json_string_value(json_object_get(report, "verdict")), verdict);
    CU_ASSERT(!diff || strcmp(json_string_value(json_object_get(report, "diff")), diff) == 0);
    json_decref(report);
}

static json_t *diff(const struct inventory *a, const struct inventory *b) {
    json_t *report = diff_report(a, b);
    struct buf text = {0};
    CU_ASSERT_FATAL(report != NULL);
    diff_text(report, &text);
    diff_markdown(report, &text);
    CU_ASSERT(!text.failed);
    buf_free(&text);
    return report;
}

/* Every "from" a "to", every "added" a "removed". */
static json_t *reversed(const json_t *value) {
    static const char *const pairs[][2] = {
        {"added", "removed"}, {"removed", "added"}, {"from", "to"}, {"to", "from"}};
    const char *key;
    json_t *item;
    size_t i;
    if (json_is_array(value)) {
        json_t *list = json_array();
        json_array_foreach(value, i, item)
            json_array_append_new(list, reversed(item));
        return list;
    }
    if (!json_is_object(value))
        return json_incref((json_t *)value);
    json_t *object = json_object();
    json_object_foreach((json_t *)value, key, item) {
        const char *as = key;
        for (i = 0; i < 4; i++)
            if (strcmp(key, pairs[i][0]) == 0)
                as = pairs[i][1];
        json_object_set_new(object, as, reversed(item));
    }
    return object;
}

static int by_dump(const void *a, const void *b) {
    char *x = json_dumps(*(json_t *const *)a, JSON_SORT_KEYS | JSON_ENCODE_ANY),
         *y = json_dumps(*(json_t *const *)b, JSON_SORT_KEYS | JSON_ENCODE_ANY);
    int order = strcmp(x, y);
    free(x);
    free(y);
    return order;
}

/* Renames are listed by likelihood and name, which reversal may reorder. */
static void sort_renames(json_t *report) {
    json_t *list = json_object_get(report, "renamed"), *all[64];
    size_t n = json_array_size(list);
    CU_ASSERT_FATAL(n <= 64);
    for (size_t i = 0; i < n; i++)
        all[i] = json_incref(json_array_get(list, i));
    if (n)
        qsort(all, n, sizeof(json_t *), by_dump);
    json_array_clear(list);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, all[i]);
}

static void diffs(struct fake *f, struct fake *g) {
    struct snapshot_options options = {0};
    struct snapshot *s = take(f, &options), *t = take(g, &options);
    struct inventory *a = inventory_of_snapshot(s), *b = inventory_of_snapshot(t);
    json_t *same = diff(a, a), *forth = diff(a, b), *back = diff(b, a), *turned = reversed(back);
    CU_ASSERT(json_is_true(json_object_get(same, "same")));
    sort_renames(forth);
    sort_renames(turned);
    CU_ASSERT(json_equal(forth, turned));
    json_decref(same);
    json_decref(forth);
    json_decref(back);
    json_decref(turned);
    inventory_free(a);
    inventory_free(b);
    snapshot_free(s);
    snapshot_free(t);
}

static void test_properties(void) {
    srand(20261122);
    for (int round = 0; round < ROUNDS; round++) {
        struct fake *f = fake_new(), *g = fake_new();
        fill(f, 1 + rand() % 60);
        fill(g, 1 + rand() % 60);
        infer_and_verify(f);
        struct snapshot_options options = {
            .counts = round & 1, .values = round & 2, .mask = round & 4 ? SPAN("n,k") : SPAN("")};
        struct snapshot *s = take(f, &options);
        check_snapshot(s, f, "pass", "");
        snapshot_free(s);
        diffs(f, g);
        fake_free(f);
        fake_free(g);
    }
}

/* Names, tags, hosts and devices of any bytes. */
static struct span random_bytes(char *room, size_t max) {
    static const char *const odd[] = {
        "\xff", "\xfe", "\xc3", "\xe2\x82", "\xed\xa0\x80", "\xef\xbf\xbd", "\xf4\x90\x80\x80",
        "*",    "?",    ":",    "\"",       "\\",           "\n",           "\x7f",
        "k",    "é"};
    size_t n = 0;
    for (int i = 1 + rand() % 4; i > 0 && n + 4 < max; i--) {
        const char *piece = odd[rand() % 16];
        if (rand() % 5 == 0)
            room[n++] = 0;
        memcpy(room + n, piece, strlen(piece));
        n += strlen(piece);
    }
    return span_of(room, n);
}

static int by_tag(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

static void put_odd(struct fake *f) {
    char rooms[8][64], long_name[3000];
    struct span list[4];
    size_t n = (size_t)(rand() % 5);
    for (size_t i = 0; i < n; i++)
        list[i] = random_bytes(rooms[i], 40);
    qsort(list, n, sizeof *list, by_tag);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !span_eq(list[kept - 1], list[i]))
            list[kept++] = list[i];
    struct value value = {.number = rand() % 9, .text = SPAN("x")};
    struct record record = {.kind = RECORD_METRIC,
                            .metric = {.type = rand() % 2 ? METRIC_GAUGE : METRIC_TIMING,
                                       .name = random_bytes(rooms[5], 40),
                                       .sample_rate = 1,
                                       .n_tags = kept,
                                       .tags = list,
                                       .n_values = 1,
                                       .values = &value}};
    if (rand() % 3 == 0)
        record.metric.origin.host = random_bytes(rooms[6], 40);
    if (rand() % 3 == 0)
        record.metric.device = random_bytes(rooms[7], 40);
    if (rand() % 3 == 0 && kept)
        list[0] = rand() % 2 ? SPAN("host:web") : SPAN("device:sda");
    if (rand() % 40 == 0) { /* longer than a catalog's names, once each odd byte is three */
        memset(long_name, 0xff, sizeof long_name);
        record.metric.name = span_of(long_name, sizeof long_name);
    }
    fake_source(f, SOURCE_HTTP);
    fake_put(f, &record);
}

/* verify looked for a required key byte by byte, where infer had written it with U+FFFD. */
static void test_any_bytes(void) {
    srand(20261127);
    for (int round = 0; round < ROUNDS; round++) {
        struct fake *f = fake_new();
        for (int i = 1 + rand() % 60; i > 0; i--)
            put_odd(f);
        infer_and_verify(f);
        fake_free(f);
    }
}

static json_t *inferred(struct fake *f) {
    struct err err = {0};
    struct buf text = {0};
    struct catalog *c = catalog_infer(&(struct scope){0}, fake_reader(f), &err);
    CU_ASSERT_FATAL(c != NULL);
    catalog_write(c, CATALOG_JSON, true, &text);
    json_t *json = json_loadb(text.p, text.n, 0, NULL);
    catalog_free(c);
    buf_free(&text);
    return json;
}

/* One failed login was made a rule that forbids any other: what few samples show is no rule, and what is guessed says so. */
static void test_guesses_say_so(void) {
    for (int samples = 1; samples <= 2 * INFER_SAMPLES_MIN; samples++) {
        struct fake *f = fake_new();
        for (int i = 0; i < samples; i++)
            fake_send(f, "login:1|c|#instance:failure");
        json_t *catalog = inferred(f), *entry = json_object_get(json_object_get(catalog, "metrics"), "login");
        const json_t *tag = json_object_get(json_object_get(entry, "tags"), "instance");
        const char *of_entry = json_string_value(json_object_get(entry, "comment"));
        const char *of_tag = json_string_value(json_object_get(tag, "comment"));
        char count[32];
        snprintf(count, sizeof count, " %d sample%s", samples, samples == 1 ? "" : "s");
        CU_ASSERT(of_entry && strstr(of_entry, "guessed") && strstr(of_entry, count));
        CU_ASSERT(of_tag && strstr(of_tag, "guessed") && strstr(of_tag, count));
        EQ_INT(json_array_size(json_object_get(tag, "values")), samples >= INFER_SAMPLES_MIN);
        json_decref(catalog);
        fake_free(f);
    }
}

static void test_snapshot_losses(void) {
    struct fake *f = fake_new();
    fake_send(f, "a:1|c\nb:1|c");
    struct snapshot_options options = {.counts = true};
    struct snapshot *s = take(f, &options);
    struct fake *g = fake_new();
    fake_send(g, "a:1|c");
    check_snapshot(s, g, "fail", "- count b[] samples == 1\n");
    fake_loss(g, NULL, LOSS_KERNEL_DROP, 1);
    check_snapshot(s, g, "inconclusive", NULL);
    fake_send(g, "b:1:1|c");
    check_snapshot(s, g, "fail", "- count b[] samples == 1\n+ count b[] samples == 2\n");
    snapshot_free(s);
    fake_free(f);
    fake_free(g);
}

static void test_bad_snapshots(void) {
    static const struct {
        const char *text;
        size_t line, column;
        const char *message;
    } bad[] = {
        {"", 1, 1, "empty"},
        {"count a[]\n", 1, 1, "not a snapshot"},
        {"# statwit snapshot 2\n", 1, 1, "not a snapshot"},
        {"# statwit snapshot 1: count\n", 1, 23, "expected counts"},
        {"# statwit snapshot 1\n<<<<<<< HEAD\ncount a[]\n", 2, 1, "merge conflict"},
        {"# statwit snapshot 1\ncount a[]\n=======\n", 3, 1, "merge conflict"},
        {"# statwit snapshot 1\ncont a[]\n", 2, 1, "expected one of"},
        {"# statwit snapshot 1\ncount a\n", 2, 8, "expected '['"},
        {"# statwit snapshot 1\ncount a[x\n", 2, 10, "expected ']'"},
        {"# statwit snapshot 1\ncount \"a[]\n", 2, 7, "never closed"},
        {"# statwit snapshot 1\ncount a[]\ngauge b[]\ncount a[]\n", 4, 1, "same series as in line 2"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct catalog_error e = {0};
        CU_ASSERT(snapshot_parse("s", span_str(bad[i].text), &e) == NULL);
        EQ_INT(e.line, bad[i].line);
        EQ_INT(e.column, bad[i].column);
        if (!strstr(e.message, bad[i].message))
            fprintf(stderr, "%s: %s\n", bad[i].text, e.message);
        CU_ASSERT(strstr(e.message, bad[i].message) != NULL);
    }
}

static const char *rename_of(const char *from, const char *to) {
    static char found[100];
    struct fake *f = fake_new(), *g = fake_new();
    fake_send(f, from);
    fake_send(g, to);
    struct snapshot_options options = {0};
    struct snapshot *s = take(f, &options), *t = take(g, &options);
    struct inventory *a = inventory_of_snapshot(s), *b = inventory_of_snapshot(t);
    json_t *report = diff(a, b);
    const char *name =
        json_string_value(json_object_get(json_array_get(json_object_get(report, "renamed"), 0), "to"));
    snprintf(found, sizeof found, "%s", name ? name : "");
    json_decref(report);
    inventory_free(a);
    inventory_free(b);
    snapshot_free(s);
    snapshot_free(t);
    fake_free(f);
    fake_free(g);
    return found;
}

static void test_renames(void) {
    EQ_STR(rename_of("login.atempt:1|c", "login.attempt:1|c"), "login.attempt");
    EQ_STR(rename_of("login.attempt:1|c|#a:1", "auth.login.attempt:1|c|#a:1\nother:1|g"),
           "auth.login.attempt");
    EQ_STR(rename_of("http.request.time:1|ms", "http.time.request:1|ms"), "http.time.request");
    EQ_STR(rename_of("cache.hits:1|c", "worker.queue.depth:1|g"), "");
}

UNIT_MAIN("catalog/property", {"infer, snapshot and diff of random recordings", test_properties},
          {"infer and verify of any bytes", test_any_bytes},
          {"an inferred catalog says what it guessed", test_guesses_say_so},
          {"a snapshot and losses", test_snapshot_losses}, {"bad snapshots", test_bad_snapshots},
          {"renames are found", test_renames})
