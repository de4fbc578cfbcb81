/* Private to judge/: what a claim's clauses come to, each looked at in all of its witnesses. */
#ifndef JUDGE_EVALUATE_FIND_H
#define JUDGE_EVALUATE_FIND_H

#include "judge/evaluate/claim.h"

/* The numbers that the clauses of one expectation look at. */
struct view {
    const struct claim *claim;
    struct witness *witnesses;
    struct tally total;     /* of the metric itself */
    struct tally flushed;   /* of aggregated metrics, whose points are those of their .count; or of rates */
    struct distinct wholes; /* what has aggregated forms */
    uint64_t most;          /* samples of one series, for STAT_PER_SERIES */
    uint64_t spanless;      /* points of .count without an interval: nobody knows of how many values */
    bool by_rates;          /* what aggregating makes of the metric is a rate, not forms */
    bool by_ends; /* the total holds forms, of whose values only the least and the greatest are known */
    bool for_one, asks_rate; /* expectation_asks_for_one, and for the rate of that sample */
    enum lost lost;
    bool grown; /* values, rates, distinct are copies of several witnesses' */
    struct bag values, rates;
    struct distinct distinct;
    uint64_t odd_rates;
    bool no_memory;
};

/* Of the metric itself. */
void find_itself(const struct view *v, struct finding *f);
void find_number(const struct view *v, struct finding *f);

/* Whether the series has been counted for another session; `counted` remembers it. */
bool find_is_counted(struct view *v, struct distinct *counted, const struct witness *w);

/* The most samples of one series: find_series.c. */
void find_most(struct view *v);

/* Also of what an aggregating client made of metrics: find_forms.c. */
void find_collect_forms(struct view *v);
void find_with_forms(struct view *v, struct finding *f);

/* A number that can't be told makes no claim pass: a claim that needs it fails, and so does a `no` that it might break. */
void find_leave_open(struct finding *f, bool no, const char *untold);
/* Whether what is known by its ends alone may hold the value that decides. */
bool find_may_lie_between(const struct clause *c, const struct tally *t, bool any);

#endif
