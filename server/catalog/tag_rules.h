/* The rules of a catalog for tags, found by key, and their allowed values, found by value: both may be many.
 *
 * Ownership: borrows the catalog's tags; tag_rules_free.
 * Threads: one at a time.
 * Errors: -1, or `failed`: out of memory.
 */
#ifndef CATALOG_TAG_RULES_H
#define CATALOG_TAG_RULES_H

#include "catalog/catalog.h"
#include "catalog/numbering.h"

struct tag_rule {
    const struct catalog_tag *tag;
    bool has_values;           /* the three below are filled */
    struct numbering literals; /* the values without wildcards */
    size_t n_globs;
    struct span *globs;
};

struct tag_rules {
    size_t n;
    struct tag_rule *list; /* in the catalog's order; of the same key twice, the first */
    struct numbering keys; /* when they are many */
    bool failed;
};

int tag_rules_build(struct tag_rules *rules, size_t n, const struct catalog_tag *tags);
/* NULL: none for that key. Adds to *steps what it took. */
struct tag_rule *tag_rules_find(const struct tag_rules *rules, struct span key, uint64_t *steps);
/* Whether the value is one that the rule allows. */
bool tag_rules_allow(struct tag_rules *rules, struct tag_rule *rule, struct span value, uint64_t *steps);
void tag_rules_free(struct tag_rules *rules);

#endif
