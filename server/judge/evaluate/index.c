/* The two ways in: from a series' id to its witness, from a name to the expectations about it. */
#include "judge/evaluate/witness.h"

#include <stdlib.h>
#include <xxhash.h>

bool index_find(const struct table *t, uint64_t id, uint32_t *place) {
    const uint32_t *at = table_get(t, id);
    if (at)
        *place = *at;
    return at != NULL;
}

static size_t head_of(const struct name_index *index, struct span name) {
    return (size_t)XXH3_64bits(name.p, name.n) & (index->cap - 1);
}

int name_index_build(struct name_index *index, size_t n, const struct expectation *list) {
    index->cap = 4; /* of those who wait most have one claim */
    while (index->cap < 2 * n)
        index->cap *= 2;
    index->heads = calloc(index->cap, sizeof *index->heads);
    index->next = calloc(n + 1, sizeof *index->next);
    index->globs = calloc(n + 1, sizeof *index->globs);
    if (!index->heads || !index->next || !index->globs)
        return -1;
    for (size_t i = n; i-- > 0;) {
        if (list[i].subject != SUBJECT_METRIC)
            continue;
        if (!list[i].literal) {
            index->globs[index->n_globs++] = (uint32_t)i;
            continue;
        }
        size_t head = head_of(index, list[i].name);
        index->next[i] = index->heads[head];
        index->heads[head] = (uint32_t)i + 1;
    }
    return 0;
}

int name_index_visit(const struct name_index *index, const struct expectation *list, struct span name,
                     uint64_t *steps, uint64_t max_steps, int (*visit)(void *arg, uint32_t place),
                     void *arg) {
    int result = 0;
    for (uint32_t i = index->heads[head_of(index, name)]; i && result == 0; i = index->next[i - 1])
        if (match_name(&list[i - 1], name, steps))
            result = visit(arg, i - 1);
    for (size_t i = 0; i < index->n_globs && result == 0 && *steps <= max_steps; i++)
        if (match_name(&list[index->globs[i]], name, steps))
            result = visit(arg, index->globs[i]);
    return result == 0 && *steps > max_steps ? -1 : result;
}

void name_index_free(struct name_index *index) {
    free(index->heads);
    free(index->next);
    free(index->globs);
    *index = (struct name_index){0};
}
