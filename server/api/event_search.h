/* Private to api/: the search syntax of events (filter[query] of v2).
 *
 *     deploy "rolled back" source:(jenkins OR chef) -env:dev* AND (status:error OR priority:low)
 *
 * A word stands in the title or the text; blanks mean AND. `source`, `host`, `status` and `priority` are fields of the event, `tags:x` is the
 * tag x, every other key is the key of a tag. Capitals don't matter. `@title`, `@status`, `@priority`, `@hostname`, `@aggregation_key` and
 * `@evt.id` are read; other attributes, ranges and comparisons are refused.
 *
 * Ownership: nodes live in the arena. Threads: any.
 * Limits: EVENT_SEARCH_* below, past which the error says so.
 * Source: schema/protocol/datadog-http.md section 7.4.
 */
#ifndef API_EVENT_SEARCH_H
#define API_EVENT_SEARCH_H

#include "core/arena.h"
#include "core/reader.h"

#define EVENT_SEARCH_TEXT_MAX  (32 << 10)
#define EVENT_SEARCH_TERMS_MAX 512
#define EVENT_SEARCH_DEPTH_MAX 64

struct event_search;

/* NULL and why == "": everything is meant. Else the search, or NULL with what is wrong in `why`. */
struct event_search *event_search_read(struct arena *arena, struct span text, char *why, size_t cap_why);
/* search == NULL: true. tags: as Datadog spells them. */
bool event_search_holds(const struct event_search *search, const struct event_row *row, size_t n_tags,
                        const struct span *tags);

#endif
