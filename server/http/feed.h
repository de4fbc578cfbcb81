/* New records, read once, for all who wait for them. Watch thread only. */
#ifndef HTTP_FEED_H
#define HTTP_FEED_H

#include "http/watch.h"

/* Hands every committed record after a waiter's cursor to its judge, and moves the cursors. */
int feed_waiters(struct http *h, struct waiter *list, struct err *err);

#endif
