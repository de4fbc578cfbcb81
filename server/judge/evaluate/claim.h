/* An expectation being judged: its witnesses, and what they amount to.
 *
 * Every clause is evaluated to whether it holds, and to whether that is settled: whether more samples could
 * change it. The same question decides whether to go on waiting (samples that come later) and whether a
 * loss matters (samples that were received by nobody, at any time).
 *
 *     samples, count, series, per_series, distinct, max    only grow
 *     min                                      only falls
 *     each, rate                               only ever fail
 *     first                                    is settled by the first sample
 *     last, status                             are settled for what was lost when that was older than all that is left
 *     sum                                      is taken to grow by what still arrives as long as it has never fallen;
 *                                              what was lost may have been anything
 *     avg, median, percentiles                 may go anywhere
 */
#ifndef JUDGE_EVALUATE_CLAIM_H
#define JUDGE_EVALUATE_CLAIM_H

#include "judge/evaluate/sift.h"
#include "judge/evaluate/witness.h"

#define CLAIM_SHOWN 3 /* refused lines that a claim about rejects tells */

/* The losses that could have been about a claim. */
enum lost {
    LOST_NONE,
    LOST_MAYBE,  /* it is not known whether anything was: what passes stands */
    LOST_OLDEST, /* only what was older than all that is still recorded */
    LOST_SOME,
};

/* What a reader told of all samples of a claim, instead of handing them out: told.c. */
struct told {
    size_t n; /* percentiles */
    double percentiles[JUDGE_CLAUSES_MAX], numbers[JUDGE_CLAUSES_MAX];
    bool has_values, has_distinct;
    struct bag values;
    uint64_t distinct;
};
/* The number that has this percentile. */
double told_percentile(const struct told *told, double percentile);

struct claim {
    const struct expectation *e;
    unsigned needs;
    struct links witnesses;
    struct told *told; /* NULL: its witnesses hold what is needed */
    /* Events and checks: */
    uint64_t records, first_id, newest_id;
    uint64_t statuses[4];
    int newest_status;
    struct sieve *sieve;            /* of conditions; NULL: none */
    struct span shown[CLAIM_SHOWN]; /* of rejects: "no_pipe 'a:1'" */
    /* The last evaluation: */
    bool dirty, judged;
    enum verdict verdict;
    bool final; /* can't become a pass */
};

/* One clause, evaluated. A loss is noticed some time after it happened: it may have been of what came before
 * all that is recorded. */
struct finding {
    const struct clause *clause;
    bool known; /* there is a value */
    double value;
    bool ranged; /* low to high is what is known: by random sampling, or of aggregated forms */
    double low, high;
    bool holds;
    bool settled_later; /* whatever still arrives */
    bool settled_lost;  /* whatever was lost */
    bool no_sample;     /* none satisfies this clause and all others that speak of one sample */
    const char *untold; /* why there is no value though something matched; NULL: nothing matched */
};

struct answer {
    bool holds, settled_later, settled_lost;
    enum verdict verdict;
    bool final;
    bool no_memory;     /* not evaluated */
    bool aggregated;    /* told also, or only, from aggregated forms */
    struct tally total; /* of what matched; of forms, the one with most samples */
    size_t n;
    struct finding findings[JUDGE_CLAUSES_MAX];
};

void claim_evaluate(struct claim *claim, struct witness *witnesses, enum lost lost, struct answer *answer);

#endif
