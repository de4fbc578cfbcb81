#include "agent/private.h"

#include <xxhash.h>

static void insert_text(struct agent_texts *t, struct agent_text text) {
    size_t i = text.low & (t->cap - 1);
    for (; t->slots[i].high; i = (i + 1) & (t->cap - 1))
        if (t->slots[i].low == text.low && t->slots[i].high == text.high)
            return;
    t->slots[i] = text;
    t->n++;
}

static int grow_texts(struct agent *a, struct agent_texts *t, struct err *err) {
    struct agent_texts bigger = {.cap = t->cap ? 2 * t->cap : 8};
    if (agent_charge(a, (bigger.cap - t->cap) * sizeof *t->slots, err) != 0)
        return -1;
    bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
    if (!bigger.slots)
        return agent_no_memory(err);
    for (size_t i = 0; i < t->cap; i++)
        if (t->slots[i].high)
            insert_text(&bigger, t->slots[i]);
    free(t->slots);
    *t = bigger;
    return 0;
}

int agent_texts_add(struct agent *a, struct agent_texts *t, struct span text, struct err *err) {
    if (t->n * 4 >= t->cap * 3 && grow_texts(a, t, err) != 0)
        return -1;
    XXH128_hash_t hash = XXH3_128bits(text.p ? text.p : "", text.n);
    insert_text(t, (struct agent_text){hash.low64, hash.high64 | 1});
    return 0;
}
