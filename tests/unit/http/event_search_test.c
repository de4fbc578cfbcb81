/* The search syntax of events and their times. Each text ends where its allocation ends, so that a sanitizer sees an overread. */
#include "api/event_search.h"

#include "api/event_time.h"
#include "api/query/query.h"
#include "api/query/scope.h"
#include "unit.h"

#include <stdlib.h>

static const struct span tags[] = {{"env:dev", 7}, {"team:front_end", 14}};

static const struct event_row row = {.received_at = 1700000000000000000,
                                     .event = {.title = {"Deploy two", 10},
                                               .text = {"rolled back, sadly\xff", 19},
                                               .alert_type = {"error", 5},
                                               .source_type_name = {"jenkins", 7},
                                               .aggregation_key = {"Key", 3},
                                               .origin = {.host = {"Web-1", 5}}}};

static char *copy_of(const char *text, size_t n) {
    char *copy = malloc(n ? n : 1);
    memcpy(copy, text, n);
    return copy;
}

/* 1: it holds, 0: not, -1: it cannot be read. */
static int holds(const char *query, size_t n, char why[128]) {
    struct arena arena = {.max = 16 << 20};
    char *copy = copy_of(query, n);
    struct event_search *s = event_search_read(&arena, span_of(copy, n), why, 128);
    int result = why[0] ? -1 : event_search_holds(s, &row, 2, tags);
    arena_free(&arena);
    free(copy);
    return result;
}

static void test_queries(void) {
    static const struct {
        const char *query;
        int holds;
    } cases[] = {
        {"", 1},
        {"  ", 1},
        {"*", 1},
        {"deploy", 1},
        {"DEPLOY TWO", 1},
        {"ploy", 0},
        {"depl*", 1},
        {"two three", 0},
        {"two OR three", 1},
        {"two or three", 0}, /* small letters are words */
        {"NOT three", 1},
        {"-three -two", 0},
        {"--three", 0},
        {"\"rolled back\"", 1},
        {"\"rolled\\\" back\"", 0},
        {"sadly\xff", 1},
        {"env:dev", 1},
        {"env:(prod OR d?v)", 1},
        {"env:(prod OR NOT dev)", 0},
        {"env:-dev", 0},
        {"tags:env\\:dev", 1},
        {"team:\"Front End\"", 1},
        {"source:JENKINS", 1},
        {"host:web-*", 1},
        {"@hostname:web-1", 1},
        {"status:error priority:normal", 1},
        {"status:info", 0},
        {"@aggregation_key:key", 1},
        {"@title:deploy", 1},
        {"@evt.id:1", 0},
        {"(env:dev)", 1},
        {"((env:dev) AND (NOT (env:prod OR three)))", 1},
        {"a AND", -1},
        {"AND", 0}, /* no operand on the left: a word */
        {"(", -1},
        {")", -1},
        {"()", -1},
        {"env:", -1},
        {"env:(", -1},
        {"env:(dev", -1},
        {"\"", -1},
        {"\\", 0},
        {"-", -1},
        {"NOT", -1},
        {"a OR", -1},
        {"@nope:1", -1},
        {"size:>1", -1},
        {"size:[1 TO 2]", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char why[128];
        int got = holds(cases[i].query, strlen(cases[i].query), why);
        if (got != cases[i].holds)
            fprintf(stderr, "%s: %d %s\n", cases[i].query, got, why);
        EQ_INT(got, cases[i].holds);
    }
}

/* Every beginning of a query, and every byte in the middle of one. */
static void test_cut_and_odd_bytes(void) {
    static const char query[] = "deploy \"rolled back\" source:(chef OR jenkins) -env:p* AND (NOT status:ok)";
    char why[128], copy[sizeof query];
    EQ_INT(holds(query, sizeof query - 1, why), 1);
    for (size_t n = 0; n < sizeof query - 1; n++)
        holds(query, n, why);
    for (size_t i = 0; i < sizeof query - 1; i++)
        for (int byte = 0; byte < 256; byte++) {
            memcpy(copy, query, sizeof query);
            copy[i] = (char)byte;
            holds(copy, sizeof query - 1, why);
        }
}

static void test_limits(void) {
    size_t n = EVENT_SEARCH_TEXT_MAX + 1;
    char *text = malloc(n), why[128];
    memset(text, '(', n);
    EQ_INT(holds(text, n, why), -1);
    EQ_STR(why, "statwit reads at most 32768 bytes");
    EQ_INT(holds(text, n - 1, why), -1);
    CU_ASSERT(strstr(why, "at most 64 levels") != NULL);
    memset(text, '-', n);
    EQ_INT(holds(text, n - 1, why), -1);
    for (size_t i = 0; i < n; i++)
        text[i] = i % 2 ? ' ' : 'a';
    EQ_INT(holds(text, n - 1, why), -1);
    CU_ASSERT(strstr(why, "at most 512 words") != NULL);
    EQ_INT(holds(text, 2 * 512 - 1, why), 0);
    memset(text, 'a', n);
    EQ_INT(holds(text, n - 1, why), 0);
    free(text);
}

static void test_times(void) {
    static const int64_t now = 1700000000500000000;
    static const struct {
        const char *text;
        int64_t ns; /* -1: it is no time */
    } cases[] = {
        {"now", now},
        {"now-15m", now - 900000000000},
        {"now-1w", now - 604800000000000},
        {"now+2s", now + 2000000000},
        {"now-0d", now},
        {"1700000000123", 1700000000123000000},
        {"0", 0},
        {"2023-11-14T22:13:20Z", 1700000000000000000},
        {"2023-11-14T23:13:20.25+01:00", 1700000000250000000},
        {"2023-11-14T21:13:20-0100", 1700000000000000000},
        {"2023-11-14 22:13:20z", 1700000000000000000},
        {"", -1},
        {"now-", -1},
        {"now-m", -1},
        {"now-1y", -1},
        {"now--1m", -1},
        {"now-1h30m", -1},
        {"now-99999999999999999999d", -1},
        {"now-99999999999d", -1},
        {"later", -1},
        {"-1", -1},
        {"9223372036854775807", -1},
        {"9999-12-31T23:59:59Z", -1},
        {"2023-11-14", -1},
        {"2023-13-14T22:13:20Z", -1},
        {"2023-11-14T22:13:20", -1},
        {"2023-11-14T22:13:20+1", -1},
        {"2023-11-14T22:13:20Zx", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n = strlen(cases[i].text);
        char *copy = copy_of(cases[i].text, n);
        int64_t got = -1;
        bool ok = event_time_read(span_of(copy, n), now, &got);
        if (!ok)
            got = -1;
        if (got != cases[i].ns)
            fprintf(stderr, "%s: %lld\n", cases[i].text, (long long)got);
        EQ_INT(got, cases[i].ns);
        free(copy);
    }
}

static void test_filters_of_tags(void) {
    static const struct {
        const char *text;
        int holds;
    } cases[] = {
        {"env:dev", 1},
        {"ENV:Dev,team:front*", 1},
        {"env:dev AND NOT team:front_end", 0},
        {"env IN (prod, dev)", 1},
        {"*", 1},
        {" env:dev ", 1},
        {"env:dev}", -1},
        {"env:dev} by {x", -1},
        {"", -1},
        {"(", -1},
        {"a OR b,c", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena = {.max = 16 << 20};
        struct query_error error = {0};
        const struct query_scope *scope;
        struct query_series series = {.n_tags = 2, .tags = tags};
        size_t n = strlen(cases[i].text);
        char *copy = copy_of(cases[i].text, n);
        int got = query_scope_read(&arena, span_of(copy, n), &scope, &error) == 0
                      ? query_scope_holds(scope, &series)
                      : -1;
        if (got != cases[i].holds)
            fprintf(stderr, "%s: %d %s\n", cases[i].text, got, error.text);
        EQ_INT(got, cases[i].holds);
        arena_free(&arena);
        free(copy);
    }
}

UNIT_MAIN("http/event_search", {"queries", test_queries}, {"cut texts and odd bytes", test_cut_and_odd_bytes},
          {"limits", test_limits}, {"times", test_times}, {"filters of tags", test_filters_of_tags})
