/* A catalog from a recording, as a start: what was seen is declared, tag values are generalised where they look like
 * identifiers or are many, and each guess is said in a "comment". Verifying the same recording against it passes.
 *
 * Ownership: the catalog is the caller's (catalog_free). NULL with err.
 * The same recording gives the same catalog, whatever the order in which it was received.
 */
#ifndef CATALOG_INFER_H
#define CATALOG_INFER_H

#include "catalog/catalog.h"
#include "catalog/findings.h"

#define INFER_VALUES_MAX 20 /* more different values than this are not listed */

struct catalog *catalog_infer(const struct scope *scope, struct reader *reader, struct err *err);

#endif
