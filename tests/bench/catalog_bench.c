/* A catalog of 10,000 entries against a recording of 100,000 series on disk; beside the bare reading of all series, which
 * anybody who looks at each would have to do. Then renames among 10,000, 50,000 and 100,000 names of which each changed by a
 * letter: the time for one name should stay the same.
 * Last, an identifier used as a tag key, at n and 8 n keys: eight times the keys take some eight times the time, not 64 times.
 */
#include "catalog/diff.h"
#include "catalog/infer.h"
#include "catalog/lint.h"
#include "catalog/verify.h"
#include "core/clock.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define N_NAMES  10000
#define N_SERIES 10 /* of each name */

static void die(const char *what, const char *why) {
    fprintf(stderr, "catalog_bench: %s: %s\n", what, why);
    exit(1);
}

static void name_of(int i, char *text, size_t size) {
    static const char *const words[] = {"request", "latency", "cache",  "queue", "worker",
                                        "login",   "payment", "search", "index", "render"};
    snprintf(text, size, "service%d.%s.%s%d.total", i % 40, words[i % 10], words[i / 10 % 10], i);
}

static void fill(struct store *s) {
    struct err err = {0};
    if (store_arrival(s, 1, SOURCE_UDP, 1795000000000000000, &err) != 0)
        die("arrival", err.text);
    for (int i = 0; i < N_NAMES * N_SERIES; i++) {
        char name[100], tag[40];
        name_of(i / N_SERIES, name, sizeof name);
        snprintf(tag, sizeof tag, "shard:%d", i % N_SERIES);
        struct span tags[] = {SPAN("code:200"), SPAN("env:ci"), span_str(tag)};
        struct value value = {.number = i % 1000};
        struct record record = {.kind = RECORD_METRIC,
                                .metric = {.type = i / N_SERIES % 2 ? METRIC_COUNT : METRIC_GAUGE,
                                           .name = span_str(name),
                                           .sample_rate = 1,
                                           .n_tags = 3,
                                           .tags = tags,
                                           .n_values = 1,
                                           .values = &value}};
        if (store_put(s, &record, &err) != 0)
            die("put", err.text);
    }
    if (store_commit(s, &err) != 0)
        die("commit", err.text);
}

static struct catalog *make_catalog(void) {
    struct buf text = {0};
    struct catalog_error wrong = {0};
    buf_str(&text, "{\"metrics\":{");
    for (int i = 0; i < N_NAMES; i++) {
        char name[100];
        name_of(i, name, sizeof name);
        if (i % 100 == 0) /* declared under another name: looked for among all */
            name[2] = 'x';
        buf_printf(
            &text,
            "%s\"%s\":{\"type\":\"%s\",\"tags\":{\"env\":{\"presence\":\"required\",\"values\":[\"ci\",\"prod-*\"]},"
            "\"code\":{\"pattern\":\"[0-9]{3}\"},\"shard\":{\"max_values\":20}},\"value\":{\"min\":0},\"max_series\":50}\n",
            i ? "," : "", name, i % 2 ? "count" : "gauge");
    }
    buf_str(&text, "}}");
    int64_t start = clock_mono_ns();
    struct catalog *c = catalog_read("bench", buf_view(&text), &wrong);
    if (!c || catalog_finish(c, &wrong) != 0)
        die("catalog", wrong.message);
    printf("%-44s %8.1f ms\n", "reading the catalog (10,000 entries)",
           (double)(clock_mono_ns() - start) / 1e6);
    buf_free(&text);
    return c;
}

static int count(void *arg, const struct series_row *row) {
    (void)row;
    ++*(uint64_t *)arg;
    return 0;
}

static long peak_mib(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

static void tell(const char *what, int64_t start, const json_t *report) {
    const char *verdict = json_string_value(json_object_get(report, "verdict"));
    printf("%-44s %8.1f ms   %s peak %ld MiB\n", what, (double)(clock_mono_ns() - start) / 1e6,
           verdict ? verdict : "", peak_mib());
}

static void measure(struct reader *r, const struct catalog *c) {
    struct err err = {0};
    struct filter all = {0};
    struct scope scope = {0};
    struct buf text = {0};
    uint64_t n = 0;
    int64_t start = clock_mono_ns();
    if (r->ops->begin(r, &err) != 0 || r->ops->series(r, &all, count, &n, &err) != 0)
        die("read", err.text);
    tell("bare reading of 100,000 series", start, NULL);
    start = clock_mono_ns();
    json_t *report = catalog_verify(c, &(struct verify_options){.strict = true}, r, &err);
    tell("verify", start, report);
    json_decref(report);
    start = clock_mono_ns();
    report = catalog_lint(&(struct lint_options){.catalog = c}, r, &err);
    tell("lint", start, report);
    json_decref(report);
    start = clock_mono_ns();
    catalog_free(catalog_infer(&scope, r, &err));
    tell("infer", start, NULL);
    start = clock_mono_ns();
    if (snapshot_write(&(struct snapshot_options){.counts = true}, r, &text, &err) != 0)
        die("snapshot", err.text);
    tell("snapshot", start, NULL);
    buf_free(&text);
    r->ops->end(r);
}

static struct inventory *renamed(int n, bool changed) {
    struct buf text = {0};
    struct catalog_error wrong = {0};
    buf_str(&text, "# statwit snapshot 1\n");
    for (int i = 0; i < n; i++) {
        char name[100];
        name_of(i, name, sizeof name);
        if (changed)
            name[7 + i % 3] = 'x';
        buf_printf(&text, "count %s%d[env:ci]\n", name, i);
    }
    struct snapshot *s = snapshot_parse("bench", buf_view(&text), &wrong);
    if (!s)
        die("names", wrong.message);
    struct inventory *v = inventory_of_snapshot(s);
    snapshot_free(s);
    buf_free(&text);
    return v;
}

static void measure_renames(int n) {
    struct inventory *a = renamed(n, false), *b = renamed(n, true);
    int64_t start = clock_mono_ns();
    json_t *report = diff_report(a, b);
    double ns = (double)(clock_mono_ns() - start);
    printf("diff, %6d names all renamed: %6zu found   %8.1f ms   %6.0f ns a name, peak %ld MiB\n", n,
           json_array_size(json_object_get(report, "renamed")), ns / 1e6, ns / n, peak_mib());
    json_decref(report);
    inventory_free(a);
    inventory_free(b);
}

/* --- growth -------------------------------------------------------------------------------------------------------- */

#define KEYS_FEW  5000
#define KEYS_MANY (8 * KEYS_FEW)

/* One metric, a series for each key. */
static void fill_keys(const char *path, int n) {
    struct err err = {0};
    struct store *s = store_open(&(struct store_options){.path = path}, &err);
    if (!s || store_arrival(s, 1, SOURCE_UDP, 1795000000000000000, &err) != 0)
        die("open", err.text);
    for (int i = 0; i < n; i++) {
        char tag[40];
        snprintf(tag, sizeof tag, "k%06d:x", i);
        struct span tags[] = {span_str(tag)};
        struct value value = {.number = 1};
        struct record record = {.kind = RECORD_METRIC,
                                .metric = {.type = METRIC_COUNT,
                                           .name = SPAN("a"),
                                           .sample_rate = 1,
                                           .n_tags = 1,
                                           .tags = tags,
                                           .n_values = 1,
                                           .values = &value}};
        if (store_put(s, &record, &err) != 0)
            die("put", err.text);
    }
    if (store_commit(s, &err) != 0)
        die("commit", err.text);
    store_close(s);
}

static double verify_keys(const char *folder, int n) {
    char path[100];
    struct err err = {0};
    struct catalog_error wrong = {0};
    snprintf(path, sizeof path, "%s/keys%d.db", folder, n);
    fill_keys(path, n);
    struct reader *r = store_reader_open(path, &err);
    struct catalog *c = catalog_read("bench", SPAN("{\"metrics\":{\"a\":{\"tags\":{}}}}"), &wrong);
    if (!r || !c || catalog_finish(c, &wrong) != 0 || r->ops->begin(r, &err) != 0)
        die("keys", err.text);
    int64_t start = clock_mono_ns();
    json_decref(catalog_verify(c, &(struct verify_options){0}, r, &err));
    double ms = (double)(clock_mono_ns() - start) / 1e6;
    r->ops->end(r);
    catalog_free(c);
    reader_close(r);
    return ms;
}

static struct inventory *with_keys(int n, char value) {
    struct buf text = {0};
    struct catalog_error wrong = {0};
    buf_str(&text, "# statwit snapshot 1\ncount a[");
    for (int i = 0; i < n; i++)
        buf_printf(&text, "%sk%06d:%c", i ? "," : "", i, value);
    buf_str(&text, "]\n");
    struct snapshot *s = snapshot_parse("bench", buf_view(&text), &wrong);
    if (!s)
        die("keys", wrong.message);
    struct inventory *v = inventory_of_snapshot(s);
    snapshot_free(s);
    buf_free(&text);
    return v;
}

static double diff_keys(const char *folder, int n) {
    (void)folder;
    struct inventory *a = with_keys(n, 'x'), *b = with_keys(n, 'y');
    int64_t start = clock_mono_ns();
    json_decref(diff_report(a, b));
    double ms = (double)(clock_mono_ns() - start) / 1e6;
    inventory_free(a);
    inventory_free(b);
    return ms;
}

static void measure_growth(const char *what, const char *folder, double (*measure_ms)(const char *, int)) {
    double few = measure_ms(folder, KEYS_FEW), many = measure_ms(folder, KEYS_MANY);
    printf("%-10s %5d keys %8.1f ms, %5d keys %8.1f ms: %5.1f times as long for 8 times as many\n", what,
           KEYS_FEW, few, KEYS_MANY, many, many / few);
}

int main(void) {
    char folder[] = "/tmp/catalog_bench.XXXXXX", path[64];
    struct err err = {0};
    if (!mkdtemp(folder))
        die("mkdtemp", "no folder");
    snprintf(path, sizeof path, "%s/r.db", folder);
    struct store *s = store_open(&(struct store_options){.path = path}, &err);
    if (!s)
        die("open", err.text);
    fill(s);
    store_close(s);
    struct reader *r = store_reader_open(path, &err);
    if (!r)
        die("reader", err.text);
    struct catalog *c = make_catalog();
    measure(r, c);
    catalog_free(c);
    reader_close(r);
    measure_renames(10000);
    measure_renames(50000);
    measure_renames(100000);
    measure_growth("verify", folder, verify_keys);
    measure_growth("diff", folder, diff_keys);
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? 0 : 1;
}
