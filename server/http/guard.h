/* Decides whether a request may be answered, by its Host (DNS rebinding), Origin (cross-site requests), bearer token. Pure.
 *
 * Host: loopback names and addresses and the bound address. Bound beyond loopback also any IP literal, this
 * machine's name and names without a dot (a container's service name): rebinding needs a public name. Origin:
 * a request that changes something must come from a page of the host that it is sent to, or from no page.
 */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include "core/span.h"

/* host: the header's value, with or without a port; p == NULL (HTTP/1.0) is fine. bound: as in --bind. */
bool guard_host(struct span host, struct span bound, bool loopback);
/* origin: p == NULL is fine. */
bool guard_origin(struct span origin, struct span host);
/* authorization: the header's value. Takes the same time wherever the two differ. */
bool guard_token(struct span authorization, struct span token);
/* Whether the host's name or address can only be reached from this machine. */
bool guard_is_loopback(struct span host);

#endif
