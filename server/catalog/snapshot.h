/* The canonical text of what a session recorded, to be kept beside a test:
 *
 *     # statwit snapshot 1: counts values mask=user_id
 *     count login.attempt[env:ci,user_id:*] samples == 2 and sum == 2
 *     gauge tasks.depth[] samples == 1 and last == 42
 *
 * One line for each series, in order of name, type and tags; counts and values only on request. Tag values that look
 * like identifiers, the host, and the keys of `mask` are shown as `*`, and series that are then equal as one. The
 * client's own telemetry is left out. A name or tag that holds blanks, quotes, brackets, braces or control characters is
 * written as a JSON string.
 *
 * Ownership: snapshot_free gives back what was parsed.
 * Threads: any.
 * Errors: struct catalog_error with line and column for a file that is none, or holds merge-conflict markers.
 */
#ifndef CATALOG_SNAPSHOT_H
#define CATALOG_SNAPSHOT_H

#include "catalog/error.h"
#include "catalog/findings.h"
#include "catalog/memory.h"

#define SNAPSHOT_MAX ((size_t)64 << 20) /* bytes of a file */

struct snapshot_options {
    struct scope scope; /* since: only without counts and values, which are of a whole session */
    bool counts, values;
    struct span mask; /* "user_id,request_id" */
};

struct snapshot_line {
    enum metric_type type;
    struct span name;
    size_t n_tags;
    struct span *tags;  /* sorted */
    struct span series; /* the line without its numbers */
    struct span numbers;
    bool has_samples;
    double samples;
    size_t line;
};

struct snapshot {
    struct arena arena;
    struct snapshot_options options; /* as its first line has them */
    size_t n;
    struct snapshot_line *lines; /* in order */
};

/* -1 with err (the reader's, or out of memory). */
int snapshot_write(const struct snapshot_options *options, struct reader *reader, struct buf *out,
                   struct err *err);
struct snapshot *snapshot_parse(const char *file, struct span text, struct catalog_error *error);
void snapshot_free(struct snapshot *s);

/* What is recorded now against the snapshot, taken in the way the snapshot was: a report (findings.h) that has also
 * "snapshot": the text of now, and "diff": lines with - and +. What is there and should not be fails; what is missing
 * fails only when nothing was lost. `file` is for the places in the report. */
json_t *snapshot_check(const struct snapshot *expected, const char *file, const struct scope *scope,
                       struct reader *reader, struct err *err);

#endif
