/* One request to the fake intake on its way into the recording: its records, its own row, and the answer that
 * is sent once they are committed.
 *
 *     post_new -> post_record… -> post_request -> post_send
 *
 * The caller fills rq->answer before it calls post_send.
 *
 * Ownership: post_send takes the post over, and the request with it: afterwards neither may be touched.
 * Threads: one thread at a time uses a post. The ingest loop sends the answer.
 * Limits: a post holds all its records until post_send. After post_early, a batch goes out whenever it has POST_CHUNK bytes.
 * When the queue is full, a post whose request sleeps waits for room; any other is refused with 503.
 */
#ifndef API_POST_H
#define API_POST_H

#include "api/memo.h"
#include "core/record.h"
#include "http/server.h"

#define POST_CHUNK     ((size_t)1 << 20)  /* bytes of one batch after post_early */
#define POST_WAIT_NS   (5 * 1000000000LL) /* for room in the queue before the first batch */
#define POST_BODY_KEPT ((size_t)1 << 20)  /* bytes kept of the body of a request that is not decoded */

struct post;
/* asleep: the request sleeps already (http_suspend), so this thread may wait. NULL: out of memory. */
struct post *post_new(struct http_request *rq, bool asleep);
/* Lets batches go out before post_send, since the records that follow are certain to be kept and may be many. Only for a post
 * that is asleep. */
void post_early(struct post *p);
/* The records point into this text, which stays where it is until the answer is sent; they need not copy what stands in it. */
void post_body(struct post *p, struct span body);
/* Where the records' `known` metrics lie. The batches hold it as long as they need it. */
void post_memo(struct post *p, struct memo *memo);
/* Takes over the memory of the body. */
void post_keep(struct post *p, struct buf *room);
/* A record_fn: copies the record. */
void post_record(void *post, const struct record *record);
/* Forgets the records that are not in the queue yet. */
void post_clear(struct post *p);
/* Adds the request's own row, with the status of rq->answer. body: what the recording keeps of it; note: what was wrong or
 * injected. Both may be {NULL, 0}. */
void post_request(struct post *p, uint64_t body_bytes, struct span body, struct span note);
/* Queues the records. The answer is sent once they are committed. */
void post_send(struct post *p);

#endif
