/* The wire to an engine, without an engine (store/clickhouse/http.h): what a reader or a push asks goes to a function of the test.
 * A program that includes this, once, has no other wire.
 *
 * Threads: one.
 */
#ifndef SUPPORT_FLEET_WIRE_H
#define SUPPORT_FLEET_WIRE_H

#include "store/clickhouse/http.h"
#include <stdlib.h>
#include <string.h>

/* The test's. The answer is empty when it is called; NULL: nobody wants it. */
static enum fleet_outcome wire_post(const struct fleet_request *request, struct buf *answer, int *code,
                                    struct err *err);

/* A question stands in the body, or, where tables go along, in the arguments. */
static inline bool wire_is_about(const struct fleet_request *request, const char *word) {
    return strstr(request->arguments, word) ||
           memmem(request->body.p, request->body.n, word, strlen(word)) != NULL;
}

/* What each connection asks first. False: something else is asked, and nothing was answered. */
static inline bool wire_greets(const struct fleet_request *request, struct buf *answer) {
    if (wire_is_about(request, "system.settings"))
        buf_str(answer, "26.9.1.1\t['async_insert']\n");
    else if (wire_is_about(request, "schema_version"))
        buf_str(answer, "1\n");
    else
        return false;
    return true;
}

struct fleet_http {
    int unused;
};

struct fleet_http *fleet_http_new(const struct fleet_url *url, const char *ca_file, struct err *err) {
    (void)url, (void)ca_file, (void)err;
    return calloc(1, sizeof(struct fleet_http));
}

void fleet_http_free(struct fleet_http *h) {
    free(h);
}

void fleet_http_stop_when(struct fleet_http *h, const atomic_bool *stop) {
    (void)h, (void)stop;
}

const char *fleet_http_where(const struct fleet_http *h) {
    (void)h;
    return "ch:8123/statwit";
}

enum fleet_outcome fleet_http_post(struct fleet_http *h, const struct fleet_request *request,
                                   struct buf *answer, int *code, struct err *err) {
    (void)h;
    *code = 0;
    if (answer)
        buf_clear(answer);
    return wire_post(request, answer, code, err);
}

#endif
