/* What can be lost, and how it is reported: one list gives the enum, the word, the sentence and the kinds of records concerned.
 * The words are stored in recordings: append only.
 */
#ifndef CORE_LOSS_H
#define CORE_LOSS_H

#include "core/span.h"
#include <stdint.h>

/* Kinds of records that a loss may have been of, as bits. LOST_IN_DOUBT alone: it is not known whether anything was lost. Then
 * what fails may be wrong, and what passes stands. */
enum loss_kind {
    LOST_SAMPLES = 1,
    LOST_EVENTS = 2,
    LOST_CHECKS = 4,
    LOST_REJECTS = 8,
    LOST_ANY = 15,
    LOST_IN_DOUBT = 16
};

#define LOSSES(X)                                                                                            \
    X(LOSS_KERNEL_DROP, "kernel_drop", "datagrams that the kernel dropped because a buffer was full",        \
      LOST_ANY)                                                                                              \
    X(LOSS_TRUNCATED, "truncated", "datagrams longer than could be read", LOST_ANY)                          \
    X(LOSS_QUEUE_FULL, "queue_full", "datagrams for which --queue-memory had no room", LOST_ANY)             \
    X(LOSS_DISK_FULL, "disk_full", "records that could not be written to the database", LOST_ANY)            \
    X(LOSS_EVICTED, "evicted", "samples removed by --retention-age or --retention-samples", LOST_SAMPLES)    \
    X(LOSS_SERIES_LIMIT, "series_limit", "samples of series beyond --max-series", LOST_SAMPLES)              \
    X(LOSS_EVICTED_EVENTS, "evicted_events", "events removed by --retention-age", LOST_EVENTS)               \
    X(LOSS_EVICTED_CHECKS, "evicted_checks", "service checks removed by --retention-age", LOST_CHECKS)       \
    X(LOSS_EVICTED_REJECTS, "evicted_rejects", "rejects removed by --retention-age", LOST_REJECTS)           \
    X(LOSS_EVICTED_BODIES, "evicted_bodies",                                                                 \
      "bodies of requests removed by --retention-age or --retention-bodies", 0)                              \
    X(LOSS_UNWRITTEN, "unwritten", "or more records that are still on their way into this file", LOST_ANY)   \
    X(LOSS_REFUSED, "refused", "stream connections that were refused, with what had been sent over them",    \
      LOST_ANY)                                                                                              \
    X(LOSS_BAD_FRAME, "bad_frame",                                                                           \
      "stream connections that sent bytes which are no frame: these bytes, and what came after them",        \
      LOST_ANY)                                                                                              \
    X(LOSS_UNIXGRAM_FULL, "unixgram_full",                                                                   \
      "looks that found a Unix datagram socket full: a client that does not wait may have dropped data",     \
      LOST_IN_DOUBT)                                                                                         \
    X(LOSS_INJECTED, "injected", "datagrams dropped on purpose (statwit fault)", LOST_ANY)                   \
    X(LOSS_STOPPED, "stopped", "datagrams that had come in and could not be stored before the server ended", \
      LOST_ANY)                                                                                              \
    X(LOSS_UNCLEAN_END, "unclean_end",                                                                       \
      "recorder that ended without a clean stop (or is at work elsewhere, if this is a copy), "              \
      "with what it had not written down",                                                                   \
      LOST_ANY)

enum loss {
#define X(id, word, sentence, kinds) id,
    LOSSES(X)
#undef X
        LOSS_N
};
const char *loss_word(enum loss loss);
const char *loss_sentence(enum loss loss);
unsigned loss_kinds(enum loss loss); /* bits of enum loss_kind */
/* Whether all of it was older than anything that is still recorded: what retention removes. */
bool loss_is_of_oldest(enum loss loss);
int loss_of(struct span word); /* -1: unknown */

#endif
