/* Tries again what another process keeps from succeeding, as it just makes, takes or removes a recording or a socket. Time bounds it and not a number of tries:
 * that process may be slow, or the machine.
 *
 *     struct retry retry = retry_begin();
 *     do
 *         …
 *     while (retry_lasts(&retry));
 *
 * Units: nanoseconds of the monotonic clock.
 * Threads: each its own struct.
 */
#ifndef CORE_RETRY_H
#define CORE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#define RETRY_MS 5000

struct retry {
    int64_t until, pause;
};

struct retry retry_begin(void);
/* The first time at once, then after a pause that grows; false: RETRY_MS are over since it began. */
bool retry_lasts(struct retry *r);

#endif
