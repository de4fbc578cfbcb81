/* What fakeintake answers to writes, and what is kept of a body: for post.c alone.
 *
 * Source: schema/protocol/fakeintake.md.
 */
#ifndef API_FAKE_H
#define API_FAKE_H

#include "core/arena.h"
#include "core/reader.h"
#include "http/server.h"

/* With --fakeintake: answers a write, or a path that nobody knows, as fakeintake does. What statwit refuses by its own rules (a session
 * that there is not, a fault, a body past every limit) stays refused. */
void fake_answer(struct http_request *rq);

/* The body of a POST to be kept, in the arena; NULL: nothing is kept of it. Before a fault changes the answer. */
const struct posted_body *fake_payload(const struct http_request *rq, struct arena *a);

#endif
