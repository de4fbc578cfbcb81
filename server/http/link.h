/* The open connections, and the end of those that take too long to send a request (slow-loris) or left in its middle.
 *
 * Threads: any. A connection's socket is shut down only while it is in the list, so never after the
 * descriptor was given to somebody else.
 */
#ifndef HTTP_LINK_H
#define HTTP_LINK_H

#include "http/server.h"

struct http_link {
    struct http_link *next, *prev;
    int fd;
    _Atomic int64_t due_mono_ns; /* when the next step of a request must be complete; 0: none is awaited */
    bool silenced;               /* the client's side was closed when it was last looked at */
    int64_t n_before;            /* bytes on the socket before the request that is read now */
};

struct http_link *link_open(struct http *h, int fd);
void link_close(struct http *h, struct http_link *link);
/* The next step must be complete within so many seconds; 0: as long as it takes (we are answering). */
void link_expect(struct http_link *link, int64_t seconds);
/* Ends those that are late, and those whose client left with half a request sent at two sweeps. Returns whether any connection is open. */
bool link_sweep(struct http *h, int64_t now_mono_ns);
/* How many bytes were read from a TCP socket since it was opened, by whomever; -1: the kernel does not say, or the client
 * sends all the time. */
int64_t link_bytes_read(int fd);

#endif
