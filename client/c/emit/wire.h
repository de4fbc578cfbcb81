/* A socket to a DogStatsD server: UDP, Unix datagram or Unix stream.
 *
 * Ownership: the caller's struct; wire_close when done.
 * Threads: one at a time; nothing blocks but wire_resolve.
 * Errors: what the socket says becomes a wire_result; `trouble` holds the words of the last one.
 * Source: a stream packet is preceded by its length, 32 bits, little-endian.
 */
#ifndef CLIENT_EMIT_WIRE_H
#define CLIENT_EMIT_WIRE_H

#include "emit/line.h"
#include "statwit.h"
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

enum wire_kind { WIRE_UDP, WIRE_UNIXGRAM, WIRE_UNIXSTREAM };

enum wire_result {
    WIRE_SENT,
    WIRE_LATER,   /* full, not resolved, nobody there: the same bytes may be sent later */
    WIRE_REFUSED, /* these bytes are lost */
    WIRE_LARGE,   /* these bytes are more than the socket takes at once */
};

struct wire {
    enum wire_kind kind;
    char host[256]; /* or the path of the socket */
    char port[8];
    bool resolved;
    struct sockaddr_storage address;
    socklen_t address_size;
    int fd;              /* -1: not connected */
    int64_t retry_at_ns; /* no connection is tried before */
    char trouble[160];
    /* A stream packet with its length, of which the socket took rest_at bytes so far; NULL: none. A wire_send
     * of nothing goes on with it. */
    char *rest;
    size_t n_rest, rest_at;
};

/* By url (udp:// unix:// unixgram:// unixstream://), or else by socket path, or else by host and port. A host
 * name that needs a DNS is left to wire_resolve. */
int wire_open(struct wire *wire, const struct statwit_options *options, struct statwit_error *error);
/* Asks the DNS: may block for long. */
bool wire_resolve(const struct wire *wire, struct sockaddr_storage *address, socklen_t *size);
/* Sends datagrams[0 … n-1]; *n_sent of them left, the result is that of the next one (WIRE_SENT: there is
 * none). */
enum wire_result wire_send(struct wire *wire, const struct iovec *datagrams, size_t n, size_t *n_sent);
/* Closes; the next wire_send connects anew, as the child of fork must, for the socket it has is its parent's.
 */
void wire_close(struct wire *wire);

#endif
