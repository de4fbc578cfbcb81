/* Private to api/: what clients set (tags of hosts, mutes, tag configurations). It is kept in the recorded requests alone, so a
 * reset forgets it and a session does not see another's.
 *
 * Ownership: a change is valid until the callback returns. Limits: the recording keeps POST_BODY_KEPT bytes of a body, which is
 * why the routes take no more.
 */
#ifndef API_CHANGES_H
#define API_CHANGES_H

#include "api/read.h"
#include <jansson.h>

struct change {
    struct span method;
    size_t n_params;
    struct span params[HTTP_PARAMS_MAX]; /* of the pattern, decoded */
    struct span source;                  /* the query's `source`, decoded; p == NULL: none */
    struct span body;
    int64_t at; /* wall clock, ns */
};

/* Each request that changed something below the pattern of a path and was answered 2xx, oldest first. take returns false: out of
 * memory. */
int changes_each(struct read *r, const char *pattern, bool (*take)(void *arg, const struct change *change),
                 void *arg, struct err *err);
/* The same of the request at hand, when it is one. */
struct change changes_this(const struct http_request *rq);

/* A JSON object, {} for an empty body; NULL once it is answered 400 that it is none. New reference. */
json_t *changes_body(struct http_request *rq);
/* Whether it is a list of texts. */
bool changes_is_texts(const json_t *list);

#endif
