/* Private to api/: questions about the recording in Datadog's shapes.
 *
 * A question first raises the barrier, then sees one moment of its session's records. It is itself recorded
 * as a request. Ownership: api_read opens and closes everything; `fill` writes rq->answer.
 */
#ifndef API_READ_H
#define API_READ_H

#include "api/api.h"
#include "core/reader.h"

struct read {
    struct http_request *rq;
    struct reader *reader;
    struct reader *recording; /* reader, unless that shows what Datadog has */
    struct filter filter;     /* everything of the session; copy it to ask for less */
    char session[INGEST_NAME_SIZE];
};

void api_read(struct http_request *rq, void (*fill)(struct read *r));
/* The same for what is about metrics: the reader shows them as Datadog has them (flushed/flushed.h), unless raw_queries is set. */
void api_read_metrics(struct http_request *rq, void (*fill)(struct read *r));
/* The reader failed: answers 500. */
void read_failed(struct read *r, const struct err *err);
/* Records the request and sends rq->answer. keep_body: for what later questions are answered from. */
void api_finish(struct http_request *rq, bool keep_body, struct span note);

/* A unit as Datadog describes one, [{…},null]; null when p == NULL. units.c */
void read_put_unit(struct buf *b, struct span unit);

#endif
