/* Private to the parser: a place in a text, and what its files share.
 *
 * A function that returns bool or a pointer has, on false or NULL, told with parser_fail what it expected where.
 */
#ifndef API_QUERY_PARSER_H
#define API_QUERY_PARSER_H

#include "api/query/query.h"

struct parser {
    struct query_parse *p;
    struct span text;
    size_t at;
    unsigned depth;
    size_t steps;
    /* What went wrong: the first one stays. */
    const char *rule; /* Datadog's name for the part of the grammar */
    const char *expected;
    size_t failed_at;
    const char *words; /* Datadog's whole answer, instead of rule and place */
};

bool parser_fail(struct parser *p, const char *rule, const char *expected);
void parser_blanks(struct parser *p);
/* The byte after blanks; '\0' at the end. */
char parser_peek(struct parser *p);
/* Takes the byte after blanks. */
bool parser_take(struct parser *p, char c);
/* A run of letters, digits, '_' and '.' after blanks that begins with a letter; n == 0: there is none. */
struct span parser_word(struct parser *p);
/* 1.5, .5, 1e3, without a sign. */
bool parser_number(struct parser *p, double *value);
/* A word or a text in quotes. */
bool parser_text(struct parser *p, struct span *text);
bool parser_enter(struct parser *p);
void parser_leave(struct parser *p);
void *parser_alloc(struct parser *p, size_t n);

/* metric.c. `aggregator` has been read when p != NULL, and the name. */
struct query_metric *parser_metric(struct parser *p, struct span aggregator, struct span name);
/* -1: none */
int parser_aggregate(struct span word);
/* scope.c: between the braces, up to '}' which is left. NULL without an error cannot be. */
const struct query_scope *parser_scope(struct parser *p, bool *has_words);

#endif
