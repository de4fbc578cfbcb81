/* Folders of our own, which only this user can enter: for sockets without names of their own, and for recordings in memory.
 *
 * Threads: any.
 * Errors: -1 with err, which says what the folder was for and where it should have been.
 */
#ifndef CORE_FOLDER_H
#define CORE_FOLDER_H

#include "core/err.h"

#include <stddef.h>

/* A socket's path has at most 107 bytes: a longer TMPDIR than this leaves no room for the rest. */
#define FOLDER_OF_SOCKETS_MAX 60

/* $TMPDIR where it is set and has at most `max` bytes, else /tmp. */
const char *folder_temporary(size_t max);
/* Makes WHERE/statwit-XXXXXX; its path goes into `path`, which is empty after an error. */
int folder_private(const char *where, const char *purpose, char *path, size_t size, struct err *err);

#endif
