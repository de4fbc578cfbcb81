/* A look at one moment of the recording, for a question about a session.
 *
 * The session may be removed between the question and the look. Its lists are empty then, which is true of no moment at which it was there:
 * so it is looked for once more in the moment that is read.
 * Threads: any. */
#ifndef HTTP_READING_H
#define HTTP_READING_H

#include "http/server.h"

/* A reader that has begun. session_id, name: of one session as it is stored, else INGEST_ALL. NULL with err; http_read_end takes that, too. */
struct reader *http_read_begin(struct http *h, uint64_t session_id, struct span name, struct err *err);
void http_read_end(struct http *h, struct reader *reader);
/* What http_read_begin looks for, where a reader has begun already. -1 with err unless the session is there. */
int http_read_still(struct reader *reader, uint64_t session_id, struct span name, struct err *err);
/* The file that an answer of several looks is of; {0} before the first of them. */
struct http_read_of {
    bool known;
    struct reader_file file[2];
};
/* The reader has begun. Where recordings are viewed, another may be in the place of the one that was looked at before: -1 with err then. 1: it is
 * the first look of a view, so nothing that was learned before need be true of it. 0: go on. */
int http_read_same(struct http *h, struct reader *reader, struct http_read_of *of, struct err *err);
/* err says that the session is not there any more: 404. */
bool http_read_gone(const struct err *err);
/* The status for err: 404 for that, and `otherwise` but for what became something else while it was read: 503. Then the request is handled anew
 * instead, for a while (exchange.c). */
unsigned http_read_status(struct http_request *rq, const struct err *err, unsigned otherwise);
/* That with 500, and "cannot DO: …" where err does not begin so. */
void http_read_failed(struct http_request *rq, const char *doing, const struct err *err);

#endif
