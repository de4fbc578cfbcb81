/* A certificate made on the spot: an authority of our own, and a server's certificate that it signs.
 *
 * For --tls-self-signed: some clients speak nothing but https to api.SITE. The authority's certificate is written to a file
 * for them to trust; its key is forgotten at once, so nothing else can ever be signed with it.
 * Ownership: *cert and *key are the caller's (free).
 * Errors: -1 with err.
 * Units: valid from an hour ago (clocks differ) for CERTIFICATE_DAYS.
 */
#ifndef HTTP_CERTIFICATE_H
#define HTTP_CERTIFICATE_H

#include "core/err.h"
#include <stddef.h>

#define CERTIFICATE_DAYS 90

/* hosts: names or addresses; localhost, 127.0.0.1 and ::1 are always among them. PEM, NUL-terminated. */
int certificate_make(size_t n_hosts, const char *const *hosts, const char *ca_path, char **cert, char **key,
                     struct err *err);

#endif
