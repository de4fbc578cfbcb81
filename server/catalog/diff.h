/* The changes between two recordings, snapshots or catalogs, in any combination.
 *
 * Each side is read into an inventory: names with their types, tag keys, and, where the side tells them, tag values and
 * series. A recording is read through its snapshot, so identifiers and the host don't count.
 *
 * Renames: a name that went and one that came are paired when their names, types and tag keys are alike; the
 * likelihood says how much. Names are compared only with those that resemble them (similar.h), so the work does not grow
 * with the square of their number.
 *
 * Ownership: inventories are the caller's (inventory_free); reports are new references. NULL: out of memory.
 */
#ifndef CATALOG_DIFF_H
#define CATALOG_DIFF_H

#include "catalog/catalog.h"
#include "catalog/snapshot.h"

struct inventory;
struct inventory *inventory_of_snapshot(const struct snapshot *s);
struct inventory *inventory_of_catalog(const struct catalog *c);
void inventory_free(struct inventory *inventory);

/* {"added":[{"name","types","tags"}], "removed":[…], "renamed":[{"from","to","likelihood"}],
 *  "changed":[{"name","types"?:{"from","to"},"tags"?:{"added","removed"},"values"?:[{"tag","added","removed"}],
 *              "series"?:{"added":N,"removed":N}}], "same": true when nothing changed}
 *  "renames_incomplete": true when there were too many names to look for all renames: SIMILAR_STEPS_MAX.
 * All lists are in order of names. */
json_t *diff_report(const struct inventory *a, const struct inventory *b);
/* The same; adds the steps it took, which grow with the size of both sides. */
json_t *diff_report_counted(const struct inventory *a, const struct inventory *b, uint64_t *steps);

#endif
