/* Work grows with the input, not with its square: counted in steps, which are the same on every machine. Eight times the input
 * may take twelve times the steps (hash tables, sorting); a square would take sixty-four. */
#include "catalog/diff.h"
#include "catalog/effort.h"
#include "catalog/verify.h"

#include "fake_reader.h"
#include "unit.h"

#define FEW       5000
#define MANY      (8 * FEW)
#define OF_SERIES 100 /* tags of one series */

static struct catalog *load(struct span text) {
    struct catalog_error error = {0};
    struct catalog *c = catalog_read("catalog.json", text, &error);
    CU_ASSERT_FATAL(c && catalog_finish(c, &error) == 0);
    return c;
}

/* n different tags KEY<i>:VALUE<i>, spread over series of the metric a. */
static struct fake *send_tags(size_t n, const char *key, const char *value, bool numbered_keys) {
    struct fake *f = fake_new();
    for (size_t i = 0; i < n;) {
        struct buf line = {0};
        buf_str(&line, "a:1|c|#");
        for (size_t k = 0; k < OF_SERIES && i < n; k++, i++) {
            if (numbered_keys)
                buf_printf(&line, "%s%s%zu:%s", k ? "," : "", key, i, value);
            else
                buf_printf(&line, "%s%s:%s%zu", k ? "," : "", key, value, i);
        }
        fake_send_span(f, buf_view(&line));
        buf_free(&line);
    }
    return f;
}

static json_t *verify(struct buf *catalog, struct fake *f, struct span ignored, uint64_t *steps) {
    struct err err = {0};
    struct effort effort = {0};
    struct catalog *c = load(buf_view(catalog));
    struct verify_options options = {.ignore_tags = ignored, .effort = &effort};
    json_t *report = catalog_verify(c, &options, fake_reader(f), &err);
    CU_ASSERT_FATAL(report != NULL);
    *steps = effort.steps;
    catalog_free(c);
    buf_free(catalog);
    fake_free(f);
    return report;
}

static const char *verdict(const json_t *report) {
    return json_string_value(json_object_get(report, "verdict"));
}

static void put_keys(struct buf *text, size_t n, const char *rule) {
    for (size_t i = 0; i < n; i++)
        buf_printf(text, "%s\"k%zu\":%s", i ? "," : "", i, rule);
}

/* An identifier used as a key. */
static uint64_t unknown_keys(size_t n) {
    struct buf text = {0};
    uint64_t steps;
    buf_str(&text, "{\"metrics\":{\"a\":{\"tags\":{}}}}");
    json_t *report = verify(&text, send_tags(n, "k", "x", true), (struct span){NULL, 0}, &steps);
    const json_t *results = json_object_get(report, "results");
    EQ_STR(verdict(report), "fail");
    EQ_INT(json_array_size(results), VERIFY_TAGS_LISTED + 1);
    char more[64];
    snprintf(more, sizeof more, "%zu more tags: are not declared", n - VERIFY_TAGS_LISTED);
    EQ_STR(json_string_value(json_object_get(json_array_get(results, VERIFY_TAGS_LISTED), "why")), more);
    json_decref(report);
    return steps;
}

static uint64_t declared_keys(size_t n) {
    struct buf text = {0};
    uint64_t steps;
    buf_str(&text, "{\"metrics\":{\"a\":{\"tags\":{");
    put_keys(&text, n, "{\"max_values\":5}");
    buf_str(&text, "}}}}");
    json_t *report = verify(&text, send_tags(n, "k", "x", true), (struct span){NULL, 0}, &steps);
    EQ_STR(verdict(report), "pass");
    json_decref(report);
    return steps;
}

/* Each series lacks most of them: counted all the same. */
static uint64_t required_keys(size_t n) {
    struct buf text = {0};
    uint64_t steps;
    buf_str(&text, "{\"tags\":{");
    put_keys(&text, n, "\"required\"");
    buf_str(&text, "},\"metrics\":{\"a\":{}}}");
    json_t *report = verify(&text, send_tags(n, "k", "x", true), (struct span){NULL, 0}, &steps);
    const json_t *first = json_array_get(json_object_get(report, "results"), 0);
    char more[32];
    snprintf(more, sizeof more, "and %zu more", n / OF_SERIES - 2); /* all series but one lack each tag */
    EQ_STR(verdict(report), "fail");
    CU_ASSERT_PTR_NOT_NULL(strstr(json_string_value(json_object_get(first, "observed")), more));
    json_decref(report);
    return steps;
}

static uint64_t listed_values(size_t n) {
    struct buf text = {0};
    uint64_t steps;
    buf_str(&text, "{\"metrics\":{\"a\":{\"tags\":{\"env\":{\"values\":[\"ci-*\"");
    for (size_t i = 0; i < n; i++)
        buf_printf(&text, ",\"v%zu\"", i);
    buf_str(&text, "]}}}}}");
    json_t *report = verify(&text, send_tags(n, "env", "v", false), (struct span){NULL, 0}, &steps);
    EQ_STR(verdict(report), "pass");
    json_decref(report);
    return steps;
}

static uint64_t ignored_keys(size_t n) {
    struct buf text = {0}, ignored = {0};
    uint64_t steps;
    buf_str(&text, "{\"metrics\":{\"a\":{\"tags\":{}}}}");
    for (size_t i = 0; i < n; i++)
        buf_printf(&ignored, "%sk%zu", i ? "," : "", i);
    json_t *report = verify(&text, send_tags(n, "k", "x", true), buf_view(&ignored), &steps);
    EQ_STR(verdict(report), "pass");
    json_decref(report);
    buf_free(&ignored);
    return steps;
}

static struct inventory *inventory_of(struct buf *text) {
    struct catalog_error wrong = {0};
    struct snapshot *s = snapshot_parse("", buf_view(text), &wrong);
    CU_ASSERT_FATAL(s != NULL);
    struct inventory *v = inventory_of_snapshot(s);
    snapshot_free(s);
    buf_free(text);
    return v;
}

static void put_metric(struct buf *text, size_t n, const char *value) {
    buf_str(text, "count a[");
    for (size_t i = 0; i < n; i++)
        buf_printf(text, "%sk%06zu:%s", i ? "," : "", i, value);
    buf_str(text, "]\n");
}

static uint64_t diff(struct buf *a, struct buf *b, const char *list, size_t n) {
    struct inventory *left = inventory_of(a), *right = inventory_of(b);
    uint64_t steps = 0;
    json_t *report = diff_report_counted(left, right, &steps);
    EQ_INT(json_array_size(json_object_get(report, list)), n);
    json_decref(report);
    inventory_free(left);
    inventory_free(right);
    return steps;
}

static uint64_t diff_of_keys(size_t n) {
    struct buf a = {0}, b = {0};
    buf_str(&a, "# statwit snapshot 1\n");
    buf_str(&b, "# statwit snapshot 1\n");
    put_metric(&a, n, "x");
    put_metric(&b, n, "y");
    return diff(&a, &b, "changed", 1);
}

/* Many names that all resemble one that has many keys. */
static uint64_t diff_of_names_and_keys(size_t n) {
    struct buf a = {0}, b = {0};
    buf_str(&a, "# statwit snapshot 1\n");
    buf_str(&b, "# statwit snapshot 1\n");
    for (size_t i = 0; i < n; i++)
        buf_printf(&a, "count app.%zu.total[z:x]\n", i);
    buf_str(&b, "count app.x.total[z:x");
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, ",k%06zu:x", i);
    buf_str(&b, "]\n");
    return diff(&a, &b, "renamed", 1);
}

static void grows_linearly(uint64_t (*steps_of)(size_t n)) {
    uint64_t few = steps_of(FEW), many = steps_of(MANY);
    if (many >= 12 * few)
        fprintf(stderr, "%llu steps for %d, %llu for %d\n", (unsigned long long)few, FEW,
                (unsigned long long)many, MANY);
    CU_ASSERT(few >= FEW);
    CU_ASSERT(many < 12 * few);
}

static void test_verify(void) {
    grows_linearly(unknown_keys);
    grows_linearly(declared_keys);
    grows_linearly(required_keys);
    grows_linearly(listed_values);
    grows_linearly(ignored_keys);
}

static void test_diff(void) {
    grows_linearly(diff_of_keys);
    grows_linearly(diff_of_names_and_keys);
}

/* What cannot be linear is refused, with the limit's number. */
static void test_limit(void) {
    struct err err = {0};
    struct effort effort = {.max = 1000};
    struct fake *f = send_tags(200, "env", "prod-", false);
    struct buf text = {0};
    buf_str(&text, "{\"metrics\":{\"a\":{\"tags\":{\"env\":{\"values\":[");
    for (size_t i = 0; i < 100; i++)
        buf_printf(&text, "%s\"%zu*\"", i ? "," : "", i);
    buf_str(&text, "]}}}}}");
    struct catalog *c = load(buf_view(&text));
    json_t *report = catalog_verify(c, &(struct verify_options){.effort = &effort}, fake_reader(f), &err);
    CU_ASSERT_PTR_NULL(report);
    CU_ASSERT(effort_is_spent(&effort));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "more than the limit of 1000 steps"));
    json_decref(report);
    catalog_free(c);
    buf_free(&text);
    fake_free(f);
}

UNIT_MAIN("catalog/growth", {"verify: keys, values, rules", test_verify}, {"diff: keys, names", test_diff},
          {"past the limit: refused by name", test_limit})
