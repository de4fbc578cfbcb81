/* Sends DogStatsD lines: over UDP, a Unix socket of either kind, or HTTP.
 *
 * Lines are packed into datagrams as a client packs them: up to 1,432 bytes over UDP, 8,192 over a Unix
 * socket; a longer line goes alone. Over HTTP they are acknowledged: when sender_close says that all is well,
 * they are stored. Ownership: the caller's struct; close it also after an error. Threads: one. Errors:
 * printed; exit codes.
 */
#ifndef COMMAND_SENDER_H
#define COMMAND_SENDER_H

#include "command/remote.h"
#include <stdio.h>

struct sender {
    enum { SENDER_NONE, SENDER_DATAGRAM, SENDER_STREAM, SENDER_HTTP } kind;
    char address[256]; /* as text, to tell */
    struct remote remote;
    struct buf path; /* SENDER_HTTP */
    int fd;
    size_t pack; /* bytes of one packet that is made of several lines */
    struct buf packet;
    uint64_t n_lines, n_packets;
};

/* Where to: --to, else a server that was named (--url, STATWIT_URL), else where DD_DOGSTATSD_URL,
 * DD_DOGSTATSD_SOCKET or DD_AGENT_HOST and DD_DOGSTATSD_PORT say, else the usual server. `usual` is the way
 * to a server: "udp" or "http". */
int sender_open(struct sender *s, const struct options *o, const char *usual);
int sender_line(struct sender *s, struct span line);
/* Sends what is packed already. */
int sender_flush(struct sender *s);
/* Sends what is left. status: what went before; returned when it is not EXIT_PASS. */
int sender_close(struct sender *s, int status);

/* Lines of a stream until its end. */
int sender_lines(struct sender *s, FILE *from);

#endif
