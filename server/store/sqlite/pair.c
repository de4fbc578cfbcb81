/* Two recordings as one: the sessions of the second are called "2:NAME". A question about a session goes to the recording that holds
 * it. One about all sessions is answered by the first, then by the second.
 *
 * Ids. All of the second are READER_SECOND greater: of records, series, spellings, sessions and verdicts, whatever is asked. So ids stand in the
 * order in which rows are handed out, and `since`, `until`, `limit` and `newest` mean what they always do. Datagrams are not told of. */
#include "store/sqlite/private.h"
#include "store/sqlite/rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    bool second;
    bool counting;     /* rows are not handed out */
    uint64_t n, n_now; /* handed out; by the part under way */
    uint64_t n_second; /* of the newest rows, so many are of the second */
    uint64_t most;     /* of the part under way; 0: no bound */
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

static uint64_t id_of(const struct pair_call *a, uint64_t id) {
    return a->second && id && id < READER_SECOND ? id + READER_SECOND
                                                 : id; /* INT64_MAX stays: later than any mark */
}

/* A mark of the pair, as one of the two has it. */
static uint64_t mark_in(uint64_t mark, bool second) {
    if (second)
        return mark > READER_SECOND ? mark - READER_SECOND : 0;
    return mark < READER_SECOND ? mark : READER_SECOND;
}

/* Whether one of the two has what the filter asks for; its filter then. */
static bool concerns(const struct filter *f, bool second, struct filter *its) {
    *its = *f;
    if (f->session.p && is_second(f->session) != second)
        return false;
    if (f->session.p && second)
        its->session = span_from(f->session, 2);
    if (f->series_id && (f->series_id > READER_SECOND) != second)
        return false;
    if (f->series_id && second)
        its->series_id -= READER_SECOND;
    if (second) /* it knows the pair's ids of series alone; a reader may give others, too */
        its->wants_series = NULL;
    if (f->after_series > READER_SECOND && !second)
        return false;
    if (second)
        its->after_series = mark_in(f->after_series, true);
    its->since = mark_in(f->since, second);
    if (!f->until)
        return true;
    its->until = mark_in(f->until, second);
    if (its->until == 0) /* it is of the first: the second has no such records, but series */
        its->since = its->until = READER_SECOND;
    return true;
}

/* The filter of a step: 0: of the first, 1: of the second, -1: how many of the newest the second has, which leave the rest to the first. */
static bool begin_part(struct pair_call *a, const struct filter *f, int step, struct filter *its) {
    a->counting = step < 0;
    a->second = step != 0;
    a->n_now = 0;
    if (!concerns(f, a->second, its))
        return false;
    if (f->limit)
        its->limit = f->limit - (step < 0 ? 0 : f->newest ? (step == 0 ? a->n_second : 0) : a->n);
    a->most = its->limit;
    return !f->limit || its->limit > 0;
}

static void end_part(struct pair_call *a) {
    if (a->counting)
        a->n_second = a->n_now;
    else
        a->n += a->n_now;
}

static int counted(struct pair_call *a) {
    a->n_now++;
    return 0;
}

static int handed_over(struct pair_call *a, int result) {
    a->n_now++;
    a->stopped = result != 0;
    return a->stopped || (a->most && a->n_now >= a->most);
}
#define HAND_OVER(kind)                                                                                      \
    (a->counting ? counted(a)                                                                                \
                 : handed_over(a, ((int (*)(void *, const struct kind##_row *))a->row)(a->arg, &out)))

/* A function TAKE_kind that hands a row on as the pair names it. */
#define TAKE(kind, ...)                                                                                      \
    static int take_##kind(void *arg, const struct kind##_row *given) {                                      \
        struct pair_call *a = arg;                                                                           \
        struct kind##_row out = *given;                                                                      \
        out.session = rename_session(a, given->session);                                                     \
        __VA_ARGS__;                                                                                         \
        return HAND_OVER(kind);                                                                              \
    }
#define IDS(field) out.field = id_of(a, out.field)
TAKE(series, IDS(id); IDS(first_id); IDS(last_id); IDS(fell_id))
TAKE(sample, IDS(id); IDS(series_id); IDS(spelling_id))
TAKE(spelling, IDS(id); IDS(series_id))
TAKE(event, IDS(id))
TAKE(check, IDS(id))
TAKE(reject, IDS(id))
TAKE(request, IDS(id))
TAKE(loss, IDS(id))
TAKE(verdict, IDS(id))

/* Those that name no session. */
#define TAKE_NAMELESS(kind, ...)                                                                             \
    static int take_##kind(void *arg, const struct kind##_row *given) {                                      \
        struct pair_call *a = arg;                                                                           \
        struct kind##_row out = *given;                                                                      \
        __VA_ARGS__;                                                                                         \
        return HAND_OVER(kind);                                                                              \
    }
TAKE_NAMELESS(name, IDS(last_id))
TAKE_NAMELESS(chunk, IDS(id); IDS(series_id))
TAKE_NAMELESS(large, IDS(last_id))
TAKE_NAMELESS(run, out.mark += a->second ? READER_SECOND : 0)
TAKE_NAMELESS(points, out.ids = a->second ? NULL : out.ids) /* not told */

static int take_session(void *arg, const struct session_row *given) {
    struct pair_call *a = arg;
    struct session_row out = *given;
    out.name = rename_session(a, given->name);
    IDS(id);
    IDS(reset_id);
    return HAND_OVER(session);
}

#define ASKED(callback, argument)                                                                            \
    { .row = (void (*)(void))(callback), .arg = (argument) }

static const struct filter everything;

/* An operation that takes a filter: of each recording that it concerns. */
#define BOTH(f, call)                                                                                        \
    do {                                                                                                     \
        const struct paired *p = (const struct paired *)reader;                                              \
        struct pair_call a = ASKED(row, arg);                                                                \
        struct filter its;                                                                                   \
        int result = 0;                                                                                      \
        for (int i = (f)->newest && (f)->limit ? -1 : 0; i < 2 && result == 0 && !a.stopped; i++) {          \
            struct reader *r = p->of[i != 0];                                                                \
            if (begin_part(&a, f, i, &its))                                                                  \
                result = call;                                                                               \
            end_part(&a);                                                                                    \
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
    struct pair_call a = ASKED(row, arg);
    a.second = series_id > READER_SECOND;
    struct reader *r = ((struct paired *)reader)->of[a.second];
    return r->ops->points(r, series_id % READER_SECOND, take_points, &a, err);
}

static int cadence(struct reader *reader, uint64_t series_id, uint64_t first_id, struct cadence *out,
                   struct err *err) {
    bool second = series_id > READER_SECOND;
    struct reader *r = ((struct paired *)reader)->of[second];
    return r->ops->cadence(r, series_id % READER_SECOND, mark_in(first_id, second), out, err);
}

static int large(struct reader *reader, struct span session, int (*row)(void *, const struct large_row *),
                 void *arg, struct err *err) {
    struct paired *p = (struct paired *)reader;
    struct pair_call a = ASKED(row, arg);
    a.second = session.p && is_second(session);
    struct reader *r = p->of[a.second];
    if (r->ops->large(r, a.second ? span_from(session, 2) : session, take_large, &a, err) != 0)
        return -1;
    if (session.p || a.stopped)
        return 0;
    a.second = true;
    return p->of[1]->ops->large(p->of[1], session, take_large, &a, err);
}

static int name_rows(struct reader *reader, const struct name_filter *f,
                     int (*row)(void *, const struct name_row *), void *arg, uint64_t *n, struct err *err) {
    struct pair_call a = ASKED(row, arg);
    a.second = is_second(f->session);
    struct reader *r = ((struct paired *)reader)->of[a.second];
    struct name_filter its = *f;
    its.session = a.second ? span_from(f->session, 2) : f->session;
    return r->ops->name_rows(r, &its, take_name, &a, n, err);
}

static int chunks(struct reader *reader, struct span session, uint64_t since, uint64_t max,
                  int (*row)(void *, const struct chunk_row *), void *arg, uint64_t *from, struct err *err) {
    struct pair_call a = ASKED(row, arg);
    a.second = is_second(session);
    struct reader *r = ((struct paired *)reader)->of[a.second];
    int result = r->ops->chunks(r, a.second ? span_from(session, 2) : session, mark_in(since, a.second), max,
                                take_chunk, &a, from, err);
    *from += a.second ? READER_SECOND : 0;
    return result;
}

static int session_id(struct reader *reader, struct span name, uint64_t *id, struct err *err) {
    bool second = is_second(name);
    struct reader *r = ((struct paired *)reader)->of[second];
    int result = r->ops->session_id(r, second ? span_from(name, 2) : name, id, err);
    if (result == 0 && second && *id)
        *id += READER_SECOND;
    return result;
}

static int runs(struct reader *reader, uint64_t limit, int (*row)(void *, const struct run_row *), void *arg,
                struct err *err) {
    struct paired *p = (struct paired *)reader;
    struct pair_call a = ASKED(row, arg);
    for (int i = 0; i < 2 && !a.stopped; i++) {
        a.second = i == 1;
        if (p->of[i]->ops->runs(p->of[i], limit, take_run, &a, err) != 0)
            return -1;
    }
    return 0;
}

static struct reader *holder(struct reader *reader, uint64_t session_id, uint64_t *before) {
    bool second = session_id > READER_SECOND;
    *before = second ? READER_SECOND : 0;
    return ((struct paired *)reader)->of[second];
}

static int last_id(struct reader *reader, uint64_t *id, struct err *err) {
    struct reader *r = ((struct paired *)reader)->of[1];
    if (r->ops->last_id(r, id, err) != 0)
        return -1;
    *id += READER_SECOND;
    return 0;
}

static int first_at(struct reader *reader, int64_t wall_ns, uint64_t *id, struct err *err) {
    struct paired *p = (struct paired *)reader;
    if (p->of[0]->ops->first_at(p->of[0], wall_ns, id, err) != 0)
        return -1;
    if (*id || p->of[1]->ops->first_at(p->of[1], wall_ns, id, err) != 0)
        return *id ? 0 : -1;
    *id += *id ? READER_SECOND : 0;
    return 0;
}

/* Half of each one's. */
static int recording(struct reader *reader, char name[RECORDING_NAME_SIZE], struct err *err) {
    struct paired *p = (struct paired *)reader;
    char second[RECORDING_NAME_SIZE];
    if (p->of[0]->ops->recording(p->of[0], name, err) != 0 ||
        p->of[1]->ops->recording(p->of[1], second, err) != 0)
        return -1;
    memcpy(name + RECORDING_NAME_SIZE / 2, second + RECORDING_NAME_SIZE / 2, RECORDING_NAME_SIZE / 2);
    return 0;
}

static int file(struct reader *reader, struct reader_file of[2], struct err *err) {
    struct paired *p = (struct paired *)reader;
    return p->of[0]->ops->file(p->of[0], of, err) != 0 ? -1 : p->of[1]->ops->file(p->of[1], of + 1, err);
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
    .holder = holder,
    .recording = recording,
    .file = file,
};

void pair_drop(struct reader *reader) {
    struct paired *p = (struct paired *)reader;
    if (reader->ops != &ops) {
        rows_drop((struct rows *)reader);
        return;
    }
    for (size_t i = 0; i < 2; i++)
        rows_drop((struct rows *)p->of[i]);
}

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
