/* How many samples one series has at most. */
#include "judge/evaluate/find.h"

#include "core/array.h"
#include "core/table.h"
#include <stdlib.h>

static uint64_t samples_of(const struct link *link, const struct witness *w) {
    if (link->form == FORM_NONE)
        return w->tally.samples;
    if (!link->used || (link->form != FORM_COUNT && link->form != FORM_RATE))
        return 0;
    return w->flushed.samples + (link->form == FORM_COUNT ? w->spanless : 0);
}

/* Series that are the same but for their session are one, so their samples are added up. */
struct added {
    struct table by_identity;
    uint64_t *counts;
    size_t n, cap;
};

static uint64_t *count_of(struct added *a, uint64_t identity) {
    const uint32_t *known = table_get(&a->by_identity, identity);
    if (known)
        return &a->counts[*known];
    if (!array_room(&a->counts, a->n, &a->cap, sizeof *a->counts) ||
        table_set(&a->by_identity, identity, (uint32_t)a->n) != 0)
        return NULL;
    a->counts[a->n] = 0;
    return &a->counts[a->n++];
}

void find_most(struct view *v) {
    const struct links *links = &v->claim->witnesses;
    struct added added = {0};
    for (size_t i = 0; i < links->n; i++) {
        const struct witness *w = &v->witnesses[links->items[i].index];
        uint64_t n = samples_of(&links->items[i], w), *count = &n;
        if (w->everywhere && n) {
            count = count_of(&added, w->everywhere);
            if (!count) {
                v->no_memory = true;
                break;
            }
            *count += n;
        }
        v->most = *count > v->most ? *count : v->most;
    }
    table_free(&added.by_identity);
    free(added.counts);
}
