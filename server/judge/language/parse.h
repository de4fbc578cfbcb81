/* Text to expectations.
 *
 *     source      = line *("\n" line)
 *     line        = [directive | expectation] ["#" comment]     ; a comment starts the line or follows a blank
 *     directive   = "prefix" NAME | "ignore-tags" KEY *("," KEY) | "within" DURATION | "session" NAME | "as" "datadog"
 *     expectation = ["no"] TYPE NAME ["{" tags "}" | "[" tags "]"] ["where" condition *("and" condition)]
 *                   [clause *("and" clause)]
 *     condition   = FIELD OP VALUE ["+-" TOLERANCE] | FIELD ("=~" | "!~") STRING
 *     clause      = STAT OP VALUE ["+-" TOLERANCE]
 *
 * The conditions end at the first word that no "and" precedes. With judge_options.values a single STAT stands where the clauses do.
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

#define PARSE_PATTERN_MAX      1024    /* bytes of a name or value with wildcards */
#define PARSE_TERMS_MAX        256     /* tags of one expectation */
#define PARSE_ALTERNATIVES_MAX 64      /* of (a|b) */
#define PARSE_REGEX_STEPS_MAX  1000000 /* what all regular expressions of a question unfold to */
#define PARSE_PREFIX_MAX       4096    /* bytes: each expectation has a copy */

struct parsed {
    struct arena arena;
    struct expectation *list;
    size_t n, cap;
    int64_t within_ms;        /* -1: no `within` line */
    struct span session;      /* of a `session` line; p == NULL: none */
    struct span session_file; /* where it stands */
    size_t session_line;
    size_t as_datadog_line; /* of the newest `as datadog` line; 0: none yet */
    bool values;            /* each asks for a number */
    size_t regex_steps;
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
    size_t *regex_steps; /* so far, of all sources */
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

/* The same of a word that is often written for another: "increment" for incr. */
struct span word_meant(struct span word, size_t n, const struct span *words);

/* One expectation; the cursor stands on its first byte. `e` comes zeroed. `values`: it ends with a STAT alone. */
int parse_expectation(struct cursor *c, struct span prefix, bool values, struct expectation *e);
/* {…} or […]; the cursor stands on the bracket. */
int parse_tags(struct cursor *c, struct expectation *e);
/* The conditions behind the word `where`, up to the first word that no `and` precedes. */
int parse_where(struct cursor *c, struct expectation *e);
/* STAT OP VALUE … up to the end of the line. */
int parse_clauses(struct cursor *c, struct expectation *e);
/* STAT and the end of the line. */
int parse_value(struct cursor *c, struct expectation *e);
/* Whether a condition about the subject can have this field. */
bool parse_is_field(const struct expectation *e, struct span word);
/* An operator, as it stands; OP_N with the cursor unmoved where there is none. */
enum op parse_op_word(struct cursor *c);
/* VALUE ["+-" TOLERANCE], for the op that stands before it. *end: where it ends. */
int parse_compared(struct cursor *c, struct clause *clause, size_t *end);
/* ok, warning, critical, unknown. */
int parse_status(struct cursor *c, struct clause *clause);
/* The text of a regular expression into the arena; `at` is where it stands in the line. */
int parse_regex(struct cursor *c, size_t at, struct span text, struct text_test *test);
/* One glob. */
int parse_glob(struct cursor *c, size_t at, struct span glob, struct text_test *test);
/* No operator stands here: what does, and what may be meant. Always -1. */
int parse_no_op(struct cursor *c, const char *ops);
/* A name or a value that may hold wildcards: refused when it is too long for that. */
int parse_check_pattern(struct cursor *c, size_t at, struct span pattern);

#endif
