/* Which claims a new record makes doubtful. */
#include "judge/evaluate/private.h"

void judge_mark_dirty(struct judge *j, uint32_t place) {
    struct claim *claim = &j->claims[place];
    if (claim->dirty || j->all_dirty)
        return;
    claim->dirty = true;
    j->dirty[j->n_dirty++] = place;
}
