/* Writes a file whole, or not at all.
 *
 * A file is replaced at once: who reads it sees the old text or the new. A link stays a link, and what it names is
 * replaced. A pipe, a device or a descriptor (/dev/fd/3) is written into: it is not ours to replace.
 *
 * Threads: any. Errors: -1 with err, which names the path; the file is as it was.
 */
#ifndef COMMAND_FILE_H
#define COMMAND_FILE_H

#include "core/err.h"
#include "core/span.h"

int file_replace(const char *path, struct span text, struct err *err);
/* Removes what file_replace made; a pipe or a device stays. */
void file_remove(const char *path);

#endif
