/* SQLite's log, written in fewer pieces: the frames of a commit go out together, with its last one.
 *
 * Threads: any may call log_file_vfs; a connection of this VFS is one thread's, as of any other.
 * Errors: a write that fails fails the commit.
 * Limits: LOG_FILE_BYTES are gathered, for each connection that writes.
 */
#ifndef STORE_SQLITE_LOG_FILE_H
#define STORE_SQLITE_LOG_FILE_H

#include <sqlite3.h>
#include <stddef.h>

#define LOG_FILE_BYTES ((size_t)128 << 10)

/* The name of the VFS, for sqlite3_open_v2; NULL (the usual one) when there is no memory. */
const char *log_file_vfs(void);
/* Before and after a COMMIT of a connection of this VFS, whether it succeeds or not. Without them each piece is written as it comes. */
void log_file_begin(sqlite3 *db);
void log_file_end(sqlite3 *db);

#endif
