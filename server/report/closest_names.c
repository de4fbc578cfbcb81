#include "report/closest_names.h"

#include "core/array.h"
#include "report/closest.h"

#include <errno.h>
#include <stdlib.h>

#define NAMES_MAX 10000 /* names looked up one by one */

/* The nearest names of one expectation, the nearest first. */
struct nearest {
    size_t n;
    struct {
        unsigned score;
        struct span name; /* a copy */
    } best[CLOSEST_NAMES];
};

struct names_search {
    struct closest_search *s;
    struct closest_names *names;
    size_t cap;
    struct nearest *nearest; /* by place of the claim among those asked for */
};

bool closest_is_namesake(const struct expectation *e, struct span name) {
    return e->literal && !e->no && span_eq(e->name, name);
}

static int add_name(struct names_search *x, struct span name) {
    struct closest_names *names = x->names;
    if (!array_room(&names->list, names->n, &x->cap, sizeof *names->list))
        return -1;
    names->list[names->n] = arena_copy(&x->s->arena, name);
    return names->list[names->n++].p ? 0 : -1;
}

/* -1: out of memory. */
static int keep_nearest(struct names_search *x, struct nearest *near, unsigned score, struct span name) {
    size_t at = near->n;
    while (at > 0 && score < near->best[at - 1].score)
        at--;
    if (at == CLOSEST_NAMES)
        return 0;
    struct span copy = arena_copy(&x->s->arena, name);
    near->n += near->n < CLOSEST_NAMES;
    memmove(&near->best[at + 1], &near->best[at], (near->n - 1 - at) * sizeof *near->best);
    near->best[at].score = score;
    near->best[at].name = copy;
    return copy.p ? 0 : -1;
}

/* How many edits are still of interest for a name that is not among the nearest yet. */
static size_t edits_left(const struct nearest *near) {
    return near->n < CLOSEST_NAMES ? DISTANCE_MAX : near->best[CLOSEST_NAMES - 1].score;
}

static int visit_name(void *arg, struct span name) {
    struct names_search *x = arg;
    struct closest_search *s = x->s;
    struct named named = named_of(name);
    bool taken = false;
    for (size_t i = 0; i < s->n && s->steps <= CLOSEST_STEPS_MAX; i++) {
        const struct closest *c = &s->list[i];
        const struct expectation *e = c->claim->e;
        struct kin kin = {.how = KIN_SAME};
        if (e->subject == SUBJECT_METRIC)
            kin = kin_of(&c->sought, &named, edits_left(&x->nearest[i]), &s->steps);
        else if (!closest_is_namesake(e, name))
            continue;
        bool same = kin.how == KIN_SAME || kin.how == KIN_FORM;
        if (kin.how == KIN_NONE || (same && taken))
            continue;
        taken |= same;
        /* For a `no` only what matched is of interest. */
        if (!same && e->no)
            continue;
        s->no_memory |=
            same ? add_name(x, name) != 0 : keep_nearest(x, &x->nearest[i], kin_score(&kin), name) != 0;
    }
    s->pairs += s->n;
    x->names->all = x->names->n > NAMES_MAX;
    return s->no_memory || x->names->all || s->pairs > CLOSEST_PAIRS_MAX || s->steps > CLOSEST_STEPS_MAX;
}

int closest_names_find(struct closest_search *s, struct reader *reader, struct closest_names *names,
                       struct err *err) {
    struct names_search x = {.s = s, .names = names};
    *names = (struct closest_names){.all = !reader->ops->names};
    if (names->all)
        return 0;
    x.nearest = calloc(s->n, sizeof *x.nearest);
    if (!x.nearest)
        return err_set(err, ENOMEM, "out of memory while explaining");
    int result = reader->ops->names(reader, visit_name, &x, err);
    for (size_t i = 0; i < s->n && !names->all; i++)
        for (size_t k = 0; k < x.nearest[i].n && !s->no_memory; k++)
            s->no_memory |= add_name(&x, x.nearest[i].best[k].name) != 0;
    free(x.nearest);
    s->pairs = names->all ? 0 : s->pairs;
    return result;
}

void closest_names_free(struct closest_names *names) {
    free(names->list);
    *names = (struct closest_names){0};
}
