/* A timestamp of a client that lies where Datadog takes none: lint tells of it, and the store counts such samples as they come.
 *
 * Units: seconds since 1970; received_at nanoseconds since 1970.
 * Source: Datadog takes points from an hour ago to ten minutes ahead, events from eighteen hours ago.
 */
#ifndef CORE_STRAY_H
#define CORE_STRAY_H

#include <stdint.h>

#define STRAY_POINT_OLD_S    3600
#define STRAY_EVENT_OLD_S    (18 * 3600)
#define STRAY_AHEAD_S        600
#define STRAY_MILLISECONDS_S INT64_C(100000000000) /* the year 5138 in seconds, 1973 in milliseconds */

/* A recording keeps these numbers. */
enum stray { STRAY_NONE, STRAY_MILLISECONDS, STRAY_PAST, STRAY_AHEAD };
#define STRAY_KINDS 3

/* old_s: how far in the past it may lie. */
static inline enum stray stray_of(int64_t timestamp, int64_t received_at, int64_t old_s) {
    int64_t now = received_at / INT64_C(1000000000);
    if (timestamp > STRAY_MILLISECONDS_S)
        return STRAY_MILLISECONDS;
    return timestamp < now - old_s ? STRAY_PAST : timestamp > now + STRAY_AHEAD_S ? STRAY_AHEAD : STRAY_NONE;
}

#endif
