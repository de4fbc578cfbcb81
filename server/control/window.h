/* New records as Server-Sent Events, written once for all streams that want the same.
 *
 * A window holds the events of some ids, of one filter. A stream that stands within a window that another stream has read takes that one,
 * and goes on behind it; so streams that keep up share all of their windows.
 *
 * Ownership: counted; window_take and window_next give one, window_drop takes it back. What a window holds never changes.
 * Threads: any.
 * Limits: WINDOW_IDS ids; the newest WINDOWS_KEPT windows of WINDOWS_BYTES together are kept for others.
 */
#ifndef CONTROL_WINDOW_H
#define CONTROL_WINDOW_H

#include "control/ask.h"

#define WINDOW_IDS    1024
#define WINDOWS_KEPT  64
#define WINDOWS_BYTES ((size_t)8 << 20)

struct window_event {
    uint64_t id;
    size_t at, n; /* in the text */
};

struct window;
/* A stream begins; it ends, with the window that it has (or NULL). When the last one ends, nothing is kept. */
void windows_begin(struct http *h);
void windows_end(struct http *h, struct window *last);
/* The events of the first ids after `cursor` that have some; none when nothing is new. *cursor moves to the last id looked at. n_forgets:
 * watch_forgets of the session. NULL with err. */
struct window *window_next(struct http *h, const struct ask *ask, uint64_t n_forgets, uint64_t *cursor,
                           struct err *err);
void window_drop(struct http *h, struct window *w);
/* Whether nothing was there behind it when it was read. *commits: watch_commits just before that. */
bool window_is_last(const struct window *w, uint64_t *commits);
/* Those with an id after `since`; *n of them. */
const struct window_event *window_events(const struct window *w, uint64_t since, size_t *n);
const char *window_text(const struct window *w);

#endif
