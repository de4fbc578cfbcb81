/* What clients usually do wrong when they send a line that is refused.
 *
 * Threads: any. Returns text in static memory.
 * Source: schema/protocol/dogstatsd.md sections 3, 5 and 6.
 */
#ifndef CORE_CAUSE_H
#define CORE_CAUSE_H

#include "core/record.h"

/* A sentence without a full stop: "a comma stands for the decimal point: DogStatsD takes a '.'". NULL: no cause is known. */
const char *cause_of(const struct reject *r);

#endif
