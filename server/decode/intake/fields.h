/* Private to decode/intake: fields of JSON objects, as forgiving as the clients are careless.
 *
 * null is the same as absent. A value of the wrong kind is skipped and noted, so that the object can be
 * rejected while its neighbours are read on.
 */
#ifndef DECODE_INTAKE_FIELDS_H
#define DECODE_INTAKE_FIELDS_H

#include "decode/intake/pull.h"
#include "decode/intake/series.h"

struct fields {
    struct pull *pull;
    bool tags_as_text;
    char wrong[96]; /* "tags must be a list of strings"; "" while all is well */
};

void fields_wrong(struct fields *f, const char *key, const char *wanted);
/* Each reads the value at hand. */
void field_string(struct fields *f, const char *key, struct span *text);
/* false, leaving *value, when it is absent or no number. */
bool field_number(struct fields *f, const char *key, double *value);
/* A number cut to int64. */
void field_integer(struct fields *f, const char *key, int64_t *value);
/* Tags: a list of strings; {} and null are none. Calls tag(arg, …) for each. With tags_as_text a text is read too: tags separated by
 * commas. */
void field_tags(struct fields *f, const char *key, void (*tag)(void *arg, struct span tag), void *arg);

/* The body {"series":[…]}: calls series(in, pull) for each element, which it reads. */
enum intake_status fields_series(struct intake *in, struct span body,
                                 void (*series)(struct intake *, struct pull *));
/* Whether the series at hand is a known one: then it has been read, up to its end. `kind` and `point` as below. */
bool fields_known_series(struct intake *in, struct pull *p, enum pull_kind kind,
                         void (*point)(struct intake *, struct pull *));
/* The members of a series, which started at `from`, are read. Rejects it, or reads its points, whose list stands at `points` (0: there is
 * none): calls point(in, pull) for each element that is a `kind`. */
void fields_end_series(const struct fields *f, struct intake *in, size_t from, bool known_type, size_t points,
                       enum pull_kind kind, void (*point)(struct intake *, struct pull *));
/* One point of the series at hand is not kept. */
void fields_reject_point(struct intake *in, enum reason reason, struct span raw);

/* The pull's error as the body's. */
enum intake_status fields_refuse(struct intake *in, const struct pull *p);
/* As Go calls it: "string". */
const char *fields_kind(enum pull_kind kind);
bool fields_equal(struct span key, const char *name);

#endif
