/* A list of rows as an answer, read page by page while it is sent, so that no list is ever held in memory.
 *
 * The recording is looked at as it was when the question was asked: rows up to the barrier's last id.
 * Ownership: listing_answer takes the listing over; it lives as long as the answer.
 */
#ifndef CONTROL_LISTING_H
#define CONTROL_LISTING_H

#include "control/ask.h"

#define LISTING_PHASES_MAX 4
#define LISTING_PAGE       ((size_t)256 << 10) /* bytes at a time */

struct listing;

/* The functions that read and write one kind of row. */
struct listing_phase {
    enum listing_rows {
        LISTING_SERIES,
        LISTING_SAMPLES,
        LISTING_EVENTS,
        LISTING_CHECKS,
        LISTING_REJECTS,
        LISTING_REQUESTS,
        LISTING_DATAGRAMS
    } rows;
    const char *before, *after; /* each row */
    void (*write)(struct buf *b, const void *row);
};

struct listing_format {
    const char *content_type;
    const char *head, *separator;
    bool says_next; /* ends with ],"next":CURSOR,"last_id":N} */
    size_t n_phases;
    struct listing_phase phases[LISTING_PHASES_MAX];
};

/* Rejects are of no metric type: `type` asks for their family. And for their reason. */
bool listing_takes_reject(const struct ask *ask, const struct reject_row *row);

/* Answers 409 and returns false where no datagram is kept: an empty list would say that none came. lists.c. */
bool lists_keep_datagrams(struct http_request *rq);

/* Answers with the rows that `ask` wants. */
void listing_answer(struct http_request *rq, const struct ask *ask, const struct listing_format *format);

#endif
