#include "store/sqlite/vals.h"

#include "unit.h"
#include <math.h>
#include <stdio.h>

static void expect_text(enum metric_type type, struct value value, const char *want) {
    struct buf b = {0};
    vals_put(&b, type, &value);
    EQ_STR(b.p, want);
    buf_free(&b);
}

static void writes(void) {
    expect_text(METRIC_COUNT, (struct value){.number = 1.5, .text = SPAN("1.50")},
                "1.50"); /* as on the wire */
    expect_text(METRIC_COUNT, (struct value){.number = 16, .text = SPAN("0x1p4")},
                "16"); /* unless JSON has no such number */
    expect_text(METRIC_COUNT, (struct value){.number = 0.5, .text = SPAN(".5")}, "0.5");
    expect_text(METRIC_GAUGE, (struct value){.number = -2, .timestamp = 7}, "[7,-2]");
    expect_text(METRIC_GAUGE, (struct value){.number = 1e300, .timestamp = INT64_MIN},
                "[-9223372036854775808,1e+300]");
    expect_text(METRIC_SET, (struct value){.text = span_of("a\0\"\\\n\xff", 6)},
                "\"a\\u0000\\\"\\\\\\n\xff\"");
    expect_text(METRIC_SET, (struct value){.text = SPAN("")}, "\"\"");
    int32_t keys[] = {-1, 5};
    uint32_t counts[] = {1, 2};
    struct sketch sketch = {.count = 3,
                            .sum = NAN,
                            .min = -INFINITY,
                            .max = 2,
                            .avg = 1,
                            .n_bins = 2,
                            .keys = keys,
                            .counts = counts};
    expect_text(
        METRIC_DISTRIBUTION, (struct value){.number = 1, .sketch = &sketch},
        "{\"ts\":0,\"n\":3,\"sum\":null,\"min\":-1e999,\"max\":2,\"avg\":1,\"k\":[-1,5],\"c\":[1,2]}");
    sketch.n_bins = 0;
    expect_text(METRIC_DISTRIBUTION, (struct value){.number = 1, .sketch = &sketch, .timestamp = 9},
                "{\"ts\":9,\"n\":3,\"sum\":null,\"min\":-1e999,\"max\":2,\"avg\":1,\"k\":[],\"c\":[]}");
}

static void reads(void) {
    struct vals_reader r = {0};
    vals_start(&r, SPAN("{\"0\":1.5,\"3\":[9,2],\"65535\":\"x\\u0000\\/\"}"), 0);
    EQ_INT(vals_next(&r), 1);
    EQ_INT(r.offset, 0);
    CU_ASSERT(r.value.number == 1.5);
    EQ_INT(vals_next(&r), 1);
    EQ_INT(r.offset, 3);
    EQ_INT(r.value.timestamp, 9);
    CU_ASSERT(r.value.number == 2);
    EQ_INT(vals_next(&r), 1);
    EQ_INT(r.offset, 65535);
    EQ_SPAN(r.value.text, span_of("x\0/", 3));
    EQ_INT(vals_next(&r), 0);
    vals_start(&r, SPAN("{\"0\":[1.5,[9,2]],\"17\":[\"x\",-3]}"), 3);
    static const uint64_t offsets[] = {0, 3, 17, 20};
    static const double numbers[] = {1.5, 2, 0, -3};
    for (size_t i = 0; i < 4; i++) {
        EQ_INT(vals_next(&r), 1);
        EQ_INT(r.offset, offsets[i]);
        EQ_INT(r.value.timestamp, i == 1 ? 9 : 0);
        CU_ASSERT(r.value.number == numbers[i]);
        if (i == 2)
            EQ_SPAN(r.value.text, SPAN("x"));
    }
    EQ_INT(vals_next(&r), 0);
    vals_start(&r, SPAN("-0"), 0);
    EQ_INT(vals_next(&r), 1);
    CU_ASSERT(r.value.number == 0 && signbit(r.value.number));
    EQ_INT(vals_next(&r), 0);
    vals_free(&r);
}

/* To its end, one by one or several at once, in memory that ends where the text does, so that the sanitizer sees an overread. */
static int read_all(struct span text, int64_t step, bool at_once, size_t *n) {
    struct vals_reader r = {0};
    char *exact = malloc(text.n ? text.n : 1);
    double numbers[7];
    int got = 1;
    memcpy(exact, text.p, text.n);
    vals_start(&r, span_of(exact, text.n), step);
    for (*n = 0; got == 1; *n += got == 1) {
        for (size_t some = 1; at_once && some > 0; *n += some)
            some = vals_numbers(&r, 7, numbers);
        got = vals_next(&r);
    }
    vals_free(&r);
    free(exact);
    return got;
}

static void expect_refused_by(const char *text, int64_t step, bool at_once) {
    size_t n;
    int got = read_all(span_str(text), step, at_once, &n);
    if (got != -1)
        fprintf(stderr, "accepted with step %lld: %s\n", (long long)step, text);
    EQ_INT(got, -1);
}

static void expect_refused(const char *text, int64_t step) {
    expect_refused_by(text, step, false);
    expect_refused_by(text, step, true);
}

static void refuses(void) {
    static const char *const bad[] = {
        "",
        "{",
        "{\"0\"",
        "{\"0\":",
        "{\"0\":1",
        "{\"0\":1,",
        "{\"0\":1}x",
        "{\"x\":1}",
        "{\"-1\":1}",
        "{0:1}",
        "\"",
        "\"a",
        "\"\\",
        "\"\\u00",
        "\"\\u1234\"",
        "\"\\x\"",
        "[",
        "[1",
        "[1,",
        "[1,2",
        "[x,2]",
        "1x",
        "nul",
        "{\"0\":{}}",
        "{\"0\":{\"ts\":0,\"n\":1,\"sum\":1,\"min\":1,\"max\":1,\"avg\":1,\"k\":[1],\"c\":[]}}",
        "{\"99999999999999999999\":1}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect_refused(bad[i], 0);
    expect_refused_by("{\"1\":1,\"1\":2}", 0, false); /* at once nobody looks */
    expect_refused_by("{\"2\":1,\"1\":2}", 0, false);
    static const char *const bad_runs[] = {
        "",
        "1",
        "[1,2]",
        "{",
        "{}",
        "{\"0\"",
        "{\"0\":",
        "{\"0\":1}",
        "{\"0\":[",
        "{\"0\":[]}",
        "{\"0\":[1",
        "{\"0\":[1,",
        "{\"0\":[1]",
        "{\"0\":[1]]",
        "{\"0\":[1},",
        "{\"0\":[1]}x",
        "{\"0\":[1],}",
        "{\"0\":[1],2}",
        "{\"0\":[1],[2]}",
        "{\"0\":[1,2],\"3\":[1]}", /* 3 is taken */
        "{\"0\":[1],\"0\":[1]}",
        "{\"5\":[1],\"4\":[1]}",
        "{\"x\":[1]}",
        "{\"0\":[[1]]}",
        "{\"0\":[{}]}",
        "{\"0\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30],\"3\":[1,2,3,4,5,6,7]}",
        "{\"0\":[\"abc]}",
    };
    for (size_t i = 0; i < sizeof bad_runs / sizeof bad_runs[0]; i++)
        expect_refused(bad_runs[i], 3);
    static const int64_t bad_steps[] = {-1, INT64_MIN, INT64_MAX, INT64_C(1) << 32};
    for (size_t i = 0; i < sizeof bad_steps / sizeof bad_steps[0]; i++) {
        expect_refused("{\"0\":[1,2]}", bad_steps[i]);
        expect_refused("{\"0\":1}", bad_steps[i]);
        expect_refused("1", bad_steps[i]);
    }
}

/* Whatever stands there, reading it ends, and within its bytes. What is cut off is never taken for whole. */
static void any_bytes(void) {
    static const char some[] = "0123456789.,-+eE[]{}:\"nulx\\ ";
    unsigned seed = 11;
    for (int step = 0; step < 2; step++) {
        struct buf b = {0};
        buf_str(&b, "{");
        for (int i = 0; i < 24; i++) {
            buf_printf(&b,
                       step && i % 6 ? ","
                       : step        ? "%s\"%d\":["
                                     : "%s\"%d\":",
                       i == 0 ? ""
                       : step ? "],"
                              : ",",
                       100 * i);
            buf_printf(&b,
                       i % 5 == 1 ? "[170000000%d,%g]"
                       : i == 13  ? "\"%d]\\n%g\""
                                  : "%d%g",
                       i % 10, i * 1.25);
        }
        buf_str(&b, step ? "]}" : "}");
        size_t n;
        for (int at_once = 0; at_once < 2; at_once++) {
            EQ_INT(read_all(buf_view(&b), step, at_once, &n), 0);
            EQ_INT(n, 24);
            for (size_t i = 0; i < b.n; i++)
                EQ_INT(read_all(span_of(b.p, i), step, at_once, &n), -1);
        }
        for (int i = 0; i < 20000; i++) {
            size_t at = (size_t)rand_r(&seed) % b.n, more = (size_t)rand_r(&seed) % b.n;
            char was = b.p[at], other = b.p[more];
            b.p[at] = some[(size_t)rand_r(&seed) % (sizeof some - 1)];
            b.p[more] = i % 3 ? other : (char)rand_r(&seed);
            int got = read_all(buf_view(&b), rand_r(&seed) % 4 ? step : 1 - step, i % 2, &n);
            CU_ASSERT(n <= b.n && (got == 0 || got == -1));
            b.p[more] = other;
            b.p[at] = was;
        }
        buf_free(&b);
    }
}

UNIT_MAIN("store/vals", {"writes", writes}, {"reads", reads}, {"refuses what it did not write", refuses},
          {"any bytes", any_bytes})
