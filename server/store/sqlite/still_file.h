/* A VFS for a file that nobody writes, which is read without locks (immutable=1): as soon as somebody writes it after all, what comes from it is
 * of two states, so nothing comes from it any more: SQLITE_IOERR_DATA, of which db_fail says what to do.
 *
 * Threads: any may call still_file_vfs; a connection of this VFS is one thread's, as of any other.
 */
#ifndef STORE_SQLITE_STILL_FILE_H
#define STORE_SQLITE_STILL_FILE_H

/* Its name, for sqlite3_open_v2; NULL, the usual one, when there is no memory for it. */
const char *still_file_vfs(void);

#endif
