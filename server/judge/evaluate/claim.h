/* An expectation being judged: its witnesses, and what they amount to.
 *
 * Every clause is evaluated to whether it holds, and to whether that is settled: whether more samples could
 * change it. The same question decides whether waiting is in vain (samples that come later) and whether a
 * loss matters (samples that were received by nobody, at any time).
 *
 *     samples, count, series, distinct, max, sums without negative values    only grow
 *     min                                                                    only falls
 *     each, rate                                                             only ever fail
 *     first                                                                  is settled by the first sample
 *     last, avg, median, percentiles, status, other sums                     may go anywhere
 */
#ifndef JUDGE_EVALUATE_CLAIM_H
#define JUDGE_EVALUATE_CLAIM_H

#include "judge/evaluate/witness.h"

struct claim {
    const struct expectation *e;
    unsigned needs;
    struct links witnesses;
    /* Events and checks: */
    uint64_t records, first_id, newest_id;
    uint64_t statuses[4];
    int newest_status;
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

/* `lost`: something was, that could have been about this claim; `in_doubt`: something may have been. */
void claim_evaluate(struct claim *claim, struct witness *witnesses, bool lost, bool in_doubt,
                    struct answer *answer);

#endif
