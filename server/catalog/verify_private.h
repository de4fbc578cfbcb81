/* Shared by the parts of verify: verify.c holds series and samples to the catalog, verify_tags.c their tags, verify_notes.c
 * keeps what does not fit, verify_report.c says what came of it.
 * Ownership, threads: one struct verify lives for one catalog_verify, on its stack. */
#ifndef CATALOG_VERIFY_PRIVATE_H
#define CATALOG_VERIFY_PRIVATE_H

#include "catalog/effort.h"
#include "catalog/tag_rules.h"
#include "catalog/verify.h"

struct violation {
    struct violation *next;
    enum verify_rule rule;
    struct span tag;
    uint64_t series, newest_series; /* how many show it; the id of the newest */
    struct span example, detail;
    uint64_t more_tags; /* > 0: instead of one tag, so many that are not listed one by one */
};

/* The values of one tag of one entry. */
struct distinct_values {
    struct distinct_values *next;
    struct span tag;
    uint64_t max;
    struct table values;
};

/* A tag that every series of the entry must have. */
struct required {
    struct span tag;                /* p == NULL: it does not count here */
    uint64_t series, newest_series; /* how many have it; the id of the newest */
    struct violation *missed;       /* NULL: no series lacked it so far, or it is not listed */
};

struct entry_state {
    uint64_t series, samples;
    struct violation *violations, **tail;
    struct distinct_values *distinct;
    bool has_rules; /* what follows is filled: by the first series */
    struct tag_rules rules;
    struct required *required; /* for each rule of the entry, then for each of the catalog */
    size_t n_open;
    uint32_t *open;           /* the places of those that all series had so far */
    uint64_t refused;         /* lines of that name */
    struct span refused_text; /* the first of them */
    enum reason refused_why;
};

struct undeclared {
    uint64_t series;
    struct span example;
};

/* The rules that one entry needs a series' samples for. */
struct look {
    uint32_t entry, next; /* next: place of the series' next look + 1; 0: none */
    unsigned looks;
};

struct verify {
    const struct catalog *catalog;
    const struct verify_options *options;
    struct findings findings;
    struct effort own_effort, *effort;
    struct arena arena;   /* violations */
    struct arena scratch; /* of one series */
    struct entry_state *states;
    struct tag_rules rules; /* of the catalog, for every entry */
    struct numbering ignored;
    struct numbering names; /* undeclared */
    size_t cap_undeclared;
    struct undeclared *undeclared;
    struct table noted;  /* (entry, rule, tag) to its place in violations */
    struct table listed; /* (entry, rule) to how many tags are listed */
    size_t n_violations, cap_violations;
    struct violation **violations;
    struct table distinct; /* (entry, rule for a tag) to its place in distincts */
    size_t n_distincts, cap_distincts;
    struct distinct_values **distincts;
    struct table sampled; /* series that need the second pass, by id: the place of its first look + 1 */
    size_t n_looks, cap_looks;
    struct look *looks;
    unsigned all_looks; /* what any of them looks for */
    size_t n_explained; /* undeclared tags for which a look-alike was searched */
    uint64_t similar_steps;
    struct table seen; /* scope_first */
    bool first;        /* the row is the first one of its series */
    bool failed;
};

/* Counts one more series that breaks the rule; `tag` is the tag that it is about. NULL: kept, but not listed by itself. */
struct violation *verify_note(struct verify *v, size_t entry, enum verify_rule rule, struct span tag,
                              const struct series_row *row, struct span detail);
/* The series' tags, host and device. */
void verify_tags(struct verify *v, size_t entry, const struct series_row *row);
/* How many series lacked each required tag, once all have been seen. */
void verify_count_missing(struct verify *v, size_t entry);
/* The rule for a key; NULL: none. */
const struct catalog_tag *verify_tag_of(struct verify *v, size_t entry, struct span key);
/* Text that a report can hold; in the scratch arena when it had to be changed. */
struct span verify_clean(struct verify *v, struct span s);
void verify_tags_free(struct verify *v);
/* Which refused lines are of declared metrics. */
int verify_read_refused(struct verify *v, struct reader *reader, struct err *err);
/* "2 lines were refused, as an Agent would: a:x|c (invalid_value: …)" */
void verify_put_refused(const struct entry_state *state, struct buf *why);

/* One result for each violation, entry and undeclared name. New reference; NULL with err. */
json_t *verify_report(struct verify *v, struct err *err);

#endif
