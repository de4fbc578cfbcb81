/* What Datadog does to what was sent, and what it costs: the rules of rules.h over a recording.
 *
 * Pure: looks at the recording only through its reader, between reader_begin and reader_end.
 * Ownership: the report is a new reference, of the shape that findings.h describes; one result for each rule and metric (or
 * tag) that it concerns.
 * Errors: NULL with err. Verdicts: errors fail, warnings and notes do so only when `strict`; a clean recording with losses is
 * inconclusive.
 * Source: rules.h; normalize.h.
 */
#ifndef CATALOG_LINT_H
#define CATALOG_LINT_H

#include "catalog/catalog.h"
#include "catalog/effort.h"
#include "catalog/findings.h"

struct lint_options {
    struct scope scope;
    const struct catalog *catalog; /* whose "silence" lists hold; NULL: none */
    uint64_t silenced;             /* bit 1 << enum lint_rule */
    bool strict;
    struct effort *effort; /* counts the work; NULL: the usual limit, counted by itself */
};

json_t *catalog_lint(const struct lint_options *options, struct reader *reader, struct err *err);

#endif
