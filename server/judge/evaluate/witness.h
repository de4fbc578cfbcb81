/* The judge's notes on each recorded series that matters to it, and how series and expectations find each
 * other.
 *
 * A sample costs one look-up and one addition however many expectations its series matters to: tallies belong
 * to series (witnesses), and an expectation (claim) adds up its witnesses when it is evaluated.
 */
#ifndef JUDGE_EVALUATE_WITNESS_H
#define JUDGE_EVALUATE_WITNESS_H

#include "core/table.h"
#include "judge/evaluate/bag.h"
#include "judge/evaluate/distinct.h"
#include "judge/evaluate/match.h"
#include "judge/evaluate/pairs.h"
#include "judge/evaluate/tally.h"
#include "judge/language/parse.h"

/* The facts that an expectation needs beyond the summary of a series. */
enum need {
    NEED_VALUES = 1, /* quantiles; `each` with != (with == under `no`) */
    NEED_RATES = 2,  /* the stat `rate` */
    NEED_DISTINCT = 4,
    NEED_SAMPLING = 8, /* `~` without a tolerance */
    NEED_FIRST = 16,
    NEED_FORM = 32, /* the series may be an aggregated form: only what came over HTTP counts */
    NEED_LAST = 64,
    NEED_SIFT = 256,  /* conditions: each sample is looked at */
    NEED_PAIRS = 128, /* several of `each` and `rate` under `no`; NEED_VALUES keeps those of sketches */
};
unsigned needs_of(const struct expectation *e);

/* From a witness to a claim, and back. */
struct link {
    uint32_t index;
    uint8_t form;       /* enum form */
    uint8_t percentile; /* FORM_PERCENTILE: a whole number */
    bool used;          /* of forms: the last evaluation was told by it */
};

struct links {
    struct link *items;
    size_t n, cap;
};
int links_add(struct links *links, struct link link);

struct witness {
    uint64_t id;
    struct span session;
    struct span name;
    enum metric_type type;
    size_t n_tags;
    struct span *tags;
    struct span host, device;
    unsigned needs;
    struct links claims; /* but those that have a sifted witness */
    uint32_t sifted,
        next_sifted; /* place + 1 of the first sifted witness of this series, and of the next one; 0: none */
    uint32_t sifts_for;      /* of a sifted witness: the place of its claim */
    bool telemetry;          /* counts of what a client itself dropped */
    uint32_t next_telemetry; /* place + 1 of the next one; 0: none */
    bool reading;            /* judge_start reads its samples */
    bool by_values;          /* or only their values */
    bool summed;    /* its summary is in the tally already: reading fills only what no summary tells */
    bool direct;    /* some claim is about the metric itself, not only about what aggregating makes of one */
    bool named;     /* some claim is about it in either way */
    bool apart;     /* of the sessions that only `no` claims are about */
    bool uncovered; /* holds a sample that no claim is about */
    struct tally tally;
    /* Where several sessions are judged: what the same series of other sessions holds, too. */
    uint64_t everywhere;
    uint64_t n_formed;    /* samples of which some claim was told as by a form */
    uint64_t whole;       /* NEED_FORM: identity of the metric that it may be a form of */
    struct tally flushed; /* NEED_FORM: of samples that came over HTTP; sum has rates times their interval */
    uint64_t spanless;    /* NEED_FORM: rates without an interval, which are not in `flushed` */
    uint64_t odd_rates;   /* sample rates that are NaN */
    struct bag values, rates;
    struct pairs pairs;
    struct distinct distinct;
};

/* Takes what the row says of one sample. *n_values counts what is kept one by one. -1: out of memory. */
int witness_add_sample(struct witness *w, const struct sample_row *row, uint64_t *n_values);
/* Takes a summary. `reading`: its samples follow, by witness_read_sample. */
int witness_take_series(struct witness *w, const struct series_row *row, bool reading);
int witness_read_sample(struct witness *w, const struct sample_row *row, uint64_t *n_values);
/* It was to be read, and is not, for the summary does it. */
int witness_leave_reading(struct witness *w);
/* Whether the summary is not enough. */
bool witness_needs_samples(const struct witness *w, const struct series_row *row);
/* Whether the values of all its samples are enough beside the summary; and takes some of them. */
bool witness_needs_values(const struct witness *w, const struct series_row *row);
int witness_read_values(struct witness *w, const struct numbers_row *row, struct bag_hints *hints);
void witness_free(struct witness *w);

/* The table leads from a series' id or a hash to a place in the list of witnesses. */
bool index_find(const struct table *t, uint64_t id, uint32_t *place);

/* Expectations by name: those without wildcard by hash, the others one after the other. */
struct name_index {
    uint32_t *heads; /* place in the list + 1; 0: none */
    size_t cap;
    uint32_t *next; /* by place in the list */
    uint32_t *globs;
    size_t n_globs;
};
int name_index_build(struct name_index *index, size_t n, const struct expectation *list);
/* Calls `visit` for each expectation whose name fits; stops at the first that is not 0 and returns that, or -1 when *steps are
 * more than max_steps. */
int name_index_visit(const struct name_index *index, const struct expectation *list, struct span name,
                     uint64_t *steps, uint64_t max_steps, int (*visit)(void *arg, uint32_t place), void *arg);
void name_index_free(struct name_index *index);

#endif
