/* A recorder, whole: store, pipeline, sockets and HTTP put together from the options of `serve` and `run`.
 *
 * Ownership: recorder_stop gives everything back; NULL is fine.
 * Threads: start and stop from the main thread, with the signals that it waits for blocked before (so that no other thread
 * takes them).
 * Errors: NULL with err, nothing left listening.
 */
#ifndef COMMAND_RECORDER_H
#define COMMAND_RECORDER_H

#include "agent/agent.h"
#include "command/options.h"
#include "http/environment.h"
#include "http/http.h"

struct recorder {
    struct span constant_tags[DOGSTATSD_CONSTANT_TAGS_MAX]; /* of --dogstatsd-tags; text is the options' */
    struct store *store;
    struct pipeline *pipeline;
    struct agent_histogram_options histograms; /* of the Agent that questions and agent+ are about */
    struct forward *forward;                   /* NULL: nothing is passed on */
    struct ingest *ingest;
    struct http *http;
    struct ingest_session session; /* the default one */
    struct store_earlier earlier;  /* what the file held when this run began */
    struct environment environment;
    char token[33];  /* made here because others can reach the port; "" when the user gave one or none is
                        needed */
    char folder[96]; /* of private sockets; "" */
};

struct recorder *recorder_start(const struct options *o, struct err *err);
/* Answers what is in flight, drains the sockets, commits, removes what it made. */
void recorder_stop(struct recorder *r);

/* The ready line: one JSON object, without the newline. */
void recorder_ready_json(const struct recorder *r, struct buf *b);

#endif
