/* What is held, and how much of it there may be. */
#include "agent/private.h"

int agent_no_memory(struct err *err) {
    return err_set(err, 0, "out of memory");
}

int agent_charge(struct agent *a, size_t n, struct err *err) {
    if (n > a->options.max_bytes - a->bytes)
        return err_set(err, 0,
                       "the Agent's view of what waits for one flush needs more than %zu MB: let the Agent "
                       "flush more often",
                       a->options.max_bytes >> 20);
    a->bytes += n;
    return 0;
}

int agent_room(struct agent *a, void *array, size_t n, size_t *cap, size_t size, struct err *err) {
    size_t before = *cap;
    if (n < before)
        return 0;
    if (agent_charge(a, (before ? before : 4) * size, err) != 0)
        return -1;
    if (!array_room(array, n, cap, size))
        return agent_no_memory(err);
    return 0;
}

int agent_row_add(struct agent *a, struct agent_object *o, size_t suffix, bool is_rate, double value,
                  struct err *err) {
    if (agent_room(a, &a->rows, a->n_rows, &a->cap_rows, sizeof *a->rows, err) != 0)
        return -1;
    a->rows[a->n_rows++] = (struct agent_row){o, (uint16_t)suffix, is_rate, value};
    return 0;
}
