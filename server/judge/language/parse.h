/* Text to expectations.
 *
 *     source      = line *("\n" line)
 *     line        = [directive | expectation] ["#" comment]     ; a comment starts the line or follows a blank
 *     directive   = "prefix" NAME | "ignore-tags" KEY *("," KEY) | "within" DURATION
 *     expectation = ["no"] TYPE NAME ["{" tags "}" | "[" tags "]"] [clause *("and" clause)]
 *     clause      = STAT OP VALUE ["+-" TOLERANCE]
 *
 * Ownership: parsed_free gives everything back; nothing points into the sources.
 * Errors: -1 with *error filled: line, column, what was expected there.
 * Limits: JUDGE_* of judge.h, PARSE_* below.
 */
#ifndef JUDGE_LANGUAGE_PARSE_H
#define JUDGE_LANGUAGE_PARSE_H

#include "core/arena.h"
#include "judge/judge.h"
#include "judge/language/expectation.h"

#define PARSE_PATTERN_MAX 1024 /* bytes of a name or value with wildcards */
#define PARSE_TERMS_MAX   256  /* tags of one expectation */
#define PARSE_PREFIX_MAX  4096 /* bytes: each expectation has a copy */

struct parsed {
    struct arena arena;
    struct expectation *list;
    size_t n, cap;
    int64_t within_ms; /* -1: no `within` line */
    /* From the options, and the same for all sources. Kept once, since there may be 100,000 expectations. */
    struct span prefix;
    struct ignored *ignored; /* NULL: not read yet */
};

int parse_source(struct parsed *out, const struct judge_source *source, const struct judge_options *options,
                 struct judge_error *error);
void parsed_free(struct parsed *parsed);

/* --- shared by the files of the parser ------------------------------------------------------------------- */

/* Reading one line. */
struct cursor {
    struct span line;
    size_t at;
    size_t line_number;
    struct span file;
    struct arena *arena;
    struct judge_error *error;
};

/* Fills the error for the byte at offset `at` of the line. Always -1. */
int cursor_fail(struct cursor *c, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* -1 for running out of memory. */
int cursor_no_memory(struct cursor *c);
void cursor_skip_blanks(struct cursor *c);
/* Whether only blanks and a comment are left; skips them then. */
bool cursor_at_end(struct cursor *c);
/* The bytes up to the next blank or end. */
struct span cursor_word(struct cursor *c);
/* At a '"': the text up to the closing one, with \" and \\ undone. */
int cursor_quoted(struct cursor *c, struct span *text);
/* "found 'x'" or "found the end", for messages. */
#define FOUND_SIZE 64
const char *cursor_found(const struct cursor *c, char text[FOUND_SIZE]);
/* "; did you mean 'x'?" or "". */
#define SUGGESTION_SIZE 64
const char *cursor_suggest(struct span word, size_t n, const struct span *words, char text[SUGGESTION_SIZE]);

/* One expectation; the cursor stands on its first byte. `e` comes zeroed. */
int parse_expectation(struct cursor *c, struct span prefix, struct expectation *e);
/* {…} or […]; the cursor stands on the bracket. */
int parse_tags(struct cursor *c, struct expectation *e);
/* STAT OP VALUE … up to the end of the line. */
int parse_clauses(struct cursor *c, struct expectation *e);
/* A name or a value that may hold wildcards: refused when it is too long for that. */
int parse_check_pattern(struct cursor *c, size_t at, struct span pattern);

#endif
