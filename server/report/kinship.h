/* How the name of what was recorded relates to the name that an expectation asks for.
 *
 * A client can send a name in another form than its author thinks of: with a prefix, with the tags in the name, cut at a ':'
 * or by lengths in characters. Each form is a kinship, and has its sentence (marks.c).
 *
 * Ownership: what is made here points into the expectation and into the recorded name.
 * Threads: any. Limits: what it takes is counted in steps, for the caller to bound.
 */
#ifndef REPORT_KINSHIP_H
#define REPORT_KINSHIP_H

#include "core/distance.h"
#include "judge/evaluate/match.h"

/* In the order in which they are told: an earlier one explains better. */
enum kinship {
    KIN_SAME,
    KIN_CASE,           /* but for upper and lower case */
    KIN_BLANKS,         /* but for blanks or control characters around it */
    KIN_COLON,          /* it is the expected one up to the first ':' */
    KIN_CUT,            /* an event's title, cut by lengths in its header that are too small */
    KIN_OVERRUN,        /* an event's title that goes on behind its '|', as the length is too great */
    KIN_PREFIX_MISSING, /* the recorded one lacks a prefix */
    KIN_PREFIX_EXTRA,   /* the recorded one has a prefix */
    KIN_END_MISSING,    /* the recorded one lacks the last part */
    KIN_END_EXTRA,      /* the recorded one goes on */
    KIN_FORM,           /* the aggregated form of a metric */
    KIN_NEAR,           /* a few edits away */
    KIN_NONE
};

/* Other clients write the tags into the name. */
#define DIALECTS(X)                                                                                          \
    X(DIALECT_INFLUXDB, "InfluxDB") /* name,key=value,key=value */                                           \
    X(DIALECT_LIBRATO, "Librato")   /* name#key=value,key=value */                                           \
    X(DIALECT_GRAPHITE, "Graphite") /* name;key=value;key=value */                                           \
    X(DIALECT_ISTIO, "Istio")       /* name.;.key=.=value.;.key=.=value */                                   \
    X(DIALECT_SIGNALFX, "SignalFx") /* name[key=value,key=value] */

enum dialect {
    DIALECT_NONE,
#define X(id, word) id,
    DIALECTS(X)
#undef X
};
/* "InfluxDB"; "" for none. */
const char *dialect_word(enum dialect dialect);
/* The dialect of a name that has tags in it, and the name before them: *base. */
enum dialect dialect_of(struct span name, struct span *base);
/* Whether one of the tags in such a name is this one: its value must be the same, byte for byte. */
bool dialect_has(struct span name, struct span key, struct span value);

/* An expectation, with what is worked out once. */
struct sought {
    const struct expectation *e;
    struct outline outline;
    struct span head; /* the name up to its first ':'; p == NULL: it has none, or is no metric's */
};
struct sought sought_of(const struct expectation *e);

/* A recorded name, with what is worked out once. */
struct named {
    struct span name;
    struct outline outline;
    enum dialect dialect;
    struct span base; /* before the tags in it */
    struct outline base_outline;
};
struct named named_of(struct span name);
/* The title of an event: it may hold any byte, and has no dialect. */
struct named named_title(struct span title);

struct kin {
    enum kinship how;
    size_t edits;         /* KIN_NEAR */
    enum dialect dialect; /* then the rest is about the name before the tags in it */
};
/* limit: edits that are still of interest. */
struct kin kin_of(const struct sought *w, const struct named *n, size_t limit, uint64_t *steps);
/* The title of an event with this text, whose lengths may be wrong. */
struct kin kin_of_title(const struct sought *w, const struct named *n, struct span text, size_t limit,
                        uint64_t *steps);
/* How much the name counts among the differences; 0: KIN_SAME. */
unsigned kin_score(const struct kin *kin);

/* KIN_PREFIX_MISSING, KIN_PREFIX_EXTRA: the prefix, a piece of the expected or of the recorded name. */
struct span kin_prefix(const struct kin *kin, const struct expectation *e, struct span name);
/* KIN_END_MISSING, KIN_END_EXTRA: the end, in the same way. */
struct span kin_end(const struct kin *kin, const struct expectation *e, struct span name);

#endif
