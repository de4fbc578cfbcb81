/* A point in a recording as people write it: a mark, an age (10s), a time (RFC 3339) or `now`.
 *
 * What was recorded since such a point has ids greater than its mark, what was recorded until then has others. Times are those at
 * which statwit received something.
 * Threads: any. Units: nanoseconds.
 */
#ifndef CORE_MOMENT_H
#define CORE_MOMENT_H

#include "core/reader.h"

#define MOMENT_WANTED "a mark, an age as 10s or 5m, a time as 2026-11-27T10:00:00Z, or now"

struct moment {
    enum { MOMENT_MARK, MOMENT_AGE, MOMENT_TIME, MOMENT_NOW } kind;
    uint64_t mark;
    int64_t ns; /* how long ago; since 1970 */
};

/* False: it is none. */
bool moment_parse(struct span text, struct moment *m);
/* Its mark in the recording that holds the session (0: of all), whose newest record is last_id and where it is now_ns. *later (may be NULL): it lies behind all that
 * is recorded. Between reader_begin and reader_end. */
int moment_mark(const struct moment *m, struct reader *r, uint64_t session_id, int64_t now_ns,
                uint64_t last_id, uint64_t *mark, bool *later, struct err *err);

/* "200ms", "5s", "1.5h", "7d" in nanoseconds; "0" needs no unit. -1: none. */
int64_t moment_parse_length(struct span text);
/* "2026-11-27T10:00:00.5Z", with `+01:00` or a blank instead of the T. False: none. */
bool moment_parse_time(struct span text, int64_t *wall_ns);

#endif
