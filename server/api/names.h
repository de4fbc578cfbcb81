/* Private to api/: what a session's series hold, as Datadog spells it: names, hosts, tags.
 *
 * Names and tags are normalized; what Datadog would drop has no place here. `/recorder` shows them as they came.
 * Memory is one arena with a maximum; past it the lists are cut short and `arena.failed` is set. Texts are sorted,
 * without repeats.
 */
#ifndef API_NAMES_H
#define API_NAMES_H

#include "api/query/scope.h"
#include "api/read.h"

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

/* Which series are looked at. {0}: all. All conditions hold together. */
struct names_filter {
    struct span name; /* normalized; p == NULL: any */
    struct span host; /* p == NULL: any */
    double from_s;    /* the last sample is at least that new */
    const struct query_scope *tags;
    bool without_tags; /* take does not look at the tags */
};

/* A series: what the recording says, and its words. Valid until the callback returns. */
typedef int names_row_fn(void *arg, const struct series_row *row, const struct query_series *series);
int names_each(struct read *r, const struct names_filter *filter, names_row_fn *take, void *arg,
               struct err *err);

int names_metrics(struct read *r, const struct names_filter *filter, struct names *names, struct err *err);
int names_hosts(struct read *r, const struct names_filter *filter, struct names *names, struct err *err);

/* Whether the argument, which may be missing, is a filter of tags (env:ci AND NOT host:b*); else it has been answered. (metrics.c) */
bool read_tag_filter(struct http_request *rq, const char *name, struct arena *arena,
                     const struct query_scope **scope);

/* Datadog's type of a metric: count, rate, distribution, else gauge. */
const char *names_type(enum metric_type type);
/* A glob that lets every spelling by that is normalized to this name: what is no letter and no digit may have come from
 * other bytes. */
struct span names_spellings(struct arena *arena, struct span name);
/* A metric's name as Datadog spells it; {NULL, 0}: Datadog would drop it. */
struct span names_normal(struct arena *arena, struct span name);

#endif
