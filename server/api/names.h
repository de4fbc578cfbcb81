/* Private to api/: what a session's series hold, gathered: names, hosts, tags.
 *
 * Memory is one arena with a maximum; past it the lists are cut short and `failed` is set. Texts are sorted,
 * without repeats.
 */
#ifndef API_NAMES_H
#define API_NAMES_H

#include "api/read.h"
#include "core/arena.h"

#define NAMES_MEMORY_MAX ((size_t)256 << 20)

struct names {
    struct arena arena;
    struct span *texts;
    size_t n, cap;
};

void names_add(struct names *names, struct span text);
/* Sorts and removes repeats: call once, after the last names_add. */
void names_sort(struct names *names);
void names_free(struct names *names);
void names_put(struct buf *b, const struct names *names);

/* The metric names with a series whose last sample is at least from_s old or newer; name: a glob, p == NULL:
 * all. */
int names_metrics(struct read *r, struct span name, double from_s, struct names *names, struct err *err);
int names_hosts(struct read *r, struct names *names, struct err *err);
/* Tags of one metric's series (name NULL: of all). */
int names_tags(struct read *r, struct span name, struct names *names, struct err *err);

#endif
