/* New records for all who wait for them: each reads its own session's, however much the others get. Watch thread only. */
#ifndef HTTP_FOLLOW_H
#define HTTP_FOLLOW_H

#include "http/watch.h"

/* Hands every committed record that a waiter's judge doesn't know to it, and moves its cursors. *series: the
 * newest series read so far. One whose judge fails is marked so; the others go on. */
int follow_waiters(struct http *h, struct waiter *list, uint64_t *series, struct err *err);

#endif
