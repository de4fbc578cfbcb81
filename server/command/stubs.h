/* Faults from a file: {"http":[…],"dogstatsd":[…]} as the API takes them, or stub mappings as WireMock has them.
 *
 * Of a mapping these are understood: request.method, url, urlPath, urlPattern and urlPathPattern (literal text and `.*`), response.status,
 * body, jsonBody, base64Body, headers, fixedDelayMilliseconds and fault. Anything else of a request or a response is an error: a
 * stub that answers more than it should is worse than none. What only names or sorts mappings is passed over.
 */
#ifndef COMMAND_STUBS_H
#define COMMAND_STUBS_H

#include "core/err.h"
#include <jansson.h>

#define STUBS_FILE_MAX ((size_t)8 << 20)

/* New reference: an object with the lists http and dogstatsd. path "-": stdin. NULL with err. */
json_t *stubs_load(const char *path, struct err *err);

#endif
