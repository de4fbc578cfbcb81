#include "http/due.h"

#include "core/array.h"
#include <stdlib.h>

static void place(struct due *d, size_t at, struct due_entry entry) {
    d->list[at] = entry;
    entry.waiter->due_at = at + 1;
}

static void settle(struct due *d, size_t at, struct due_entry entry) {
    for (; at > 0 && d->list[(at - 1) / 2].mono_ns > entry.mono_ns; at = (at - 1) / 2)
        place(d, at, d->list[(at - 1) / 2]);
    for (size_t child; (child = 2 * at + 1) < d->n; at = child) {
        if (child + 1 < d->n && d->list[child + 1].mono_ns < d->list[child].mono_ns)
            child++;
        if (d->list[child].mono_ns >= entry.mono_ns)
            break;
        place(d, at, d->list[child]);
    }
    place(d, at, entry);
}

void due_remove(struct due *d, struct waiter *w) {
    size_t at = w->due_at;
    if (!at)
        return;
    w->due_at = 0;
    struct due_entry last = d->list[--d->n];
    if (at - 1 < d->n)
        settle(d, at - 1, last);
}

int due_set(struct due *d, struct waiter *w) {
    if (w->due_at && d->list[w->due_at - 1].mono_ns == w->due_mono_ns)
        return 0;
    due_remove(d, w);
    if (!w->due_mono_ns)
        return 0;
    if (!array_room(&d->list, d->n, &d->cap, sizeof *d->list))
        return -1;
    d->n++;
    settle(d, d->n - 1, (struct due_entry){w->due_mono_ns, w});
    return 0;
}

void due_free(struct due *d) {
    free(d->list);
    *d = (struct due){0};
}
