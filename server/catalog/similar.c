/* DESIGN. A name's features are the hashes of itself, of itself without each one of its bytes, and without
 * each one of its segments, and of its segments in order of bytes. All go into one hash table. Prefix hashes
 * make each feature O(1). */
#include "catalog/similar.h"

#include "core/distance.h"

#include <stdlib.h>

#define SEGMENTS_MAX 32
#define FEATURES_MAX (SIMILAR_BYTES + SEGMENTS_MAX + 2)
#define BUCKET_MAX   64 /* names looked at for one feature */
#define BASE         UINT64_C(0x9e3779b97f4a7c15)
#define NONE         UINT32_MAX

struct feature {
    uint32_t check, name, next;
};

struct similar {
    size_t n;
    const struct span *names;
    size_t mask, n_features;
    uint32_t *heads;
    struct feature *features;
};

static uint64_t mix(uint64_t h) {
    h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return h ^ h >> 32;
}

static bool separates(char c) {
    return c == '.' || c == '_' || c == '-';
}

struct segments {
    size_t n, from[SEGMENTS_MAX], to[SEGMENTS_MAX];
};

static struct segments segments_of(struct span name) {
    struct segments s = {0};
    size_t from = 0;
    for (size_t i = 0; i <= name.n && s.n < SEGMENTS_MAX; i++) {
        if (i < name.n && !separates(name.p[i]))
            continue;
        s.from[s.n] = from;
        s.to[s.n++] = i;
        from = i + 1;
    }
    return s;
}

static struct span clip(struct span name) {
    return span_of(name.p, name.n < SIMILAR_BYTES ? name.n : SIMILAR_BYTES);
}

static size_t features_of(struct span name, uint64_t out[FEATURES_MAX]) {
    uint64_t h[SIMILAR_BYTES + 1] = {1}, power[SIMILAR_BYTES + 1] = {1};
    name = clip(name);
    size_t n = 0, length = name.n;
    for (size_t i = 0; i < length; i++) {
        h[i + 1] = h[i] * BASE + (unsigned char)name.p[i];
        power[i + 1] = power[i] * BASE;
    }
/* of name without [from, to) */
#define WITHOUT(from, to) mix(h[from] * power[length - (to)] + h[length] - h[to] * power[length - (to)])
    out[n++] = mix(h[length]);
    for (size_t i = 0; i < length; i++)
        if (i == 0 || name.p[i] != name.p[i - 1])
            out[n++] = WITHOUT(i, i + 1);
    struct segments s = segments_of(name);
    uint64_t unordered = s.n;
    for (size_t k = 0; k < s.n; k++) {
        size_t from = s.from[k], to = s.to[k];
        unordered += mix(h[to] - h[from] * power[to - from] + 7);
        if (s.n == 1)
            continue;
        if (to < length)
            to++;
        else
            from--;
        out[n++] = WITHOUT(from, to);
    }
#undef WITHOUT
    out[n++] = mix(unordered);
    return n;
}

static int reserve(struct similar *s) {
    size_t n = 0, size = 64;
    for (size_t i = 0; i < s->n; i++)
        n += clip(s->names[i]).n + SEGMENTS_MAX + 2;
    if (n >= NONE)
        return -1;
    s->features = malloc((n + 1) * sizeof *s->features);
    while (size < n / 2)
        size *= 2;
    s->heads = malloc(size * sizeof *s->heads);
    s->mask = size - 1;
    if (!s->features || !s->heads)
        return -1;
    memset(s->heads, 0xff, size * sizeof *s->heads);
    return 0;
}

struct similar *similar_new(size_t n, const struct span *names) {
    struct similar *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->n = n;
    s->names = names;
    if (reserve(s)) {
        similar_free(s);
        return NULL;
    }
    uint64_t features[FEATURES_MAX];
    for (size_t i = 0; i < n; i++) {
        size_t n_features = features_of(names[i], features);
        for (size_t k = 0; k < n_features; k++) {
            uint32_t *head = &s->heads[features[k] & s->mask];
            s->features[s->n_features] = (struct feature){(uint32_t)(features[k] >> 32), (uint32_t)i, *head};
            *head = (uint32_t)s->n_features++;
        }
    }
    struct feature *fit = realloc(s->features, (s->n_features + 1) * sizeof *fit);
    if (fit)
        s->features = fit;
    return s;
}

void similar_free(struct similar *s) {
    if (!s)
        return;
    free(s->heads);
    free(s->features);
    free(s);
}

static bool same_segments(struct span a, struct span b) {
    struct segments x = segments_of(a), y = segments_of(b);
    bool used[SEGMENTS_MAX] = {false};
    if (x.n != y.n || x.n == SEGMENTS_MAX)
        return false;
    for (size_t i = 0; i < x.n; i++) {
        size_t k = 0;
        while (k < y.n && (used[k] || !span_eq(span_of(a.p + x.from[i], x.to[i] - x.from[i]),
                                               span_of(b.p + y.from[k], y.to[k] - y.from[k]))))
            k++;
        if (k == y.n)
            return false;
        used[k] = true;
    }
    return true;
}

/* Below `least` it need not be exact, which saves most of the work once good ones are found. */
static double likeness_above(double least, struct span a, struct span b, size_t *edits, uint64_t *steps) {
    a = clip(a);
    b = clip(b);
    size_t longer = a.n > b.n ? a.n : b.n, limit = (size_t)((1 - least) * (double)longer + 1e-9);
    *edits = distance(a, b, limit);
    *steps += longer + (2 * limit + 1) * (*edits > limit ? 2 * limit + 1 : longer);
    double alike = longer ? 1 - (double)*edits / (double)longer : 1;
    return alike < 0.9 && same_segments(a, b) ? 0.9 : alike;
}

double likeness(struct span a, struct span b, size_t *edits) {
    uint64_t ignored = 0;
    return likeness_above(0.5, a, b, edits, &ignored);
}

static void keep_best(struct near candidate, size_t max, struct near *found, size_t *n) {
    size_t at = *n;
    while (at > 0 && (found[at - 1].likeness < candidate.likeness ||
                      (found[at - 1].likeness == candidate.likeness && found[at - 1].i > candidate.i)))
        at--;
    if (at >= max)
        return;
    if (*n < max)
        (*n)++;
    memmove(found + at + 1, found + at, (*n - at - 1) * sizeof *found);
    found[at] = candidate;
}

size_t similar_find(const struct similar *s, struct span name, size_t max, struct near *found,
                    uint64_t *steps) {
    uint64_t features[FEATURES_MAX];
    if (*steps > SIMILAR_STEPS_MAX)
        return 0;
    size_t n_features = features_of(name, features), n = 0, n_tried = 0;
    uint32_t tried[SIMILAR_TRIED];
    for (size_t k = 0; k < n_features; k++) {
        size_t looked = 0;
        for (uint32_t f = s->heads[features[k] & s->mask]; f != NONE && looked < BUCKET_MAX;
             f = s->features[f].next) {
            const struct feature *feature = &s->features[f];
            ++*steps;
            if (feature->check != (uint32_t)(features[k] >> 32))
                continue;
            looked++;
            size_t t = 0;
            while (t < n_tried && tried[t] != feature->name)
                t++;
            if (t < n_tried || n_tried == SIMILAR_TRIED || span_eq(s->names[feature->name], name))
                continue;
            tried[n_tried++] = feature->name;
            struct near candidate = {.i = feature->name};
            double least = n == max ? found[n - 1].likeness : 0.5;
            candidate.likeness =
                likeness_above(least, name, s->names[feature->name], &candidate.distance, steps);
            if (candidate.likeness >= 0.5)
                keep_best(candidate, max, found, &n);
        }
    }
    return n;
}
