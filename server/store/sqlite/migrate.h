/* Bringing a recording to the schema of this version: schema/sqlite/recording.sql makes a new one, NNNN_name.sql in order change an
 * older one; then views.sql.
 */
#ifndef STORE_SQLITE_MIGRATE_H
#define STORE_SQLITE_MIGRATE_H

#include "store/sqlite/db.h"

#define MIGRATE_APPLICATION_ID 0x53745774 /* "StWt"; recording.sql writes it */

/* -1 with err when a recording of this user_version is newer than this program. Pure. */
int migrate_check(const char *path, int64_t user_version, struct err *err);
/* Of an open database: 0 when it is a recording this program can use as it is, 1 when it is older, -1 with
 * err, whose sys is ENODATA for one that is being made, or never was whole. */
int migrate_state(sqlite3 *db, const char *path, struct err *err);
/* Applies what is missing, in one transaction. */
int migrate_run(sqlite3 *db, const char *path, struct err *err);

#endif
