/* DESIGN. The sources that hold something stand in a row, in the order in which epoll found them: that is the order in which
 * they got something to read, so what one sender sent over several sockets is read in the order it was sent.
 *
 *     epoll -> [first … last] -> read -> empty: leaves; else: goes to the end, so that the others have their turn
 *
 * epoll looks once more at a source that it has reported, and until then the source keeps an old place in epoll's own list.
 * So the row is filled again as soon as sources were read: ready_collect takes these old places away.
 */
#include "ingest/loop.h"

static struct ready *place_of(enum watched *watched) {
    return *watched == WATCHED_CONNECTION ? &((struct connection *)watched)->ready
                                          : &((struct receiver *)watched)->ready;
}

bool ready_holds(enum watched *watched) {
    return place_of(watched)->in_row;
}

enum watched *ready_next(enum watched *watched) {
    return place_of(watched)->after;
}

/* before NULL: at the end. */
void ready_insert(struct ingest *in, enum watched *watched, enum watched *before) {
    struct ready *place = place_of(watched);
    place->in_row = true;
    place->after = before;
    place->before = before ? place_of(before)->before : in->ready_last;
    if (place->before)
        place_of(place->before)->after = watched;
    else
        in->ready_first = watched;
    if (before)
        place_of(before)->before = watched;
    else
        in->ready_last = watched;
    in->n_ready++;
}

void ready_drop(struct ingest *in, enum watched *watched) {
    struct ready *place = place_of(watched);
    if (!place->in_row)
        return;
    if (place->before)
        place_of(place->before)->after = place->after;
    else
        in->ready_first = place->after;
    if (place->after)
        place_of(place->after)->before = place->before;
    else
        in->ready_last = place->before;
    *place = (struct ready){0};
    in->n_ready--;
}

void ready_collect(struct ingest *in, int wait_ms) {
    struct epoll_event events[LOOP_EVENTS];
    int n, fresh;
    do {
        n = epoll_wait(in->epoll, events, LOOP_EVENTS, in->n_ready > 0 ? 0 : wait_ms);
        fresh = 0;
        for (int i = 0; i < n; i++) {
            enum watched *watched = events[i].data.ptr;
            if (*watched == WATCHED_WAKE || ready_holds(watched))
                continue;
            ready_insert(in, watched, NULL);
            fresh++;
        }
    } while (n == LOOP_EVENTS && fresh > 0); /* epoll goes on behind the last ones */
}
