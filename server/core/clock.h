/* The two clocks. Units: nanoseconds. Threads: any.
 *
 * Wall time labels what was received; it may jump and is never used to measure. Monotonic time measures and waits.
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S  1000000000LL
#define NS_PER_MS 1000000LL

static inline int64_t clock_ns(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static inline int64_t clock_wall_ns(void) {
    return clock_ns(CLOCK_REALTIME);
}

static inline int64_t clock_mono_ns(void) {
    return clock_ns(CLOCK_MONOTONIC);
}

/* "2026-11-22T23:11:47.000000001Z": RFC 3339, UTC, always nine decimals and 30 bytes, for years 0 to 9999. */
#define CLOCK_RFC3339_SIZE 31
void clock_rfc3339(int64_t wall_ns, char text[CLOCK_RFC3339_SIZE]);

#endif
