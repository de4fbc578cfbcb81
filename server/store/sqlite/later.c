/* DESIGN. To find out which series a metric is, a recorder has hashes of all of them in memory, and reads them from the file first: most of
 * a second for a million. What it says when it begins to listen are sums that stand in the file. So the file is open at once, and the
 * ingest loop loads the series before it stores anything, while it receives (ingest/loop.c). */
#include "store/sqlite/private.h"

#define SERIES_MANY 10000

int store_can_wait(struct store *s, bool *later, struct err *err) {
    int64_t series, kept;
    *later = false;
    if (s->is_new || !s->options.load_later || s->options.retention_age_ns || s->options.retention_samples)
        return 0; /* a retention looks at what there is, from the first commit on */
    if (db_int(s->db, "SELECT max(id) FROM metric", 0, &series, err) != 0 ||
        db_int(s->db, "SELECT EXISTS (SELECT 1 FROM kept) OR EXISTS (SELECT 1 FROM kept_request)", 0, &kept,
               err) != 0)
        return -1;
    *later = series >= SERIES_MANY && !kept;
    return 0;
}

int store_ready(struct store *s, struct err *err) {
    if (!s->later)
        return 0;
    s->later = false;
    return store_load(s, err);
}
