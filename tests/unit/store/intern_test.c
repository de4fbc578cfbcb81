#include "store/sqlite/intern.h"

#include "unit.h"
#include <stdio.h>

static struct intern_hash hash_of(const struct intern *in, uint32_t i) {
    return intern_hash(in, span_of((const char *)&i, sizeof i));
}

static void finds(void) {
    struct intern in = {.seed = 42};
    EQ_INT(intern_find(&in, hash_of(&in, 1)), INTERN_NONE);
    for (uint32_t i = 0; i < 100000; i++) {
        struct intern_context context = {.id = i + 1};
        uint32_t ix = intern_add_context(&in, &context);
        EQ_INT(ix, i);
        CU_ASSERT(intern_lead(&in, hash_of(&in, i), ix));
    }
    bool all = true;
    for (uint32_t i = 0; i < 100000; i++)
        all = all && intern_find(&in, hash_of(&in, i)) == i && in.contexts[i].id == i + 1;
    CU_ASSERT(all);
    EQ_INT(intern_find(&in, hash_of(&in, 100000)), INTERN_NONE);
    intern_clear(&in);
    EQ_INT(in.seed, 42);
    EQ_INT(intern_find(&in, hash_of(&in, 1)), INTERN_NONE);
}

/* In the order of the last time, in another one, and in between while the table grows: the same answers. */
static void finds_in_any_order(void) {
    struct intern in = {.seed = 42};
    EQ_INT(intern_find_next(&in, hash_of(&in, 1)), INTERN_NONE);
    bool all = true;
    for (uint32_t n = 0, turn = 0; turn < 40; turn++) {
        for (uint32_t end = n + 500; n < end; n++) {
            all = all && intern_find_next(&in, hash_of(&in, n)) == INTERN_NONE;
            struct intern_context context = {.id = n + 1};
            uint32_t ix = intern_add_context(&in, &context);
            all = all && ix == n && intern_lead(&in, hash_of(&in, n), ix);
        }
        for (uint32_t i = 0; i < n; i++) {
            uint32_t k = turn % 3 ? i : (i * 7919 + turn) % n;
            all = all && intern_find_next(&in, hash_of(&in, k)) == k;
        }
    }
    CU_ASSERT(all);
    intern_clear(&in);
    EQ_INT(intern_find_next(&in, hash_of(&in, 1)), INTERN_NONE);
}

/* The slot that is fetched in advance is the one that is needed. */
static void knows_the_order(void) {
    struct intern in = {.seed = 42};
    enum { N = 5000 };
    for (uint32_t i = 0; i < N; i++) {
        struct intern_context context = {.id = i + 1};
        CU_ASSERT_FATAL(intern_lead(&in, hash_of(&in, i), intern_add_context(&in, &context)));
    }
    size_t known = 0;
    for (uint32_t i = 0; i < 3 * N; i++) {
        const struct intern_step *step = &in.trail[in.n_steps % INTERN_AHEAD];
        const struct intern_slot *slot = &in.slots[step->slot];
        struct intern_hash hash = hash_of(&in, i % N);
        known += i >= 2 * N && slot->low == hash.low && slot->high == hash.high;
        intern_find_next(&in, hash);
    }
    EQ_INT(known, N);
    intern_clear(&in);
}

static void is_seeded(void) {
    struct intern one = {.seed = 1}, two = {.seed = 2};
    CU_ASSERT(hash_of(&one, 7).low != hash_of(&two, 7).low);
    CU_ASSERT(hash_of(&one, 7).low == hash_of(&one, 7).low && hash_of(&one, 7).high == hash_of(&one, 7).high);
}

static struct intern_hash key_of(struct intern *in, uint64_t session_id, uint64_t era, uint64_t kind,
                                 const char *name, const char *rest) {
    const struct intern_scope scope = {session_id, era, kind};
    return intern_hash_key(in, &scope, span_str(name), span_str(rest));
}

static bool same(struct intern_hash a, struct intern_hash b) {
    return a.low == b.low && a.high == b.high;
}

/* Each pair of keys that differ in one thing, or in where the name ends. */
static void keys_differ(void) {
    struct intern in = {.seed = 42}, other = {.seed = 43};
    const struct intern_hash hashes[] = {
        key_of(&in, 1, 0, 0, "ab", "c|#x"),   key_of(&in, 1, 0, 0, "a", "bc|#x"),
        key_of(&in, 1, 0, 0, "abc|#x", ""),   key_of(&in, 1, 0, 0, "", "abc|#x"),
        key_of(&in, 1, 0, 0, "ab", "c|#y"),   key_of(&in, 1, 0, 0, "aB", "c|#x"),
        key_of(&in, 2, 0, 0, "ab", "c|#x"),   key_of(&in, 1, 1, 0, "ab", "c|#x"),
        key_of(&in, 1, 0, 1, "ab", "c|#x"),   key_of(&other, 1, 0, 0, "ab", "c|#x"),
        key_of(&in, 1, 0, 0, "ab", "c|#x\n"), key_of(&in, 1, 0, 0, "c|#x", "ab")};
    enum { N = sizeof hashes / sizeof hashes[0] };
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < i; k++)
            CU_ASSERT(!same(hashes[i], hashes[k]));
    CU_ASSERT(same(hashes[0], key_of(&in, 1, 0, 0, "ab", "c|#x")));
    intern_clear(&in);
    CU_ASSERT(same(hashes[0], key_of(&in, 1, 0, 0, "ab", "c|#x")));
}

static void stays_small(void) {
    CU_ASSERT(sizeof(struct intern_slot) == 16);
    CU_ASSERT(sizeof(struct intern_context) == 32);
    CU_ASSERT(sizeof(struct intern_series) <= 120);
}

/* A recording's series are counted before they are loaded: the table is made once, and no larger than it would have grown. */
static void is_made_once(void) {
    struct intern in = {.seed = 42};
    intern_expect(&in, 100000);
    const struct intern_slot *slots = in.slots;
    bool all = true;
    for (uint32_t i = 0; i < 200000; i++)
        all = all && intern_lead(&in, hash_of(&in, i), i);
    CU_ASSERT(all);
    CU_ASSERT(in.slots == slots && in.n_slots * sizeof *in.slots <= in.n_used * 26);
    intern_expect(&in, 10); /* fewer than there are */
    CU_ASSERT(in.slots == slots);
    EQ_INT(intern_find(&in, hash_of(&in, 77)), 77);
    intern_clear(&in);
}

/* A table that doubled held up to 40 bytes for each entry. */
static void stays_full(void) {
    struct intern in = {.seed = 42};
    bool all = true;
    for (uint32_t i = 0; i < 200000; i++) {
        all = all && intern_lead(&in, hash_of(&in, i), i);
        all = all && (i < 2000 || in.n_slots * sizeof *in.slots <= (in.n_used + 1) * 26);
    }
    CU_ASSERT(all);
    intern_clear(&in);
}

/* So one that is not there is soon known to be missing. */
static void stands_in_order(void) {
    struct intern in = {.seed = 42};
    bool all = true, order = true;
    for (uint32_t i = 0; i < 50000; i++)
        all = all && intern_lead(&in, hash_of(&in, i), i);
    CU_ASSERT(all);
    uint64_t before = 0;
    for (size_t at = 0; at < in.n_slots; at++) {
        if (!in.slots[at].ix_plus_1)
            continue;
        order = order && in.slots[at].low >= before;
        before = in.slots[at].low;
    }
    CU_ASSERT(order);
    CU_ASSERT(in.slots[in.n_slots - 1].ix_plus_1 == 0);
    intern_clear(&in);
}

/* Hashes of a file that somebody made: all in one place, and at the end, where there is room for some. */
static void crowds(void) {
    enum { CROWD = 90, OTHERS = 3000 };
    struct intern in = {.seed = 42};
    bool all = true;
    for (uint32_t i = 0; i < CROWD; i++)
        all = all && intern_lead(&in, (struct intern_hash){UINT64_MAX, i}, i);
    for (uint32_t i = 0; i < OTHERS; i++)
        all = all && intern_lead(&in, hash_of(&in, i), CROWD + i) &&
              intern_lead(&in, (struct intern_hash){7, i}, CROWD + OTHERS + i);
    for (uint32_t i = 0; i < CROWD; i++)
        all = all && intern_find(&in, (struct intern_hash){UINT64_MAX, i}) == i;
    for (uint32_t i = 0; i < OTHERS; i++)
        all = all && intern_find(&in, hash_of(&in, i)) == CROWD + i;
    CU_ASSERT(all);
    EQ_INT(intern_find(&in, (struct intern_hash){7, 123}), CROWD + OTHERS + 123);
    EQ_INT(intern_find(&in, (struct intern_hash){7, OTHERS}), INTERN_NONE);
    EQ_INT(intern_find(&in, (struct intern_hash){UINT64_MAX, CROWD}), INTERN_NONE);
    uint32_t n = CROWD;
    while (n < 10 * CROWD && intern_lead(&in, (struct intern_hash){UINT64_MAX, n}, n))
        n++;
    CU_ASSERT(n < 10 * CROWD);
    EQ_INT(intern_find(&in, (struct intern_hash){UINT64_MAX, n - 1}), n - 1);
    EQ_INT(intern_find(&in, (struct intern_hash){UINT64_MAX, n}), INTERN_NONE);
    intern_clear(&in);
}

UNIT_MAIN("store/intern", {"finds what it was given", finds}, {"finds keys in any order", finds_in_any_order},
          {"knows where the next key is", knows_the_order}, {"hashes depend on the seed", is_seeded},
          {"keys of other scopes, and cut elsewhere, differ", keys_differ}, {"stays small", stays_small},
          {"hardly has free slots", stays_full}, {"stands in order of the hashes", stands_in_order},
          {"takes hashes that crowd, and no more than there is room for", crowds},
          {"is made once for those that are expected", is_made_once})
