/* DESIGN. A table from hashes to metrics, with open addressing. It holds no keys: a hash has 128 bits and is made with a secret of the
 * server, so nobody can make two keys meet, and by chance none do. A seed would not do: with xxhash's own secret, texts can be made that
 * meet under one seed of ten. The hash is also the key by which the store knows the metric. */
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
#define KEY_TOGETHER 512 /* bytes of a key that are hashed in one go */
/* In key_kind: the key is a hash of what it is for others of that kind. */
#define KEY_IS_HASH 0x20

struct memo {
    atomic_size_t refs;
    struct memo *next; /* of those that nobody has */
    struct arena arena;
    unsigned char secret[MEMO_SECRET]; /* the server's */
    bool full;
    size_t n, n_hits, n_misses; /* the latter since it is full */
    struct slot {
        XXH128_hash_t hash;
        const struct metric *metric; /* NULL: free */
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
        if (!slot->metric || (slot->hash.low64 == hash.low64 && slot->hash.high64 == hash.high64))
            return slot;
    }
}

const struct metric *memo_find(struct memo *memo, char kind, struct span name, struct span rest) {
    const struct metric *m = find_slot(memo, hash_key(memo, kind, name, rest))->metric;
    if (memo->full && m)
        memo->n_hits++;
    else if (memo->full)
        memo->n_misses++;
    return m;
}

const struct metric *memo_add(struct memo *memo, const struct metric *metric) {
    XXH128_hash_t hash = hash_key(memo, metric->key_kind, metric->key_name, metric->key_rest);
    struct slot *slot = find_slot(memo, hash);
    if (slot->metric)
        return slot->metric;
    struct record record = {.kind = RECORD_METRIC, .metric = *metric};
    struct metric *copy = &record.metric, *kept = NULL;
    copy->n_values = 0;
    copy->key_kind = (char)(metric->key_kind | KEY_IS_HASH);
    copy->key_name = span_of((const char *)&hash, sizeof hash);
    copy->key_rest = (struct span){NULL, 0};
    if (!memo->full && memo->n < SLOTS / 2 && (kept = arena_alloc(&memo->arena, sizeof *kept)))
        copy_record(&record, &memo->arena, (struct span){NULL, 0});
    if (!kept || memo->arena.failed) {
        memo->full = true;
        return NULL;
    }
    *kept = *copy;
    *slot = (struct slot){hash, kept};
    memo->n++;
    return kept;
}
