/* One event of a stream of batches: what came since the last one, however much it is, in one text that stays small. See batch_event.c.
 *
 * Ownership: the caller's struct, zeroed; he sets the first group of fields, and frees it in the end.
 * Threads: one at a time.
 * Limits: in batch_event.c.
 */
#ifndef CONTROL_BATCH_EVENT_H
#define CONTROL_BATCH_EVENT_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/reader.h"
#include "core/table.h"

struct batch_event {
    struct filter filter;
    uint64_t rows; /* at the most */
    bool
        brief; /* this event shall be soon done: of a flood it counts the newest part, unless the filter has a source */
    uint64_t session_id; /* 0: all */
    uint64_t cursor;     /* the newest record that was looked at */

    struct buf text; /* of the event */
    uint64_t series; /* the newest series that was looked at */
    bool begun;      /* `series` is known */
    bool aligned;    /* the cursor is the end of a commit */

    /* While an event is made: */
    struct reader *reader;
    struct arena arena;
    struct table by_hash;
    struct batch_name *groups;
    size_t n_groups, cap_groups;
    uint64_t n, newest_series;
    size_t n_rows;
    bool failed, partial, full;
};

void batch_event_init(struct batch_event *e);
/* Makes the next one, between reader_begin and reader_end. 1: there is something to send; 0: nothing is new; -1: failed, with err set
 * unless memory was out. */
int batch_event_read(struct batch_event *e, struct reader *reader, struct err *err);
void batch_event_free(struct batch_event *e);

#endif
