/* The listening TCP sockets of the HTTP side.
 *
 * Errors: -1 with err, which names the address and who holds the port where the system tells.
 */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include "core/err.h"
#include <stddef.h>

/* Listens on each address of `bind` (at most `max`), all on one port (0: any that is free on all of them).
 * Returns how many; *port as bound; *loopback: whether all are loopback addresses; url:
 * "http://127.0.0.1:8125", with the loopback address in place of a wildcard. */
int listen_tcp(const char *bind, int port, const char *scheme, int *fds, size_t max, int *bound_port,
               bool *loopback, char *url, size_t url_size, struct err *err);

#endif
