/* Reading JSON one value at a time, straight from the body: no tree, no recursion, bounded memory.
 *
 *     pull_enter(p);                          {"metric":"a","points":[[1,2]]}
 *     while (pull_key(p, &key)) …             ^^^^^^^^^  then read or skip the value
 *
 * It reads what Go's encoding/json reads, and also the bare words NaN, Infinity and -Infinity, which Python
 * clients send. Strings come out as Go has them: what is not UTF-8 and lone surrogates become U+FFFD.
 * Ownership: spans point into the body, or into `scratch` where a string had to be rewritten.
 * Errors: sticky; the first one is kept in Go's words, every later call returns false.
 * Limits: nested PULL_DEPTH_MAX deep.
 */
#ifndef DECODE_INTAKE_PULL_H
#define DECODE_INTAKE_PULL_H

#include "core/arena.h"

#define PULL_DEPTH_MAX 10000

enum pull_kind {
    PULL_NOTHING, /* an error, or the end */
    PULL_OBJECT,
    PULL_ARRAY,
    PULL_STRING,
    PULL_NUMBER, /* NaN and the infinities too */
    PULL_BOOLEAN,
    PULL_NULL,
};

struct pull {
    struct span body;
    size_t at;
    struct arena *scratch;
    bool fresh; /* a container was entered and holds nothing yet */
    bool failed;
    char error[128];
};

void pull_start(struct pull *p, struct span body, struct arena *scratch);
/* The kind of the next value. Does not move past it. */
enum pull_kind pull_kind(struct pull *p);
/* Past the '{' or '[' that pull_kind saw. */
void pull_enter(struct pull *p);
/* The next member's key, leaving its value to be read or skipped; false after the last one, past the '}'. */
bool pull_key(struct pull *p, struct span *key);
/* Whether there is another element, which is to be read or skipped; false after the last one, past the ']'.
 */
bool pull_element(struct pull *p);
bool pull_string(struct pull *p, struct span *text);
/* The number and how it is written. One that does not fit a double gives an infinity. */
bool pull_number(struct pull *p, double *value, struct span *text);
/* Past a whole value of any kind; *raw (may be NULL) is its text. */
bool pull_skip(struct pull *p, struct span *raw);
/* Whether nothing but blanks is left. */
bool pull_finish(struct pull *p);

#endif
