/* The findings of verify, lint and a snapshot's check, as a report of the same shape as the judge's
 * (judge/judge.h), so that the same text, JUnit, TAP and annotations come of it:
 *
 *     {"verdict",
 *      "results": [{"expectation", "verdict", "observed", "why", "closest": […],
 *                   "file"?, "line"?, "rule"?, "severity"?, "name"?}],
 *      "losses": […], "omitted": N, "earlier"?: N,
 *      "counts": {"pass", "fail", "inconclusive", "error", "warning", "note"}, "summary"}
 *
 * A result with a severity other than "error" did not make the verdict fail.
 *
 * Ownership: findings_report hands out the report; findings_free gives back the rest.
 * Errors: `failed` is sticky: out of memory.
 * Limits: FINDINGS_MAX results are listed, those that did not pass first; the rest is counted in "omitted".
 */
#ifndef CATALOG_FINDINGS_H
#define CATALOG_FINDINGS_H

#include "catalog/rules.h"
#include "core/reader.h"
#include "judge/judge.h"

#define FINDINGS_MAX 10000

/* The part of a recording that is looked at. */
struct scope {
    struct span session; /* the default one when p == NULL; EVERY_SESSION: all */
    uint64_t since;      /* only what was recorded later */
    bool since_given;    /* by the question itself */
    bool as_datadog;     /* the reader shows what Datadog has */
    struct span name;    /* glob: the answer tells of these metrics alone; p == NULL: of all */
    uint64_t earlier;    /* records that `since` leaves out without being asked to: the answer tells */
    uint64_t unsaved;    /* samples lost that the recording could not even tell of */
};
struct table;
/* To read; p == NULL: all. */
struct span scope_session(const struct scope *scope);
/* Whether the row is the first of its series: the same series in several sessions counts once. -1: out of memory. `seen` holds
 * what came before; table_free. */
int scope_first(const struct scope *scope, struct table *seen, const struct series_row *row);
/* Whether a series belongs to it. */
bool scope_holds(const struct scope *scope, const struct series_row *row);
/* Whether the answer tells of a metric of this name (p == NULL: of none). */
bool scope_tells(const struct scope *scope, struct span name);

struct catalog_finding {
    enum verdict verdict;
    enum severity severity; /* errors may fail; others never do */
    const char *rule;       /* NULL: none */
    struct span expectation, observed, why;
    struct span name;    /* the metric's */
    struct span closest; /* a name; p == NULL: none */
    const char *file;    /* NULL or "": none */
    size_t line;
};

struct table;
struct findings {
    struct scope scope;
    json_t *passed, *others, *losses;
    struct table *by_loss; /* a loss with its detail, by hash, to its place in losses */
    uint64_t lost;
    bool in_doubt;        /* whether something was */
    size_t counts[3];     /* by verdict; what only warns counts as a pass */
    size_t severities[3]; /* of those that are no pass, or only warn */
    size_t omitted;
    uint64_t series;             /* looked at: for the summary */
    size_t n_held;               /* what they were held to: rules, declared metrics; 0: not told */
    const char *one_held, *held; /* "rule", "rules" */
    bool failed;
};

/* Reads the losses of the scope, also those that clients tell of themselves. */
int findings_start(struct findings *f, const struct scope *scope, struct reader *reader, struct err *err);
/* What a claim that something is absent, or that nothing else is there, comes to: a pass (or a failure
 * `when_complete`) only if nothing was lost, and a failure only if there is no doubt of that. */
enum verdict findings_absence(const struct findings *f, enum verdict when_complete);
/* Unless the scope does not tell of its name. */
void findings_add(struct findings *f, const struct catalog_finding *finding);
/* The report; new reference. NULL with err when out of memory. */
json_t *findings_report(struct findings *f, struct err *err);
void findings_free(struct findings *f);

#endif
