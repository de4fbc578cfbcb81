/* The judge: expectations in, verdicts that can be trusted out. One engine for the server, the command line
 * and files.
 *
 *     parse -> start (reads what is recorded, once) -> feed (each new record, once)
 *           -> verdict, at any time -> report
 *
 * Pure: it looks at a recording only through core/reader.h, and has no clock and no threads.
 * Ownership: judge_free gives everything back; spans passed in are copied.
 * Threads: one judge belongs to one thread at a time.
 * Errors: a malformed expectation is data: struct judge_error says where, with the caret's column, and what
 * was expected there.
 * Limits: past one of JUDGE_* below, judge_parse fails and names it. Past one of private.h (steps of matching, pairs,
 * values kept), judge_start and judge_take_* fail.
 * Source: statwit-expect(7); server/decisions/0010-three-verdicts.md.
 */
#ifndef JUDGE_JUDGE_H
#define JUDGE_JUDGE_H

#include "core/reader.h"
#include <jansson.h>

#define JUDGE_EXPECTATION_MAX  65536  /* bytes of one expectation */
#define JUDGE_EXPECTATIONS_MAX 100000 /* of one question */
#define JUDGE_CLAUSES_MAX      256    /* joined by `and` */
#define JUDGE_CONDITIONS_MAX   256    /* behind `where`, joined by `and` */

/* How long a question may wait, however it is asked: a `within` line, --within, within_ms; and for quiet. */
#define JUDGE_WITHIN_MS_MAX   86400000
#define JUDGE_WITHIN_TOO_LONG "longer than the limit of 24h (within)"
#define JUDGE_SETTLE_MS_MAX   600000
#define JUDGE_SETTLE_TOO_LONG "longer than the limit of 10m (settle)"
/* When data never stops coming, the verdict is given this many times settle_ms after the deadline. */
#define JUDGE_SETTLES_MAX 10

enum verdict { VERDICT_PASS, VERDICT_FAIL, VERDICT_INCONCLUSIVE };
const char *verdict_word(enum verdict verdict); /* "pass", "fail", "inconclusive" */

struct judge_options {
    /* Name of the judged session. p == NULL: that of a `session` line, else the default session. EVERY_SESSION: all sessions
     * as one. */
    struct span session;
    bool no_everywhere; /* `no` claims and all_covered look at every session, whatever `session` says */
    uint64_t since;     /* a mark: only records after it count; 0: all */
    uint64_t until;     /* a mark: only records up to it count, and no later ones are taken; 0: no bound */
    uint64_t earlier; /* records before `since` where the user gave no `since`; the report names the number */
    struct span prefix;      /* put before every name, as a line `prefix P` in a file does */
    struct span ignore_tags; /* "env,host": keys left out of comparisons, as a line `ignore-tags …` does */
    /* Addresses that the session is reached at, for a failure when nothing at all arrived. */
    struct span listening;
    bool all_covered; /* every recorded series must be named by some expectation */
    bool no_rejects;  /* one more claim: `no reject *` */
    bool
        as_datadog; /* as a line `as datadog` says; the caller hands a reader of that view (flushed/flushed.h) */
    bool values;    /* each expectation ends with a STAT alone: it asks for that number, and claims nothing */
};

/* Where an expectation came from: for reports and GitHub annotations. */
struct judge_source {
    struct span text; /* one expectation, or a whole file: lines, `#` comments, blank lines,
                         prefix/ignore-tags/within/session/as lines */
    struct span file; /* p == NULL: the command line or the API */
};

struct judge_error {
    struct span file;  /* the judge_source's; else p == NULL */
    size_t line;       /* from 1 */
    size_t column;     /* bytes from 1 */
    char message[256]; /* "expected a number after '>='" */
    char excerpt[320]; /* the line and a caret under the place, two lines, ready to print */
};

struct judge;
/* NULL with *error filled when one is malformed, or when out of memory. */
struct judge *judge_parse(const struct judge_source *sources, size_t n, const struct judge_options *options,
                          struct judge_error *error);
void judge_free(struct judge *j);
/* The longest `within` line of the files, in milliseconds; -1: none. */
int64_t judge_within_ms(const struct judge *j);
/* Whether the answer may need single samples, not only the summaries of series. */
bool judge_reads_samples(const struct judge *j);

/* What a `session` line names, where the options name none; p == NULL: none. Then `no` claims look at that session alone. */
struct span judge_session_line(const struct judge *j);

/* Whether the options, or an `as datadog` line of each source, ask for what Datadog has, instead of what was sent. */
bool judge_as_datadog(const struct judge *j);

/* Whether one of the expectations is a `no` claim. */
bool judge_has_no(const struct judge *j);

/* The mark behind which records are judged, and that up to which they are. */
uint64_t judge_since(const struct judge *j);
uint64_t judge_until(const struct judge *j);
/* Whether `since` can be a mark of the recording whose newest record is last_id; if not, err says so. A mark of another
 * recording would hide every record, and each `no` would pass. */
bool judge_knows_mark(const struct judge *j, uint64_t last_id, struct err *err);
bool judge_is_mark(uint64_t since, uint64_t last_id, struct err *err);
/* Reads everything recorded so far that can matter. Call once, between reader_begin and reader_end. */
int judge_start(struct judge *j, struct reader *reader, struct err *err);
/* The newest record id that judge_start took into account: feed only later ones, in order. */
uint64_t judge_seen(const struct judge *j);
/* Whether the judge is within its limits. If not, err names the limit, and the judge takes no more records. */
bool judge_within_limits(const struct judge *j, struct err *err);
/* New records of any session, each once; a record that matters to no expectation costs little. `series`
 * before the first sample of a series that judge_start did not see. */
int judge_take_series(struct judge *j, const struct series_row *row);
int judge_take_sample(struct judge *j, const struct sample_row *row);
int judge_take_event(struct judge *j, const struct event_row *row);
int judge_take_check(struct judge *j, const struct check_row *row);
int judge_take_reject(struct judge *j, const struct reject_row *row);
int judge_take_loss(struct judge *j, const struct loss_row *row);
/* These six. The taker is the judge. */
extern const struct record_taker judge_takes;

/* All expectations together: fail before inconclusive before pass. */
enum verdict judge_verdict(struct judge *j);
/* Whether every series is covered; pass when nobody asks (all_covered). judge_verdict takes it in. */
enum verdict judge_covered(struct judge *j);
/* Whether waiting can end: no later record can turn the verdict into a pass, and none of the claims fails only because it waits still. */
bool judge_final(struct judge *j);

/* The answer of POST /recorder/v1/expect, but for "waited_ms":
 *
 *     {"verdict",
 *      "results": [{"expectation", "verdict", "observed", "why", "pattern"?,
 *                   "clauses": […], "series": […], "closest": […], "file"?, "line"?}],
 *      "losses": […], "uncovered"?: […], "earlier"?, "text"}
 *
 * "observed" and "why" are sentences; "clauses" has the numbers; "text" is report_text without colour.
 * It reads the recording again to explain (closest series, other sessions, rejects), so call it between reader_begin and
 * reader_end. Returns a new reference, or NULL with err. report.h turns it into text, JUnit XML, TAP and annotations. */
json_t *judge_report(struct judge *j, struct reader *reader, struct err *err);
/* Whether that takes a reader: something failed, or refused lines may be near to what passed. */
bool judge_report_reads(struct judge *j);

#endif
