/* One expectation, parsed: what it is about (type, name, tags) and what it claims (clauses).
 *
 * Ownership: all spans point into the arena of the parser that made it.
 * Source: statwit-expect(7).
 */
#ifndef JUDGE_LANGUAGE_EXPECTATION_H
#define JUDGE_LANGUAGE_EXPECTATION_H

#include "core/metric.h"
#include "core/pattern.h"
#include <stdint.h>

enum subject { SUBJECT_METRIC, SUBJECT_EVENT, SUBJECT_CHECK, SUBJECT_REJECT };

/* Percentiles are spelt pNN; STAT_PERCENTILE's word is only what lists of words show. */
#define STATS(X)                                                                                             \
    X(STAT_SAMPLES, "samples")                                                                               \
    X(STAT_COUNT, "count")                                                                                   \
    X(STAT_SUM, "sum")                                                                                       \
    X(STAT_LAST, "last")                                                                                     \
    X(STAT_FIRST, "first")                                                                                   \
    X(STAT_MIN, "min")                                                                                       \
    X(STAT_MAX, "max")                                                                                       \
    X(STAT_AVG, "avg")                                                                                       \
    X(STAT_MEDIAN, "median")                                                                                 \
    X(STAT_PERCENTILE, "pNN")                                                                                \
    X(STAT_DISTINCT, "distinct")                                                                             \
    X(STAT_SERIES, "series")                                                                                 \
    X(STAT_PER_SERIES, "per_series")                                                                         \
    X(STAT_EACH, "each")                                                                                     \
    X(STAT_RATE, "rate")                                                                                     \
    X(STAT_STATUS, "status")

enum stat {
#define X(id, word) id,
    STATS(X)
#undef X
        STAT_N
};
const char *stat_word(enum stat stat);
/* But for percentiles; -1: none. */
int stat_of(struct span word);

/* The last two are of texts, in conditions alone. */
enum op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_ABOUT, OP_LIKE, OP_UNLIKE, OP_N };
const char *op_word(enum op op);

struct clause {
    enum stat stat;
    double percentile; /* STAT_PERCENTILE: 0 to 100; STAT_MEDIAN: 50 */
    bool asks;         /* for the number alone: no op, no value; holds as soon as there is a number */
    enum op op;
    double value; /* STAT_STATUS: 0 ok, 1 warning, 2 critical, 3 unknown */
    bool has_tolerance;
    double tolerance;
    struct span text; /* "p95 < 500" */
};

/* What a text must be: like one of some globs, or like a regular expression. */
struct text_test {
    size_t n; /* more than one: of (a|b) */
    const struct span *globs;
    const struct pattern *regex; /* NULL: none, and the globs count */
    struct span regex_text;
};
/* *steps: counts what matching took. */
bool text_test_fits(const struct text_test *test, struct span text, uint64_t *steps);

/* One of the terms in {…} or […]. */
struct tag_term {
    bool negated;
    bool has_value;  /* else: present with any value or none */
    bool key_globs;  /* the key holds wildcards */
    struct span key; /* without the colon; "" without a value: the empty tag */
    struct text_test value;
    struct span text; /* "!env:ci-*" */
};

/* What of a record a condition looks at: the word, and in which subjects (bits of 1 << subject). */
#define FIELDS(X)                                                                                            \
    X(FIELD_VALUE, "value", 1 << SUBJECT_METRIC)                                                             \
    X(FIELD_TEXT, "text", 1 << SUBJECT_METRIC | 1 << SUBJECT_EVENT | 1 << SUBJECT_REJECT)                    \
    X(FIELD_RATE, "rate", 1 << SUBJECT_METRIC)                                                               \
    X(FIELD_UNIT, "unit", 1 << SUBJECT_METRIC)                                                               \
    X(FIELD_INTERVAL, "interval", 1 << SUBJECT_METRIC)                                                       \
    X(FIELD_PRIORITY, "priority", 1 << SUBJECT_EVENT)                                                        \
    X(FIELD_ALERT_TYPE, "alert_type", 1 << SUBJECT_EVENT)                                                    \
    X(FIELD_AGGREGATION_KEY, "aggregation_key", 1 << SUBJECT_EVENT)                                          \
    X(FIELD_SOURCE_TYPE_NAME, "source_type_name", 1 << SUBJECT_EVENT)                                        \
    X(FIELD_STATUS, "status", 1 << SUBJECT_CHECK)                                                            \
    X(FIELD_MESSAGE, "message", 1 << SUBJECT_CHECK)                                                          \
    X(FIELD_HOST, "host", 1 << SUBJECT_METRIC | 1 << SUBJECT_EVENT | 1 << SUBJECT_CHECK)                     \
    X(FIELD_DEVICE, "device", 1 << SUBJECT_METRIC)                                                           \
    X(FIELD_TIMESTAMP, "timestamp", 1 << SUBJECT_METRIC | 1 << SUBJECT_EVENT | 1 << SUBJECT_CHECK)           \
    X(FIELD_REASON, "reason", 1 << SUBJECT_REJECT)                                                           \
    X(FIELD_SOURCE, "source", 1 << SUBJECT_METRIC | 1 << SUBJECT_REJECT)

enum field {
#define X(id, word, subjects) id,
    FIELDS(X)
#undef X
        FIELD_N
};
const char *field_word(enum field field);

/* One of the conditions behind `where`: what a single record must be. */
struct condition {
    enum field field;
    enum op op;
    bool of_number; /* `number` is set: numbers are compared with it, and the status of a check */
    bool of_text;   /* `test` is set: texts are */
    struct clause number;
    struct text_test test;
    struct span text; /* "value == 5" */
};

/* What a record has in a field. */
struct field_value {
    bool is_text;
    bool known; /* of a number: it was given, and is one */
    double number;
    struct span text; /* p == NULL: not given, which is the empty text */
};
bool condition_holds(const struct condition *condition, const struct field_value *value, uint64_t *steps);

/* Keys left out when [exactly these tags] are compared. */
struct ignored {
    size_t n;
    struct span *keys;
    const struct ignored *more; /* those that hold for all sources; NULL: none */
};

struct expectation {
    struct span text; /* as written, without comment and surrounding blanks */
    struct span file; /* p == NULL: none */
    size_t line;      /* in its source, from 1 */
    bool no;
    enum subject subject;
    bool as_datadog; /* a timing is not told from what an Agent makes of it */
    bool any_type;
    enum metric_type type;
    struct span name; /* a glob, with the prefix */
    bool literal;     /* the name has no wildcard */
    bool prefixed;    /* a prefix was put before the name as written */
    bool exact;       /* [exactly these] */
    size_t n_terms;
    struct tag_term *terms;
    size_t n_conditions;
    struct condition *conditions;
    size_t n_clauses; /* 0: samples >= 1 */
    struct clause *clauses;
    const struct ignored *ignored;
};

/* Whether one value among many decides, so that the least and the greatest don't tell: a value that all must avoid (!=), or
 * that under `no` none may have (==, ~). */
bool clause_asks_between(const struct clause *c, bool no);
/* Whether it speaks of each sample by itself: `each` and `rate`. */
bool clause_is_of_one_sample(const struct clause *c);
/* Whether several clauses ask together for one and the same sample: `each` and `rate` under `no`. Without it, what holds for all
 * samples clause by clause holds for all of them together. */
bool expectation_asks_for_one(const struct expectation *e);
/* A compared number as its clause wants it: == != < <= > >= with the tolerance, ~ with a relative 1e-6, == and != of a sum, a
 * count or an average with a relative 1e-9 unless both numbers are whole. */
bool clause_holds(const struct clause *c, double observed);
/* How far from `value` an observed number may be, for == ~ and !=; 0 when there is no tolerance. */
double clause_slack(const struct clause *c, double observed);

#endif
