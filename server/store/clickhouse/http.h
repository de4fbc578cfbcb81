/* One connection to a ClickHouse server over HTTP, through libcurl, which is loaded when first needed.
 *
 * Ownership: fleet_http_free gives everything back; the answer's buffer is the caller's.
 * Threads: one at a time.
 * Errors: an outcome, with words in err. A status of 200 alone proves nothing: older servers send 200 before they know, so
 * the header with the code of an exception is looked at, and who asks counts the rows.
 * Limits: FLEET_ANSWER_MAX bytes of an answer.
 */
#ifndef STORE_CLICKHOUSE_HTTP_H
#define STORE_CLICKHOUSE_HTTP_H

#include "core/buf.h"
#include "store/clickhouse/url.h"
#include <stdatomic.h>

#define FLEET_ANSWER_MAX ((size_t)1 << 30)

enum fleet_outcome {
    FLEET_OK,
    FLEET_REFUSED,     /* the server says no: `code` */
    FLEET_UNREACHABLE, /* no connection was made, so nothing was done */
    FLEET_UNCLEAR,     /* it may have been done: the answer was lost, late or no ClickHouse's */
};

struct fleet_request {
    const char *arguments; /* behind '?', encoded */
    const char *content_type;
    struct span body;
    bool gzip; /* the body is */
    bool once; /* over a connection of its own: libcurl repeats what finds an older one closed */
    int64_t timeout_ns;
};

struct fleet_http;
struct fleet_http *fleet_http_new(const struct fleet_url *url, const char *ca_file, struct err *err);
void fleet_http_free(struct fleet_http *h);
/* A request ends, without an answer, soon after *stop becomes true. */
void fleet_http_stop_when(struct fleet_http *h, const atomic_bool *stop);
/* "ch:8123/statwit" */
const char *fleet_http_where(const struct fleet_http *h);
/* answer may be NULL: thrown away. *code: of ClickHouse's exception, 0 when it named none. */
enum fleet_outcome fleet_http_post(struct fleet_http *h, const struct fleet_request *request,
                                   struct buf *answer, int *code, struct err *err);

#endif
