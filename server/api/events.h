/* Private to api/: a page of a session's events, in order of time.
 *
 * DESIGN. One pass keeps the times and ids of those that match. They are put in order, the page is cut out, and a second pass writes its
 * events. So a page costs 16 bytes for each match, and the text of the page alone.
 */
#ifndef API_EVENTS_H
#define API_EVENTS_H

#include "api/read.h"

#define EVENTS_PAGE_MAX 1000
#define EVENTS_MAX      4000000 /* matches of one question; past it the answer is a 500 that says so */

struct event_place {
    int64_t at; /* when it happened, ns */
    uint64_t id;
};

struct event_page {
    bool (*match)(void *arg, const struct event_row *row);
    void (*put)(struct buf *b, const struct event_row *row);
    void *arg;
    bool oldest_first;
    bool has_after;
    struct event_place after; /* begins behind this one */
    size_t skip, count;
    /* The result: */
    size_t n_written;
    struct event_place last; /* written */
};

int64_t event_happened(const struct event_row *row); /* ns */
/* Who sent it: its source_type_name; what came through the API without one is from `my_apps`. p == NULL: it is not known. */
struct span event_source(const struct event_row *row);
/* ["a:b",…,"source:…"] */
void event_put_tags(struct buf *b, const struct event_row *row);
/* Appends the page's events, separated by commas, to b. */
int event_page_put(struct read *r, struct event_page *page, struct buf *b, struct err *err);
void event_put_v1(struct buf *b, const struct event_row *row);

#endif
