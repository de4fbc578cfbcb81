/* The sketch of a distribution: bins of logarithmic width, and an exact summary. schema/protocol/dogstatsd.md section 7.4. */
#include "agent/private.h"

#include <math.h>

#define GAMMA      1.015625
#define LN_GAMMA   0.015504186535965254
#define BIAS       1338
#define KEY_MAX    32766
#define KEY_BEYOND 32767

static double smallest_with_a_bin(void) {
    static double smallest; /* the same value, whoever writes it */
    if (smallest == 0)
        smallest = pow(GAMMA, 1 - BIAS);
    return smallest;
}

int32_t agent_sketch_key(double value) {
    if (value < 0)
        return -agent_sketch_key(-value);
    if (value < smallest_with_a_bin())
        return 0;
    double key = nearbyint(log(value) / LN_GAMMA) + BIAS;
    return key > KEY_MAX ? KEY_BEYOND : key < 1 ? 1 : (int32_t)key;
}

static void add_to_summary(struct agent_sketch *s, double value, int64_t count, double sum) {
    bool first = s->count == 0;
    s->max = first || value > s->max ? value : s->max;
    s->min = first || value < s->min ? value : s->min;
    s->count += count;
    s->sum = first ? sum : s->sum + sum;
    if (first)
        s->avg = value;
    else if (count == 1)
        s->avg += (value - s->avg) / (double)s->count;
    else
        s->avg += (value - s->avg) * (double)count / (double)s->count;
}

/* --- bins ------------------------------------------------------------------------------------------------------- */

/* Adds bins of this key to the n that are in the scratch: full ones stand behind the one that is not. */
static int put_bins(struct agent *a, size_t *n, int32_t key, uint64_t count, struct err *err) {
    uint64_t full = count / SKETCH_BIN_MAX, rest = count % SKETCH_BIN_MAX;
    if (count == SKETCH_BIN_MAX)
        full = 0, rest = count;
    for (uint64_t i = 0; i < full + (rest != 0); i++) {
        if (agent_room(a, &a->bins, *n, &a->cap_bins, sizeof *a->bins, err) != 0)
            return -1;
        a->bins[(*n)++] = (struct agent_bin){key, i == 0 && rest ? (uint32_t)rest : SKETCH_BIN_MAX};
    }
    return 0;
}

/* Merges the lowest bins when there are too many. What is more than a bin can count stands before them. */
static int trim_bins(struct agent *a, size_t *n, struct err *err) {
    if (*n <= SKETCH_BINS_MAX)
        return 0;
    size_t n_low = *n - SKETCH_BINS_MAX, all = *n, n_over = 0;
    uint64_t over = 0;
    for (size_t i = 0; i < n_low; i++) {
        over += a->bins[i].n;
        if (over > SKETCH_BIN_MAX) {
            a->bins[n_over++] = (struct agent_bin){a->bins[i].key, SKETCH_BIN_MAX};
            over -= SKETCH_BIN_MAX;
        }
    }
    struct agent_bin *lowest = &a->bins[n_low];
    uint64_t room = SKETCH_BIN_MAX - lowest->n, fits = over < room ? over : room;
    lowest->n += (uint32_t)fits;
    size_t end = all;
    if (over > fits && put_bins(a, &end, a->bins[n_low].key, over - fits, err) != 0)
        return -1;
    /* The surplus goes behind the other surplus, and the rest follows: n_over + 1 <= n_low, so nothing is written over. */
    if (end > all)
        a->bins[n_over++] = a->bins[all];
    memmove(a->bins + n_over, a->bins + n_low, SKETCH_BINS_MAX * sizeof *a->bins);
    *n = n_over + SKETCH_BINS_MAX;
    return 0;
}

static int keep_bins(struct agent *a, struct agent_sketch *s, size_t n, struct err *err) {
    if (n > s->cap_bins) {
        size_t cap = n + n / 4;
        if (agent_charge(a, (cap - s->cap_bins) * sizeof *s->bins, err) != 0)
            return -1;
        struct agent_bin *bins = realloc(s->bins, cap * sizeof *bins);
        if (!bins)
            return agent_no_memory(err);
        s->bins = bins;
        s->cap_bins = cap;
    }
    if (n)
        memcpy(s->bins, a->bins, n * sizeof *s->bins);
    s->n_bins = n;
    return 0;
}

/* Merges n bins, rising and each key once, into the sketch's. */
static int merge_bins(struct agent *a, struct agent_sketch *s, size_t n, const struct agent_bin *more,
                      const uint64_t *counts, struct err *err) {
    size_t out = 0, i = 0;
    for (size_t j = 0; j < n; j++) {
        uint64_t count = counts ? counts[j] : more[j].n;
        for (; i < s->n_bins && s->bins[i].key < more[j].key; i++)
            if (put_bins(a, &out, s->bins[i].key, s->bins[i].n, err) != 0)
                return -1;
        if (i < s->n_bins && s->bins[i].key == more[j].key)
            count += s->bins[i++].n;
        if (put_bins(a, &out, more[j].key, count, err) != 0)
            return -1;
    }
    for (; i < s->n_bins; i++)
        if (put_bins(a, &out, s->bins[i].key, s->bins[i].n, err) != 0)
            return -1;
    if (trim_bins(a, &out, err) != 0)
        return -1;
    return keep_bins(a, s, out, err);
}

/* --- keys that wait --------------------------------------------------------------------------------------------- */

/* Sorts keys by their two bytes, the lower one first. */
static void sort_keys(int16_t *keys, size_t n) {
    int16_t other[SKETCH_WAITING_MAX];
    int16_t *from = keys, *to = other;
    for (unsigned shift = 0; shift <= 8; shift += 8) {
        size_t at[257] = {0};
        for (size_t i = 0; i < n; i++)
            at[((((uint16_t)from[i] ^ 0x8000U) >> shift) & 0xFF) + 1]++;
        for (size_t i = 1; i < 257; i++)
            at[i] += at[i - 1];
        for (size_t i = 0; i < n; i++)
            to[at[(((uint16_t)from[i] ^ 0x8000U) >> shift) & 0xFF]++] = from[i];
        int16_t *swap = from;
        from = to;
        to = swap;
    }
}

int agent_sketch_settle(struct agent *a, struct agent_sketch *s, struct err *err) {
    struct agent_bin more[SKETCH_WAITING_MAX];
    size_t n = 0;
    if (s->n_waiting == 0)
        return 0;
    sort_keys(s->waiting, s->n_waiting);
    for (size_t i = 0; i < s->n_waiting; i++) {
        if (n && more[n - 1].key == s->waiting[i])
            more[n - 1].n++;
        else
            more[n++] = (struct agent_bin){s->waiting[i], 1};
    }
    s->n_waiting = 0;
    return merge_bins(a, s, n, more, NULL, err);
}

int agent_sketch_add(struct agent *a, struct agent_sketch *s, double value, double rate, struct err *err) {
    int32_t key = agent_sketch_key(value);
    if (!(rate > 0 && rate < 1)) {
        add_to_summary(s, value, 1, value);
        if (agent_room(a, &s->waiting, s->n_waiting, &s->cap_waiting, sizeof *s->waiting, err) != 0)
            return -1;
        s->waiting[s->n_waiting++] = (int16_t)key;
        return s->n_waiting < SKETCH_WAITING_MAX ? 0 : agent_sketch_settle(a, s, err);
    }
    double times = 1 / rate;
    uint64_t weight = times < (double)SKETCH_WEIGHT_MAX ? (uint64_t)times : SKETCH_WEIGHT_MAX;
    struct agent_bin one = {key, 0};
    add_to_summary(s, value, (int64_t)weight, value * times);
    if (agent_sketch_settle(a, s, err) != 0)
        return -1;
    return merge_bins(a, s, 1, &one, &weight, err);
}
