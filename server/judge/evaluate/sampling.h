/* The interval that random sampling explains: the one in which the true total lies, given the samples that got
 * through.
 *
 * A client that samples with rate r sends each event with probability r, so n received ones came from N with
 * n ~ Binomial(N, r). The interval holds every N that this n does not speak against at 99.99 % (Clopper and
 * Pearson's construction: exact, hence also right for few samples and never too narrow). Events of different
 * values and rates are taken together by their first two moments: with weights w = value/rate, an effective
 * number n = (sum w)^2 / sum w^2 of equal ones at the effective rate 1 - sum w^2 (1 - r) / sum w^2; for equal
 * values and rates that is exactly the above. Positive and negative values are bounded apart.
 */
#ifndef JUDGE_EVALUATE_SAMPLING_H
#define JUDGE_EVALUATE_SAMPLING_H

#include <stdbool.h>

#define SAMPLING_CONFIDENCE 0.9999
#define SAMPLING_Z          3.8906 /* the same, in standard deviations of a normal distribution, two-sided */

struct moments {
    double sum, squares, lost; /* of w, w^2, w^2 (1 - r) */
};

struct sampling {
    double exact; /* what came unsampled */
    struct moments positive, negative;
};

struct interval {
    double low, high;
};

/* Whether random sampling has thinned out samples with this rate. */
bool sampling_is_random(double rate);
/* An event of this value, which counts value * factor in the total (factor 1: its rate plays no part). */
void sampling_add(struct sampling *s, double value, double factor, double rate);
void sampling_add_all(struct sampling *s, const struct sampling *from);
struct interval sampling_interval(const struct sampling *s);

#endif
