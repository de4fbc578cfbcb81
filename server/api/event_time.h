/* Private to api/: times as filters of events have them.
 *
 *     now   now-15m   now-1h30m is none   2026-09-17T11:48:36+01:00   2026-09-17T11:48:36.5Z   1655744837000 (milliseconds)
 *
 * Units are s, m, h, d, w. Source: schema/protocol/datadog-http.md section 7.4.
 */
#ifndef API_EVENT_TIME_H
#define API_EVENT_TIME_H

#include "core/span.h"
#include <stdint.h>

/* Nanoseconds since 1970; false: it is no such time. */
bool event_time_read(struct span text, int64_t now_ns, int64_t *ns);

#endif
