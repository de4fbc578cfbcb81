/* One expectation, parsed: what it is about (type, name, tags) and what it claims (clauses).
 *
 * Ownership: all spans point into the arena of the parser that made it.
 * Source: statwit-expect(7).
 */
#ifndef JUDGE_LANGUAGE_EXPECTATION_H
#define JUDGE_LANGUAGE_EXPECTATION_H

#include "core/metric.h"
#include <stdint.h>

enum subject { SUBJECT_METRIC, SUBJECT_EVENT, SUBJECT_CHECK };

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

enum op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_ABOUT, OP_N };
const char *op_word(enum op op);

struct clause {
    enum stat stat;
    double percentile; /* STAT_PERCENTILE: 0 to 100; STAT_MEDIAN: 50 */
    enum op op;
    double value; /* STAT_STATUS: 0 ok, 1 warning, 2 critical, 3 unknown */
    bool has_tolerance;
    double tolerance;
    struct span text; /* "p95 < 500" */
};

/* One of the terms in {…} or […]. */
struct tag_term {
    bool negated;
    bool has_value;    /* else: present with any value or none */
    struct span key;   /* without the colon */
    struct span value; /* a glob */
    struct span text;  /* "!env:ci-*" */
};

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
    bool any_type;
    enum metric_type type;
    struct span name; /* a glob, with the prefix */
    bool literal;     /* the name has no wildcard */
    bool prefixed;    /* a prefix was put before the name as written */
    bool exact;       /* [exactly these] */
    size_t n_terms;
    struct tag_term *terms;
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
