/* A catalog from a recording, as a start: what was seen is declared, tag values are generalised where they look like
 * identifiers, are many, or were seen in too few samples to tell that there are no others. Each metric and each tag says in its
 * "comment" what was guessed and from how many samples. Verifying the same recording against it passes: names and tags with
 * NUL or with bytes that are not UTF-8 are written, and looked up, with U+FFFD in their place.
 *
 * Ownership: the catalog is the caller's (catalog_free). NULL with err.
 * The same recording gives the same catalog, whatever the order in which it was received.
 */
#ifndef CATALOG_INFER_H
#define CATALOG_INFER_H

#include "catalog/catalog.h"
#include "catalog/findings.h"

#define INFER_VALUES_MAX  20 /* more different values than this are not listed */
#define INFER_SAMPLES_MIN 10 /* of fewer samples no values are listed */

struct catalog *catalog_infer(const struct scope *scope, struct reader *reader, struct err *err);

#endif
