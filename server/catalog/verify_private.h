/* What the two halves of verify share: verify.c holds series and samples to the catalog, verify_report.c says what came of it.
 * Ownership, threads: one struct verify lives for one catalog_verify, on its stack. */
#ifndef CATALOG_VERIFY_PRIVATE_H
#define CATALOG_VERIFY_PRIVATE_H

#include "catalog/table.h"
#include "catalog/verify.h"

struct violation {
    struct violation *next;
    enum verify_rule rule;
    struct span tag;
    uint64_t series, newest_series; /* how many show it; the id of the newest */
    struct span example, detail;
};

struct distinct {
    struct distinct *next;
    struct span tag;
    uint64_t max;
    struct table values;
};

struct entry_state {
    uint64_t series, samples;
    struct violation *violations, **tail;
    struct distinct *distinct;
};

struct undeclared {
    uint64_t series;
    struct span example;
};

struct verify {
    const struct catalog *catalog;
    const struct verify_options *options;
    struct findings findings;
    struct arena arena;   /* violations */
    struct arena scratch; /* of one series */
    struct entry_state *states;
    struct numbering names; /* undeclared */
    size_t cap_undeclared;
    struct undeclared *undeclared;
    struct table
        sampled;       /* series that need the second pass, by id: the entry's number and what to look at */
    struct table seen; /* scope_first */
    bool first;        /* the row is the first one of its series */
    bool failed;
};

/* One result for each violation, entry and undeclared name. New reference; NULL with err. */
json_t *verify_report(struct verify *v, struct err *err);

#endif
