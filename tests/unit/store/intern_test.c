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
          {"stays small", stays_small}, {"hardly has free slots", stays_full})
