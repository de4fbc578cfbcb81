/* The candidates of a search for what comes closest: for each claim the best few, and in what they differ.
 *
 * Ownership: what is kept is a copy, in the arena of the search.
 * Threads: one.
 * Limits: CLOSEST_* below; past them less is looked for, never more time taken.
 */
#ifndef REPORT_CANDIDATES_H
#define REPORT_CANDIDATES_H

#include "core/buf.h"
#include "judge/evaluate/private.h"
#include "report/kinship.h"

#define CLOSEST_SHOWN       5
#define CLOSEST_CLAIMS_MAX  1000                 /* expectations looked for */
#define CLOSEST_PAIRS_MAX   ((size_t)100000000)  /* of expectation and series compared */
#define CLOSEST_STEPS_MAX   UINT64_C(2000000000) /* of matching patterns */
#define CLOSEST_RECORDS     10000                /* the newest events, checks, refused lines looked at */
#define CLOSEST_REMARKED    500                  /* series whose remarks are looked up */
#define CLOSEST_NOTES_PAIRS ((size_t)2000000)    /* of a `no` that passed and a refused line */

enum candidate_kind { CANDIDATE_SERIES, CANDIDATE_EVENT, CANDIDATE_CHECK, CANDIDATE_REJECT };

/* Why a refused line is shown. */
enum hit {
    HIT_NAME,  /* its name, as it was read */
    HIT_WHOLE, /* what stands before its last ':', which would be the name if a name could hold a ':' */
    HIT_TEXT,  /* the expected name stands somewhere in it */
    HIT_TAG,   /* an expected tag does, and the line is the torn-off end of another */
    HIT_ANY,   /* it may have held anything */
};

struct candidate {
    enum candidate_kind kind;
    unsigned score; /* 0: it is one of the matching ones */
    struct kin kin;
    bool other_session, before_mark, of_earlier_run, after_deadline, after_until;
    bool told;         /* the claim was told by it, as by an aggregated form */
    bool counts;       /* a rate, which would be taken for a count but for what else is different */
    bool tell_session; /* several were judged */
    /* A copy. Of events, checks and rejects: session, name (an event's title), tags, host (a reject: as far as they can be read), and in `samples` how many there are
     * of the very same. */
    struct series_row row;
    int status; /* of a check */
    struct span
        missed; /* a sentence: the first condition behind 'where' that it does not satisfy; p == NULL: none */
    struct span ignored; /* a sentence: what an Agent ignores in its lines; p == NULL: nothing */
    /* Of a reject: */
    enum reason reason;
    enum hit hit;
    bool typed; /* row.type is what its line says */
    struct span text, detail;
    struct span read_as; /* HIT_WHOLE: the name that was read; row.name is the one that may have been meant */
    struct span family;  /* as which the line was read, when another was asked for; p == NULL: the same */
    size_t offset;
};

struct closest {
    struct claim *claim;
    struct sought sought;
    size_t n;
    struct candidate best[CLOSEST_SHOWN]; /* the closest first */
};

struct closest_search {
    struct judge *judge;
    struct arena arena;
    size_t n, pairs;
    size_t n_keyless; /* requests without an API key: one is shown for all */
    uint64_t steps;
    struct closest *list; /* by place of the claim among those asked for */
    bool no_memory;
};

/* The sentence of `missed`, in the buffer. */
struct span candidates_missed(const struct sieve *sieve, struct buf *text);
/* Puts the candidate in its place among the best. */
void candidates_keep(struct closest_search *s, struct closest *c, struct candidate candidate);
/* The greatest number of edits that can still get a name among the best. */
size_t candidates_limit(const struct closest *c);
/* Notes session and mark of a record, or of a series with such a first and last record. */
void candidates_place(const struct closest_search *s, const struct closest *c, struct candidate *x,
                      uint64_t first_id, uint64_t last_id);

#endif
