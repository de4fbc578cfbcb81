/* Forgetting what sessions recorded.
 *
 * Threads: waits for the ingest loop.
 * Errors: -1 with err.
 */
#ifndef CONTROL_FORGET_H
#define CONTROL_FORGET_H

#include "http/server.h"

/* INGEST_ALL: of every session; those that have ended go altogether. */
int forget_session(struct http *h, uint64_t session_id, struct store_removed *removed, struct err *err);

#endif
