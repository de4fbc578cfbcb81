/* Reading a recording: the interface between whoever holds one (store/) and whoever asks (judge/, catalog/, http/,
 * command/). A recording is the same behind it whether a server is writing it or it is a file from yesterday.
 *
 * Ownership: rows and all they point to are valid until the callback returns. A row callback returns 0 to go on, 1 to
 * stop early (the call then returns 0).
 * Threads: a reader belongs to one thread at a time; readers don't block the writer nor each other.
 * Errors: 0, or -1 with err filled.
 * Consistency: everything between reader_begin and reader_end sees one moment of the recording.
 * Units: times are nanoseconds since 1970 (wall), `timestamp` is seconds as given by the client.
 */
#ifndef CORE_READER_H
#define CORE_READER_H

#include "core/err.h"
#include "core/loss.h"
#include "core/record.h"

/* Where a question names the sessions that it is about: all of them, also those that have ended. No session has this name. */
#define EVERY_SESSION "*"

/* Selects what is read. {0} is everything. All conditions hold together. */
struct filter {
    struct span session; /* by name; p == NULL: all sessions */
    struct span name;    /* glob over the name (metrics, checks; events: title); p == NULL: all */
    size_t n_names; /* when not 0: globs of all names and titles that matter; a reader may give others, too */
    const struct span *names;
    bool has_type;
    enum metric_type type;
    size_t n_tags;
    const struct span *tags; /* each must be among the row's tags, byte for byte; "key:*" globs are allowed */
    bool has_source;
    enum source source;
    uint64_t series_id; /* 0: any */
    /* samples: only of series that it says yes to; NULL: of any. A reader may give others, too. */
    bool (*wants_series)(void *arg, uint64_t series_id);
    void *wants_arg;
    uint64_t after_series; /* only series with a greater id (series, and samples that are not `ordered`) */
    uint64_t since;        /* records with id > since */
    uint64_t until;        /* records with id <= until; 0: no bound */
    uint64_t limit;        /* 0: no bound */
    bool
        remarked; /* samples, spellings, events, checks: only those with remarks; series: of which some sample has some */
    bool timed;   /* samples: only those with a timestamp */
    bool sampled; /* series: of which some sample has a rate other than 1; spellings: with such a rate */
    struct span method;         /* requests: of this method; p == NULL: any */
    int status_from, status_to; /* requests: answered with a status from…to; 0: any */
    /* series: count, sum, last, first_at and last_at are not looked at, and without `since` of first_id and last_id only whether they are
     * 0. A reader may leave them out. */
    bool outline;
    bool newest; /* with limit: the newest `limit` rows instead of the oldest; still delivered oldest first */
};

/* A series with its summary. Weighted as metric_weigh says: count = sum of weights, sum = sum of value * factor (for
 * counts; for all other types the plain sum of the values times factor). Sets: numbers are NaN. A sketch adds its own count,
 * sum, min and max. */
struct series_row {
    uint64_t id;
    struct span session;
    struct span name;
    enum metric_type type;
    size_t n_tags;
    const struct span *tags; /* sorted by span_cmp, without repeats */
    struct span host;        /* p == NULL: none given */
    struct span device;
    uint64_t samples;
    double count, sum, min, max, last;
    int64_t first_at, last_at;
    uint64_t first_id, last_id; /* of its first and last sample still recorded */
    bool sampled;               /* some sample came with a rate other than 1 */
    bool fall_known;
    uint64_t fell_id; /* when known: the last sample that was less than the one before it; 0: none */
};

/* All series of one name and type in one session, summed up. */
struct name_row {
    struct span name;
    enum metric_type type;
    uint64_t series, samples;
    double count, sum, min, max, last;
    int64_t first_at, last_at;
    uint64_t last_id;
    size_t n_keys;           /* tag keys, NAME_KEYS at most, in the order of the series that brought them */
    const struct span *keys; /* none unless they were asked for */
};
#define NAME_KEYS 8

/* Which names of a session are asked for, and which of them are handed out: numbers `from` to `from + n` - 1 of those that match, in
 * order of the name's bytes and of the type. */
struct name_filter {
    struct span session;
    struct span name; /* glob; p == NULL: all */
    bool exact;       /* name is no glob, whatever is in it */
    bool has_type;
    enum metric_type type;
    bool (*wants)(void *arg, struct span name); /* NULL: all */
    void *wants_arg;
    uint64_t wants_key; /* the same for the same `wants`; not 0: what was counted may be remembered */
    uint64_t from, n;
    bool keys;
    bool to_end; /* the rest is counted, too */
};

/* So many samples of one series, that came in one commit. */
struct chunk_row {
    uint64_t id; /* of the first one */
    uint64_t n, series_id;
    double sum; /* as the summary's */
    struct span name;
    enum metric_type type;
};

/* What some samples of a series have in common, their values and timestamps aside. */
struct spelling_row {
    uint64_t id; /* within the recording; 0: the reader gives none */
    uint64_t series_id;
    struct span session;
    const struct metric *spelling; /* without values */
};

/* Samples of one spelling whose timestamps lie too far away, all for the same reason. */
struct stray_row {
    struct span name; /* of the series */
    int kind;         /* core/stray.h */
    uint64_t n;
    int64_t timestamp; /* of the first */
};

struct sample_row {
    uint64_t id;
    uint64_t series_id;
    uint64_t spelling_id; /* as spelling_row.id */
    int64_t received_at;
    enum source source;
    struct span session;
    struct span text; /* sets: the value; else empty */
    struct value value;
    struct span
        line; /* as it came; p == NULL: whoever reads has not looked for it (control/lines.h), or it is not kept */
    const struct metric *spelling; /* name, type, tags as received, rate, origin, unit, …; without values */
};

/* Samples of one series, some at a time. The arrays hold until the callback returns. */
struct points_row {
    const struct metric *spelling;
    enum source source;
    size_t n;
    const int64_t *at_s; /* seconds since 1970: the client's timestamp, else when it came */
    const double *values;
    const uint64_t *ids;         /* as they came; NULL: not told */
    const struct sketch *sketch; /* then n is 1 */
};

/* Values of one series, some at a time. The array holds until the callback returns. */
struct numbers_row {
    const struct metric *spelling;
    size_t n;
    const double *values;
    const struct sketch *sketch; /* then n is 1 */
};

/* Samples of the same number and rate, of series of one type. */
struct values_row {
    enum metric_type type;
    double value, rate;
    uint64_t times;
};

/* How often a series is sent. */
struct cadence {
    int64_t interval_s; /* the longest that was given; 0: none */
    enum source source; /* of its first sample */
};

struct event_row {
    uint64_t id;
    int64_t received_at;
    enum source source;
    struct span session;
    struct event event;
};

struct check_row {
    uint64_t id;
    int64_t received_at;
    enum source source;
    struct span session;
    struct service_check check;
};

struct reject_row {
    uint64_t id;
    int64_t received_at;
    enum source source;
    struct span session;
    struct reject reject;
};

/* The body of a POST as it came, with what only those need who ask for it again. */
struct posted_body {
    struct span path;    /* decoded, with all its slashes */
    struct span api_key; /* whole; p == NULL: none */
    struct span headers; /* a JSON object; p == NULL: not kept */
    struct span bytes;
};

/* One HTTP request to the fake intake. */
struct request {
    struct span method, path, query; /* raw; the query with its api keys masked */
    int status;
    uint64_t wire_bytes, body_bytes; /* before and after decompression */
    struct span encoding, content_type, user_agent;
    struct span api_key; /* masked: the last 4 characters */
    struct span body; /* kept for the paths that are not decoded, and where bodies are kept; else {NULL, 0} */
    struct span note; /* what was wrong with it, or which fault was injected */
    const struct posted_body *payload; /* to be kept besides; NULL: none. A reader gives it apart */
};

struct request_row {
    uint64_t id;
    int64_t received_at;
    struct span session;
    struct request request;
};

struct payload_row {
    uint64_t id; /* of its request */
    int64_t received_at;
    struct span session;
    struct span method, query, encoding, content_type; /* of its request */
    struct posted_body payload;
};

/* A path that was posted to. */
struct posted_row {
    struct span path;
    uint64_t n;
};

/* A datagram as it came. */
struct datagram_row {
    uint64_t id; /* of datagrams alone */
    int64_t received_at;
    enum source source;
    struct span session;
    uint64_t after_id; /* its records have ids from after_id + 1 on */
    struct span bytes;
};

struct loss_row {
    uint64_t id; /* from the sequence of all records, given when it was noticed */
    int64_t at;
    struct span session; /* p == NULL: it concerns every session */
    enum loss loss;
    uint64_t n;
    struct span detail; /* which socket, which error */
};

/* Datagrams that a session received and that were too large for a network packet or for an Agent. */
/* Bytes that UDP carries over an Ethernet without being split, with room to spare. */
#define DATAGRAM_PACKET_MAX 1432
#define DATAGRAM_AGENT_MAX  8192 /* bytes: a default Agent cuts datagrams here (dogstatsd_buffer_size) */
struct large_row {
    uint64_t over; /* one of the two; what is over both counts for the larger, only UDP for the smaller */
    uint64_t n, largest; /* how many; bytes of the largest */
    uint64_t last_id;    /* the newest of them has records from this id on */
};

struct session_row {
    uint64_t id;
    struct span name, api_key;
    struct span label;              /* p == NULL: none */
    int64_t created_at, expires_at; /* 0: never */
    bool open;
    uint64_t samples, series, events, checks, rejects;
    uint64_t reset_id; /* losses up to this id are from before it was made or reset */
};

/* The name of a recording: 32 hexadecimal digits and a NUL. */
#define RECORDING_NAME_SIZE 33

/* A file, as long as it is the same: while rows come, and when its recorder ends. Copies have the recording's name, each its own file. */
struct reader_file {
    char recording[RECORDING_NAME_SIZE];
    uint64_t device, inode;
};

static inline bool reader_file_is(const struct reader_file *a, const struct reader_file *b) {
    return a->device == b->device && a->inode == b->inode && strcmp(a->recording, b->recording) == 0;
}

/* One `serve` or `run`, from start to stop. */
struct run_row {
    uint64_t id;
    int64_t started_at, ended_at; /* 0: it goes on, or it did not end cleanly */
    struct span version;
    uint64_t mark; /* the newest id before it */
};

/* A report that was kept, of `expect` or `verify`. */
struct verdict_row {
    uint64_t id; /* rises with each report; no record's */
    int64_t first_at, at;
    uint64_t asked;                             /* how often the same question was: this is the last answer */
    uint64_t question;                          /* a hash of it */
    struct span session, kind, verdict, report; /* the report as JSON */
};

/* What series are put together by. */
enum emitter_word {
    EMITTER_NAME,
    EMITTER_TYPE,
    EMITTER_SESSION,
    EMITTER_HOST, /* that the samples name */
    EMITTER_TAGS, /* all of the series */
    EMITTER_LABEL /* of the recording, where it was pushed: repo, branch, … or any other key */
};
struct emitter_by {
    enum emitter_word word;
    struct span label; /* its key */
    struct span text;  /* the word as it was written */
};
#define EMITTER_BY_MAX 8 /* each word once */

/* Who sends: what some series have in common, and how much there is of them. */
struct emitter_row {
    const struct span *values; /* in order of the words; p == NULL: none given; of tags: not used */
    size_t n_tags;             /* of the word tags */
    const struct span *tags;
    uint64_t recordings, series, samples;
    int64_t first_at, last_at;
};

/* Of two recordings as one, ids of the second are so much greater: of records, series, sessions and verdicts. */
#define READER_SECOND ((uint64_t)1 << 40)
/* No record of the session's recording has an id up to this one. */
#define READER_IDS_BEFORE(session_id) ((session_id) > READER_SECOND ? READER_SECOND : 0)

struct reader;
struct reader_ops {
    bool far; /* a question takes as long as thousands of rows: many small ones cost more than a large one */
    /* Frees a reader that was opened by a path or URL. A store's own is given back to it instead. */
    void (*close)(struct reader *);
    /* What a person who reads it must know: "… is being recorded by process 17"; NULL for nothing. The reader's own. */
    const char *(*note)(struct reader *);
    int (*begin)(struct reader *, struct err *);
    void (*end)(struct reader *);
    /* Series in order of id. `since`/`until` are not applied to the summaries: filter samples for that. */
    int (*series)(struct reader *, const struct filter *, int (*row)(void *, const struct series_row *),
                  void *, struct err *);
    /* The series that the filter lets by (since, until, source and limit are not looked at), put together by so many words. In any
     * order. NULL: this reader's series have no labels, and who asks puts them together. */
    int (*emitters)(struct reader *, const struct filter *, size_t n, const struct emitter_by *,
                    int (*row)(void *, const struct emitter_row *), void *, struct err *);
    /* Every name that some series of the recording has, once, in the order of bytes; much cheaper than the series. NULL where the
     * reader cannot tell it so. */
    int (*names)(struct reader *, int (*row)(void *, struct span name), void *, struct err *);
    /* The names of a session with what their series come to. *n: how many match; without `to_end` those up to the last one that was
     * handed out. It takes as long as there are names, not series. NULL where the reader cannot do that: then the series tell. */
    int (*name_rows)(struct reader *, const struct name_filter *, int (*row)(void *, const struct name_row *),
                     void *, uint64_t *n, struct err *);
    /* A session's chunks with ids above `since`, the newest first; `max` of them at the most, other sessions' included. session.p ==
     * NULL: all sessions'. *from: all that are later were looked at. May be NULL. */
    int (*chunks)(struct reader *, struct span session, uint64_t since, uint64_t max,
                  int (*row)(void *, const struct chunk_row *), void *, uint64_t *from, struct err *);
    /* What samples amount to, of which none is handed out. All are NULL where samples cost no more than a call: then who asks reads
     * those. The series are of this moment, in order of id, and all their samples count. 1: it cannot be told so.
     * ranked: of each percentile the number that has this rank, by nearest rank, where each sample has the weight 1. */
    int (*ranked)(struct reader *, size_t n_series, const uint64_t *series, size_t n,
                  const double *percentiles, double *values, struct err *);
    /* How many different values there are, texts or numbers. */
    int (*distinct)(struct reader *, size_t n_series, const uint64_t *series, uint64_t *n, struct err *);
    /* Their numbers in any order; of equal ones with the same rate may come one row. */
    int (*values)(struct reader *, size_t n_series, const uint64_t *series,
                  int (*row)(void *, const struct values_row *), void *, struct err *);
    /* The series' summaries, made of those samples alone that the filter lets by (as far as session, names, type, tags, series, source,
     * since and until tell), as series_since gives them, and whether a value was below the one before. NULL: who asks reads the
     * samples. */
    int (*tallies)(struct reader *, const struct filter *,
                   int (*row)(void *, const struct series_row *, bool fell), void *, struct err *);
    /* In order of id when `ordered`; else series by series, each in order of id (much cheaper for many samples). */
    int (*samples)(struct reader *, const struct filter *, bool ordered,
                   int (*row)(void *, const struct sample_row *), void *, struct err *);
    /* The same in parts, in order of id and without `limit` and `newest`, as long as its moment lasts. What the filter points to must
     * last as long. NULL: this reader can't. One cursor of a reader at a time; no other samples are read meanwhile. */
    struct samples_cursor *(*samples_open)(struct reader *, const struct filter *, struct err *);
    /* 1: the callback stopped it, and gets that row again the next time; 0: there are no more; -1. */
    int (*samples_more)(struct samples_cursor *, int (*row)(void *, const struct sample_row *), void *,
                        struct err *);
    void (*samples_close)(struct samples_cursor *); /* before `end` */
    /* All of one series that is no set, in any order: for those who sum up, and several times as fast as `samples`. */
    int (*points)(struct reader *, uint64_t series_id, int (*row)(void *, const struct points_row *), void *,
                  struct err *);
    /* The values of all samples of one series that is no set, in any order: for quantiles. NULL: take `points`. */
    int (*numbers)(struct reader *, uint64_t series_id, int (*row)(void *, const struct numbers_row *),
                   void *, struct err *);
    /* The spellings of the series that the filter lets by, series by series in order of id; with `since` only those that came
     * after it. For those who look at rates and remarks: much cheaper than all samples. */
    int (*spellings)(struct reader *, const struct filter *, int (*row)(void *, const struct spelling_row *),
                     void *, struct err *);
    /* The strays of a session (or of all) that came after `since`, series by series: what they are was counted when they came. NULL: the
     * reader has not counted them; look at all samples with a timestamp. */
    int (*strays)(struct reader *, const struct filter *, int (*row)(void *, const struct stray_row *),
                  void *, struct err *);
    int (*cadence)(struct reader *, uint64_t series_id, uint64_t first_id, struct cadence *, struct err *);
    int (*events)(struct reader *, const struct filter *, int (*row)(void *, const struct event_row *),
                  void *, struct err *);
    int (*checks)(struct reader *, const struct filter *, int (*row)(void *, const struct check_row *),
                  void *, struct err *);
    int (*rejects)(struct reader *, const struct filter *, int (*row)(void *, const struct reject_row *),
                   void *, struct err *);
    int (*requests)(struct reader *, const struct filter *, int (*row)(void *, const struct request_row *),
                    void *, struct err *);
    /* Of those requests whose bodies were kept; `name` is an exact path. session, since, until and limit count. */
    int (*payloads)(struct reader *, const struct filter *, int (*row)(void *, const struct payload_row *),
                    void *, struct err *);
    /* The paths that a session's POSTs went to, by name: of payloads, or else of all requests that are recorded. */
    int (*posted)(struct reader *, struct span session, bool payloads,
                  int (*row)(void *, const struct posted_row *), void *, struct err *);
    /* Those that were kept, oldest first. `since` and `until` are about their records; session, source, limit, newest count, and
     * `after_series` here is the id of a datagram: only later ones; and `series_id` that of a record: only its own. */
    int (*datagrams)(struct reader *, const struct filter *, int (*row)(void *, const struct datagram_row *),
                     void *, struct err *);
    int (*losses)(struct reader *, const struct filter *, int (*row)(void *, const struct loss_row *), void *,
                  struct err *);
    /* Of one session, or (p == NULL) of all together; none where there were none. */
    int (*large)(struct reader *, struct span session, int (*row)(void *, const struct large_row *), void *,
                 struct err *);
    int (*sessions)(struct reader *, int (*row)(void *, const struct session_row *), void *, struct err *);
    /* The id of the session of that name, 0 when there is none. `sessions` counts what each holds, which takes long. */
    int (*session_id)(struct reader *, struct span name, uint64_t *id, struct err *);
    /* The newest `limit` of them, oldest first; none of before statwit knew runs. */
    int (*runs)(struct reader *, uint64_t limit, int (*row)(void *, const struct run_row *), void *,
                struct err *);
    /* The newest record id: everything received later has a greater one. */
    int (*last_id)(struct reader *, uint64_t *id, struct err *);
    /* The first record that was received at wall_ns or later; 0: none was. Found by halving, so after the clock was set back it
     * may be one of several such places. */
    int (*first_at)(struct reader *, int64_t wall_ns, uint64_t *id, struct err *);
    /* The reports that were kept, in any order. NULL: such a recording keeps none. */
    int (*verdicts)(struct reader *, int (*row)(void *, const struct verdict_row *), void *, struct err *);
    /* Of two recordings: the one that holds the session, and how much greater the ids of its records, series and sessions are in the
     * reader of both. Those of the second come after all of the first, in every list. NULL: there is one recording. */
    struct reader *(*holder)(struct reader *, uint64_t session_id, uint64_t *before);
    /* The recording's own name, wherever it is copied; of two, some name that they alone have. May be NULL: the reader holds many. */
    int (*recording)(struct reader *, char name[RECORDING_NAME_SIZE], struct err *);
    /* The file that the moment is of; of two recordings, [1] is the second one's. All readers of a file say the same. NULL: there is none. */
    int (*file)(struct reader *, struct reader_file of[2], struct err *);
};

struct reader {
    const struct reader_ops *ops;
};

static inline void reader_close(struct reader *reader) {
    if (reader)
        reader->ops->close(reader);
}

/* The newest id of the recording that holds the session (0: of all). */
static inline int reader_last_id(struct reader *reader, uint64_t session_id, uint64_t *id, struct err *err) {
    uint64_t before = 0;
    struct reader *of =
        session_id && reader->ops->holder ? reader->ops->holder(reader, session_id, &before) : reader;
    int result = of->ops->last_id(of, id, err);
    *id += before;
    return result;
}

/* Its first record of a time; 0: there is none. */
static inline int reader_first_at(struct reader *reader, uint64_t session_id, int64_t wall_ns, uint64_t *id,
                                  struct err *err) {
    uint64_t before = 0;
    struct reader *of =
        session_id && reader->ops->holder ? reader->ops->holder(reader, session_id, &before) : reader;
    int result = of->ops->first_at(of, wall_ns, id, err);
    *id += *id ? before : 0;
    return result;
}

/* What a taker waits for. It may be offered more. */
struct taker_wants {
    bool all_series;
    size_t n_names; /* globs of the names of series */
    const struct span *names;
    bool events, checks, rejects;
};

/* Takes records as they come, in order of id, each series before its samples. A function returns 0 to go on; anything else means
 * that the taker takes no more. */
struct record_taker {
    int (*series)(void *taker, const struct series_row *);
    int (*sample)(void *taker, const struct sample_row *);
    int (*event)(void *taker, const struct event_row *);
    int (*check)(void *taker, const struct check_row *);
    int (*reject)(void *taker, const struct reject_row *);
    int (*loss)(void *taker, const struct loss_row *);
    /* What it holds is valid as long as the taker. NULL, and all below: it wants losses alone. */
    struct taker_wants (*wants)(const void *taker);
    /* Whether samples of the series matter: asked after it was offered. */
    bool (*follows)(const void *taker, uint64_t series_id);
    /* The series that it follows already, one with each call: `at` is 0, then what the last call returned; 0: no more. */
    size_t (*followed)(const void *taker, size_t at, uint64_t *series_id);
    /* It has been offered all that mattered up to this id. */
    void (*seen)(void *taker, uint64_t id);
};

#endif
