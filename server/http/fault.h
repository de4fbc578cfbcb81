/* Misbehaving on purpose: the rules of /recorder/v1/faults and which of them a request meets.
 *
 * A rule may replace the answer by one of its own: Datadog's double fakeintake calls that an override, WireMock a stub.
 *
 * The HTTP rules are applied here, in order, the first that matches; DogStatsD drops go to ingest_fault_drop.
 * Threads: any.
 * Units: milliseconds.
 */
#ifndef HTTP_FAULT_H
#define HTTP_FAULT_H

#include "http/server.h"

#define FAULT_RULES_MAX    256
#define FAULT_PATH_MAX     256
#define FAULT_METHOD_MAX   16
#define FAULT_HEADERS_MAX  8
#define FAULT_BODY_MAX     ((size_t)1 << 20)  /* bytes of one rule's body */
#define FAULT_BODIES_MAX   ((size_t)64 << 20) /* and of all rules' together */
#define FAULT_DELAY_MS_MAX 600000

/* What a rule answers. Ownership: counted; every rule and every request under way holds it once. */
struct fault_content {
    atomic_size_t refs;
    bool has_body;
    struct buf body;
    char *content_type; /* NULL: as usual */
    size_t n_headers;
    struct {
        char *name, *value;
    } headers[FAULT_HEADERS_MAX];
};

struct fault_rule {
    char method[FAULT_METHOD_MAX]; /* "": any */
    char path[FAULT_PATH_MAX];     /* glob; "": any */
    char endpoint[FAULT_PATH_MAX]; /* the exact path, decoded, with all its slashes; "": any */
    bool kept;
    struct fault_content *content; /* NULL: none */
    char session[65];              /* "": any */
    uint64_t session_id;           /* 0: any */
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

struct fault_content *fault_content_new(void);             /* with one reference; NULL: out of memory */
void fault_content_release(struct fault_content *content); /* NULL is fine */
/* Releases what the rules hold, and makes them none. */
void fault_clear(struct faults *f);
/* The override of fakeintake: puts the rule in the place of the one for the same method, endpoint and session, else behind the last one;
 * takes its content over. -1: there are FAULT_RULES_MAX, or FAULT_BODIES_MAX bytes. */
int fault_override(struct faults *f, struct fault_rule *rule);
/* Whether some rule is for just this method and this path: then the request is somebody's, even if no route takes it. */
bool fault_concerns(struct faults *f, const struct http_request *rq);
/* The path as the client wrote it, decoded, with all its slashes. `room` is used only when it holds escapes. */
struct span fault_endpoint(const struct http_request *rq, struct buf *room);
/* Puts the status's content, headers and body over the answer. */
void fault_answer(struct http_request *rq);
/* Fills rq->fault when a rule applies now, and counts it. */
void fault_match(struct faults *f, struct http_request *rq);

#endif
