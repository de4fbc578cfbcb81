/* A memory of series for a decoder, without a hash: intake_options.next, .known and .learn that compare the bytes themselves.
 *
 * Threads: one. Limits: REMEMBERED series.
 */
#ifndef SUPPORT_SERIES_MEMORY_H
#define SUPPORT_SERIES_MEMORY_H

#include "api/copy.h"
#include "core/arena.h"
#include "core/record.h"
#include "core/span.h"

#define REMEMBERED 256

static struct arena memory;
static struct metric remembered[REMEMBERED];
static size_t n_remembered, n_known,
    n_guessed; /* how many it holds, and how often one was known; guesses, wrong ones too */

/* The first whose key the bytes begin with: often another than the one that is there. */
static const struct metric *next(void *arg, char kind, struct span bytes) {
    (void)arg;
    for (size_t i = 0; i < n_remembered; i++)
        if (remembered[i].key_kind == kind && span_starts(bytes, remembered[i].key_name)) {
            n_guessed++;
            return &remembered[i];
        }
    return NULL;
}

static const struct metric *known(void *arg, char kind, struct span name, struct span rest) {
    (void)arg;
    for (size_t i = 0; i < n_remembered; i++) {
        const struct metric *m = &remembered[i];
        if (m->key_kind == kind && span_eq(m->key_name, name) && span_eq(m->key_rest, rest)) {
            n_known++;
            return m;
        }
    }
    return NULL;
}

static const struct metric *learn(void *arg, const struct metric *metric) {
    (void)arg;
    if (n_remembered == REMEMBERED)
        return NULL;
    struct record copy = {.kind = RECORD_METRIC, .metric = *metric};
    copy.metric.n_values = 0;
    copy_record(&copy, &memory, (struct span){NULL, 0});
    remembered[n_remembered] = copy.metric;
    return &remembered[n_remembered++];
}

static void forget_all(void) {
    n_remembered = 0;
    arena_free(&memory);
}

#endif
