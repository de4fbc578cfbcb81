/* Hands new records to waiters. Each waiter gets those of its own session only, so a flood in another session costs it nothing.
 * Threads: the watch thread only. */
#ifndef HTTP_FOLLOW_H
#define HTTP_FOLLOW_H

#include "http/watch.h"

/* Hands every committed record that a waiter's judge doesn't know to it, and moves its cursors. *series: the
 * newest series read so far. A waiter whose judge fails is marked as failed; the others go on. */
int follow_waiters(struct http *h, struct waiter *list, uint64_t *series, struct err *err);

#endif
