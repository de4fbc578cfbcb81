/* Private to api/query: names that a user may look for and that Datadog does not have. */
#ifndef API_QUERY_MISSING_H
#define API_QUERY_MISSING_H

#include "api/query/query.h"

/* A sentence for each metric of the query that came over DogStatsD as a timing or a histogram, and so has other names in Datadog.
 * Nothing where the recording is shown as it was sent. */
void missing_put(struct buf *to, struct read *read, const struct query_node *node);

#endif
