/* The bins of a sketch: keys to values and back.
 *
 * Threads: any. Source: schema/protocol/dogstatsd.md section 7.4.
 */
#ifndef JUDGE_EVALUATE_BINS_H
#define JUDGE_EVALUATE_BINS_H

#include "core/record.h"

/* What stands for all values of the bin: within its sketch's least and greatest. */
double bins_value(const struct sketch *s, int32_t key);
/* The bin that the value falls into. */
int32_t bins_key(double value);

#endif
