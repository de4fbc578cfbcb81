#include "http/fault.h"

#include "core/glob.h"
#include <errno.h>
#include <stdlib.h>

struct faults *fault_new(struct err *err) {
    struct faults *f = calloc(1, sizeof *f);
    if (!f) {
        err_set(err, ENOMEM, "cannot keep faults");
        return NULL;
    }
    pthread_mutex_init(&f->lock, NULL);
    return f;
}

void fault_free(struct faults *f) {
    if (!f)
        return;
    pthread_mutex_destroy(&f->lock);
    free(f);
}

/* xorshift64*: the same seed gives the same faults. In [0, 1). */
static double draw(uint64_t *state) {
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return (double)((x * 2685821657736338717ULL) >> 11) / 9007199254740992.0;
}

static bool applies(struct fault_rule *rule, const struct http_request *rq) {
    if (rule->path[0] && !glob_match(span_str(rule->path), rq->path))
        return false;
    if (rule->session_id && rule->session_id != rq->session_id)
        return false;
    if (rule->times && rule->n_applied >= rule->times)
        return false;
    return rule->probability >= 1 || draw(&rule->random) < rule->probability;
}

void fault_match(struct faults *f, struct http_request *rq) {
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->n_rules; i++) {
        struct fault_rule *rule = &f->rules[i];
        if (!applies(rule, rq))
            continue;
        rule->n_applied++;
        rq->fault = (struct http_fault){true, rule->status, rule->delay_ms, rule->cut};
        break;
    }
    pthread_mutex_unlock(&f->lock);
}
