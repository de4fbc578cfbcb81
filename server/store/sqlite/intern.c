/* DESIGN. Open addressing with linear probing, 16 bytes a slot: four to a cache line, so a hit costs one miss
 * in the table and one in contexts[]. The load stays under 4/5. A series has three or four entries, so a table that doubled would hold
 * up to 80 bytes of nothing for each: it grows by a quarter. Entries stand in the order of their hashes, so each growth reads the old
 * table and writes the new one from the front to the end.
 * Of 100,000 series each lookup would wait for the memory, half as long as all else about a sample takes. Clients send their metrics in the same
 * order each time, so each context leads to the slot that was needed INTERN_AHEAD keys after it, and that is fetched while those in between are
 * stored. A slot that is not the right one, as after growing, only costs a look. */
#include "store/sqlite/intern.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <xxhash.h>

#define SLOTS_MIN        1024
#define EXPECTED_MAX     ((uint64_t)4 << 20) /* a damaged file may say anything */
#define HASHES_OF_SERIES 2                   /* at least: its own, and that of its name or of a key */

/* Slots come from the kernel and go back to it: what a growing table leaves behind in the heap is too small for the next one. */
static struct intern_slot *slots_alloc(uint64_t n) {
    void *p = n <= UINT32_MAX ? mmap(NULL, (size_t)n * sizeof(struct intern_slot), PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                              : MAP_FAILED;
    return p == MAP_FAILED ? NULL : p;
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
    return (size_t)((low >> 32) * in->n_slots >> 32);
}

static size_t after(const struct intern *in, size_t at) {
    return at + 1 == in->n_slots ? 0 : at + 1;
}

static bool holds(const struct intern_slot *slot, struct intern_hash hash) {
    return slot->low == hash.low && slot->high == hash.high;
}

/* The slot that holds the hash, or a free one. */
static size_t slot_of(const struct intern *in, struct intern_hash hash) {
    size_t at = home_of(in, hash.low);
    while (in->slots[at].ix_plus_1 && !holds(&in->slots[at], hash))
        at = after(in, at);
    return at;
}

uint32_t intern_find(const struct intern *in, struct intern_hash hash) {
    return in->n_slots ? in->slots[slot_of(in, hash)].ix_plus_1 - 1 : INTERN_NONE;
}

uint32_t intern_find_next(struct intern *in, struct intern_hash hash) {
    if (in->n_slots == 0 || in->n_contexts == 0)
        return INTERN_NONE;
    struct intern_step *step = &in->trail[in->n_steps % INTERN_AHEAD];
    size_t at = step->slot;
    if (!in->slots[at].ix_plus_1 || !holds(&in->slots[at], hash)) {
        at = slot_of(in, hash);
        if (!in->slots[at].ix_plus_1)
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

static void place(struct intern *in, struct intern_slot slot) {
    size_t at = home_of(in, slot.low);
    while (in->slots[at].ix_plus_1)
        at = after(in, at);
    in->slots[at] = slot;
}

static bool grow_to(struct intern *in, uint64_t n_new) {
    size_t n_old = in->n_slots;
    struct intern_slot *old = in->slots;
    struct intern_slot *slots = slots_alloc(n_new);
    if (!slots)
        return false;
    in->slots = slots;
    in->n_slots = (size_t)n_new;
    for (size_t i = 0; i < n_old; i++)
        if (old[i].ix_plus_1)
            place(in, old[i]);
    slots_free(old, n_old);
    return true;
}

void intern_expect(struct intern *in, uint64_t n_series) {
    uint64_t n = HASHES_OF_SERIES * (n_series < EXPECTED_MAX ? n_series : EXPECTED_MAX);
    if (n + n / 4 > in->n_slots)
        grow_to(in, n + n / 4 + 1);
}

bool intern_lead(struct intern *in, struct intern_hash hash, uint32_t ix) {
    if ((in->n_used + 1) * 5 > in->n_slots * 4 &&
        !grow_to(in, in->n_slots < SLOTS_MIN ? SLOTS_MIN : in->n_slots + in->n_slots / 4))
        return false;
    place(in, (struct intern_slot){hash.low, hash.high, ix + 1});
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
