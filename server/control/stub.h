/* The part of a fault that says what to answer, as JSON: method, endpoint, body or body_b64, content_type, headers, kept.
 *
 * Errors: -1 once http_error has answered.
 */
#ifndef CONTROL_STUB_H
#define CONTROL_STUB_H

#include "control/ask.h"
#include "http/fault.h"

#define STUB_FIELDS "method", "endpoint", "body", "body_b64", "content_type", "headers", "kept"

int stub_read(struct http_request *rq, const json_t *object, struct fault_rule *rule);
void stub_put(struct buf *b, const struct fault_rule *rule);

/* The body of POST /fakeintake/configure/override: endpoint, status_code, content_type, method, body (base64). */
int stub_read_override(struct http_request *rq, struct fault_rule *rule);

#endif
