/* What can be lost, and how that is told: one list gives the enum, the word and the sentence.
 * The words are stored in recordings: append only.
 */
#ifndef CORE_LOSS_H
#define CORE_LOSS_H

#include "core/span.h"
#include <stdint.h>

#define LOSSES(X)                                                                                            \
    X(LOSS_KERNEL_DROP, "kernel_drop",                                                                       \
      "datagrams that the kernel dropped because the socket's buffer was full")                              \
    X(LOSS_TRUNCATED, "truncated", "datagrams longer than could be read")                                    \
    X(LOSS_QUEUE_FULL, "queue_full", "datagrams for which --queue-memory had no room")                       \
    X(LOSS_DISK_FULL, "disk_full", "records that could not be written to the database")                      \
    X(LOSS_EVICTED, "evicted", "records removed by --retention-age or --retention-samples")                  \
    X(LOSS_SERIES_LIMIT, "series_limit", "samples of series beyond --max-series")

enum loss {
#define X(id, word, sentence) id,
    LOSSES(X)
#undef X
        LOSS_N
};
const char *loss_word(enum loss loss);
const char *loss_sentence(enum loss loss);
int loss_of(struct span word); /* -1: unknown */

#endif
