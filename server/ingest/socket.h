/* Making the sockets that ingest listens on: bound, non-blocking, with as large a buffer as is useful.
 *
 * Ownership: the fd is the caller's.
 * Threads: any.
 * Errors: -1 with err. Never SO_REUSEADDR or SO_REUSEPORT: two recorders must not share a port in silence.
 */
#ifndef INGEST_SOCKET_H
#define INGEST_SOCKET_H

#include "core/err.h"
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define SOCKET_UDP_MAX 4 /* addresses that one host name may stand for */

/* Binds a UDP socket for each address of `host` to one port (0: any that is free on all of them). Returns how many. */
int socket_udp(const char *host, int port, int fds[SOCKET_UDP_MAX], struct err *err);
/* "127.0.0.1:8125" or "[::1]:8125"; *port as bound. */
void socket_udp_name(int fd, char *text, size_t size, int *port);

/* SOCK_DGRAM or SOCK_STREAM at a path. A stale socket there is replaced; one that answers, or a file of another kind, is refused. */
int socket_unix(const char *path, int type, struct err *err);
/* The same with an unbound socket that there is already; it is closed on failure. */
int socket_unix_on(int fd, const char *path, int type, struct err *err);

/* Asks for a receive buffer of `want` bytes, with force where permitted; returns what it became: twice that, as the kernel counts its own
 * bookkeeping in, and no datagram more than that can be waiting. */
size_t socket_rcvbuf(int fd, size_t want);
/* Datagrams that the kernel has dropped at this UDP socket so far, and what it holds: bytes as the kernel counts, at least those
 * of the datagrams; SIZE_MAX where the kernel doesn't tell. */
uint32_t socket_drops(int fd, size_t *holds);
/* Datagrams that can be waiting in a unixgram socket made now. */
size_t socket_unixgram_holds(void);
/* Bytes that are waiting in a stream. */
size_t socket_stream_holds(int fd);

#endif
