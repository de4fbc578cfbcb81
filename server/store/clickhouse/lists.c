/* Losses, sessions, runs and large datagrams: few rows, which are put together here. */
#include "core/array.h"
#include "store/clickhouse/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct filter no_filter;

/* Rows of these kinds, one after the other, until each returns something else than 0. */
static int each_record(struct fleet_reader *r, const char *kinds, const struct filter *f, bool session,
                       int (*each)(void *arg, struct record_row *row), void *arg, struct err *err) {
    struct records_question *q = calloc(1, sizeof *q);
    if (!q)
        return err_set(err, 0, "out of memory");
    q->r = r;
    q->f = f;
    q->err = err;
    int failed = records_ask(q, kinds, session, false), stop = 0;
    struct taker t = {q->answer.p, q->answer.p + q->answer.n, false};
    while (!failed && !stop && take_more(&t)) {
        failed = records_take(q, &t);
        stop = failed ? 0 : each(arg, &q->row);
    }
    if (!failed && t.failed)
        failed = fleet_damaged(r, err);
    records_free(q);
    free(q);
    return failed || stop < 0 ? -1 : 0;
}

const char *fleet_whose(const struct fleet_reader *r, size_t ord, char text[FLEET_WHOSE]) {
    static const char *const shown[] = {"repo", "branch", "job", "run"};
    size_t n = 0;
    text[0] = '\0';
    if (r->n < 2 || ord >= r->n)
        return text;
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        struct span label = r->list[ord].labels[fleet_label_of(shown[i])];
        if (label.n)
            n += (size_t)snprintf(text + n, FLEET_WHOSE - n, "%s%s%.*s", n ? " " : "", i == 3 ? "run " : "",
                                  (int)(label.n < 60 ? label.n : 60), label.p);
    }
    snprintf(text + n, FLEET_WHOSE - n, ": ");
    return text;
}

/* --- losses ------------------------------------------------------------------------------------------------- */

struct kept_loss {
    uint64_t id, n;
    int64_t at;
    enum loss loss;
    struct span session, detail;
};

struct losing {
    struct fleet_reader *r;
    const struct filter *f;
    struct err *err;
    uint64_t
        *reset_ids; /* of each recording: of the session asked for; UINT64_MAX: it has none of that name */
    struct arena texts;
    struct kept_loss *list;
    size_t n, cap;
};

static int note_reset(void *arg, struct record_row *row) {
    struct losing *l = arg;
    if (l->f->session.p && span_eq(row->session, l->f->session))
        l->reset_ids[row->ord] = row->ord << FLEET_ID_BITS | (uint64_t)row->numbers[2];
    return 0;
}

/* A session's losses: its own and those of all, but for what came before it was made or reset. */
static int note_loss(void *arg, struct record_row *row) {
    struct losing *l = arg;
    char whose[FLEET_WHOSE];
    struct buf detail = {.max = 65536};
    int loss = loss_of(row->name);
    if (loss < 0)
        return fleet_damaged(l->r, l->err);
    if (l->f->session.p && ((row->session.p && !span_eq(row->session, l->f->session)) ||
                            (row->id != INT64_MAX &&
                             (l->reset_ids[row->ord] == UINT64_MAX || row->id <= l->reset_ids[row->ord]))))
        return 0;
    if (!array_room(&l->list, l->n, &l->cap, sizeof *l->list))
        return err_set(l->err, 0, "out of memory");
    buf_str(&detail, fleet_whose(l->r, row->ord, whose));
    buf_span(&detail, row->texts[0]);
    l->list[l->n++] =
        (struct kept_loss){.id = row->id,
                           .n = (uint64_t)row->numbers[0],
                           .at = row->at,
                           .loss = (enum loss)loss,
                           .session = arena_copy(&l->texts, row->session),
                           .detail = row->texts[0].p || detail.n ? arena_copy(&l->texts, buf_view(&detail))
                                                                 : (struct span){NULL, 0}};
    buf_free(&detail);
    return 0;
}

int fleet_losses(struct reader *reader, const struct filter *f, int (*row)(void *, const struct loss_row *),
                 void *arg, struct err *err) {
    struct fleet_reader *r = (struct fleet_reader *)reader;
    struct losing l = {.r = r, .f = f, .err = err, .reset_ids = malloc(r->n * sizeof *l.reset_ids)};
    if (!l.reset_ids)
        return err_set(err, 0, "out of memory");
    for (size_t i = 0; i < r->n; i++)
        l.reset_ids[i] = UINT64_MAX;
    int failed = f->session.p ? each_record(r, "5", &no_filter, false, note_reset, &l, err) : 0;
    if (!failed)
        failed = each_record(r, "4", f, false, note_loss, &l, err);
    if (!failed && l.texts.failed)
        failed = err_set(err, 0, "out of memory");
    size_t n = f->limit && f->limit < l.n ? (size_t)f->limit : l.n, from = f->newest ? l.n - n : 0;
    for (size_t i = from; !failed && i < from + n; i++) {
        const struct kept_loss *k = &l.list[i];
        if (row(arg, &(struct loss_row){.id = k->id,
                                        .at = k->at,
                                        .session = k->session,
                                        .loss = k->loss,
                                        .n = k->n,
                                        .detail = k->detail}) != 0)
            break;
    }
    free(l.reset_ids);
    free(l.list);
    arena_free(&l.texts);
    return failed;
}

/* --- large datagrams ------------------------------------------------------------------------------------------ */

static int add_large(void *arg, struct record_row *row) {
    struct large_row *sums = arg;
    struct large_row *sum = &sums[(row->id & ((UINT64_C(1) << FLEET_ID_BITS) - 1)) == DATAGRAM_AGENT_MAX];
    uint64_t last_id = row->ord << FLEET_ID_BITS | (uint64_t)row->numbers[2];
    sum->over = row->id & ((UINT64_C(1) << FLEET_ID_BITS) - 1);
    sum->n += (uint64_t)row->numbers[0];
    sum->largest = (uint64_t)row->numbers[1] > sum->largest ? (uint64_t)row->numbers[1] : sum->largest;
    sum->last_id = last_id > sum->last_id ? last_id : sum->last_id;
    return 0;
}

int fleet_large(struct reader *reader, struct span session, int (*row)(void *, const struct large_row *),
                void *arg, struct err *err) {
    struct large_row sums[2] = {{0}, {0}};
    struct filter f = {.session = session};
    if (each_record((struct fleet_reader *)reader, "6", &f, true, add_large, sums, err) != 0)
        return -1;
    for (int i = 0; i < 2; i++)
        if (sums[i].n && row(arg, &sums[i]) != 0)
            break;
    return 0;
}

/* --- sessions ----------------------------------------------------------------------------------------------- */

struct session_list {
    struct fleet_reader *r;
    struct session_row *rows;
    size_t n, cap;
    struct arena texts;
    struct err *err;
};

static struct session_row *find_session(struct session_list *l, struct span name) {
    for (size_t i = 0; i < l->n; i++)
        if (span_eq(l->rows[i].name, name))
            return &l->rows[i];
    return NULL;
}

/* Sessions of one name in several recordings are one. */
static int add_session(void *arg, struct record_row *row) {
    struct session_list *l = arg;
    struct session_row *s = find_session(l, row->session);
    if (!s && !array_room(&l->rows, l->n, &l->cap, sizeof *l->rows))
        return err_set(l->err, 0, "out of memory");
    if (!s) {
        s = &l->rows[l->n++];
        *s = (struct session_row){
            .id = row->id, .name = arena_copy(&l->texts, row->session), .created_at = row->at};
    }
    s->expires_at = row->numbers[0];
    s->open = row->numbers[1] != 0;
    s->reset_id = row->ord << FLEET_ID_BITS | (uint64_t)row->numbers[2];
    return 0;
}

static int count_series(struct session_list *l) {
    struct buf answer = {0};
    struct fleet_table sel = {"sel", FLEET_SEL, buf_view(&l->r->sel)};
    int failed =
        fleet_ask(&l->r->f,
                  "SELECT session, sum(samples), uniqExact(name, type, tags, host, device, given) FROM series"
                  " WHERE push IN (SELECT push FROM sel) GROUP BY session FORMAT RowBinary",
                  1, &sel, &answer, l->err);
    struct taker t = {answer.p, answer.p + answer.n, false};
    while (!failed && take_more(&t)) {
        struct session_row *s = find_session(l, take_text(&t)), none;
        s = s ? s : &none;
        s->samples = take_u64(&t);
        s->series = take_u64(&t);
    }
    if (!failed && t.failed)
        failed = fleet_damaged(l->r, l->err);
    buf_free(&answer);
    return failed;
}

static int count_records(struct session_list *l) {
    struct buf answer = {0};
    struct fleet_table sel = {"sel", FLEET_SEL, buf_view(&l->r->sel)};
    int failed = fleet_ask(
        &l->r->f,
        "SELECT session, kind, count() FROM records WHERE push IN (SELECT push FROM sel) AND kind IN (0, 1, 2)"
        " GROUP BY session, kind FORMAT RowBinary",
        1, &sel, &answer, l->err);
    struct taker t = {answer.p, answer.p + answer.n, false};
    while (!failed && take_more(&t)) {
        struct session_row *s = find_session(l, take_text(&t)), none;
        uint8_t kind = take_u8(&t);
        uint64_t n = take_u64(&t);
        s = s ? s : &none;
        *(kind == FLEET_EVENT ? &s->events : kind == FLEET_CHECK ? &s->checks : &s->rejects) = n;
    }
    if (!failed && t.failed)
        failed = fleet_damaged(l->r, l->err);
    buf_free(&answer);
    return failed;
}

int fleet_sessions(struct reader *reader, int (*row)(void *, const struct session_row *), void *arg,
                   struct err *err) {
    struct session_list l = {.r = (struct fleet_reader *)reader, .err = err};
    int failed = each_record(l.r, "5", &no_filter, false, add_session, &l, err);
    if (!failed)
        failed = count_series(&l);
    if (!failed)
        failed = count_records(&l);
    for (size_t i = 0; !failed && i < l.n; i++)
        if (row(arg, &l.rows[i]) != 0)
            break;
    free(l.rows);
    arena_free(&l.texts);
    return failed;
}

static int note_id(void *arg, struct record_row *row) {
    *(uint64_t *)arg = row->id;
    return 1;
}

int fleet_session_id(struct reader *reader, struct span name, uint64_t *id, struct err *err) {
    struct filter f = {.session = name};
    *id = 0;
    return each_record((struct fleet_reader *)reader, "5", &f, true, note_id, id, err);
}

/* --- runs --------------------------------------------------------------------------------------------------- */

struct run_list {
    uint64_t n, skip;
    int (*row)(void *, const struct run_row *);
    void *arg;
};

static int count_run(void *arg, struct record_row *row) {
    (void)row;
    ((struct run_list *)arg)->n++;
    return 0;
}

static int emit_run(void *arg, struct record_row *row) {
    struct run_list *l = arg;
    if (l->skip > 0) {
        l->skip--;
        return 0;
    }
    return l->row(l->arg, &(struct run_row){.id = row->id,
                                            .started_at = row->at,
                                            .ended_at = row->numbers[0],
                                            .version = row->texts[0],
                                            .mark = row->ord << FLEET_ID_BITS | (uint64_t)row->numbers[1]}) !=
           0;
}

int fleet_runs(struct reader *reader, uint64_t limit, int (*row)(void *, const struct run_row *), void *arg,
               struct err *err) {
    struct fleet_reader *r = (struct fleet_reader *)reader;
    struct run_list l = {.row = row, .arg = arg};
    if (each_record(r, "7", &no_filter, false, count_run, &l, err) != 0)
        return -1;
    l.skip = l.n > limit ? l.n - limit : 0;
    return each_record(r, "7", &no_filter, false, emit_run, &l, err);
}
