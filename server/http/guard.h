/* Decides whether a request may be answered, by its Host (DNS rebinding), Origin (cross-site requests), bearer token. Pure.
 *
 * Host: loopback names and addresses and the bound address. Bound beyond loopback also any IP literal, this
 * machine's name, names without a dot (a container's service name) and what container engines call their host:
 * rebinding needs a public name. --allow-host adds names. Paths that only take (ROUTE_ANY_HOST) don't look at it. Origin:
 * a request that changes something must come from a page of the host that it is sent to, or from no page.
 */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include "core/span.h"

/* host: the header's value, with or without a port; p == NULL (HTTP/1.0) is fine. bound: as in --bind. */
bool guard_host(struct span host, struct span bound, bool loopback);
/* Whether the name matches one of the globs (--allow-host), small and capital letters alike. A glob may be a list with commas, as an
 * environment variable holds one text. */
bool guard_allowed(struct span host, size_t n, const char *const *globs);
/* "[::1]:8125" -> "::1"; "localhost:8125" -> "localhost"; p == NULL when it is malformed. */
struct span guard_name(struct span host);
/* origin: p == NULL is fine. */
bool guard_origin(struct span origin, struct span host);
/* authorization: the header's value. Takes the same time wherever the two differ. */
bool guard_token(struct span authorization, struct span token);
/* Whether the host's name or address can only be reached from this machine. */
bool guard_is_loopback(struct span host);

#endif
