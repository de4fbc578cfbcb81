/* The environment that sends an unmodified application's metrics into one session: what `serve` prints, `run`
 * sets and the sessions API answers.
 *
 * Ownership: the struct is the caller's and holds everything.
 * Source: the variables that Datadog's and StatsD's official clients read.
 */
#ifndef HTTP_ENVIRONMENT_H
#define HTTP_ENVIRONMENT_H

#include "core/buf.h"
#include "http/http.h"
#include "ingest/ingest.h"

#define ENVIRONMENT_MAX 24

struct environment {
    size_t n;
    struct {
        const char *name; /* static */
        char value[192];
    } vars[ENVIRONMENT_MAX];
};

/* How somebody reaches this server. */
struct environment_reach {
    char url[192];
    char host[160];   /* of the UDP sockets; "": as bound, and a loopback address where every one is bound */
    bool needs_token; /* for /recorder */
};
/* By --advertise; else, when other hosts can reach the server, by the name that the Host header asked for (p == NULL: nobody
 * asked); else as bound. */
void environment_reach(const struct http *h, struct span asked, struct environment_reach *reach);
/* Wildcard addresses become loopback ones. */
void environment_make(struct environment *env, const struct ingest_session *session,
                      const struct environment_reach *reach);
/* One more, unless its value is "". The name is kept, the value copied. */
void environment_add(struct environment *env, const char *name, const char *value);
/* {"DD_AGENT_HOST":"127.0.0.1",…} */
void environment_json(const struct environment *env, struct buf *b);
/* {"udp":"127.0.0.1:8125","unixgram":null,"unixstream":null}, as in the ready line. */
void environment_dogstatsd_json(const struct ingest_addresses *at, struct buf *b);

#endif
