/* VFS's for who only reads a recording, under the names that sqlite3_open_v2 takes. NULL, the usual one, when there is no memory for them.
 *
 * Threads: any may call; a connection of these is one thread's, as of any other.
 */
#ifndef STORE_SQLITE_READING_VFS_H
#define STORE_SQLITE_READING_VFS_H

/* It removes no file. */
const char *reading_vfs(void);
/* The same for a file that nobody writes, which is read without locks (immutable=1). As soon as somebody writes it after all, what comes from it
 * is of two states, so nothing comes from it any more: SQLITE_IOERR_DATA, of which db_fail says what to do. */
const char *still_file_vfs(void);

#endif
