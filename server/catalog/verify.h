/* A recording against a catalog.
 *
 * Pure: looks at the recording only through its reader, between reader_begin and reader_end.
 * Ownership: the report is a new reference, of the shape that findings.h describes.
 * Errors: NULL with err (the reader's, or out of memory). Verdicts: what was seen and is not allowed fails, whatever was lost.
 * That nothing else is there, and that a declared metric is missing, are claims of absence: with a loss they are inconclusive.
 * `datadog.dogstatsd.client.*` need not be declared. A timing, histogram or distribution is also met by what an aggregating
 * client makes of it (NAME.avg, …), and the other way round.
 * Source: statwit-catalog(5), schema/protocol/dogstatsd.md section 7.3; statwit-catalog(5).
 * Limits: EFFORT_MAX steps: an error that names the limit.
 */
#ifndef CATALOG_VERIFY_H
#define CATALOG_VERIFY_H

#include "catalog/catalog.h"
#include "catalog/effort.h"
#include "catalog/findings.h"

#define VERIFY_TAGS_LISTED 100 /* of one entry and rule; the others are one result that says how many */

#define VERIFY_RULES(X)                                                                                      \
    X(VERIFY_UNDECLARED, "undeclared")                                                                       \
    X(VERIFY_NEVER_SEEN, "never-seen")                                                                       \
    X(VERIFY_DEPRECATED, "deprecated")                                                                       \
    X(VERIFY_WRONG_TYPE, "wrong-type")                                                                       \
    X(VERIFY_WRONG_UNIT, "wrong-unit")                                                                       \
    X(VERIFY_MISSING_TAG, "missing-tag")                                                                     \
    X(VERIFY_UNKNOWN_TAG, "unknown-tag")                                                                     \
    X(VERIFY_FORBIDDEN_TAG, "forbidden-tag")                                                                 \
    X(VERIFY_TAG_VALUE, "tag-value")                                                                         \
    X(VERIFY_TOO_MANY_VALUES, "too-many-values")                                                             \
    X(VERIFY_VALUE_RANGE, "value-range")                                                                     \
    X(VERIFY_SAMPLE_RATE, "sample-rate")                                                                     \
    X(VERIFY_TOO_MANY_SERIES, "too-many-series")                                                             \
    X(VERIFY_NEAR_LIMIT, "near-limit")                                                                       \
    X(VERIFY_REFUSED, "refused")

enum verify_rule {
#define X(id, word) id,
    VERIFY_RULES(X)
#undef X
        VERIFY_N
};

struct verify_options {
    struct scope scope;
    struct span prefix;      /* stands before every name in the recording, not in the catalog */
    struct span ignore_tags; /* "env,host": keys that are not looked at */
    double near;           /* tell of what reached this share of max_series or max_values; 0: no such notes */
    bool strict;           /* a declared metric that was never seen fails, and a refused line of one */
    struct effort *effort; /* counts the work; NULL: the usual limit, counted by itself */
};

json_t *catalog_verify(const struct catalog *c, const struct verify_options *options, struct reader *reader,
                       struct err *err);

#endif
