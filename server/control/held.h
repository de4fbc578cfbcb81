/* A look at one moment of the recording that a list keeps from one page to the next, so that no page reads again what the page before has
 * read.
 *
 * An open look keeps SQLite from reusing its log, and takes a reader. So it lasts HELD_NS at most, also when its client takes nothing more:
 * then the watch thread closes it. At most HELD_MAX lists keep one; the others look anew for each page.
 * Ownership: the list's; held_free closes what is open. Threads: one list's at a time; the watch thread closes only what is not in use.
 */
#ifndef CONTROL_HELD_H
#define CONTROL_HELD_H

#include "core/clock.h"
#include "http/server.h"

#define HELD_NS  (2 * NS_PER_S)
#define HELD_MAX STORE_READERS_HELD

struct held_look;
struct held_look *held_new(struct http *h); /* NULL: out of memory */
void held_free(struct held_look *held);

/* The look that was kept, else a new one, as http_read_begin. NULL with err. Until held_leave nobody closes it. */
struct reader *held_take(struct held_look *held, uint64_t session_id, struct span name, struct err *err);
/* The samples that are being read in it; NULL: none yet. */
struct samples_cursor *held_samples(const struct held_look *held);
/* Begins to read samples in it, up to held_leave or beyond. NULL with err. */
struct samples_cursor *held_read(struct held_look *held, const struct filter *filter, struct err *err);
/* The page is full: `keep` when the next one goes on in the samples. */
void held_leave(struct held_look *held, bool keep);

#endif
