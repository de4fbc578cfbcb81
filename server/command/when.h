/* Times for people: in the local zone, or with --utc in UTC, marked Z; with the date where that is not today's.
 *
 * Threads: one.
 */
#ifndef COMMAND_WHEN_H
#define COMMAND_WHEN_H

#include "core/span.h"

#define WHEN_SIZE 40

struct when {
    bool utc;
    char today[16];
};

void when_begin(struct when *w, bool utc);
/* Of "2026-11-22T23:11:47.123456789Z": "2026-11-23 00:11:47.123456", in `text`; the bytes as they are when they are no time. */
struct span when_show(const struct when *w, struct span rfc3339, char text[WHEN_SIZE]);

#endif
