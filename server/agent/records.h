/* Events and service checks as an Agent sends them on: one object of JSON each.
 *
 * A time of 0 is the time of arrival. Tags are sorted, each once. Errors: `to` fails. Source: schema/protocol/datadog-http.md.
 */
#ifndef AGENT_RECORDS_H
#define AGENT_RECORDS_H

#include "core/buf.h"
#include "core/record.h"

/* hostname: of what names no host. */
void records_put_event(struct buf *to, const struct event *event, struct span hostname, int64_t at_s);
void records_put_check(struct buf *to, const struct service_check *check, struct span hostname, int64_t at_s);
/* What the event stands under: its source_type_name, or "api". */
struct span records_source(const struct event *event);

#endif
