/* For expectations that did not pass: what was recorded that comes closest, and in what it differs.
 *
 * One pass over the series of all sessions and one over the rejects, however many expectations ask.
 * Ownership: what is found lives until closest_free.
 * Limits: CLOSEST_* below; past them less is looked for, never more time taken.
 */
#ifndef REPORT_CLOSEST_H
#define REPORT_CLOSEST_H

#include "core/distance.h"
#include "judge/evaluate/private.h"

#define CLOSEST_SHOWN      5
#define CLOSEST_CLAIMS_MAX 1000                 /* expectations looked for */
#define CLOSEST_PAIRS_MAX  ((size_t)100000000)  /* of expectation and series compared */
#define CLOSEST_STEPS_MAX  UINT64_C(2000000000) /* of matching patterns */
#define CLOSEST_REJECTS    10000                /* the newest rejects looked at */

/* How the recorded name relates to the expected one. */
enum kinship { KIN_SAME, KIN_PREFIX_MISSING, KIN_PREFIX_EXTRA, KIN_FORM, KIN_NEAR, KIN_NONE };

struct candidate {
    unsigned score; /* 0: it is one of the matching ones */
    enum kinship kinship;
    size_t edits; /* KIN_NEAR */
    bool other_session, before_mark, of_earlier_run, after_deadline;
    bool told;             /* the claim was told by it, as by an aggregated form */
    bool tell_session;     /* several were judged */
    struct series_row row; /* a copy */
    /* A reject instead of a series: */
    bool rejected;
    enum reason reason;
    struct span text, detail;
    size_t offset;
};

struct closest {
    struct claim *claim;
    struct outline outline;
    size_t n;
    struct candidate best[CLOSEST_SHOWN]; /* the closest first */
};

struct closest_search {
    struct judge *judge;
    struct arena arena;
    size_t n, pairs;
    size_t n_keyless; /* rejects for want of an API key; the newest stands for all */
    uint64_t steps;
    struct closest *list; /* by place of the claim among those asked for */
    bool no_memory;
};

/* Looks for all of the claims; list[i] answers claims[i] for the first CLOSEST_CLAIMS_MAX. */
int closest_find(struct closest_search *search, struct judge *j, struct claim *const *claims, size_t n,
                 struct reader *reader, struct err *err);
void closest_free(struct closest_search *search);

/* {"name","type","tags",…,"marks":[{"mark","text"}],"text"} */
json_t *closest_json(const struct candidate *c, const struct expectation *e);

#endif
