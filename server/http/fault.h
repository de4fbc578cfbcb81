/* Misbehaving on purpose: the rules of /recorder/v1/faults and which of them a request meets.
 *
 * The HTTP rules are applied here, in order, the first that matches; DogStatsD drops go to ingest_fault_drop.
 * Threads: any.
 * Units: milliseconds.
 */
#ifndef HTTP_FAULT_H
#define HTTP_FAULT_H

#include "http/server.h"

#define FAULT_RULES_MAX    64
#define FAULT_PATH_MAX     256
#define FAULT_DELAY_MS_MAX 600000

struct fault_rule {
    char path[FAULT_PATH_MAX]; /* glob; "": any */
    char session[65];          /* "": any */
    uint64_t session_id;       /* 0: any */
    unsigned status;
    int64_t delay_ms;
    enum http_cut cut;
    uint64_t times; /* how often; 0: for ever */
    double probability;
    uint64_t seed, random;
    uint64_t n_applied;
};

struct fault_drop {
    double rate;
    char session[65];
    uint64_t session_id;
    uint64_t seed;
};

struct faults {
    pthread_mutex_t lock;
    size_t n_rules, n_drops;
    struct fault_rule rules[FAULT_RULES_MAX];
    struct fault_drop drops[FAULT_RULES_MAX];
};

struct faults *fault_new(struct err *err);
void fault_free(struct faults *f);
/* Fills rq->fault when a rule applies now, and counts it. */
void fault_match(struct faults *f, struct http_request *rq);

#endif
