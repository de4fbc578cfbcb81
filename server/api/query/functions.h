/* Private to api/query: the functions, one table: name, kinds of arguments, what they do.
 *
 * A function has one of three forms: of a value (abs), of a series' values over time (cumsum), or of a whole table
 * (top). Source: schema/protocol/datadog-http.md section 15.
 */
#ifndef API_QUERY_FUNCTIONS_H
#define API_QUERY_FUNCTIONS_H

#include "api/query/query.h"

struct query_call {
    struct query_run *run;
    const struct query_function *function;
    const struct query_argument *args;
    size_t n_args;
};

struct query_function {
    const char *name;
    const char *kinds; /* of the arguments after the query: n number, t text */
    size_t n_min;
    int64_t parameter; /* what the name holds: the span of ewma_5, the seconds of hour_before */
    const char *word;  /* the same: the "mean" of top5_mean */
    bool shifts;       /* it moves the window of the query inside */
    bool selects;      /* it chooses groups and changes no value */
    double (*point)(const struct query_call *call, double value);
    void (*series)(const struct query_call *call, const struct query_table *t, double *values);
    int (*table)(const struct query_call *call, struct query_table *t);
};

/* NULL: there is none. */
const struct query_function *function_find(struct span name);
/* The arguments that the function expects instead of these; NULL: these make sense. */
const char *function_check(const struct query_function *f, const struct query_argument *args, size_t n);
int function_apply(struct query_run *run, const struct query_node *call, struct query_table *t);
/* The seconds by which it moves the window. */
int64_t function_shift(const struct query_node *call);

/* One number for a series. */
enum query_reduce {
    REDUCE_NONE = -1,
    REDUCE_AVG,
    REDUCE_SUM,
    REDUCE_MIN,
    REDUCE_MAX,
    REDUCE_LAST,
    REDUCE_L2NORM,
    REDUCE_AREA,
    REDUCE_PERCENTILE, /* over all samples of the window at once */
};
enum query_reduce reduce_of(struct span word);
/* NAN: no value. */
double reduce_values(enum query_reduce how, const struct query_table *t, const double *values);
/* Keeps the `count` groups with the largest values (or smallest: ascending), in that order. false: out of memory. */
bool reduce_select(struct query_table *t, enum query_reduce how, size_t count, bool ascending);

#endif
