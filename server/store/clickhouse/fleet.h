/* Shared by the files that read a fleet's recordings; no other folder includes it.
 *
 *     reader.c      open, begin, end; small questions
 *     select.c      which pushes are meant
 *     names.c       which names a filter lets through
 *     series.c      series, each with its members: that series in each recording
 *     emitters.c    who sends: series put together by labels, tags, …
 *     spell.c       what some samples of a series have in common
 *     spellings.c   the questions about that
 *     samples.c     samples
 *     points.c      samples of one series after the other
 *     tallies.c     summaries of some of the samples
 *     amounts.c     percentiles, distinct values: what samples amount to
 *     records.c     events, checks, rejects, requests
 *     lists.c       losses, sessions, runs, large datagrams
 *
 * An id is its recording's place << FLEET_ID_BITS | the id in the recording.
 */
#ifndef STORE_CLICKHOUSE_FLEET_H
#define STORE_CLICKHOUSE_FLEET_H

#include "core/arena.h"
#include "core/reader.h"
#include "core/table.h"
#include "store/clickhouse/ask.h"
#include "store/clickhouse/clickhouse.h"
#include "store/clickhouse/kinds.h"

#define FLEET_ID_BITS      40
#define FLEET_GID(ord, id) "bitOr(bitShiftLeft(toUInt64(" ord "), 40), " id ")"

struct fleet_recording {
    struct fleet_uuid name, push;
    int64_t pushed_at, started_at;
    uint64_t last_id, n_series, n_spellings, n_samples, n_records, lost;
    struct span labels[FLEET_LABELS];
    size_t n_others;
    struct span *keys, *values;
};

/* That series in one recording. */
struct fleet_member {
    uint64_t gid, samples;
    double count, sum;
};

struct fleet_series {
    struct series_row row;
    size_t first_member, n_members;
};

/* The answer to a question about series, in order of id. */
struct fleet_found {
    struct fleet_series *list;
    size_t n, cap;
    bool outline;  /* its series have no members */
    uint64_t seen; /* series of single recordings that the answer is made of */
    struct fleet_member *members;
    size_t n_members, cap_members;
    struct buf answer;  /* what the texts point into */
    struct arena spans; /* lists of tags */
    struct fleet_found *outer;
    bool busy; /* its rows are being handed out */
};

struct fleet_reader {
    struct reader reader;
    struct fleet f;
    struct fleet_url url;
    char note[200];
    bool selected; /* by open, for the first begin */
    struct fleet_recording *list;
    size_t n, cap;
    size_t n_lossy;     /* left out by lossless=1 */
    struct arena texts; /* of the recordings' labels */
    struct buf sel;     /* (push, place) of each */
    struct buf names;   /* the answer that all_names point into */
    struct span *all_names;
    size_t n_names;
    bool has_names;
    struct fleet_found *found; /* those in use, and the last one */
    struct fleet_ahead *ahead;
    uint64_t last_points; /* the series that points were last asked of */
};

/* select.c: fills the list, which is empty. -1 with err; *usage: nothing is selected. */
int fleet_select(struct fleet_reader *r, bool *usage, struct err *err);

/* "" when the recording has no such label. */
struct span fleet_label(const struct fleet_recording *x, struct span key);

/* --- names.c */
struct fleet_names {
    bool all;        /* no condition */
    struct buf rows; /* name String */
    size_t n;
};
int fleet_names(struct fleet_reader *r, const struct filter *f, struct fleet_names *names, struct err *err);
int fleet_each_name(struct reader *, int (*row)(void *, struct span name), void *, struct err *);
/* What the filter says of a name and of tags. */
bool fleet_name_matches(const struct filter *f, struct span name);
bool fleet_tags_match(const struct filter *f, size_t n, const struct span *tags);

/* --- series.c */
/* since, until and source are not looked at. Give it back with fleet_found_free. */
int fleet_find(struct fleet_reader *r, const struct filter *f, struct fleet_found *found, struct err *err);
void fleet_found_free(struct fleet_found *found);
#define FLEET_SEL "push UUID, ord UInt32"
int fleet_series(struct reader *, const struct filter *, int (*row)(void *, const struct series_row *),
                 void *, struct err *);
/* The series of that id, into `found`. */
int fleet_find_one(struct fleet_reader *r, uint64_t id, struct fleet_found *found, struct err *err);
/* As fleet_find; where the filter asks for one series by its id alone, as fleet_find_one. */
int fleet_find_for(struct fleet_reader *r, const struct filter *f, struct fleet_found *found,
                   struct err *err);
/* The series of that id among what was found, with its members; NULL: it is not there. *found holds it. */
const struct fleet_series *fleet_known(const struct fleet_reader *r, uint64_t id,
                                       const struct fleet_found **found);
/* The same, and those behind it in what was last found, until they have so many samples; from that alone when it has more. */
int fleet_find_on(struct fleet_reader *r, uint64_t id, uint64_t samples, struct fleet_found *found,
                  struct err *err);

/* Appends the conditions of a filter on series that SQL can tell, each with AND before it: name (of the table `nam`), type, session. */
void fleet_series_conditions(const struct filter *f, const struct fleet_names *names, struct buf *sql);

/* --- emitters.c */
int fleet_emitters(struct reader *, const struct filter *, size_t n, const struct emitter_by *,
                   int (*row)(void *, const struct emitter_row *), void *, struct err *);

/* --- spell.c */
/* Adds (push, series, ord, merged) of its members: the rows of a table `mem`. */
void fleet_members(const struct fleet_reader *r, const struct fleet_found *found,
                   const struct fleet_series *s, struct buf *mem);
#define FLEET_MEM "push UUID, series UInt64, ord UInt32, merged UInt64"
struct fleet_spelling {
    uint64_t ord, id;
    const struct fleet_series *series;
    struct metric metric;
    struct remarks remarks;
};
struct fleet_spelled {
    struct fleet_spelling *list; /* in order of series, place, id */
    size_t n, cap;
    struct table by_id; /* ord << 32 | id */
    struct buf answer;
    struct arena spans;
};
/* Those of series from..to of what was found. */
int fleet_spell(struct fleet_reader *r, const struct fleet_found *found, size_t from, size_t to,
                struct fleet_spelled *spelled, struct err *err);
void fleet_spelled_free(struct fleet_spelled *spelled);

/* --- spellings.c */
int fleet_spellings(struct reader *, const struct filter *, int (*row)(void *, const struct spelling_row *),
                    void *, struct err *);
int fleet_cadence(struct reader *, uint64_t series_id, uint64_t first_id, struct cadence *, struct err *);

/* --- samples.c */
/* The samples of series from..to of what was found. kept: becomes the spellings of the last rows, which the caller frees; NULL: nobody's. */
int fleet_read(struct fleet_reader *r, const struct filter *f, const struct fleet_found *found, size_t from,
               size_t to, bool ordered, int (*row)(void *, const struct sample_row *), void *arg,
               struct fleet_spelled *kept, struct err *err);
int fleet_samples(struct reader *, const struct filter *, bool ordered,
                  int (*row)(void *, const struct sample_row *), void *, struct err *);

/* --- points.c */
/* What was read ahead of being asked for. */
struct fleet_ahead {
    struct fleet_found found; /* its own copy of the series */
    struct fleet_spelled spelled;
    struct arena values;
    struct points_of *list; /* in order of series */
    size_t n, cap;
    bool full; /* it holds the points of all of them */
};
void fleet_ahead_free(struct fleet_ahead *ahead);
int fleet_points(struct reader *, uint64_t series_id, int (*row)(void *, const struct points_row *), void *,
                 struct err *);

/* --- tallies.c */
int fleet_tallies(struct reader *, const struct filter *,
                  int (*row)(void *, const struct series_row *, bool fell), void *, struct err *);

/* --- amounts.c */
int fleet_ranked(struct reader *, size_t n_series, const uint64_t *series, size_t n,
                 const double *percentiles, double *values, struct err *);
int fleet_distinct(struct reader *, size_t n_series, const uint64_t *series, uint64_t *n, struct err *);
int fleet_values(struct reader *, size_t n_series, const uint64_t *series,
                 int (*row)(void *, const struct values_row *), void *, struct err *);

/* --- records.c */
int fleet_events(struct reader *, const struct filter *, int (*row)(void *, const struct event_row *), void *,
                 struct err *);
int fleet_checks(struct reader *, const struct filter *, int (*row)(void *, const struct check_row *), void *,
                 struct err *);
int fleet_rejects(struct reader *, const struct filter *, int (*row)(void *, const struct reject_row *),
                  void *, struct err *);
int fleet_requests(struct reader *, const struct filter *, int (*row)(void *, const struct request_row *),
                   void *, struct err *);
int fleet_losses(struct reader *, const struct filter *, int (*row)(void *, const struct loss_row *), void *,
                 struct err *);
int fleet_large(struct reader *, struct span session, int (*row)(void *, const struct large_row *), void *,
                struct err *);
int fleet_sessions(struct reader *, int (*row)(void *, const struct session_row *), void *, struct err *);
int fleet_session_id(struct reader *, struct span name, uint64_t *id, struct err *);
int fleet_runs(struct reader *, uint64_t limit, int (*row)(void *, const struct run_row *), void *,
               struct err *);

/* An answer that does not end where its last row does. */
static inline int fleet_damaged(const struct fleet_reader *r, struct err *err) {
    return err_set(
        err, 0,
        "%s: the answer is not one that was expected: is something between us, or are the tables not statwit's?",
        fleet_http_where(r->f.http));
}
/* "shop main unit run 17: ", into text of FLEET_WHOSE bytes. */
#define FLEET_WHOSE 300
const char *fleet_whose(const struct fleet_reader *r, size_t ord, char text[FLEET_WHOSE]);

#endif
