/* The recording's file before SQLite sees it: is it ours, is nobody else writing it, may we write it.
 *
 * Ownership: file_lock's descriptor is the caller's and must be closed after every SQLite connection of the process to the file
 * is: closing any descriptor of a file drops the locks SQLite holds on it.
 * Errors: -1 with err, which says what to do. A refused file is left as it was, byte for byte.
 */
#ifndef STORE_SQLITE_FILE_H
#define STORE_SQLITE_FILE_H

#include "core/err.h"
#include <stdbool.h>
#include <stdint.h>

#define FILE_PATH_MAX 4096

/* Opens (makes) the file, locks it against a second writer and looks at its header. *is_new: it has no bytes
 * yet. */
int file_lock(const char *path, bool *is_new, int *fd, struct err *err);
/* The process that holds a file so, as the system tells: 0 when nobody does, or it does not tell. Locks nothing itself. */
long file_lock_holder(const char *path);
/* Whether the path leads to the open file. true, too, when nothing is known of that (fd -1). */
bool file_is_at(const char *path, int fd);
/* A path that SQLite can't take for anything but a path. -1 when longer than FILE_PATH_MAX. */
int file_path(const char *path, char out[FILE_PATH_MAX], struct err *err);
/* Of a file that is there: the name that no link leads to, beside which SQLite keeps the log. Else the path stays as it is. */
void file_real(char path[FILE_PATH_MAX]);
/* Removes what lies beside a file of that real name: its log, the log's index, an old journal. */
void file_drop_logs(const char *path);
/* Whether a log that is not empty lies there. */
bool file_has_log(const char *path);
/* As file_drop_logs, but the log stays under another name, which it is given: SQLite does not know it by that. false, with errno: it could not be
 * given one, as all are taken (EEXIST) or it cannot be moved, and all stays as it is. */
#define FILE_ASIDE_MAX (FILE_PATH_MAX + 16)
bool file_set_log_aside(const char *path, char aside[FILE_ASIDE_MAX]);
#define FILE_INDEX_HEAD 12 /* numbers of 32 bits: the first header of an index */
#define FILE_LOG_HEAD   32 /* bytes: the header of a log */
/* The head of the index beside the log. false: there is none, or it is not made yet. */
bool file_read_index(const char *path, uint32_t index[FILE_INDEX_HEAD]);
/* Whether an index may be that of a log with this header. NULL: of an empty one. is_recorded: somebody is writing both, and may be about to begin the
 * log anew; the index says so before the log's header does. */
bool file_index_fits(const uint32_t index[FILE_INDEX_HEAD], const unsigned char *log, bool is_recorded);
/* Whether the index beside a log is that of another log, which lay there before and which somebody still reads. SQLite would look for pages where
 * they were in that one. */
bool file_index_is_foreign(const char *path);
/* Removes such an index; and that of a log that is empty, or not there, where it speaks of a log with pages or is that of a file of another size: SQLite
 * would look for those pages, and take that size for this file's. Whoever has it open keeps it, and does not see what comes from now on. fd: the file,
 * which no reader of this process has open yet. */
void file_drop_index(const char *path, int fd);

/* Where a recording can lie that is nobody else's: in a new folder on a file system in memory if that has room, else where temporary files
 * go. A signal that ends the process takes it along until file_private_remove, after which open connections go on. */
int file_private(char path[FILE_PATH_MAX], struct err *err);
void file_private_remove(const char *path);

#endif
