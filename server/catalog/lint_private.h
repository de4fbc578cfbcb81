/* The inside of a lint run, for the files that hold its rules. */
#ifndef CATALOG_LINT_PRIVATE_H
#define CATALOG_LINT_PRIVATE_H

#include "catalog/lint.h"
#include "catalog/looks.h"
#include "catalog/numbering.h"

/* The facts about one metric name. */
struct lint_name {
    uint64_t series, samples;
    unsigned types;
    uint64_t silenced;
    const struct catalog_entry *entry; /* NULL: none */
    double min, max;                   /* of timings, histograms and distributions */
    bool measured;
    double least_count;       /* the most negative value of a count */
    uint64_t gauges, growing; /* series that are gauges; of them, those that only grow */
    uint64_t largest_line;
};

/* One finding in the making: a rule about a name, told once, however many series show it. */
struct lint_note {
    enum lint_rule rule;
    uint32_t name;
    uint64_t series;
    const char *what;    /* "event": what is counted instead of series; NULL: series */
    struct span subject; /* "Env:PROD" */
    struct span detail;  /* "env:prod" */
};

/* The values of one key of one name. */
struct lint_key {
    uint32_t name;
    struct span key;
    enum looks looks;
    struct span example;
    uint64_t distinct;
};

struct lint {
    const struct lint_options *options;
    struct reader *reader;
    struct findings findings;
    struct effort own_effort, *effort;
    struct arena arena;
    struct numbering names;
    size_t cap_names;
    struct lint_name *of_names;
    struct numbering tags; /* every different tag, so that each is normalised once */
    size_t cap_tags;
    struct lint_tag *of_tags;
    struct numbering keys; /* every different key */
    struct table noted;    /* (rule, name, subject) to the place in notes */
    size_t n_notes, cap_notes;
    struct lint_note *notes;
    struct table pairs; /* (name, key) to the place in by_key */
    size_t n_by_key, cap_by_key;
    struct lint_key *by_key;
    struct table seen_values; /* (name, tag) */
    struct table gauges; /* series that may only grow, as their samples must show, by id: the name's number */
    struct table seen;   /* scope_first */
    bool first;          /* the row is the first one of its series */
    bool failed;
};

/* A tag as Datadog stores it. */
struct lint_tag {
    unsigned normal; /* enum normal */
    struct span normal_text;
    uint32_t key;
    enum looks looks;
};

bool lint_silent(const struct lint *l, enum lint_rule rule, size_t name);
/* Counts one more series for (rule, name, subject). */
void lint_note(struct lint *l, enum lint_rule rule, size_t name, struct span subject, struct span detail);
/* Counts one more record for it, of which one is called `what` (a literal). */
void lint_note_of(struct lint *l, enum lint_rule rule, size_t name, struct span subject, struct span detail,
                  const char *what);
/* The same for n records. */
void lint_note_many(struct lint *l, enum lint_rule rule, size_t name, struct span subject, struct span detail,
                    const char *what, uint64_t n);
/* The number of a name; NUMBERING_NONE when out of memory. */
size_t lint_name_number(struct lint *l, struct span name);
/* Rules about the tags of an event or a check. */
void lint_tags(struct lint *l, size_t name, size_t n, const struct span *tags, const char *what);
/* Rules about what series do not show. Non-zero with err, or when `failed` or too much work. */
int lint_records(struct lint *l, struct reader *reader, struct err *err);
/* Rules about single series, as they come. */
void lint_series(struct lint *l, size_t name, const struct series_row *row);
/* Rules about a name as a whole, once all series are known. */
void lint_names(struct lint *l);
/* Rules about tag keys. */
void lint_keys(struct lint *l);

#endif
