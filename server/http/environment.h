/* The environment that sends an unmodified application's metrics into one session: what `serve` prints, `run`
 * sets and the sessions API answers.
 *
 * Ownership: the struct is the caller's and holds everything.
 * Source: the variables that Datadog's and StatsD's official clients read.
 */
#ifndef HTTP_ENVIRONMENT_H
#define HTTP_ENVIRONMENT_H

#include "core/buf.h"
#include "ingest/ingest.h"

#define ENVIRONMENT_MAX 20

struct environment {
    size_t n;
    struct {
        const char *name; /* static */
        char value[192];
    } vars[ENVIRONMENT_MAX];
};

/* url: http_url's. Wildcard addresses become loopback ones. */
void environment_make(struct environment *env, const struct ingest_session *session, const char *url);
/* One more, unless its value is "". The name is kept, the value copied. */
void environment_add(struct environment *env, const char *name, const char *value);
/* {"DD_AGENT_HOST":"127.0.0.1",…} */
void environment_json(const struct environment *env, struct buf *b);
/* {"udp":"127.0.0.1:8125","unixgram":null,"unixstream":null}, as in the ready line. */
void environment_dogstatsd_json(const struct ingest_addresses *at, struct buf *b);

#endif
