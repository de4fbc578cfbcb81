/* Private to api/query: a question of POST /api/v2/query/timeseries or scalar.
 *
 * v2.c reads it and runs it; v2_answer.c writes it down; scalar.c makes one number of each series.
 */
#ifndef API_QUERY_V2_H
#define API_QUERY_V2_H

#include "api/query/functions.h"

#include <jansson.h>

struct v2_asked {
    const char *name; /* formulas speak of it; may be NULL */
    struct span text;
    enum query_reduce reduce;
    const struct query_node *node;
};

/* One for each formula, or each query when there is none. */
struct v2_column {
    struct span name;
    const struct query_node *node;
    size_t limit; /* 0: none */
    bool ascending;
    struct query_table table;
};

struct v2_question {
    struct read *read;
    json_t *body;
    bool scalar;
    struct query_window window;
    struct arena arena;
    struct query_parse parse;
    struct query_error error;
    size_t n;
    struct v2_asked asked[QUERY_LIST_MAX];
    struct span names[QUERY_LIST_MAX];
    const struct query_node *nodes[QUERY_LIST_MAX];
    size_t n_columns;
    struct v2_column columns[QUERY_LIST_MAX];
};

/* One number for each group of the formula: each query's values are put together first (its aggregator), then the formula
 * is calculated with those. 0, or -1 with run->error. */
int scalar_evaluate(const struct v2_question *qn, struct query_run *run, const struct query_node *node,
                    int64_t shift_s, struct query_table *t);

/* false: out of memory, or refused: qn->error. */
bool v2_put_timeseries(struct buf *b, struct v2_question *qn);
bool v2_put_scalar(struct buf *b, struct v2_question *qn);

#endif
