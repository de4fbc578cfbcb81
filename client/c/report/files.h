/* Files of the asserting half: catalogs and snapshots.
 *
 * Ownership: what is returned is the caller's.
 * Threads: any.
 * Errors: NULL or -1 with the error filled, STATWIT_INVALID.
 * Limits: FILES_BYTES_MAX bytes of a catalog's file, FILES_TOTAL_MAX and FILES_MAX files with all that it includes.
 */
#ifndef CLIENT_REPORT_FILES_H
#define CLIENT_REPORT_FILES_H

#include "statwit.h"

#include <jansson.h>

#define FILES_BYTES_MAX (32u << 20)
#define FILES_TOTAL_MAX (64u << 20)
#define FILES_MAX       256

/* A whole file, followed by a NUL; to be freed. missing (may be NULL) tells whether there is none. */
char *files_read(const char *path, size_t max, size_t *size, bool *missing, struct statwit_error *error);
/* Replaces the file at once, or not at all. */
int files_write(const char *path, const char *text, struct statwit_error *error);
/* The catalog and what it includes, for the server to judge, as [{"file","text"}…]. A file that is no JSON goes as it
 * is: the server says what is wrong with it, and where. */
json_t *files_catalog(const char *path, struct statwit_error *error);

#endif
