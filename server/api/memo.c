/* DESIGN. A table of hashes with open addressing; a hit is one when all bytes of the key are the same. */
#include "api/memo.h"

#include "api/copy.h"
#include "core/arena.h"
#include "core/clock.h"
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <xxhash.h>

#define SLOTS ((size_t)16384) /* at most half of them are taken */
/* Asked so often in vain, and hardly ever with success, a full memo holds what nobody sends any more. */
#define MISSES_MANY (4 * SLOTS)

struct memo {
    atomic_size_t refs;
    struct memo *next; /* of those that nobody has */
    struct arena arena;
    uint64_t seed;
    bool full;
    size_t n, n_hits, n_misses; /* the latter since it is full */
    struct slot {
        uint64_t hash;
        const struct metric *metric; /* NULL: free */
    } slots[SLOTS];
};

static struct memo *memo_new(void) {
    struct memo *memo = calloc(1, sizeof *memo);
    if (!memo)
        return NULL;
    memo->refs = 1;
    memo->arena.max = MEMO_BYTES;
    memo->seed = (uint64_t)clock_wall_ns() ^ (uint64_t)(uintptr_t)memo << 17; /* nobody can make keys meet */
    return memo;
}

void memo_hold(struct memo *memo) {
    atomic_fetch_add(&memo->refs, 1);
}

void memo_drop(struct memo *memo) {
    if (!memo || atomic_fetch_sub(&memo->refs, 1) != 1)
        return;
    arena_free(&memo->arena);
    free(memo);
}

static void free_memos(struct memo *list) {
    while (list) {
        struct memo *next = list->next;
        memo_drop(list);
        list = next;
    }
}

struct memo *memo_take(struct http *h) {
    pthread_mutex_lock(&h->memos_lock);
    struct memo *memo = h->memos;
    if (memo)
        h->memos = memo->next;
    h->memos_free = free_memos;
    pthread_mutex_unlock(&h->memos_lock);
    return memo ? memo : memo_new();
}

void memo_give(struct http *h, struct memo *memo) {
    if (!memo)
        return;
    if (memo->full && memo->n_misses > MISSES_MANY && memo->n_misses > memo->n_hits) {
        memo_drop(memo);
        return;
    }
    pthread_mutex_lock(&h->memos_lock);
    memo->next = h->memos;
    h->memos = memo;
    pthread_mutex_unlock(&h->memos_lock);
}

static uint64_t hash_key(const struct memo *memo, char kind, struct span name, struct span rest) {
    uint64_t seed = XXH3_64bits_withSeed(name.p, name.n, memo->seed + (unsigned char)kind);
    return XXH3_64bits_withSeed(rest.n ? rest.p : "", rest.n, seed);
}

/* Where the key is, or would be. */
static struct slot *find_slot(struct memo *memo, uint64_t hash, char kind, struct span name,
                              struct span rest) {
    for (size_t at = hash % SLOTS;; at = (at + 1) % SLOTS) {
        struct slot *slot = &memo->slots[at];
        const struct metric *m = slot->metric;
        if (!m || (slot->hash == hash && m->key_kind == kind && span_eq(m->key_name, name) &&
                   span_eq(m->key_rest, rest)))
            return slot;
    }
}

const struct metric *memo_find(struct memo *memo, char kind, struct span name, struct span rest) {
    const struct metric *m =
        find_slot(memo, hash_key(memo, kind, name, rest), kind, name, rest)->metric;
    if (memo->full && m)
        memo->n_hits++;
    else if (memo->full)
        memo->n_misses++;
    return m;
}

const struct metric *memo_add(struct memo *memo, const struct metric *metric) {
    uint64_t hash = hash_key(memo, metric->key_kind, metric->key_name, metric->key_rest);
    struct slot *slot = find_slot(memo, hash, metric->key_kind, metric->key_name, metric->key_rest);
    if (slot->metric)
        return slot->metric;
    if (memo->full || memo->n == SLOTS / 2) {
        memo->full = true;
        return NULL;
    }
    struct record record = {.kind = RECORD_METRIC, .metric = *metric};
    record.metric.n_values = 0;
    struct metric *copy = arena_alloc(&memo->arena, sizeof *copy);
    copy_record(&record, &memo->arena, (struct span){NULL, 0});
    if (memo->arena.failed) {
        memo->full = true;
        return NULL;
    }
    *copy = record.metric;
    copy->values = NULL;
    *slot = (struct slot){hash, copy};
    memo->n++;
    return copy;
}
