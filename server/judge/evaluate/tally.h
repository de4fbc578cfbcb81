/* The numbers of one series' samples, or of several series added up.
 *
 * Ownership: plain values; the bags and sets of a witness are separate (witness.h).
 */
#ifndef JUDGE_EVALUATE_TALLY_H
#define JUDGE_EVALUATE_TALLY_H

#include "core/reader.h"
#include "judge/evaluate/sampling.h"

struct tally {
    uint64_t samples;
    uint64_t series;  /* with at least one sample */
    uint64_t numbers; /* samples that hold a number, as all but sets do */
    double count, sum, min, max;
    double weight;      /* what `numbers` stand for: `count` without sets */
    double first, last; /* NaN: of a set, or of a sketch of several values */
    uint64_t first_id, last_id;
    bool sampled; /* a rate other than 1 */
    /* Only from samples read one by one: */
    struct sampling sum_sampling, count_sampling;
    uint64_t vague;   /* sketches of more than one value */
    double spread[3]; /* sum of (1-r)/r^2 times 1, v, v^2: how uncertain an average is */
};

/* A summary instead of its samples. `first` is known only when there is one sample. */
void tally_take_series(struct tally *t, const struct series_row *row);
/* Samples of one series in the order of their ids. */
void tally_add_sample(struct tally *t, enum metric_type type, const struct sample_row *row);
/* The same of samples that a summary has counted already: only what no summary tells. `tally_begin_reading` comes first. */
void tally_begin_reading(struct tally *t);
void tally_read_sample(struct tally *t, enum metric_type type, const struct sample_row *row);
void tally_add_all(struct tally *t, const struct tally *from);

#endif
