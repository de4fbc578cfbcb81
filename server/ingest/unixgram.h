/* Unix datagram sockets with room for a burst.
 *
 * How many datagrams can wait in one is the sysctl net.unix.max_dgram_qlen of the network namespace in which it was made; often
 * that is 10, and a client that does not wait drops what a burst has beyond it. So a short-lived child makes the sockets in a
 * network namespace of its own, where it may raise that, and hands them over. They are bound here: a path belongs to no
 * network namespace. Where the system does not let a process do that, the socket is a plain one.
 *
 * The child of a program with threads calls the system and nothing else. It makes several sockets at once, as each namespace
 * takes the kernel memory and time; the others wait here for the sessions to come.
 *
 * Ownership: the fd is the caller's. Threads: any. Errors: -1 with err. Blocks: some milliseconds for the child, 2 s at most.
 */
#ifndef INGEST_UNIXGRAM_H
#define INGEST_UNIXGRAM_H

#include "core/err.h"
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define UNIXGRAM_QUEUE  1024 /* datagrams that can wait in such a socket, less one */
#define UNIXGRAM_SPARES 16
/* As many short datagrams as the buffer of one sender holds by default: a longer queue is no use to one. */
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

/* What the datagram takes of its sender's buffer until it is read, at most. */
size_t unixgram_charge(size_t bytes);
/* The buffer that a sender has unless it asked for another: beyond it one that does not wait drops. */
size_t unixgram_sender_buffer(void);

#endif
