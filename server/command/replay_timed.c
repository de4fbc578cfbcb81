#include "command/replay_timed.h"

#include "command/rows.h"
#include "core/arena.h"
#include "core/array.h"
#include "core/clock.h"
#include "core/log.h"
#include "render/rows.h"
#include <stdlib.h>
#include <time.h>

/* An event or a check that waits for its turn. */
struct replay_record {
    uint64_t id;
    int64_t at_ns;
    struct span line;
};

struct replay_state {
    struct sender *sender;
    int status;
    struct arena texts;
    struct replay_record *records;
    size_t n, cap, next;
    struct buf line;
    int64_t first_ns, began_ns; /* when the first record arrived; monotonic: when it was sent */
    bool begun;
};

/* --- events and checks ------------------------------------------------------------------------------------------------- */

static int keep(struct replay_state *s, uint64_t id, int64_t at_ns) {
    bool room = array_room(&s->records, s->n, &s->cap, sizeof *s->records);
    if (room)
        s->records[s->n++] = (struct replay_record){id, at_ns, arena_copy(&s->texts, buf_view(&s->line))};
    return room && !s->texts.failed && !s->line.failed ? 0 : 1;
}

static int on_event(void *arg, const struct event_row *row) {
    struct replay_state *s = arg;
    buf_clear(&s->line);
    rows_event_dogstatsd(&s->line, row);
    return keep(s, row->id, row->received_at);
}

static int on_check(void *arg, const struct check_row *row) {
    struct replay_state *s = arg;
    buf_clear(&s->line);
    rows_check_dogstatsd(&s->line, row);
    return keep(s, row->id, row->received_at);
}

static int by_id(const void *a, const void *b) {
    uint64_t x = ((const struct replay_record *)a)->id, y = ((const struct replay_record *)b)->id;
    return (x > y) - (x < y);
}

/* --- sending ------------------------------------------------------------------------------------------------------------ */

/* Waits for the record's time. What is packed goes out before a pause. After a clock that was set back there is none. */
static void wait_for(struct replay_state *s, int64_t at_ns) {
    if (!s->begun) {
        s->begun = true;
        s->first_ns = at_ns;
        s->began_ns = clock_mono_ns();
    }
    int64_t due_ns = s->began_ns + (at_ns - s->first_ns);
    if (due_ns <= clock_mono_ns() || s->status != EXIT_PASS)
        return;
    s->status = sender_flush(s->sender);
    struct timespec due = {.tv_sec = due_ns / NS_PER_S, .tv_nsec = due_ns % NS_PER_S};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) != 0)
        continue;
}

static void send_line(struct replay_state *s, int64_t at_ns, struct span line) {
    if (line.n == 0)
        return;
    wait_for(s, at_ns);
    if (s->status == EXIT_PASS)
        s->status = sender_line(s->sender, line);
}

static void send_records(struct replay_state *s, uint64_t before) {
    for (; s->next < s->n && s->records[s->next].id < before && s->status == EXIT_PASS; s->next++)
        send_line(s, s->records[s->next].at_ns, s->records[s->next].line);
}

static int on_sample(void *arg, const struct sample_row *row) {
    struct replay_state *s = arg;
    send_records(s, row->id);
    buf_clear(&s->line);
    rows_sample_dogstatsd(&s->line, row);
    send_line(s, row->received_at, buf_view(&s->line));
    return s->status != EXIT_PASS;
}

static int send_all(struct replay_state *s, struct reader *r, const struct filter *filter, struct err *err) {
    if (r->ops->events(r, filter, on_event, s, err) != 0 || r->ops->checks(r, filter, on_check, s, err) != 0)
        return EXIT_CANNOT;
    if (s->texts.failed || s->line.failed) {
        err_set(err, 0, "the events and checks take more than %zu MB", REPLAY_RECORDS_MAX >> 20);
        return EXIT_CANNOT;
    }
    if (s->n)
        qsort(s->records, s->n, sizeof *s->records, by_id);
    if (r->ops->samples(r, filter, true, on_sample, s, err) != 0)
        return EXIT_CANNOT;
    send_records(s, UINT64_MAX);
    return s->status;
}

int replay_timed(const struct options *o, struct sender *sender) {
    struct replay_state s = {
        .sender = sender, .texts = {.max = REPLAY_RECORDS_MAX}, .line = {.max = 64 << 20}};
    const char *session = rows_session(o);
    struct filter filter = {.session = span_str(strcmp(session, "*") == 0 ? NULL : session)};
    struct err err = {0};
    struct reader *r = rows_open_file(o);
    if (!r)
        return EXIT_CANNOT;
    int status = r->ops->begin(r, &err) == 0 ? EXIT_PASS : EXIT_CANNOT;
    if (status == EXIT_PASS) {
        status = rows_find_session(r, o, span_str(session), &err);
        if (status == EXIT_PASS)
            status = send_all(&s, r, &filter, &err);
        r->ops->end(r);
    }
    reader_close(r);
    if (err.set)
        log_error("%s", err.text);
    arena_free(&s.texts);
    buf_free(&s.line);
    free(s.records);
    return status;
}
