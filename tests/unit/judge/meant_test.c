/* What people write who come from another tool, or think in English: each is refused with what is likely to be meant. */
#include "judge/language/parse.h"
#include "unit.h"

#include <stdio.h>

static struct judge_error error;

static int parse(const char *text) {
    struct judge_source source = {.text = span_str(text)};
    static const struct judge_options none;
    struct parsed parsed = {.within_ms = -1};
    memset(&error, 0, sizeof error);
    int result = parse_source(&parsed, &source, &none, &error);
    parsed_free(&parsed);
    return result;
}

/* clang-format off */
static const struct {
    const char *text, *says;
} look_alikes[] = {
    {"event a where message == b", "did you mean 'text'?"},
    {"check a where text == b", "did you mean 'message'?"},
    {"incr a where tags == b", "name and tags stand before 'where'"},
    {"incr a where name == b", "name and tags stand before 'where'"},
    {"incr a where (value == 5)", "conditions stand without parentheses"},
    {"incr a where not value == 5", "as in 'value != 5'"},
    {"incr a where !value == 5", "as in 'value != 5'"},
    {"incr a where value == 1 where rate == 1", "'where' stands once: join its conditions with 'and'"},
    {"set a where value == 'b'", "a text stands in double quotes, found ''b''"},
    {"event a where text == it failed", "a text that holds blanks stands in double quotes"},
    {"event Deploy finished", "a name that holds blanks stands in double quotes"},
    {"event 'Deploy finished'", "a name that holds blanks stands in double quotes"},
    {"timing a percentile95 < 1", "did you mean 'p95'?"},
    {"timing a 95p < 1", "did you mean 'p95'?"},
    {"timing a 99.9th < 1", "did you mean 'p99.9'?"},
    {"timing a p < 1", "did you mean 'p95'?"},
    {"incr a 5", "did you mean 'sum'?"},
    {"gauge a 5", "did you mean 'last', or 'where value'?"},
    {"incr a once", "did you mean 'samples'?"},
    {"incr a sum === 1", "did you mean '=='?"},
    {"incr a sum !== 1", "did you mean '!='?"},
    {"incr a sum: 1", "did you mean '=='?"},
    {"incr a sum ≥ 1", "did you mean '>='?"},
    {"incr a sum between 1 and 2", "did you mean '>= … and … <='?"},
    {"incr a sum in 1..2", "did you mean '>= … and … <='?"},
    {"incr a sum == 1,5", "did you mean 1.5?"},
    {"incr a sum == 1,000,000", "did you mean 1000000?"},
    {"incr a{b:c}{d:e}", "the tags stand once, in one pair of brackets"},
    {"incr a{b:c} [d]", "the tags stand once, in one pair of brackets"},
    {"login.attempt sum == 1", "a type stands before the name, 'any' where it does not matter"},
    {"sum incr a == 1", "a stat stands behind the name"},
    {"histo a", "did you mean 'histogram'?"},
    {"servicecheck a", "did you mean 'check'?"},
    {"incr a{b :c}", "a blank before ':' is part of the key: write b:"},
    {"incr a{b:c d:e}", "a ',' stands between two tags"},
    {"incr a{'b':'c'}", "a tag stands in double quotes, or in none: write b"},
    {"incr a{b:'c'}", "a value stands in double quotes, or in none: write b:c"},
    {"incr a{\"b\":\"c\"}", "key and value stand in one pair of double quotes, or in none: write b:"},
    {"incr a{!!b}", "one '!' negates a tag"},
    {"incr a{not b}", "a tag is negated by '!': write !b"},
    {"incr a{no b:c}", "a tag is negated by '!': write !b"},
    {"incr a{b:!c}", "'!' stands before the key: write !b:c"},
    {"incr a{b:(c,d)}", "'|' stands between values in parentheses, found 'c,d'"},
    {"incr a{b:==c}", "write b:c, or quote the value"},
    {"incr a{!b=c}", "write !b:c"},
};

/* A guess that only the letters suggest is worse than none. */
static const struct {
    const char *text, *never;
} no_guess[] = {
    {"incr a where value == 1 and name == 2", "did you mean"},
    {"incr a sum == 1 and and count == 1", "did you mean"},
    {"sum a", "did you mean"},
    {"incr a where value in 1", "=~"},
    {"incr a where not value == 1", "did you mean"},
};

/* In quotes each of them is itself. */
static const char *const meant_so[] = {
    "incr a{b:\"c d:e\"}",
    "incr a{b:\"'c'\"}",
    "incr a{\"'b':'c'\"}",
    "incr a{b:\"!c\"}",
    "incr a{\"!!b\"}",
    "incr a{\"not b\"}",
    "incr a{b:(\"c,d\")}",
    "incr a{b:\"=c\"}",
    "incr a{\"b :c\"}",
    "set a where value == \"'b'\"",
    "incr a{b:us east}",
    "incr a{notice,nob}",
    "incr a{b:it's}",
};
/* clang-format on */

static void test_look_alikes(void) {
    for (size_t i = 0; i < sizeof look_alikes / sizeof look_alikes[0]; i++) {
        bool refused = parse(look_alikes[i].text) != 0;
        bool right = refused && strstr(error.message, look_alikes[i].says);
        if (!right)
            fprintf(stderr, "%s:\n  %s\n", look_alikes[i].text, refused ? error.message : "accepted");
        CU_ASSERT(right);
    }
}

static void test_no_guess(void) {
    for (size_t i = 0; i < sizeof no_guess / sizeof no_guess[0]; i++) {
        bool refused = parse(no_guess[i].text) != 0;
        bool right = refused && !strstr(error.message, no_guess[i].never);
        if (!right)
            fprintf(stderr, "%s:\n  %s\n", no_guess[i].text, refused ? error.message : "accepted");
        CU_ASSERT(right);
    }
}

static void test_quoted(void) {
    for (size_t i = 0; i < sizeof meant_so / sizeof meant_so[0]; i++) {
        bool accepted = parse(meant_so[i]) == 0;
        if (!accepted)
            fprintf(stderr, "%s:\n  %s\n", meant_so[i], error.message);
        CU_ASSERT(accepted);
    }
}

UNIT_MAIN("judge/meant", {"look-alikes are refused with what is meant", test_look_alikes},
          {"a guess that only the letters suggest is not made", test_no_guess},
          {"in quotes each of them is itself", test_quoted})
