/* Private to api/: Datadog's query language and its evaluation over a recording.
 *
 *     100 * sum:http.errors{env:ci AND NOT host:b*} by {route}.as_count() / default_zero(sum:http.hits{*})
 *           ^   ^           ^                          ^      ^             ^
 *           |   name        scope (scope.h)            groups modifiers     functions (functions.h), + - * / ( )
 *           over the series of a group: avg sum min max count pNN; none: avg
 *
 * The way of a query: grammar.c and metric.c read the text into a tree of nodes; evaluate.c walks the tree; leaf.c
 * reads one metric's samples into a table of groups and times (table.h); v1.c and v2.c write the table down.
 *
 * Ownership: nodes and tables live in the caller's arena, their spans point into the text or that arena.
 * Threads: any, each with its own arena and reader.
 * Errors: a query that cannot be read or answered is a struct query_error with Datadog's status and words.
 * Limits: QUERY_* below; past one the answer is a 400 that names it.
 * Source: schema/protocol/datadog-http.md section 15.
 */
#ifndef API_QUERY_QUERY_H
#define API_QUERY_QUERY_H

#include "api/read.h"
#include "core/arena.h"

#define QUERY_TEXT_MAX    (32 << 10) /* bytes of one query or formula; v1: of all queries of a request */
#define QUERY_DEPTH_MAX   64         /* parentheses and functions within each other */
#define QUERY_STEPS_MAX   512        /* operators and functions of one query */
#define QUERY_LIST_MAX    256        /* queries, or formulas, of one request */
#define QUERY_METRICS_MAX 512        /* metrics that one request reads */
#define QUERY_SCOPE_MAX   1024       /* tags in the braces */
#define QUERY_GROUPS_MAX  16         /* keys after `by` */
#define QUERY_ARGS_MAX    4          /* arguments of a function */
#define QUERY_BUCKETS_MAX 11000      /* points of a series; a longer window has longer buckets */
#define QUERY_MEMORY_MAX  ((size_t)256 << 20)

struct query_error {
    unsigned status; /* 0: none */
    char text[480];
};

enum query_aggregate {
    QUERY_AVG,
    QUERY_SUM,
    QUERY_MIN,
    QUERY_MAX,
    QUERY_COUNT,
    QUERY_PERCENTILE, /* over series only */
};

enum query_fill { QUERY_FILL_NONE, QUERY_FILL_LINEAR, QUERY_FILL_LAST, QUERY_FILL_ZERO };

struct query_scope;
struct query_function;

struct query_metric {
    struct span aggregator; /* as written; p == NULL: none */
    enum query_aggregate over_series;
    double percentile;      /* 0 to 100 */
    struct span name;       /* normalized */
    struct span scope_text; /* between the braces, blanks cut */
    bool scope_has_words;   /* AND, parentheses, … */
    const struct query_scope *scope;
    size_t n_by;
    struct span by[QUERY_GROUPS_MAX]; /* normalized keys */
    struct span modifiers;            /* as written, from the first dot on */
    bool as_count, as_rate, weighted, has_rollup;
    enum query_aggregate over_time; /* with has_rollup */
    int64_t rollup_s;               /* 0: not given */
    enum query_fill fill;
    int64_t fill_s; /* how long after a point */
};

enum query_kind { QUERY_NUMBER, QUERY_METRIC, QUERY_CALL, QUERY_BINARY };

struct query_argument {
    double number;
    struct span word;
};

struct query_node {
    enum query_kind kind;
    double number;
    const struct query_metric *metric;
    struct span name; /* a metric of a formula: how the formula calls it */
    size_t index;     /* the same: which query it is */
    const struct query_function *function;
    size_t n_args; /* of a call, without the query that comes first */
    struct query_argument args[QUERY_ARGS_MAX];
    char op;                               /* + - * / */
    const struct query_node *left, *right; /* operands; of a call: left */
};

/* Which texts are read: everything; a metric alone; a formula over named queries. */
enum query_mode { QUERY_ANY, QUERY_ONE_METRIC, QUERY_FORMULA };

struct query_parse {
    enum query_mode mode;
    struct arena *arena;
    size_t n_metrics; /* read so far, of all texts */
    /* QUERY_FORMULA: the queries that it may name */
    size_t n_names;
    const struct span *names;
    const struct query_node *const *nodes;
};

/* Reads queries separated by commas (QUERY_ANY), else one. 0 with *n nodes and their texts, or -1 with error. */
int query_parse(struct query_parse *p, struct span text, size_t cap, const struct query_node **nodes,
                struct span *texts, size_t *n, struct query_error *error);

/* --- results ---------------------------------------------------------------------------------------------- */

/* A value at a time: a number, NAN (there is no point) or QUERY_NULL (a point without a value). */
#define QUERY_NULL ((double)INFINITY)

struct query_group {
    const struct span *tags; /* "key:value" in the order of `by`; p == NULL: the series has no such tag */
    double *values;
};

struct query_table {
    int64_t interval_s;
    size_t n_times;
    const int64_t *times; /* seconds, ascending */
    size_t n_by;
    const struct span *by;
    size_t n_groups;
    struct query_group *groups;
    bool has_default; /* in arithmetic a missing value is this one */
    double missing;
    struct span unit; /* p == NULL: none */
};

struct query_window {
    double from_s, to_s;
    int64_t interval_s; /* 0: as suits the window */
    bool whole;         /* one bucket for all of it */
};

struct query_run {
    struct read *read;
    struct arena *arena; /* of the tables */
    struct query_window window;
    struct query_error *error;
};

/* A sample counts as if it had come shift_s seconds earlier. */
int query_evaluate(struct query_run *run, const struct query_node *node, int64_t shift_s,
                   struct query_table *table);
/* The same of one metric. */
int query_leaf(struct query_run *run, const struct query_metric *metric, int64_t shift_s,
               struct query_table *table);

int query_refuse(struct query_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
int query_no_memory(struct query_error *error);

/* --- words.c: how an answer names a query ------------------------------------------------------------------ */

void query_put_name(struct buf *b, const struct query_node *node);
void query_put_scope(struct buf *b, const struct query_node *node, const struct query_table *t,
                     const struct query_group *group);
void query_put_expression(struct buf *b, const struct query_node *node, const struct query_table *t,
                          const struct query_group *group);
/* ["key:value",…] */
void query_put_tags(struct buf *b, const struct query_table *t, const struct query_group *group);
/* The first metric of a query. */
const struct query_node *query_first_metric(const struct query_node *node);

#endif
