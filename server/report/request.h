/* What a question about names and tags is made of (names.h): its fields, by report/fields.h, and its catalog.
 *
 * A field that is missing or null leaves its target as it was. Texts are copied into the arena and are followed by a NUL.
 *
 * Ownership: the request is only borrowed; a catalog is the caller's.
 * Threads: any.
 * Errors: 0, or -1 with struct catalog_error, which names the field.
 */
#ifndef REPORT_REQUEST_H
#define REPORT_REQUEST_H

#include "catalog/catalog.h"
#include "catalog/findings.h"

#include <jansson.h>

/* "FIELD MESSAGE"; always -1. */
int request_complain(struct catalog_error *e, const char *message, const char *field);
/* Refuses what is not an object, and other fields than these. */
int request_only(const json_t *object, size_t n, const char *const *names, struct catalog_error *e);
int request_text(struct arena *arena, const json_t *object, const char *field, struct span *text,
                 struct catalog_error *e);
int request_flag(const json_t *object, const char *field, bool *on, struct catalog_error *e);
/* A number above 0, 1 at most. */
int request_share(const json_t *object, const char *field, double *share, struct catalog_error *e);
/* "session", "since" and "as" */
int request_scope(struct arena *arena, const json_t *object, struct scope *scope, struct catalog_error *e);
/* "env,host" or ["env","host"] */
int request_list(struct arena *arena, const json_t *object, const char *field, struct span *list,
                 struct catalog_error *e);
/* "catalog". 1: there is one; 0: none. */
int request_catalog(const json_t *object, struct catalog **catalog, struct catalog_error *e);

#endif
