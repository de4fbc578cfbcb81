/* A new recording as bytes: what schema/sqlite/recording.sql and views.sql make of an empty file. template/make.c ran them when statwit
 * was built. To write the bytes costs a fiftieth of running the SQL.
 *
 * Ownership: the descriptor stays the caller's.
 * Errors: -1 with err, which says ENOSPC when the disk is full. The file is empty then.
 * Interrupted: until the last write the file says that its version is 0. template_unfinished() knows it by that.
 */
#ifndef STORE_SQLITE_TEMPLATE_H
#define STORE_SQLITE_TEMPLATE_H

#include "core/err.h"
#include <stdbool.h>
#include <stdint.h>

/* Makes the file a new recording, with a name and a seed of its own, made at now_ns. in_memory: one that nobody but statwit can read. It has no
 * views, since to parse them is half of what opening a recording costs. */
int template_write(int fd, bool in_memory, int64_t now_ns, struct err *err);

/* Whether a file of ours with this user_version is being made, or was left by a recorder that died while it made it. Then nothing is in it. */
static inline bool template_unfinished(uint32_t user_version) {
    return user_version == 0;
}

#endif
