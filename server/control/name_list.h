/* Lists of names for /recorder/v1/metrics: what all series of a name and type come to.
 *
 * Ownership: the caller's struct; name_list_free.
 * Threads: one at a time.
 * Errors: -1 with err.
 * Limits: name_list_page gives at most NAME_LIST_PAGE_MAX rows. Where more than NAME_LIST_LOOKED_MAX names or series would have to be looked at, the
 * rest is left out, and `partial` is set.
 */
#ifndef CONTROL_NAME_LIST_H
#define CONTROL_NAME_LIST_H

#include "control/ask.h"
#include "core/arena.h"
#include "core/table.h"

#define NAME_LIST_PAGE_MAX   1000
#define NAME_LIST_LOOKED_MAX 250000
#define NAME_LIST_WORDS_MAX  32
#define NAME_LIST_MEMORY_MAX ((size_t)256 << 20) /* bytes of their texts */

/* In the order of the words in name_list_sort_of. */
enum name_list_sort {
    NAME_LIST_BY_NAME,
    NAME_LIST_BY_TYPE,
    NAME_LIST_BY_SERIES,
    NAME_LIST_BY_SAMPLES,
    NAME_LIST_BY_LAST_AT,
    NAME_LIST_N_SORTS
};
enum name_list_sort name_list_sort_of(struct span word); /* NAME_LIST_N_SORTS: it is none of them */

struct name_list_question {
    struct filter filter;
    size_t n_words; /* parts of the name, or globs over it */
    struct span words[NAME_LIST_WORDS_MAX];
    enum name_list_sort sort;
    bool descending;
    uint64_t offset, limit;
};

struct name_list {
    const struct name_list_question *q;
    struct reader *reader;
    struct arena arena;
    struct table by_hash;  /* of the list, while series are summed up */
    struct name_row *list; /* the page */
    size_t n, cap;
    uint64_t total; /* that match */
    bool partial, failed;
};

/* The rows of the page, in order. */
int name_list_page(struct name_list *l, struct reader *reader, const struct name_list_question *q,
                   struct err *err);
void name_list_free(struct name_list *l);

/* For name_list.c and name_list_slow.c. name_list_wanted: name_words.c. */
bool name_list_wanted(const struct name_list_question *q, struct span name);
int name_list_order(const struct name_list_question *q, const struct name_row *a, const struct name_row *b);
struct name_row name_list_copy(struct name_list *l, const struct name_row *row);
/* All that match, in any order, out of the series: of what name_rows cannot be asked for. */
int name_list_slow(struct name_list *l, struct err *err);

#endif
