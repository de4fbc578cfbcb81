/* Unix datagram sockets with room for a burst.
 *
 * The sysctl net.unix.max_dgram_qlen of the network namespace in which a socket was made says how many datagrams can wait in it.
 * Often that is 10, and a client that does not wait drops the rest of a burst. So a short-lived child makes the sockets in a
 * network namespace of its own, raises the limit there, and hands the sockets over. They are bound here, since a path belongs to
 * no network namespace. Where the system does not permit this, the socket is a plain one
 * (server/decisions/0014-unix-queue-length-by-namespace.md).
 *
 * The child of a program with threads calls the system and nothing else. It makes several sockets at once, as each namespace
 * takes the kernel memory and time; the others wait here for the sessions to come.
 *
 * Ownership: the fd is the caller's.
 * Threads: any.
 * Errors: -1 with err. Blocks: some milliseconds for the child, 2 s at most.
 */
#ifndef INGEST_UNIXGRAM_H
#define INGEST_UNIXGRAM_H

#include "core/err.h"
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define UNIXGRAM_QUEUE  1024 /* datagrams that can wait in such a socket, less one */
#define UNIXGRAM_SPARES 16
/* How many short datagrams the buffer of one sender holds by default. A longer queue is of no use to that sender. */
#define UNIXGRAM_ENOUGH 278

struct unixgram_maker {
    pthread_mutex_t lock;
    int spares[UNIXGRAM_SPARES];
    size_t n_spares;
    bool refused; /* the system does not allow it: not tried again */
};

void unixgram_maker_init(struct unixgram_maker *m);
void unixgram_maker_free(struct unixgram_maker *m);
/* An unbound socket. *holds: datagrams that can be waiting in it. */
int unixgram_make(struct unixgram_maker *m, size_t *holds, struct err *err);

/* The bytes of its sender's buffer that a datagram takes until it is read, at most. */
size_t unixgram_charge(size_t bytes);
/* The send buffer that a process has by default. A sender that does not wait drops what exceeds it. */
size_t unixgram_sender_buffer(void);

#endif
