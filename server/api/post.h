/* One request to the fake intake on its way into the recording: its records, its own row, and the answer that
 * is sent once they are committed.
 *
 *     post_new -> post_record… -> post_request -> post_send      (the answer stands in rq->answer before
 * post_send)
 *
 * Ownership: post_send takes the post over, and the request with it: afterwards neither may be touched.
 * Threads: one at a time; the answer is sent from the ingest loop.
 * Limits: everything is held until post_send, but for post_early, after which a batch goes out whenever it has POST_CHUNK
 * bytes. A post whose request sleeps waits for room in the queue; another is refused with 503 when there is none.
 */
#ifndef API_POST_H
#define API_POST_H

#include "core/record.h"
#include "http/server.h"

#define POST_CHUNK     ((size_t)1 << 20)  /* bytes of one batch after post_early */
#define POST_WAIT_NS   (5 * 1000000000LL) /* for room in the queue before the first batch */
#define POST_BODY_KEPT ((size_t)1 << 20)  /* bytes kept of the body of a request that is not decoded */

struct post;
/* asleep: the request sleeps already (http_suspend), so this thread has time. NULL: out of memory. */
struct post *post_new(struct http_request *rq, bool asleep);
/* What follows is certain to be kept, and may be a lot. Only when asleep. */
void post_early(struct post *p);
/* A record_fn: copies the record. */
void post_record(void *post, const struct record *record);
/* Forgets the records that are not on their way yet. */
void post_clear(struct post *p);
/* The request's row: status is the answer's. body: kept; note: what was wrong or injected; both may be {NULL,
 * 0}. */
void post_request(struct post *p, uint64_t body_bytes, struct span body, struct span note);
void post_send(struct post *p);

#endif
