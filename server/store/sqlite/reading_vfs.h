/* Connections that only read a recording, by VFS's of our own, or the usual one when there is no memory for them. They remove no file.
 *
 * Ownership: the caller closes the connection.
 * Threads: any may open; a connection is one thread's, as of any other.
 * Errors: NULL with err.
 */
#ifndef STORE_SQLITE_READING_VFS_H
#define STORE_SQLITE_READING_VFS_H

#include "core/err.h"
#include <sqlite3.h>
#include <stdbool.h>

/* still: nobody writes the file, which is read without locks and without its log (immutable=1). As soon as somebody writes it after all, what comes from
 * it is of two states, so nothing comes from it any more: SQLITE_IOERR_DATA, of which db_fail says what to do. */
sqlite3 *reading_open(const char *path, bool still, struct err *err);

#endif
