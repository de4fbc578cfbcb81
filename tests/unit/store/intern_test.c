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
    CU_ASSERT(sizeof(struct intern_series) <= 112);
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

UNIT_MAIN("store/intern", {"finds what it was given", finds}, {"hashes depend on the seed", is_seeded},
          {"keys of other scopes, and cut elsewhere, differ", keys_differ}, {"stays small", stays_small},
          {"hardly has free slots", stays_full})
