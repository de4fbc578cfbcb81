/* Which names of the recording can be near those that expectations ask for: told from the names alone, before any series is read.
 *
 * Ownership: the names are copies in the arena of the search.
 * Threads: one.
 * Limits: CLOSEST_NAMES of each expectation that are not its own name, the nearest ones.
 */
#ifndef REPORT_CLOSEST_NAMES_H
#define REPORT_CLOSEST_NAMES_H

#include "report/candidates.h"

#define CLOSEST_NAMES 50

struct closest_names {
    size_t n;
    struct span *list;
    bool all; /* the reader cannot tell, or there are too many: every series is to be looked at */
};
/* -1 with err. closest_names_free in any case. */
int closest_names_find(struct closest_search *s, struct reader *reader, struct closest_names *names,
                       struct err *err);
void closest_names_free(struct closest_names *names);

/* Whether a record of another kind has the very name: an author may have meant that. */
bool closest_is_namesake(const struct expectation *e, struct span name);

#endif
