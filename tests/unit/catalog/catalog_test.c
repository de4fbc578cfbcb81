/* Reading and writing catalogs; what is wrong with one is told with its place. */
#include "catalog/catalog.h"

#include "unit.h"

static const struct {
    const char *text, *place; /* place: line:column, path */
    const char *message;
} bad[] = {
    {"", "1:1", "empty catalog"},
    {"metric_name,metric_type\na,\"b", "2:3", "never closed"},
    {"metric_name,metric_type\na,\"gau\"ge\n", "2:8", "behind the closing quote"},
    {"metric_name,metric_type\na,ga\"uge\n", "2:5", "a quote within"},
    {"metric_name,metric_type\r\na,gauge\rb,gauge", "2:8", "carriage return"},
    {"metric_name,metric_typ\n", "1:13", "did you mean \"metric_type\""},
    {"metric_name\n", "1:1", "\"metric_type\" is missing"},
    {"metric_name,metric_type,metric_name\n", "1:25", "twice"},
    {"metric_name,metric_type\na,gauge,c\n", "2:1", "3 fields where the header has 2"},
    {"metric_name,metric_type\n\"x\ny\",gage\n", "3:4", "expected one of count gauge"},
    {"metric_name,metric_type,interval\na,gauge,ten\n", "2:9", "a number of seconds"},
    {"metric_name,metric_type,orientation\na,gauge,2\n", "2:9", "-1, 0, 1"},
    {"metric_name,metric_type\n,gauge\n", "2:1", "a name"},
    {"metric_name,metric_type\na\xff,gauge\n", "2:2", "not UTF-8"},
    {"metric_name,metric_type\na,gauge\na,count\n", "3:1", "contradicts"},
    {"{", "1:1", ""},
    {"{\"metrics\":{\"a\":{}},\n\"metrics\":{}}", "2:9", "duplicate"},
    {"{}", "1:1", "has \"metrics\""},
    {"{\"metrics\":[]}", "1:2 metrics", "expected an object"},
    {"{\n \"metric\":{}}", "2:2 metric", "did you mean 'metrics'"},
    {"{\"metrics\":{\"\":{}}}", "1:13 metrics.\"\"", "needs a name"},
    {"{\"metrics\":{\"a\":{\"type\":\"gage\"}}}", "1:18 metrics.a.type", "expected one of count"},
    {"{\"metrics\":{\"a\":{\"type\":[\"gauge\",\n\"x\"]}}}", "2:1 metrics.a.type[1]",
     "expected one of count"},
    {"{\"metrics\":{\"a.b\":{\"tipe\":\"gauge\"}}}", "1:20 metrics.\"a.b\".tipe", "did you mean 'type'"},
    {"{\"metrics\":{\"a\":{\"tags\":{\"k\":\"needed\"}}}}", "1:26 metrics.a.tags.k",
     "required, optional or forbidden"},
    {"{\"metrics\":{\"a\":{\"tags\":{\"k:v\":{}}}}}", "1:26 metrics.a.tags.\"k:v\"", "first colon"},
    {"{\"metrics\":{\"a\":{\"tags\":{\"k\":{\"values\":[]}}}}}", "1:31 metrics.a.tags.k.values",
     "no value at all"},
    {"{\"metrics\":{\"a\":{\"tags\":{\"k\":{\"values\":[\"a\"],\"pattern\":\"a\"}}}}}",
     "1:26 metrics.a.tags.k", "contradict"},
    {"{\"metrics\":{\"a\":{\"tags\":{\"k\":{\"presence\":\"forbidden\",\"max_values\":3}}}}}",
     "1:26 metrics.a.tags.k", "forbidden"},
    {"{\"metrics\":{\"a\":{\"tags\":{\"k\":{\"pattern\":\"(a{9}){999}\"}}}}}",
     "1:31 metrics.a.tags.k.pattern", "too many steps"},
    {"{\"metrics\":{\"a\":{\"value\":{\"min\":2,\"max\":1}}}}", "1:18 metrics.a.value", "min is above max"},
    {"{\"metrics\":{\"a\":{\"max_series\":0}}}", "1:18 metrics.a.max_series", "above 0"},
    {"{\"metrics\":{\"a\":{\"deprecated\":\"a\"}}}", "1:13 metrics.a", "replace itself"},
    {"{\"metrics\":{\"a\":{\"silence\":[\"x\"]}}}", "1:29 metrics.a.silence[0]", "no lint rule"},
    {"[1]", "1:1", "expected an object"},
};

static void test_bad(void) {
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct catalog_error e = {0};
        struct catalog *c = catalog_read("f", span_str(bad[i].text), &e);
        if (c)
            catalog_finish(c, &e);
        char place[400];
        snprintf(place, sizeof place, "%zu:%zu%s%s", e.line, e.column, e.path[0] ? " " : "", e.path);
        if (strcmp(place, bad[i].place) != 0 || !strstr(e.message, bad[i].message))
            fprintf(stderr, "%s\n  %s: %s\n", bad[i].text, place, e.message);
        CU_ASSERT(e.set);
        EQ_STR(place, bad[i].place);
        CU_ASSERT(strstr(e.message, bad[i].message) != NULL);
        EQ_STR(e.file, "f");
        catalog_free(c);
    }
}

static struct catalog *load(const char *path) {
    struct catalog_error e = {0};
    struct catalog *c = catalog_load(1, &path, catalog_open_file, NULL, &e);
    if (!c)
        fprintf(stderr, "%s:%zu:%zu: %s\n", e.file, e.line, e.column, e.message);
    CU_ASSERT_FATAL(c != NULL);
    return c;
}

static void test_integrations(void) {
    struct catalog *redis = load("fixtures/catalog/redis.csv"),
                   *postgres = load("fixtures/catalog/postgres.csv");
    struct catalog *nginx = load("fixtures/catalog/nginx.csv");
    const struct catalog_entry *e = catalog_find(redis, SPAN("redis.net.commands"));
    CU_ASSERT_FATAL(e != NULL);
    EQ_SPAN(e->unit, SPAN("command"));
    EQ_SPAN(e->per_unit, SPAN("second"));
    EQ_INT(e->types, 1u << METRIC_GAUGE);
    EQ_INT(e->line, 3);
    EQ_SPAN(catalog_find(redis, SPAN("redis.net.clients"))->description,
            SPAN("Connected clients, replicas left out."));
    EQ_INT(catalog_find(postgres, SPAN("postgresql.deadlocks"))->orientation, -1);
    CU_ASSERT(catalog_type_fits(catalog_find(postgres, SPAN("postgresql.commits")), METRIC_COUNT));
    EQ_INT(nginx->n_entries, 9);
    catalog_free(redis);
    catalog_free(postgres);
    catalog_free(nginx);
}

/* fmt twice is fmt once; CSV to JSON and back is the same CSV. */
static void round_trip(const char *path) {
    struct catalog_error e = {0};
    struct catalog *c = load(path);
    struct buf json = {0}, again = {0}, csv = {0}, csv_again = {0};
    catalog_write(c, CATALOG_JSON, true, &json);
    catalog_write(c, CATALOG_CSV, false, &csv);
    struct catalog *second = catalog_read("second", buf_view(&json), &e);
    CU_ASSERT_FATAL(second != NULL);
    catalog_write(second, CATALOG_JSON, true, &again);
    EQ_STR(again.p, json.p);
    struct catalog *third = catalog_read("third", buf_view(&csv), &e);
    CU_ASSERT_FATAL(third != NULL);
    EQ_INT(catalog_write(third, CATALOG_CSV, false, &csv_again), 0);
    EQ_STR(csv_again.p, csv.p);
    catalog_free(c);
    catalog_free(second);
    catalog_free(third);
    buf_free(&json);
    buf_free(&again);
    buf_free(&csv);
    buf_free(&csv_again);
}

static void test_round_trips(void) {
    round_trip("fixtures/catalog/redis.csv");
    round_trip("fixtures/catalog/nginx.csv");
    round_trip("fixtures/catalog/postgres.csv");
    round_trip("fixtures/catalog/sentry.json");
}

static void test_csv_ways(void) {
    struct catalog_error e = {0};
    struct catalog *c = catalog_read("",
                                     SPAN("\xef\xbb\xbf"
                                          "metric_type,metric_name\r\n\r\ngauge,\"a \"\"b\"\"\"\r\ncount,c"),
                                     &e);
    CU_ASSERT_FATAL(c && catalog_finish(c, &e) == 0);
    CU_ASSERT(catalog_find(c, SPAN("a \"b\"")) && catalog_find(c, SPAN("c")));
    EQ_INT(catalog_find(c, SPAN("c"))->line, 4);
    catalog_free(c);
}

/* --- includes, from memory ---------------------------------------------------------------------------------------- */

struct file {
    const char *path, *text;
};

static char *open_memory(void *arg, const char *path, size_t *n, struct err *err) {
    for (const struct file *f = arg; f->path; f++) {
        if (strcmp(f->path, path) == 0) {
            *n = strlen(f->text);
            return strdup(f->text);
        }
    }
    err_set(err, 0, "there is no %s", path);
    return NULL;
}

static struct catalog *load_memory(const struct file *files, struct catalog_error *e) {
    return catalog_load(1, &files[0].path, open_memory, (void *)files, e);
}

static void test_includes(void) {
    const struct file files[] = {
        {"dir/a.json",
         "{\"include\":[\"./b.csv\",\"../c.json\",\"x/../b.csv\"],\"metrics\":{\"a\":{\"owner\":\"us\"}}}"},
        {"dir/b.csv", "metric_name,metric_type\nb,gauge\na,count\n"},
        {"c.json", "{\"include\":[\"dir/b.csv\"],\"metrics\":{\"c\":{}}}"},
        {NULL, NULL},
    };
    struct catalog_error e = {0};
    struct catalog *c = load_memory(files, &e);
    CU_ASSERT_FATAL(c != NULL);
    EQ_INT(c->n_entries, 3);
    EQ_STR(catalog_find(c, SPAN("b"))->file, "dir/b.csv");
    EQ_INT(catalog_find(c, SPAN("a"))->types, 1u << METRIC_COUNT);
    EQ_SPAN(catalog_find(c, SPAN("a"))->owner, SPAN("us"));
    catalog_free(c);
}

static void refused(const struct file *files, const char *file, size_t line, const char *message) {
    struct catalog_error e = {0};
    CU_ASSERT(load_memory(files, &e) == NULL);
    EQ_STR(e.file, file);
    EQ_INT(e.line, line);
    CU_ASSERT(strstr(e.message, message) != NULL);
}

static void test_bad_includes(void) {
    const struct file circle[] = {
        {"a", "{\"include\":[\n\"b\"]}"}, {"b", "{\"include\":[\"./a\"]}"}, {NULL, NULL}};
    refused(circle, "b", 1, "circle: a -> b -> a");
    const struct file missing[] = {{"a", "{\"include\":[\n\"b\"]}"}, {NULL, NULL}};
    refused(missing, "a", 2, "there is no b");
    const struct file two[] = {{"a", "{\"include\":[\"b\"],\"metrics\":{\"x\":{\"type\":\"gauge\"}}}"},
                               {"b", "{\"metrics\":{\n\"x\":{\"type\":\"count\"}}}"},
                               {NULL, NULL}};
    refused(two, "b", 2, "x contradicts a:1:29 about its type");
}

static void test_large(void) {
    size_t n = CATALOG_FILE_MAX + 1;
    char *text = malloc(n);
    struct catalog_error e = {0};
    CU_ASSERT_FATAL(text != NULL);
    memset(text, ' ', n);
    CU_ASSERT(catalog_read("big", span_of(text, n), &e) == NULL);
    CU_ASSERT(strstr(e.message, "at most") != NULL);
    free(text);
}

static void test_families(void) {
    struct catalog_error e = {0};
    struct catalog *c = catalog_read(
        "",
        SPAN(
            "{\"metrics\":{\"*\":{},\"http.*\":{},\"http.*.time\":{},\"*.time\":{},\"http.a.time\":{},\"d?.x\":{}}}"),
        &e);
    CU_ASSERT_FATAL(c && catalog_finish(c, &e) == 0);
    static const char *const cases[][2] = {
        {"http.a.time", "http.a.time"},
        {"http.b.time", "http.*.time"},
        {"http.b", "http.*"},
        {"db.time", "*.time"},
        {"other", "*"},
        {"db.x", "d?.x"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct catalog_entry *entry = catalog_find(c, span_str(cases[i][0]));
        CU_ASSERT_FATAL(entry != NULL);
        EQ_SPAN(entry->name, span_str(cases[i][1]));
    }
    catalog_free(c);
}

/* A tag key of 30 bytes with a pattern took 48 KB, and an include was looked up 16 million times. */
static void test_limits_of_a_file(void) {
    struct catalog_error e = {0};
    struct buf text = {0};
    buf_str(&text, "{\"include\":[");
    for (int i = 0; i <= CATALOG_FILES_MAX; i++)
        buf_printf(&text, "%s\"a.json\"", i ? "," : "");
    buf_str(&text, "]}");
    CU_ASSERT_PTR_NULL(catalog_read("c.json", buf_view(&text), &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "more than 256 includes"));
    for (int same = 0; same < 2; same++) {
        e = (struct catalog_error){0};
        buf_clear(&text);
        buf_str(&text, "{\"tags\":{");
        for (int i = 0; i < 5000; i++)
            buf_printf(&text, "%s\"k%d\":{\"pattern\":\"%da{1000}\"}", i ? "," : "", i, same ? 0 : i);
        buf_str(&text, "},\"metrics\":{}}");
        struct catalog *c = catalog_read("c.json", buf_view(&text), &e);
        CU_ASSERT(same ? c != NULL : c == NULL);
        CU_ASSERT(same || strstr(e.message, "more than the limit of 4000000 steps"));
        CU_ASSERT(!c || c->arena.used < 4 << 20);
        catalog_free(c);
    }
    buf_free(&text);
}

static char *open_either(void *arg, const char *path, size_t *n, struct err *err) {
    (void)err;
    const struct buf *texts = arg;
    const struct buf *text = &texts[strcmp(path, "b.csv") == 0];
    *n = text->n;
    return memcpy(malloc(text->n), text->p, text->n);
}

/* Each of many lines for one name copied all the tags that the name has. */
static void test_one_name_many_times(void) {
    struct catalog_error e = {0};
    struct buf texts[2] = {{0}, {0}};
    static const char *const path = "a.json";
    buf_str(&texts[0], "{\"include\":[\"b.csv\"],\"metrics\":{\"a\":{\"tags\":{");
    for (int i = 0; i < 5000; i++)
        buf_printf(&texts[0], "%s\"k%d\":\"optional\"", i ? "," : "", i);
    buf_str(&texts[0], "}}}}");
    buf_str(&texts[1], "metric_name,metric_type\n");
    for (int i = 0; i < 5000; i++)
        buf_str(&texts[1], "a,count\n");
    struct catalog *c = catalog_load(1, &path, open_either, texts, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    EQ_INT(c->n_entries, 1);
    EQ_INT(catalog_find(c, SPAN("a"))->n_tags, 5000);
    CU_ASSERT(c->arena.used < 4 << 20);
    catalog_free(c);
    buf_free(&texts[0]);
    buf_free(&texts[1]);
}

UNIT_MAIN("catalog/catalog", {"errors have their place", test_bad},
          {"metadata.csv of integrations", test_integrations}, {"round trips", test_round_trips},
          {"BOM, CRLF, quotes", test_csv_ways}, {"includes", test_includes},
          {"cycles, missing files, contradictions", test_bad_includes}, {"too large", test_large},
          {"families", test_families}, {"includes and patterns have limits", test_limits_of_a_file},
          {"one name many times", test_one_name_many_times})
