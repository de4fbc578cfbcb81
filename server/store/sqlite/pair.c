/* Two recordings as one: the sessions of the second are called "2:NAME". A question about a session goes to the recording that holds
 * it. One about all sessions is answered by the first, then by the second: rows of different recordings are in no common order.
 *
 * Ids. Series and sessions of the second have ids that are PAIR_IDS greater, so that they are told apart. Ids of records stay: they
 * are asked for together with a session. Where those of all sessions are asked for page by page (filter.paged), they are PAIR_IDS greater, too:
 * then they say how far a list is. Datagrams, which are found by a record's id alone, are not told of. */
#include "store/sqlite/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PAIR_IDS     ((uint64_t)1 << 40)
#define SESSION_SIZE 256

struct paired {
    struct reader reader; /* first */
    struct reader *of[2];
    char note[600];
};

static bool is_second(struct span name) {
    return span_starts(name, SPAN("2:"));
}

/* --- what is asked ----------------------------------------------------------------------------------------------------------- */

/* A call under way. */
struct pair_call {
    void (*row)(void); /* the caller's; TAKE knows what row it takes */
    void *arg;
    bool second, paged; /* paged: of all sessions */
    uint64_t n, limit;
    bool stopped;
    char session[SESSION_SIZE];
};

static struct span name_second(char to[SESSION_SIZE], struct span name) {
    int n = snprintf(to, SESSION_SIZE, "2:%.*s", SPAN_ARG(name));
    return span_of(to, n < SESSION_SIZE ? (size_t)n : SESSION_SIZE - 1);
}

static struct span rename_session(struct pair_call *a, struct span name) {
    return a->second && name.p ? name_second(a->session, name) : name;
}

/* Whether one of the two has what the filter asks for; its filter then. */
static bool concerns(const struct filter *f, bool second, struct filter *its) {
    *its = *f;
    if (f->session.p && is_second(f->session) != second)
        return false;
    if (f->session.p && second)
        its->session = span_from(f->session, 2);
    if (f->series_id && (f->series_id > PAIR_IDS) != second)
        return false;
    if (f->series_id && second)
        its->series_id -= PAIR_IDS;
    if (second) /* it knows the pair's ids of series alone; a reader may give others, too */
        its->wants_series = NULL;
    if (f->after_series > PAIR_IDS && !second)
        return false;
    its->paged = false;
    if (f->paged && !f->session.p && f->after > PAIR_IDS) {
        if (!second)
            return false;
        its->after -= PAIR_IDS;
    } else if (f->paged && !f->session.p && second)
        its->after = 0;
    if (f->paged && its->after > its->since)
        its->since = its->after;
    if (second)
        its->after_series = f->after_series > PAIR_IDS ? f->after_series - PAIR_IDS : 0;
    return true;
}

static int handed_over(struct pair_call *a, int result) {
    a->n++;
    a->stopped = result != 0 || (a->limit && a->n >= a->limit);
    return a->stopped;
}
#define HAND_OVER(kind) handed_over(a, ((int (*)(void *, const struct kind##_row *))a->row)(a->arg, &out))

/* A function TAKE_kind that hands a row on as the pair names it. */
#define TAKE(kind, ...)                                                                                      \
    static int take_##kind(void *arg, const struct kind##_row *given) {                                      \
        struct pair_call *a = arg;                                                                           \
        struct kind##_row out = *given;                                                                      \
        out.session = rename_session(a, given->session);                                                     \
        __VA_ARGS__;                                                                                         \
        return HAND_OVER(kind);                                                                              \
    }
#define IDS(field)  out.field += a->second ? PAIR_IDS : 0
#define IDS_OF_PAGE out.id += a->second && a->paged ? PAIR_IDS : 0
TAKE(series, IDS(id))
TAKE(sample, IDS(series_id); IDS_OF_PAGE)
TAKE(spelling, IDS(series_id))
TAKE(event, IDS_OF_PAGE)
TAKE(check, IDS_OF_PAGE)
TAKE(reject, IDS_OF_PAGE)
TAKE(request, IDS_OF_PAGE)
TAKE(loss, )
TAKE(verdict, IDS(id))

static int take_session(void *arg, const struct session_row *given) {
    struct pair_call *a = arg;
    struct session_row out = *given;
    out.name = rename_session(a, given->name);
    IDS(id);
    return HAND_OVER(session);
}

#define ASKED(f, callback, argument)                                                                         \
    {                                                                                                        \
        .row = (void (*)(void))(callback), .arg = (argument), .limit = (f)->limit,                           \
        .paged = (f)->paged && !(f)->session.p                                                               \
    }

static const struct filter everything;

/* An operation that takes a filter: of each recording that it concerns. */
#define BOTH(f, call)                                                                                        \
    do {                                                                                                     \
        const struct paired *p = (const struct paired *)reader;                                              \
        struct pair_call a = ASKED(f, row, arg);                                                             \
        struct filter its;                                                                                   \
        int result = 0;                                                                                      \
        for (int i = 0; i < 2 && result == 0 && !a.stopped; i++) {                                           \
            struct reader *r = p->of[i];                                                                     \
            a.second = i == 1;                                                                               \
            if (concerns(f, a.second, &its))                                                                 \
                result = call;                                                                               \
        }                                                                                                    \
        return result;                                                                                       \
    } while (0)

static int series(struct reader *reader, const struct filter *f,
                  int (*row)(void *, const struct series_row *), void *arg, struct err *err) {
    BOTH(f, r->ops->series(r, &its, take_series, &a, err));
}
static int samples(struct reader *reader, const struct filter *f, bool ordered,
                   int (*row)(void *, const struct sample_row *), void *arg, struct err *err) {
    BOTH(f, r->ops->samples(r, &its, ordered, take_sample, &a, err));
}
static int spellings(struct reader *reader, const struct filter *f,
                     int (*row)(void *, const struct spelling_row *), void *arg, struct err *err) {
    BOTH(f, r->ops->spellings(r, &its, take_spelling, &a, err));
}
static int events(struct reader *reader, const struct filter *f, int (*row)(void *, const struct event_row *),
                  void *arg, struct err *err) {
    BOTH(f, r->ops->events(r, &its, take_event, &a, err));
}
static int checks(struct reader *reader, const struct filter *f, int (*row)(void *, const struct check_row *),
                  void *arg, struct err *err) {
    BOTH(f, r->ops->checks(r, &its, take_check, &a, err));
}
static int rejects(struct reader *reader, const struct filter *f,
                   int (*row)(void *, const struct reject_row *), void *arg, struct err *err) {
    BOTH(f, r->ops->rejects(r, &its, take_reject, &a, err));
}
static int requests(struct reader *reader, const struct filter *f,
                    int (*row)(void *, const struct request_row *), void *arg, struct err *err) {
    BOTH(f, r->ops->requests(r, &its, take_request, &a, err));
}
static int losses(struct reader *reader, const struct filter *f, int (*row)(void *, const struct loss_row *),
                  void *arg, struct err *err) {
    BOTH(f, r->ops->losses(r, &its, take_loss, &a, err));
}
static int sessions(struct reader *reader, int (*row)(void *, const struct session_row *), void *arg,
                    struct err *err) {
    BOTH(&everything, r->ops->sessions(r, take_session, &a, err));
}
static int verdicts(struct reader *reader, int (*row)(void *, const struct verdict_row *), void *arg,
                    struct err *err) {
    BOTH(&everything, r->ops->verdicts(r, take_verdict, &a, err));
}

static int points(struct reader *reader, uint64_t series_id, int (*row)(void *, const struct points_row *),
                  void *arg, struct err *err) {
    struct reader *r = ((struct paired *)reader)->of[series_id > PAIR_IDS];
    return r->ops->points(r, series_id % PAIR_IDS, row, arg, err);
}

static int cadence(struct reader *reader, uint64_t series_id, uint64_t first_id, struct cadence *out,
                   struct err *err) {
    struct reader *r = ((struct paired *)reader)->of[series_id > PAIR_IDS];
    return r->ops->cadence(r, series_id % PAIR_IDS, first_id, out, err);
}

static int large(struct reader *reader, struct span session, int (*row)(void *, const struct large_row *),
                 void *arg, struct err *err) {
    struct paired *p = (struct paired *)reader;
    bool second = session.p && is_second(session);
    struct reader *r = p->of[second];
    if (r->ops->large(r, second ? span_from(session, 2) : session, row, arg, err) != 0)
        return -1;
    return session.p ? 0 : p->of[1]->ops->large(p->of[1], session, row, arg, err);
}

static int name_rows(struct reader *reader, const struct name_filter *f,
                     int (*row)(void *, const struct name_row *), void *arg, uint64_t *n, struct err *err) {
    bool second = is_second(f->session);
    struct reader *r = ((struct paired *)reader)->of[second];
    struct name_filter its = *f;
    its.session = second ? span_from(f->session, 2) : f->session;
    return r->ops->name_rows(r, &its, row, arg, n, err);
}

static int chunks(struct reader *reader, struct span session, uint64_t since, uint64_t max,
                  int (*row)(void *, const struct chunk_row *), void *arg, uint64_t *from, struct err *err) {
    bool second = is_second(session);
    struct reader *r = ((struct paired *)reader)->of[second];
    return r->ops->chunks(r, second ? span_from(session, 2) : session, since, max, row, arg, from, err);
}

static int session_id(struct reader *reader, struct span name, uint64_t *id, struct err *err) {
    bool second = is_second(name);
    struct reader *r = ((struct paired *)reader)->of[second];
    int result = r->ops->session_id(r, second ? span_from(name, 2) : name, id, err);
    if (result == 0 && second && *id)
        *id += PAIR_IDS;
    return result;
}

static int runs(struct reader *reader, uint64_t limit, int (*row)(void *, const struct run_row *), void *arg,
                struct err *err) {
    struct paired *p = (struct paired *)reader;
    return p->of[0]->ops->runs(p->of[0], limit, row, arg, err) ||
                   p->of[1]->ops->runs(p->of[1], limit, row, arg, err)
               ? -1
               : 0;
}

static int last_id(struct reader *reader, uint64_t *id, struct err *err) {
    struct paired *p = (struct paired *)reader;
    uint64_t second = 0;
    if (p->of[0]->ops->last_id(p->of[0], id, err) != 0 || p->of[1]->ops->last_id(p->of[1], &second, err) != 0)
        return -1;
    *id = *id < second ? second : *id;
    return 0;
}

/* Of the first one. */
static int first_at(struct reader *reader, int64_t wall_ns, uint64_t *id, struct err *err) {
    struct reader *r = ((struct paired *)reader)->of[0];
    return r->ops->first_at(r, wall_ns, id, err);
}

/* --- open and close ---------------------------------------------------------------------------------------------------------- */

static const char *note(struct reader *reader) {
    struct paired *p = (struct paired *)reader;
    const char *first = p->of[0]->ops->note(p->of[0]), *second = p->of[1]->ops->note(p->of[1]);
    if (!first || !second)
        return first ? first : second;
    snprintf(p->note, sizeof p->note, "%s; the second %s", first, second);
    return p->note;
}

static int begin(struct reader *reader, struct err *err) {
    struct paired *p = (struct paired *)reader;
    if (p->of[0]->ops->begin(p->of[0], err) != 0)
        return -1;
    if (p->of[1]->ops->begin(p->of[1], err) == 0)
        return 0;
    p->of[0]->ops->end(p->of[0]);
    return -1;
}

static void end(struct reader *reader) {
    struct paired *p = (struct paired *)reader;
    p->of[0]->ops->end(p->of[0]);
    p->of[1]->ops->end(p->of[1]);
}

static void close_both(struct reader *reader) {
    struct paired *p = (struct paired *)reader;
    reader_close(p->of[0]);
    reader_close(p->of[1]);
    free(p);
}

static const struct reader_ops ops = {
    .apart = true,
    .close = close_both,
    .note = note,
    .begin = begin,
    .end = end,
    .series = series,
    .name_rows = name_rows,
    .chunks = chunks,
    .samples = samples,
    .points = points,
    .spellings = spellings,
    .cadence = cadence,
    .events = events,
    .checks = checks,
    .rejects = rejects,
    .requests = requests,
    .losses = losses,
    .large = large,
    .sessions = sessions,
    .session_id = session_id,
    .runs = runs,
    .last_id = last_id,
    .first_at = first_at,
    .verdicts = verdicts,
};

struct reader *pair_reader(struct reader *first, struct reader *second, struct err *err) {
    struct paired *p = first && second ? calloc(1, sizeof *p) : NULL;
    if (!p) {
        reader_close(first);
        reader_close(second);
        err_set(err, ENOMEM, "cannot open the recordings");
        return NULL;
    }
    *p = (struct paired){.reader = {.ops = &ops}, .of = {first, second}};
    return &p->reader;
}
