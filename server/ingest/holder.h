/* Finds the process that holds a port, for the error message.
 *
 * Reads /proc/net and /proc/PID/fd, so it names only what this user may see. Threads: any.
 */
#ifndef INGEST_HOLDER_H
#define INGEST_HOLDER_H

#include <stddef.h>

/* protocol: "udp" or "tcp". Writes " (held by NAME, pid 123)", or "" when the system doesn't tell. */
void holder_of_port(const char *protocol, int port, char *text, size_t size);

#endif
