/* A percentile of all that one recorded series holds: the number that a claim `pNN` about it alone would be told by.
 *
 * Errors: -1 when the recording cannot be read or memory is out. Threads: the reader's.
 * Limits: a series of more samples than QUANTILE_SAMPLES_MAX has none.
 */
#ifndef JUDGE_EVALUATE_QUANTILE_H
#define JUDGE_EVALUATE_QUANTILE_H

#include "core/reader.h"

#define QUANTILE_SAMPLES_MAX 100000  /* of one series; */
#define QUANTILE_LIST_MAX    2000000 /* of all series of one list: what 0.1 s reads */

/* *budget: how many samples may still be read; less those that were. NaN: the series has too many, or is none of which a percentile
 * makes sense. */
int quantile_of(struct reader *r, const struct series_row *row, double percentile, uint64_t *budget,
                double *value, struct err *err);

#endif
