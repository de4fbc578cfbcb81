/* The inside of a judge, for the files that start it, feed it and report. */
#ifndef JUDGE_EVALUATE_PRIVATE_H
#define JUDGE_EVALUATE_PRIVATE_H

#include "judge/evaluate/claim.h"

/* How much work one judge may be in its life. */
struct judge_limits {
    uint64_t steps;  /* of matching patterns */
    uint64_t links;  /* pairs of an expectation and a series that it is about */
    uint64_t values; /* samples kept one by one for quantiles, `each` and `distinct` */
    uint64_t sifted; /* such pairs of an expectation with conditions: some 800 bytes each */
    uint64_t looks;  /* pairs of such a sample and an expectation about it */
};
#define JUDGE_LIMITS                                                                                         \
    {                                                                                                        \
        .steps = 2000000000, .links = 16000000, .sifted = 500000, .values = (uint64_t)64 << 20,              \
        .looks = (uint64_t)256 << 20                                                                         \
    }

/* Losses of one kind and place, added up. */
struct loss_seen {
    enum loss loss;
    struct span detail;
    struct span session; /* p == NULL: it concerns every session */
    uint64_t n;
};

/* Kinds of records (enum loss_kind) of which some may be missing; `newer`: some that are newer than what is still recorded. */
struct lost_kinds {
    unsigned all, newer;
};

struct judge {
    struct parsed parsed;
    struct arena arena;  /* of witnesses and losses */
    struct span session; /* p == NULL: every one */
    bool as_datadog;
    bool wide; /* `no` claims are about the other sessions as well */
    uint64_t since, until, earlier;
    struct span listening; /* p == NULL: nothing is */
    bool all_covered;
    size_t n_matter;
    struct span *matter; /* globs of the names of all series that can matter; none: all of them */
    size_t n_named;
    struct span *named; /* the same of events and checks */

    size_t n_claims;
    struct claim *claims;
    struct name_index names;
    size_t n_records;
    uint32_t *records; /* places of the claims about events, checks and rejects */
    bool asks_events, asks_checks, asks_rejects;

    struct witness *witnesses;
    size_t n_witnesses, cap_witnesses;
    struct table by_series, by_identity;
    uint64_t steps; /* of matching, so far */
    uint64_t n_links, n_sifted;
    uint64_t n_values;                  /* kept one by one */
    uint64_t n_looks;                   /* at those, by all the claims about them */
    uint32_t telemetry, last_telemetry; /* places + 1 of the first and last witness of that kind; 0: none */
    uint64_t n_uncovered, n_unformed;   /* of which a rate .count may still cover so many */
    uint64_t n_formed;                  /* witnesses that only forms are looked for in */

    struct loss_seen *losses;
    size_t n_losses, cap_losses;
    struct table by_loss;
    struct lost_kinds lost, lost_apart; /* apart: of other sessions, when `wide` */

    struct judge_limits limits;
    uint64_t started; /* the newest id when judge_start read */
    uint64_t newest;  /* the newest id taken into account */

    bool all_dirty;
    uint32_t *dirty; /* claims to evaluate again */
    size_t n_dirty;
    size_t n_verdicts[3], n_final[3]; /* by verdict */
};

/* Whether a record of this session is judged by every claim; if not, and `wide`, by the `no` claims. */
static inline bool judge_is_of(const struct judge *j, struct span session) {
    return !j->session.p || span_eq(session, j->session);
}
/* Whether it is judged by any claim. */
static inline bool judge_sees(const struct judge *j, struct span session) {
    return j->wide || judge_is_of(j, session);
}
/* The session to read; p == NULL: all. */
static inline struct span judge_reads(const struct judge *j) {
    return j->wide ? (struct span){NULL, 0} : j->session;
}
/* Makes a witness of the series when it matters to somebody: *w is it, or NULL. -1: out of memory. */
int judge_add_series(struct judge *j, const struct series_row *row, struct witness **w);
/* Whether it is a series that was known by another id: retention may drop one of which more comes. -1: out of memory. */
int judge_renew_series(struct judge *j, const struct series_row *row, bool *known);
int judge_add_sample(struct judge *j, struct witness *w, const struct sample_row *row);
/* told.c: asks a reader that can tell it what the samples of a claim amount to. Witnesses whose samples are then needed by nobody are no longer
 * `reading`; *wanted becomes less by theirs. */
int judge_ask_told(struct judge *j, struct reader *reader, uint64_t *wanted, struct err *err);
void judge_free_told(struct claim *claim);
/* The same in the first look, which may have counted it by the summary of its series. */
int judge_read_sample(struct judge *j, struct witness *w, const struct sample_row *row);
/* The same of values alone. */
int judge_read_values(struct judge *j, struct witness *w, const struct numbers_row *row,
                      struct bag_hints *hints);
/* After judging: which of the series that may be aggregated forms are covered by claims that were told by them. */
void judge_cover_forms(struct judge *j);
int judge_add_event(struct judge *j, const struct event_row *row);
int judge_add_check(struct judge *j, const struct check_row *row);
int judge_add_reject(struct judge *j, const struct reject_row *row);
int judge_add_loss(struct judge *j, const struct loss_row *row);
/* sifted.c: a witness of the series at place `of` for the claim at `place`, which has conditions. Witnesses may move. */
int judge_add_sifted(struct judge *j, size_t of, uint32_t place, uint32_t *made);
/* A sample for the sifted witnesses of its series. */
int judge_sift_sample(struct judge *j, const struct witness *w, const struct sample_row *row);
/* The claim is to be evaluated again. */
void judge_mark_dirty(struct judge *j, uint32_t place);
/* A witness has its first sample. */
void judge_note_present(struct judge *j, struct witness *w);
/* Whether something was lost that could have been about this expectation. */
enum lost judge_lost_for(const struct judge *j, const struct expectation *e);
/* The kind of records that it is about. */
enum loss_kind judge_kind(const struct expectation *e);
/* Telemetry of a client that says it dropped something. */
bool judge_is_evidence(const struct witness *w);

#endif
