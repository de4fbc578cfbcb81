/* DESIGN. Open addressing with linear probing, 16 bytes a slot: four to a cache line, so a hit costs one miss
 * in the table and one in contexts[]. All entries stand in the order of their hashes, so a hash that is not there, as all three of a new series, is
 * known to be missing where a greater one stands: at a load of 4/5 after three slots, not thirteen. The order does not wrap around: behind the last
 * home there are SPARE slots. A series has three or four entries, so a table that doubled would hold
 * up to 80 bytes of nothing for each: it grows by a quarter, and in its place: each page of it is new to the kernel only once.
 * Of 100,000 series each lookup would wait for the memory, half as long as all else about a sample takes. Clients send their metrics in the same
 * order each time, so each context leads to the slot that was needed INTERN_AHEAD keys after it, and that is fetched while those in between are
 * stored. A slot that is not the right one, as after growing, only costs a look. */
#include "store/sqlite/intern.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xxhash.h>

#define SLOTS_MIN        1024
#define EXPECTED_MAX     ((uint64_t)4 << 20) /* a damaged file may say anything */
#define HASHES_OF_SERIES 2                   /* at least: its own, and that of its name or of a key */
/* The last one stays free. That random hashes need a hundred has odds of 1 in 10^18; a file made to need more is refused. */
#define SPARE 100

/* Slots come from the kernel and go back to it, which can add to them where they are. New ones are zero. */
static bool slots_extend(struct intern *in, uint64_t n) {
    if (n > UINT32_MAX)
        return false;
    size_t size = (size_t)n * sizeof *in->slots;
    void *p = in->slots ? mremap(in->slots, in->n_slots * sizeof *in->slots, size, MREMAP_MAYMOVE)
                        : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return false;
    in->slots = p;
    in->n_slots = (size_t)n;
    return true;
}

static void slots_free(struct intern_slot *slots, size_t n) {
    if (slots)
        munmap(slots, n * sizeof *slots);
}

void intern_clear(struct intern *in) {
    uint64_t seed = in->seed, table = in->table + 1;
    slots_free(in->slots, in->n_slots);
    free(in->contexts);
    free(in->after);
    free(in->series);
    free(in->names);
    *in = (struct intern){.seed = seed, .table = table};
}

struct intern_hash intern_hash(const struct intern *in, struct span bytes) {
    XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.p, bytes.n, in->seed);
    return (struct intern_hash){hash.low64, (uint32_t)hash.high64};
}

/* The seed of each step is the hash of the step before it. The name's hash has 128 bits: those that make no seed are added in the end. */
struct intern_hash intern_hash_key(struct intern *in, const struct intern_scope *scope, struct span name,
                                   struct span rest) {
    if (scope->session_id != in->scope.session_id || scope->era != in->scope.era ||
        scope->kind != in->scope.kind) {
        in->scope = *scope;
        in->scope_seed = XXH3_64bits_withSeed(scope, sizeof *scope, in->seed);
    }
    XXH128_hash_t first = XXH3_128bits_withSeed(name.p, name.n, in->scope_seed);
    XXH128_hash_t hash = XXH3_128bits_withSeed(rest.p, rest.n, first.low64);
    return (struct intern_hash){hash.low64, (uint32_t)(hash.high64 + first.high64)};
}

/* The share of the table that the hash is of all hashes. */
static size_t home_of(const struct intern *in, uint64_t low) {
    return (size_t)((low >> 32) * (in->n_slots - SPARE) >> 32);
}

static bool holds(const struct intern_slot *slot, struct intern_hash hash) {
    return slot->ix_plus_1 && slot->low == hash.low && slot->high == hash.high;
}

/* The slot that holds the hash, or the one that it belongs into. */
static size_t slot_of(const struct intern *in, struct intern_hash hash) {
    size_t at = home_of(in, hash.low);
    while (in->slots[at].ix_plus_1 && in->slots[at].low <= hash.low && !holds(&in->slots[at], hash))
        at++;
    return at;
}

uint32_t intern_find(const struct intern *in, struct intern_hash hash) {
    if (in->n_slots == 0)
        return INTERN_NONE;
    const struct intern_slot *slot = &in->slots[slot_of(in, hash)];
    return holds(slot, hash) ? slot->ix_plus_1 - 1 : INTERN_NONE;
}

uint32_t intern_find_next(struct intern *in, struct intern_hash hash) {
    if (in->n_slots == 0 || in->n_contexts == 0)
        return INTERN_NONE;
    struct intern_step *step = &in->trail[in->n_steps % INTERN_AHEAD];
    size_t at = step->slot;
    if (!holds(&in->slots[at], hash)) {
        at = slot_of(in, hash);
        if (!holds(&in->slots[at], hash))
            return INTERN_NONE;
        in->after[step->context] = (uint32_t)at;
    }
    step->context = in->slots[at].ix_plus_1 - 1;
    step->slot = in->after[step->context];
    __builtin_prefetch(&in->slots[step->slot]);
    in->n_steps++;
    return step->context;
}

void intern_prefetch(const struct intern *in, struct intern_hash hash) {
    if (in->n_slots)
        __builtin_prefetch(&in->slots[home_of(in, hash.low)]);
}

/* All entries go to the end, the last one first, and from there to their places, the first one first. */
static bool grow_to(struct intern *in, uint64_t n_new) {
    size_t n_old = in->n_slots, next = 0;
    if (!slots_extend(in, n_new))
        return false;
    struct intern_slot *slots = in->slots;
    size_t from = in->n_slots - 1;
    for (size_t at = n_old; at-- > 0;) {
        struct intern_slot slot = slots[at];
        slots[at].ix_plus_1 = 0;
        if (slot.ix_plus_1)
            slots[--from] = slot;
    }
    for (; from + 1 < in->n_slots; from++) {
        struct intern_slot slot = slots[from];
        size_t home = home_of(in, slot.low), at = home > next ? home : next;
        if (at > from)
            return false;
        slots[from].ix_plus_1 = 0;
        slots[at] = slot;
        next = at + 1;
    }
    return true;
}

void intern_expect(struct intern *in, uint64_t n_series) {
    uint64_t n = HASHES_OF_SERIES * (n_series < EXPECTED_MAX ? n_series : EXPECTED_MAX);
    uint64_t n_slots = n + n / 4 + 1 + SPARE;
    if (n_slots > in->n_slots)
        grow_to(in, n_slots);
}

bool intern_lead(struct intern *in, struct intern_hash hash, uint32_t ix) {
    if ((in->n_used + 1) * 5 + SPARE * 4 > in->n_slots * 4 &&
        !grow_to(in, in->n_slots < SLOTS_MIN ? SLOTS_MIN : in->n_slots + in->n_slots / 4))
        return false;
    size_t at = slot_of(in, hash), end = at;
    while (in->slots[end].ix_plus_1)
        end++;
    if (end + 1 == in->n_slots)
        return false;
    memmove(&in->slots[at + 1], &in->slots[at], (end - at) * sizeof *in->slots);
    in->slots[at] = (struct intern_slot){hash.low, hash.high, ix + 1};
    in->n_used++;
    return true;
}

/* Room for one more of `size` bytes in a growing array. */
static bool room(void **array, uint32_t n, uint32_t *cap, size_t size) {
    if (n < *cap)
        return true;
    uint64_t more = *cap ? (uint64_t)*cap + *cap / 2 : 256;
    if (more >= INTERN_NONE)
        return false;
    void *p = realloc(*array, more * size);
    if (!p)
        return false;
    *array = p;
    *cap = (uint32_t)more;
    return true;
}

uint32_t intern_add_context(struct intern *in, const struct intern_context *context) {
    uint32_t cap = in->cap_contexts;
    void *array = in->contexts, *after = in->after;
    if (!room(&after, in->n_contexts, &cap, sizeof *in->after))
        return INTERN_NONE;
    in->after = after;
    if (!room(&array, in->n_contexts, &in->cap_contexts, sizeof *context))
        return INTERN_NONE;
    in->contexts = array;
    in->contexts[in->n_contexts] = *context;
    in->after[in->n_contexts] = 0;
    return in->n_contexts++;
}

uint32_t intern_add_series(struct intern *in, const struct intern_series *series) {
    void *array = in->series;
    if (!room(&array, in->n_series, &in->cap_series, sizeof *series))
        return INTERN_NONE;
    in->series = array;
    in->series[in->n_series] = *series;
    return in->n_series++;
}

uint32_t intern_add_name(struct intern *in, const struct intern_name *name) {
    void *array = in->names;
    if (in->n_names >= INTERN_NAMES_MAX || !room(&array, in->n_names, &in->cap_names, sizeof *name))
        return INTERN_NONE;
    in->names = array;
    in->names[in->n_names] = *name;
    return in->n_names++;
}
