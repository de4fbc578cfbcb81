/* DESIGN. Everything below `loop` runs on the watch thread alone; others only reach the inbox and the
 * eventfd.
 *
 *     inbox -> list -> [epoll: commit, hang-up, deadline] -> fed and looked at -> woken (and off the list)
 *
 * A commit costs those who waited for something in it, and a deadline the one that it is of: follow.h, due.h.
 *
 * The pipeline writes the eventfd once per arming, and is armed before the commits are read, so none is
 * missed and an idle server (or one where nobody waits for data) never wakes this thread. Where a file is only looked at, nobody
 * tells of a commit: then the thread looks itself, while somebody waits for data.
 */
#include "http/watch.h"

#include "core/clock.h"
#include "core/log.h"
#include "http/due.h"
#include "http/follow.h"
#include "http/link.h"
#include "http/work.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#define EVENTS_MAX     64
#define SWEEP_NS       (10 * NS_PER_S)
#define TIMEOUT_MAX_MS 60000
#define VIEW_NS        (WATCH_VIEW_MS * NS_PER_MS)

struct watch {
    struct http *http;
    pthread_t thread;
    int epoll, poke;

    pthread_mutex_t lock;
    struct waiter *inbox;
    bool told;     /* the thread will look into the inbox */
    bool stopping; /* no more waiters are taken in */

    atomic_bool recheck;   /* look at all though nothing was committed */
    atomic_bool connected; /* the sweep is on */

    /* The thread's: */
    struct waiter *list;
    struct follow follow;
    uint64_t unsaved; /* before it read last */
    struct due due;
    size_t n_looking; /* of them wait for data */
    uint64_t commits;
    int64_t sweep_mono_ns; /* 0: no sweep is due */
    int64_t view_mono_ns;  /* the next look at what another process records; 0: nobody waits for data */
};

uint64_t watch_commits(struct http *h) {
    return pipeline_commits(h->pipeline) + h->n_changes;
}

static void poke(struct watch *watch) {
    uint64_t one = 1;
    ssize_t written = write(watch->poke, &one, sizeof one);
    (void)written; /* EAGAIN: the counter is full, so it is readable */
}

static void unlink_waiter(struct watch *watch, struct waiter *w) {
    if (w->prev)
        w->prev->next = w->next;
    else
        watch->list = w->next;
    if (w->next)
        w->next->prev = w->prev;
    w->next = w->prev = NULL;
}

static void wake(struct watch *watch, struct waiter *w, enum watch_why why) {
    unlink_waiter(watch, w);
    due_remove(&watch->due, w);
    if (w->look) {
        w->unsaved = watch->unsaved;
        if (!w->awaits)
            pipeline_want_no_more(watch->http->pipeline, w->session_id);
        follow_remove(&watch->follow, w);
        watch->n_looking--;
    }
    if (w->takes && w->takes->seen)
        w->takes->seen(w->taker, watch->follow.cursor);
    if (w->fd >= 0)
        epoll_ctl(watch->epoll, EPOLL_CTL_DEL, w->fd, NULL);
    w->wake(w, why);
}

static void wake_all(struct watch *watch, enum watch_why why) {
    while (watch->list)
        wake(watch, watch->list, why);
}

/* Returns whether one of the new ones waits for data. */
static bool take_inbox(struct watch *watch, bool *stopping) {
    pthread_mutex_lock(&watch->lock);
    struct waiter *inbox = watch->inbox;
    watch->inbox = NULL;
    watch->told = false;
    *stopping = watch->stopping;
    pthread_mutex_unlock(&watch->lock);
    bool wants_data = false;
    while (inbox) {
        struct waiter *w = inbox;
        inbox = w->next;
        w->prev = NULL;
        w->next = watch->list;
        if (w->next)
            w->next->prev = w;
        watch->list = w;
        if (w->look) {
            wants_data = true;
            watch->n_looking++;
            follow_add(&watch->follow, w);
            if (!w->awaits)
                pipeline_want(watch->http->pipeline, w->session_id);
        }
        if (due_set(&watch->due, w) != 0)
            w->failed = true;
        struct epoll_event hangup = {.events = w->events ? w->events : EPOLLRDHUP, .data.ptr = w};
        if (w->fd >= 0 && epoll_ctl(watch->epoll, EPOLL_CTL_ADD, w->fd, &hangup) != 0)
            w->fd = -1;
        if ((w->events && w->fd < 0) || (w->failed && !w->look)) /* it would wait for nothing, or for ever */
            wake(watch, w, WATCH_FAILED);
    }
    return wants_data;
}

static void look_at(struct watch *watch, struct waiter *w) {
    if (!w->failed && w->look(w))
        wake(watch, w, WATCH_LOOKED);
    else if (w->failed || due_set(&watch->due, w) != 0)
        wake(watch, w, WATCH_FAILED);
}

/* Hands new records to the waiters, and wakes those that have seen enough. `all`: perhaps others, too. */
static void look_at_waiters(struct watch *watch, bool all) {
    struct err err = {0};
    watch->unsaved = pipeline_unsaved_loss(watch->http->pipeline);
    int failed = follow_new(&watch->follow, watch->http, &err);
    struct waiter *w;
    if (failed)
        log_warning("cannot read what waiting questions need: %s", err.text);
    const struct roster *plain = &watch->follow.interest.rosters[WATCH_COMMITS];
    for (size_t i = plain->n; i-- > 0;) /* whoever wakes is replaced by one that was looked at */
        if (!plain->list[i]->touched)
            look_at(watch, plain->list[i]);
    while ((w = follow_touched(&watch->follow))) {
        w->failed = w->failed || (failed && w->takes);
        look_at(watch, w);
    }
    for (struct waiter *next, *at = watch->list; at && (all || failed); at = next) {
        next = at->next;
        at->failed = at->failed || (failed && at->takes);
        if (at->look)
            look_at(watch, at);
    }
}

/* What was sent before the deadline counts. */
static void look_at_due(struct watch *watch, int64_t now) {
    bool arrived = false;
    uint64_t last = INGEST_NOTHING;
    for (size_t i = 0; i < watch->due.n; i++) {
        const struct due_entry *due = &watch->due.list[i];
        struct err ignored = {0};
        uint64_t last_id;
        if (due->mono_ns > now || !due->waiter->look || due->waiter->session_id == last)
            continue;
        last = due->waiter->session_id;
        arrived = ingest_barrier(watch->http->ingest, last, &last_id, &ignored) == 0 || arrived;
    }
    if (arrived)
        look_at_waiters(watch, false);
}

static void wake_due(struct watch *watch) {
    int64_t now = clock_mono_ns();
    struct waiter *w = due_first(&watch->due);
    if (w && w->due_mono_ns <= now)
        look_at_due(watch, now);
    while ((w = due_first(&watch->due)) && w->due_mono_ns <= now) {
        bool seen_enough = w->look && w->look(w);
        if (!seen_enough && w->due_mono_ns > now && due_set(&watch->due, w) == 0)
            continue;
        wake(watch, w, seen_enough ? WATCH_LOOKED : WATCH_DUE);
    }
    if (watch->sweep_mono_ns && watch->sweep_mono_ns <= now) {
        watch->connected = false;
        if (link_sweep(watch->http, now))
            watch->connected = true;
        watch->sweep_mono_ns = 0;
    }
}

static int timeout_ms(struct watch *watch) {
    int64_t now = clock_mono_ns();
    if (watch->connected && !watch->sweep_mono_ns)
        watch->sweep_mono_ns = now + SWEEP_NS;
    int64_t due = watch->sweep_mono_ns;
    const struct waiter *w = due_first(&watch->due);
    if (w && (!due || w->due_mono_ns < due))
        due = w->due_mono_ns;
    if (watch->view_mono_ns && (!due || watch->view_mono_ns < due))
        due = watch->view_mono_ns;
    if (!due)
        return -1;
    int64_t ms = due <= now ? 0 : (due - now + NS_PER_MS - 1) / NS_PER_MS;
    return ms < TIMEOUT_MAX_MS ? (int)ms : TIMEOUT_MAX_MS;
}

static void take_events(struct watch *watch, int timeout) {
    struct epoll_event events[EVENTS_MAX];
    int n = epoll_wait(watch->epoll, events, EVENTS_MAX, timeout);
    for (int i = 0; i < n; i++) {
        uint64_t count;
        struct waiter *w = events[i].data.ptr;
        if (w)
            wake(watch, w, w->events ? WATCH_READY : WATCH_GONE);
        else if (read(watch->poke, &count, sizeof count) < 0)
            continue;
    }
}

/* A look at what another process records, when one is due. */
static void look_at_view(struct watch *watch, bool looks) {
    int64_t now = clock_mono_ns();
    if (!looks || !watch->http->options.view)
        watch->view_mono_ns = 0;
    else if (watch->view_mono_ns <= now) {
        watch->http->n_changes = store_view_changes(watch->http->store);
        watch->view_mono_ns = now + VIEW_NS;
    }
}

static void *loop(void *arg) {
    struct watch *watch = arg;
    prctl(PR_SET_NAME, "http-watch"); /* as in work.c */
    for (;;) {
        bool stopping;
        bool wants_data = take_inbox(watch, &stopping);
        if (stopping) {
            wake_all(watch, WATCH_STOP);
            return NULL;
        }
        bool looks = watch->n_looking > 0;
        pipeline_notify(watch->http->pipeline, looks ? watch->poke : -1);
        look_at_view(watch, looks);
        uint64_t commits = watch_commits(watch->http);
        bool recheck = atomic_exchange(&watch->recheck, false);
        if (looks && (wants_data || recheck || commits != watch->commits))
            look_at_waiters(watch, recheck);
        watch->commits = commits;
        wake_due(watch);
        if (watch->follow.interest.began) {
            watch->follow.interest.began = false;
            ingest_look(watch->http->ingest);
        }
        take_events(watch, timeout_ms(watch));
    }
}

struct watch *watch_start(struct http *h, struct err *err) {
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch) {
        err_set(err, ENOMEM, "cannot start the watch thread");
        return NULL;
    }
    watch->http = h;
    watch->follow.interest.store = h->store;
    pthread_mutex_init(&watch->lock, NULL);
    watch->epoll = epoll_create1(EPOLL_CLOEXEC);
    watch->poke = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event poked = {.events = EPOLLIN};
    int failed = watch->epoll < 0 || watch->poke < 0 ||
                         epoll_ctl(watch->epoll, EPOLL_CTL_ADD, watch->poke, &poked) != 0
                     ? errno
                     : pthread_create(&watch->thread, NULL, loop, watch);
    if (failed) {
        err_set(err, failed, "cannot start the watch thread");
        watch->stopping = true;
        watch_free(watch);
        return NULL;
    }
    return watch;
}

void watch_stop(struct watch *watch) {
    pthread_mutex_lock(&watch->lock);
    watch->stopping = true;
    pthread_mutex_unlock(&watch->lock);
    poke(watch);
    pthread_join(watch->thread, NULL);
    pipeline_notify(watch->http->pipeline, -1);
}

void watch_free(struct watch *watch) {
    if (!watch)
        return;
    if (watch->epoll >= 0)
        close(watch->epoll);
    if (watch->poke >= 0)
        close(watch->poke);
    follow_free(&watch->follow);
    due_free(&watch->due);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

/* With the lock held. The thread is told once, and takes all. */
static bool must_tell(struct watch *watch) {
    bool tell = watch->inbox && !watch->told;
    watch->told = watch->told || tell;
    return tell;
}

static void put_in(struct watch *watch, struct waiter *w, bool later) {
    pthread_mutex_lock(&watch->lock);
    bool stopping = watch->stopping;
    if (!stopping) {
        w->next = watch->inbox;
        watch->inbox = w;
    }
    bool tell = !stopping && !later && must_tell(watch);
    pthread_mutex_unlock(&watch->lock);
    if (stopping)
        w->wake(w, WATCH_STOP);
    else if (tell)
        poke(watch);
}

void watch_add(struct watch *watch, struct waiter *w) {
    put_in(watch, w, false);
}

void watch_add_later(struct watch *watch, struct waiter *w) {
    put_in(watch, w, work_is_worker());
}

void watch_hear(struct watch *watch) {
    pthread_mutex_lock(&watch->lock);
    bool tell = must_tell(watch);
    pthread_mutex_unlock(&watch->lock);
    if (tell)
        poke(watch);
}

void watch_forget(struct http *h, uint64_t session_id) {
    h->n_forgets[session_id % HTTP_FORGETS]++;
    h->watch->recheck = true;
    poke(h->watch);
}

uint64_t watch_forgets(const struct http *h, uint64_t session_id) {
    uint64_t n = 0;
    if (session_id != INGEST_ALL)
        return h->n_forgets[session_id % HTTP_FORGETS];
    for (size_t i = 0; i < HTTP_FORGETS; i++)
        n += h->n_forgets[i];
    return n;
}

void watch_connections(struct watch *watch) {
    if (!atomic_exchange(&watch->connected, true))
        poke(watch);
}

/* --- delays ---------------------------------------------------------------------------------------------- */

struct delay {
    struct waiter waiter;
    struct http_request *rq;
};

static void delay_over(struct waiter *w, enum watch_why why) {
    struct delay *delay = (struct delay *)w;
    struct http_request *rq = delay->rq;
    free(delay);
    if (why == WATCH_GONE)
        http_abandon(rq);
    else
        http_resume(rq);
}

void watch_delay(struct watch *watch, struct http_request *rq, int64_t delay_ms) {
    struct delay *delay = calloc(1, sizeof *delay);
    if (!delay) {
        http_resume(rq);
        return;
    }
    delay->rq = rq;
    delay->waiter.fd = http_socket(rq);
    delay->waiter.due_mono_ns = clock_mono_ns() + delay_ms * NS_PER_MS;
    delay->waiter.wake = delay_over;
    watch_add(watch, &delay->waiter);
}
