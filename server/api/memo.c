/* DESIGN. Clients send their series in the same order each time. So each leads to the one that came after it the last time, and comparing
 * its bytes shows whether it came again: in the order in which they were learnt, which is that of the memory. Those before the points are
 * compared here, those behind them by the decoder; when they differ, it looks for the series instead, and the guess counts for nothing.
 *
 * Otherwise a table leads from hashes to metrics, with open addressing. It compares no keys: a hash has 128 bits and is made with a secret
 * of the server, so nobody can make two keys meet, and by chance none do. A seed would not do: with xxhash's own secret, texts can be made
 * that meet under one seed of ten. */
#include "api/memo.h"

#include "api/copy.h"
#include "core/arena.h"
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

#define SLOTS ((size_t)16384) /* at most half of them are taken */
/* Asked so often in vain, and hardly ever with success, a full memo holds what nobody sends any more. */
#define MISSES_MANY  (4 * SLOTS)
#define KEY_MAX      8192 /* bytes of a key that is remembered: one series cannot fill a memo */
#define KEY_TOGETHER 512  /* bytes of a key that are hashed in one go */

struct memory {
    struct metric metric;
    struct metric_note note;
    struct memory *next; /* what came after it the last time, or NULL */
};

struct memo {
    atomic_size_t refs;
    struct memo *next; /* of those that nobody has */
    struct arena arena;
    unsigned char secret[MEMO_SECRET]; /* the server's */
    bool full;
    size_t n, n_hits, n_misses; /* the latter since it is full */
    struct memory *last;        /* that was found, added or guessed */
    struct memory *before;      /* while `last` is a guess: the one before it */
    struct slot {
        XXH128_hash_t hash;
        struct memory *memory; /* NULL: free */
    } slots[SLOTS];
};

static struct memo *memo_new(const unsigned char *secret) {
    struct memo *memo = calloc(1, sizeof *memo);
    if (!memo)
        return NULL;
    memo->refs = 1;
    memo->arena.max = MEMO_BYTES;
    memcpy(memo->secret, secret, MEMO_SECRET);
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
    h->memos_have_secret = h->memos_have_secret || getrandom(h->memos_secret, MEMO_SECRET, 0) == MEMO_SECRET;
    bool secret = h->memos_have_secret;
    pthread_mutex_unlock(&h->memos_lock);
    return memo || !secret ? memo : memo_new(h->memos_secret);
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

static XXH128_hash_t hash_bytes(const struct memo *memo, const void *p, size_t n) {
    return XXH3_128bits_withSecret(p, n, memo->secret, MEMO_SECRET);
}

static XXH128_hash_t hash_key(const struct memo *memo, char kind, struct span name, struct span rest) {
    struct {
        uint64_t n_name; /* and the kind, in the highest byte */
        char text[KEY_TOGETHER];
    } key;
    key.n_name = name.n | (uint64_t)(unsigned char)kind << 56;
    if (name.n + rest.n <= sizeof key.text) {
        memcpy(key.text, name.p, name.n);
        if (rest.n)
            memcpy(key.text + name.n, rest.p, rest.n);
        return hash_bytes(memo, &key, sizeof key.n_name + name.n + rest.n);
    }
    XXH128_hash_t parts[] = {hash_bytes(memo, name.p, name.n),
                             hash_bytes(memo, rest.n ? rest.p : "", rest.n)};
    memcpy(key.text, parts, sizeof parts);
    return hash_bytes(memo, &key, sizeof key.n_name + sizeof parts);
}

/* Where the hash is, or would be. */
static struct slot *find_slot(struct memo *memo, XXH128_hash_t hash) {
    for (size_t at = hash.low64 % SLOTS;; at = (at + 1) % SLOTS) {
        struct slot *slot = &memo->slots[at];
        if (!slot->memory || (slot->hash.low64 == hash.low64 && slot->hash.high64 == hash.high64))
            return slot;
    }
}

/* The decoder looks for another one: the guess was wrong. */
static void take_back(struct memo *memo) {
    if (!memo->before)
        return;
    memo->last = memo->before;
    memo->before = NULL;
    memo->n_hits -= memo->full;
}

static const struct metric *follow(struct memo *memo, struct memory *memory) {
    if (memo->last && memo->last->next != memory)
        memo->last->next = memory;
    memo->last = memory;
    return &memory->metric;
}

const struct metric *memo_next(struct memo *memo, char kind, struct span bytes) {
    struct memory *last = memo->last, *next = last ? last->next : NULL;
    memo->before = NULL;
    if (!next || next->metric.key_kind != kind || !span_starts(bytes, next->metric.key_name))
        return NULL;
    memo->n_hits += memo->full;
    memo->before = last;
    memo->last = next;
    return &next->metric;
}

const struct metric *memo_find(struct memo *memo, char kind, struct span name, struct span rest) {
    take_back(memo);
    struct memory *found = find_slot(memo, hash_key(memo, kind, name, rest))->memory;
    if (memo->full && found)
        memo->n_hits++;
    else if (memo->full)
        memo->n_misses++;
    return found ? follow(memo, found) : NULL;
}

const struct metric *memo_add(struct memo *memo, const struct metric *metric) {
    take_back(memo);
    if (metric->key_name.n + metric->key_rest.n > KEY_MAX)
        return NULL;
    XXH128_hash_t hash = hash_key(memo, metric->key_kind, metric->key_name, metric->key_rest);
    struct slot *slot = find_slot(memo, hash);
    if (slot->memory)
        return follow(memo, slot->memory);
    struct record copy = {.kind = RECORD_METRIC, .metric = *metric};
    struct memory *memory = NULL;
    copy.metric.n_values = 0;
    if (!memo->full && memo->n < SLOTS / 2 && (memory = arena_alloc(&memo->arena, sizeof *memory)))
        copy_record(&copy, &memo->arena, (struct span){NULL, 0});
    if (!memory || memo->arena.failed) {
        memo->full = true;
        return NULL;
    }
    *memory = (struct memory){.metric = copy.metric};
    memory->metric.note = &memory->note;
    *slot = (struct slot){hash, memory};
    memo->n++;
    return follow(memo, memory);
}
