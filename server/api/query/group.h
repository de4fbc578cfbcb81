/* Private to api/query: finds a group by its tags. Ownership: the arena's. */
#ifndef API_QUERY_GROUP_H
#define API_QUERY_GROUP_H

#include "api/query/query.h"

struct group_index {
    size_t n_by;
    const struct span **tags; /* of each group that was added */
    size_t n, cap_tags;
    uint32_t *slots; /* index + 1; 0: free */
    size_t cap;      /* a power of two */
};

/* The index of the group; SIZE_MAX when there is none, or memory is out (arena->failed). */
size_t group_find(const struct group_index *index, const struct span *tags);
size_t group_add(struct arena *arena, struct group_index *index, const struct span *tags);

#endif
