/* A server to talk to, and what to tell the user when that fails.
 *
 * Ownership: remote_close gives everything back; JSON answers are new references.
 * Threads: one.
 * Errors: functions print the error themselves and return the exit code, EXIT_PASS when all is well: what the server calls a
 * bad request is a mistake in usage, everything else means that it cannot be asked. Before the first question, /healthz must
 * answer as a recorder's does, in REMOTE_ALIVE_MS: a server that hangs, or is no recorder, is an error. Each answer has
 * --answer-timeout, plus what the question itself asks the server to wait; a stream may be silent so long.
 */
#ifndef COMMAND_REMOTE_H
#define COMMAND_REMOTE_H

#include "command/command.h"
#include "statwit.h"
#include <jansson.h>

#define REMOTE_ALIVE_MS 30000

struct remote {
    struct statwit_recorder *recorder;
    int64_t answer_ms;
    bool alive; /* /healthz answered */
};

int remote_open(struct remote *r, const struct options *o);
void remote_close(struct remote *r);

/* method NULL: GET, or POST with a body. body may be NULL; *answer too, when nobody wants it. */
int remote_call(struct remote *r, const char *method, const char *path, const json_t *body, json_t **answer);
/* A question that the server may keep waiting_ms before it sets to work on the answer. */
int remote_ask(struct remote *r, const char *path, const json_t *question, int64_t waiting_ms,
               json_t **answer);
/* The same with bytes that go on for as long as they like; chunk returns false to end. */
int remote_stream(struct remote *r, const char *path, statwit_chunk chunk, void *context);
/* A body that is not JSON; the answer is checked and thrown away. */
int remote_post(struct remote *r, const char *path, const void *bytes, size_t n, const char *content_type);

/* Adds ?name=value or &name=value, encoded; nothing when value is NULL. */
void remote_arg(struct buf *path, const char *name, const char *value);
/* Adds the text as (a part of) one segment of the path. */
void remote_segment(struct buf *path, const char *text);

#endif
