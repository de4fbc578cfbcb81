#include "http/interest.h"

#include "core/array.h"
#include "core/glob.h"
#include <stdlib.h>
#include <xxhash.h>

/* --- ties ------------------------------------------------------------------------------------------------ */

#define DEAD_KEPT 4096 /* keys that nobody waits for any more, before the table is made anew */

/* A table can't forget a key. */
static int forget_dead(struct ties *t) {
    if (t->heads.n <= 4 * t->n_live + DEAD_KEPT)
        return 0;
    struct table heads = {0};
    for (size_t i = 0; i < t->n; i++)
        if (t->list[i].waiter && !t->list[i].before &&
            table_set(&heads, t->list[i].key, (uint32_t)i + 1) != 0) {
            table_free(&heads);
            return -1;
        }
    table_free(&t->heads);
    t->heads = heads;
    return 0;
}

static int ties_add(struct ties *t, uint64_t key, struct waiter *w, uint32_t *own) {
    bool added;
    uint32_t *head = forget_dead(t) == 0 ? table_put(&t->heads, key, 0, &added) : NULL, place = t->unused;
    if (!head || (!place && !array_room(&t->list, t->n, &t->cap, sizeof *t->list)))
        return -1;
    if (place)
        t->unused = t->list[place - 1].next_own;
    else
        place = (uint32_t)++t->n;
    t->list[place - 1] = (struct tie){.key = key, .waiter = w, .next = *head, .next_own = *own};
    if (*head)
        t->list[*head - 1].before = place;
    *head = *own = place;
    t->n_live++;
    return 0;
}

static void ties_drop(struct ties *t, uint32_t *own, struct store *store) {
    while (*own) {
        uint32_t place = *own;
        struct tie *tie = &t->list[place - 1];
        *own = tie->next_own;
        if (tie->next)
            t->list[tie->next - 1].before = tie->before;
        if (tie->before)
            t->list[tie->before - 1].next = tie->next;
        else
            *table_get(&t->heads, tie->key) = tie->next;
        if (store)
            store_await_series(store, tie->key, -1);
        *tie = (struct tie){.next_own = t->unused};
        t->unused = place;
        t->n_live--;
    }
    if (t->n_live == 0) {
        table_free(&t->heads);
        free(t->list);
        *t = (struct ties){0};
    }
}

static const struct tie *ties_of(const struct ties *t, uint64_t key) {
    const uint32_t *head = table_get(&t->heads, key);
    return head && *head ? &t->list[*head - 1] : NULL;
}

const struct tie *interest_next(const struct ties *t, const struct tie *tie) {
    return tie->next ? &t->list[tie->next - 1] : NULL;
}

/* --- names ----------------------------------------------------------------------------------------------- */

/* `all`: of every session. */
static uint64_t seed_of(struct span session, bool all) {
    return all ? 1 : XXH3_64bits(session.p, session.n) | 2;
}

static uint64_t name_key(struct span name, uint64_t seed) {
    return XXH3_64bits_withSeed(name.p, name.n, seed);
}

/* Of all names that begin so and go on with a dot. */
static uint64_t below_key(struct span start, uint64_t seed) {
    return XXH3_64bits_withSeed(start.p, start.n, ~seed);
}

/* NAME.* without another wildcard; *start is NAME. */
static bool is_below(struct span pattern, struct span *start) {
    if (pattern.n < 2 || pattern.p[pattern.n - 1] != '*' || pattern.p[pattern.n - 2] != '.')
        return false;
    *start = span_of(pattern.p, pattern.n - 2);
    return !glob_is_pattern(*start);
}

static bool waits_for_all(const struct waiter *w) {
    return strcmp(w->session, WATCH_EVERY_SESSION) == 0;
}

static int enrol(struct interest *in, struct waiter *w, enum watch_roster kind) {
    struct roster *r = &in->rosters[kind];
    if (w->enrolled[kind])
        return 0;
    if (!array_room(&r->list, r->n, &r->cap, sizeof *r->list))
        return -1;
    r->list[r->n++] = w;
    w->enrolled[kind] = (uint32_t)r->n;
    return 0;
}

static void strike(struct interest *in, struct waiter *w, enum watch_roster kind) {
    struct roster *r = &in->rosters[kind];
    if (!w->enrolled[kind])
        return;
    struct waiter *last = r->list[--r->n];
    r->list[w->enrolled[kind] - 1] = last;
    last->enrolled[kind] = w->enrolled[kind];
    w->enrolled[kind] = 0;
}

static int add_names(struct interest *in, struct waiter *w, const struct taker_wants *wants) {
    uint64_t seed = seed_of(span_str(w->session), waits_for_all(w));
    bool others = wants->all_series;
    struct span start;
    for (size_t i = 0; i < wants->n_names && !others; i++) {
        struct span name = wants->names[i];
        bool below = is_below(name, &start);
        others = !below && glob_is_pattern(name);
        if (!others &&
            ties_add(&in->names, below ? below_key(start, seed) : name_key(name, seed), w, &w->names) != 0)
            return -1;
    }
    return others ? enrol(in, w, WATCH_SERIES) : 0;
}

int interest_add(struct interest *in, struct waiter *w) {
    if (!w->takes)
        return enrol(in, w, WATCH_COMMITS);
    bool told = w->takes->wants != NULL;
    struct taker_wants wants = told ? w->takes->wants(w->taker) : (struct taker_wants){.n_names = 0};
    uint64_t id;
    if (enrol(in, w, WATCH_TAKERS) != 0 || (wants.events && enrol(in, w, WATCH_EVENTS) != 0) ||
        (wants.checks && enrol(in, w, WATCH_CHECKS) != 0) ||
        (wants.rejects && enrol(in, w, WATCH_REJECTS) != 0) ||
        ((w->counts || !told) && enrol(in, w, WATCH_COUNTS) != 0) || add_names(in, w, &wants) != 0)
        return -1;
    w->awaits = told && !w->counts && !wants.events && !wants.checks && !wants.rejects;
    if (w->awaits && in->store) {
        store_await_new(in->store, w->session_id, 1);
        in->began = true;
    }
    for (size_t at = 0; told && (at = w->takes->followed(w->taker, at, &id)) > 0;)
        if (interest_follow(in, w, id) != 0)
            return -1;
    return 0;
}

void interest_remove(struct interest *in, struct waiter *w) {
    ties_drop(&in->names, &w->names, NULL);
    ties_drop(&in->series, &w->ids, in->store);
    if (w->awaits && in->store)
        store_await_new(in->store, w->session_id, -1);
    w->awaits = false;
    for (int kind = 0; kind < WATCH_ROSTERS; kind++)
        strike(in, w, (enum watch_roster)kind);
}

void interest_free(struct interest *in) {
    table_free(&in->names.heads);
    table_free(&in->series.heads);
    free(in->names.list);
    free(in->series.list);
    for (int kind = 0; kind < WATCH_ROSTERS; kind++)
        free(in->rosters[kind].list);
    *in = (struct interest){0};
}

int interest_follow(struct interest *in, struct waiter *w, uint64_t series_id) {
    if (ties_add(&in->series, series_id, w, &w->ids) != 0)
        return -1;
    if (in->store) {
        store_await_series(in->store, series_id, 1);
        in->began = true;
    }
    return 0;
}

bool interest_in_series(const struct interest *in, uint64_t series_id) {
    return ties_of(&in->series, series_id) != NULL;
}

const struct tie *interest_series(const struct interest *in, uint64_t series_id) {
    return ties_of(&in->series, series_id);
}

static void offer_key(struct interest *in, uint64_t key, void (*offer)(void *, struct waiter *), void *arg) {
    for (const struct tie *tie = ties_of(&in->names, key); tie; tie = interest_next(&in->names, tie))
        offer(arg, tie->waiter);
}

void interest_offer(struct interest *in, struct span session, struct span name,
                    void (*offer)(void *arg, struct waiter *w), void *arg) {
    uint64_t seeds[] = {seed_of(session, false), seed_of(session, true)};
    for (size_t i = 0; i < 2; i++) {
        offer_key(in, name_key(name, seeds[i]), offer, arg);
        for (size_t dot = 0; dot < name.n; dot++)
            if (name.p[dot] == '.')
                offer_key(in, below_key(span_of(name.p, dot), seeds[i]), offer, arg);
    }
    const struct roster *others = &in->rosters[WATCH_SERIES];
    for (size_t i = 0; i < others->n; i++)
        offer(arg, others->list[i]);
}
