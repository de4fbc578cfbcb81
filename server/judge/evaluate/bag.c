#include "judge/evaluate/bag.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int reserve_plain(struct bag *b, size_t n) {
    if (b->n_plain + n <= b->cap_plain)
        return 0;
    size_t cap = b->cap_plain ? b->cap_plain : 1024;
    while (cap < b->n_plain + n)
        cap *= 2;
    double *plain = realloc(b->plain, cap * sizeof *plain);
    if (!plain)
        return -1;
    b->plain = plain;
    b->cap_plain = cap;
    return 0;
}

static int reserve(struct bag *b, size_t n) {
    if (b->n + n <= b->cap)
        return 0;
    size_t cap = b->cap ? b->cap : 16;
    while (cap < b->n + n)
        cap *= 2;
    struct weighted *items = realloc(b->items, cap * sizeof *items);
    if (!items)
        return -1;
    b->items = items;
    b->cap = cap;
    return 0;
}

static void note(struct bag *b, double least, double most, double total, bool odd) {
    bool any = b->n || b->n_plain;
    b->least = any && b->least < least ? b->least : least;
    b->most = any && b->most > most ? b->most : most;
    b->total += total;
    b->odd |= odd;
    b->ranged = false;
}

static bool is_odd(double value, double weight) {
    return isnan(value) || !(weight >= 0 && weight < 1e15) || weight != (double)(int64_t)weight;
}

int bag_add(struct bag *b, double value, double weight) {
    /* When full, joining equal values may make room before more memory is asked for. */
    if (b->n == b->cap && b->n - b->n_sorted > b->n / 2 && bag_settle(b) != 0)
        return -1;
    if (reserve(b, 1) != 0)
        return -1;
    note(b, value, value, weight, is_odd(value, weight));
    b->items[b->n++] = (struct weighted){value == 0 ? 0 : value, weight}; /* -0 is 0 */
    return 0;
}

/* --- many at a time ------------------------------------------------------------------------------------- */

#define OFTEN  16   /* one of so many was there before: then equal values are worth being looked for */
#define TRIED  8192 /* before that is known */
#define LARGE  ((size_t)1 << 16) /* items: 1 MB */
#define LARGER ((size_t)1 << 21)

static bool repeats(const struct bag_hints *h) {
    return h->tried < TRIED || h->hits * OFTEN >= h->tried;
}

static bool is_at(const struct bag *b, uint32_t place, double value) {
    return place < b->n && b->items[place].value == value;
}

/* Whether an equal value that came lately takes the weight. Two places for each hash, the one that came last first. */
static bool joins(struct bag *b, struct bag_hints *h, double value, double weight) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t *places = h->places[bits * UINT64_C(0x9e3779b97f4a7c15) >> (64 - BAG_HINT_BITS)];
    bool there = is_at(b, places[0], value) || is_at(b, places[1], value);
    if (!there || !is_at(b, places[0], value)) {
        uint32_t place = there ? places[1] : (uint32_t)b->n;
        places[1] = places[0];
        places[0] = place;
    }
    if (there)
        b->items[places[0]].weight += weight;
    h->hits += there;
    return there;
}

static void note_many(struct bag *b, size_t n, const double *values, double weight) {
    double least = values[0], most = values[0];
    bool odd = is_odd(0, weight);
    for (size_t i = 0; i < n; i++) {
        least = values[i] < least ? values[i] : least;
        most = values[i] > most ? values[i] : most;
        odd |= isnan(values[i]);
    }
    note(b, least, most, weight * (double)n, odd);
}

int bag_add_many(struct bag *b, size_t n, const double *values, double weight, struct bag_hints *h) {
    bool looks = repeats(h), plain = !looks && weight == 1;
    size_t unsorted = b->n + b->n_plain - b->n_sorted, all = b->n + b->n_plain;
    bool full = plain ? b->n_plain + n > b->cap_plain : b->n + n > b->cap;
    if (n == 0)
        return 0;
    if (full && unsorted > all / 2 && (all >= LARGER || (all >= LARGE && looks)) && bag_settle(b) != 0)
        return -1;
    if ((plain ? reserve_plain(b, n) : reserve(b, n)) != 0)
        return -1;
    note_many(b, n, values, weight);
    double *to = plain ? b->plain + b->n_plain : NULL;
    b->n_plain += plain ? n : 0;
    for (size_t i = 0; i < n && plain; i++)
        to[i] = values[i] + 0.0; /* -0 is 0 */
    for (size_t i = 0; i < n && !plain; i++) {
        double value = values[i] + 0.0;
        if (!looks || !joins(b, h, value, weight))
            b->items[b->n++] = (struct weighted){value, weight};
    }
    h->tried += looks ? n : 0;
    return 0;
}

/* Moves them to the items. */
static int weigh_plain(struct bag *b) {
    if (reserve(b, b->n_plain) != 0)
        return -1;
    for (size_t i = 0; i < b->n_plain; i++)
        b->items[b->n++] = (struct weighted){b->plain[i], 1};
    free(b->plain);
    b->plain = NULL;
    b->n_plain = b->cap_plain = 0;
    return 0;
}

int bag_add_all(struct bag *b, const struct bag *from) {
    if (from->n + from->n_plain == 0)
        return 0;
    if (reserve(b, from->n) != 0 || reserve_plain(b, from->n_plain) != 0)
        return -1;
    note(b, from->least, from->most, from->total, from->odd);
    if (from->n)
        memcpy(b->items + b->n, from->items, from->n * sizeof *b->items);
    if (from->n_plain)
        memcpy(b->plain + b->n_plain, from->plain, from->n_plain * sizeof *b->plain);
    b->n += from->n;
    b->n_plain += from->n_plain;
    return 0;
}

static int by_value(const void *a, const void *b) {
    double x = ((const struct weighted *)a)->value, y = ((const struct weighted *)b)->value;
    return (x > y) - (x < y);
}

/* --- many values are sorted by their digits: a fifth of what comparing takes -------------------------------- */

#define DIGIT_BITS 11
#define DIGITS     6
#define BUCKETS    (1u << DIGIT_BITS)
#define MANY       1024

/* In the order of the numbers. */
static uint64_t key_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static unsigned digit_of(const struct weighted *item, int digit) {
    return (unsigned)(key_of(item->value) >> (digit * DIGIT_BITS)) & (BUCKETS - 1);
}

/* By one digit into `to`, keeping the order of what is the same; false: all are the same, and nothing was moved. */
static bool sort_by_digit(const struct weighted *from, struct weighted *to, size_t n, int digit,
                          size_t starts[BUCKETS]) {
    size_t at = 0;
    memset(starts, 0, BUCKETS * sizeof *starts);
    for (size_t i = 0; i < n; i++)
        starts[digit_of(&from[i], digit)]++;
    if (starts[digit_of(&from[0], digit)] == n)
        return false;
    for (size_t i = 0; i < BUCKETS; i++) {
        size_t count = starts[i];
        starts[i] = at;
        at += count;
    }
    for (size_t i = 0; i < n; i++)
        to[starts[digit_of(&from[i], digit)]++] = from[i];
    return true;
}

static void sort(struct weighted *items, size_t n) {
    struct weighted *other = n >= MANY ? malloc(n * sizeof *other) : NULL, *from = items, *to = other;
    size_t *starts = other ? malloc(BUCKETS * sizeof *starts) : NULL;
    if (!starts)
        qsort(items, n, sizeof *items, by_value);
    for (int digit = 0; digit < DIGITS && starts; digit++) {
        if (!sort_by_digit(from, to, n, digit, starts))
            continue;
        struct weighted *sorted = to;
        to = from;
        from = sorted;
    }
    if (starts && from != items)
        memcpy(items, from, n * sizeof *items);
    free(starts);
    free(other);
}

static size_t join_equal(struct weighted *items, size_t n) {
    size_t out = 0;
    for (size_t i = 0; i < n; i++) {
        if (out && items[out - 1].value == items[i].value)
            items[out - 1].weight += items[i].weight;
        else
            items[out++] = items[i];
    }
    return out;
}

/* Only what came since the last time is sorted; then both are merged. */
int bag_settle(struct bag *b) {
    if (b->n_sorted == b->n + b->n_plain)
        return 0;
    if (b->n_plain && weigh_plain(b) != 0)
        return -1;
    sort(b->items + b->n_sorted, b->n - b->n_sorted);
    if (b->n_sorted) {
        struct weighted *merged = malloc(b->n * sizeof *merged);
        if (!merged)
            return -1;
        size_t i = 0, j = b->n_sorted, out = 0;
        while (i < b->n_sorted || j < b->n) {
            bool first = j == b->n || (i < b->n_sorted && b->items[i].value <= b->items[j].value);
            merged[out++] = first ? b->items[i++] : b->items[j++];
        }
        free(b->items);
        b->items = merged;
        b->cap = b->n;
    }
    b->n = b->n_sorted = join_equal(b->items, b->n);
    b->ranged = false;
    return 0;
}

/* --- quantiles ------------------------------------------------------------------------------------------- */

#define FEW_ASKED 8 /* finding so many places takes less than sorting */
#define RANGES    4096

/* A hair below, for sums of fractions that should meet exactly. */
static double rank_of(double total, double percentile) {
    return total * percentile / 100 - total * 1e-12;
}

static double place_in_sorted(const struct weighted *items, size_t n, double reached, double rank) {
    for (size_t i = 0; i < n; i++) {
        reached += items[i].weight;
        if (reached > 0 && reached >= rank)
            return items[i].value;
    }
    return NAN;
}

/* The values' span cut into ranges of the same width, and what each weighs. A claim is evaluated more than once, so the last place that was
 * found is kept, too. */
struct bag_ranges {
    double least, scale;
    double weights[RANGES];
    bool found;
    double percentile, value;
};

static uint32_t range_of(double least, double scale, double value) {
    uint32_t i = (uint32_t)(int32_t)((value - least) * scale);
    return i < RANGES ? i : RANGES - 1;
}

/* Whether adding up weights in any order gives the same, and the values have a span. */
static bool has_places(const struct bag *b) {
    return !b->odd && b->total < 1e15 && isfinite(b->most - b->least) &&
           isfinite(RANGES / (b->most - b->least));
}

static int weigh_ranges(struct bag *b) {
    struct bag_ranges *r = b->ranges ? b->ranges : malloc(sizeof *r);
    if (!r)
        return -1;
    double least = b->least, scale = RANGES / (b->most - b->least);
    *r = (struct bag_ranges){.least = least, .scale = scale};
    for (size_t i = 0; i < b->n; i++)
        r->weights[range_of(least, scale, b->items[i].value)] += b->items[i].weight;
    for (size_t i = 0, n = b->n_plain; i < n; i++)
        r->weights[range_of(least, scale, b->plain[i])]++;
    b->ranges = r;
    b->ranged = true;
    return 0;
}

/* The items of one range. */
static size_t take_range(const struct bag *b, uint32_t range, struct weighted *inside) {
    double least = b->ranges->least, scale = b->ranges->scale;
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++)
        if (range_of(least, scale, b->items[i].value) == range)
            inside[n++] = b->items[i];
    for (size_t i = 0, all = b->n_plain; i < all; i++)
        if (range_of(least, scale, b->plain[i]) == range)
            inside[n++] = (struct weighted){b->plain[i], 1};
    return n;
}

/* The same place as if all were sorted: only the range that holds it is. */
static double find_place(const struct bag *b, double percentile) {
    struct bag_ranges *r = b->ranges;
    if (r->found && r->percentile == percentile)
        return r->value;
    struct weighted *inside = malloc((b->n + b->n_plain + 1) * sizeof *inside);
    double rank = rank_of(b->total, percentile), reached = 0;
    if (!inside)
        return NAN;
    uint32_t range = 0;
    while (range < RANGES - 1 && !(reached + r->weights[range] > 0 && reached + r->weights[range] >= rank))
        reached += r->weights[range++];
    size_t n = take_range(b, range, inside);
    if (n)
        sort(inside, n);
    r->found = true;
    r->percentile = percentile;
    r->value = place_in_sorted(inside, n, reached, rank);
    free(inside);
    return r->value;
}

int bag_settle_for_percentile(struct bag *b) {
    size_t all = b->n + b->n_plain;
    if (all == b->n_sorted)
        return 0;
    if (all < LARGE || b->asked++ >= FEW_ASKED || !has_places(b))
        return bag_settle(b);
    return b->ranged ? 0 : weigh_ranges(b);
}

double bag_percentile(const struct bag *b, double percentile) {
    if (b->ranged)
        return find_place(b, percentile);
    double total = b->odd ? 0 : b->total;
    for (size_t i = 0; i < b->n && b->odd; i++)
        total += b->items[i].weight;
    return place_in_sorted(b->items, b->n, 0, rank_of(total, percentile));
}

void bag_free(struct bag *b) {
    free(b->items);
    free(b->plain);
    free(b->ranges);
    *b = (struct bag){0};
}
