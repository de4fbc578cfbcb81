/* Writes a file whole, or not at all.
 *
 * A file is replaced at once: a reader sees the old text or the new one, unless the file is a mount point. A link stays
 * a link, and what it names is replaced. A pipe, a device or a descriptor (/dev/fd/3) is written into: it is not ours to
 * replace. Until a file is whole it lies beside, as FILE.XXXXXX; a SIGHUP, SIGINT or SIGTERM that ends the process
 * takes that along.
 *
 * Ownership: file_end gives back what file_begin made.
 * Threads: one file at a time.
 * Errors: -1 with err, which names the path; the file is as it was.
 */
#ifndef COMMAND_FILE_H
#define COMMAND_FILE_H

#include "core/err.h"
#include "core/span.h"
#include <stdio.h>

/* "-", which the callers of what follows print; false for NULL. */
bool file_is_stdout(const char *path);
/* Whether the file is replaced at once; else each text is written behind the last one, as into a pipe. */
bool file_is_replaced(const char *path);
int file_replace(const char *path, struct span text, struct err *err);

/* The same piece by piece. */
struct file_output {
    FILE *to; /* write here */
    const char *path;
    char *target, *beside; /* what `beside` will replace; NULL: `to` is the pipe or the device */
};
int file_begin(struct file_output *f, const char *path, struct err *err);
/* keep false: the file stays as it was. */
int file_end(struct file_output *f, bool keep, struct err *err);

/* Removes what file_replace made; a pipe or a device stays. */
void file_remove(const char *path);

#endif
