#include "store/sqlite/private.h"

#include <stdlib.h>

static int by_id(const void *key, const void *element) {
    uint64_t id = *(const uint64_t *)key, other = ((const struct store_session *)element)->id;
    return (id > other) - (id < other);
}

struct store_session *store_find_session(struct store *s, uint64_t id) {
    return s->n_sessions ? bsearch(&id, s->sessions, s->n_sessions, sizeof *s->sessions, by_id) : NULL;
}
