/* Patterns for texts, tag values above all: regular expressions that cannot blow up.
 *
 *     ci-[0-9]+      (eu|us)-west-\d{1,2}      [a-z_]+      .*
 *
 * A pattern describes the whole value. Understood: literals, `.`, `[…]` and `[^…]` with ranges, `\d \w \s`,
 * `\` before any punctuation, groups `( | )`, and `* + ? {n} {n,} {n,m}`. `^` at the start and `$` at the end
 * change nothing. Not understood, and refused: back references, look-around, lazy quantifiers. Works on
 * bytes.
 *
 * No backtracking: a match takes at most PATTERN_STEPS_MAX steps for each byte of the value, whatever the
 * pattern. Ownership: in the caller's arena. Threads: pattern_match from any.
 */
#ifndef CORE_PATTERN_H
#define CORE_PATTERN_H

#include "core/arena.h"

#include <stdint.h>

#define PATTERN_MAX       512  /* bytes of a pattern */
#define PATTERN_STEPS_MAX 1024 /* what {n,m} and groups may unfold to */
#define PATTERN_DEPTH_MAX 16   /* groups within groups */

struct pattern_error {
    size_t offset; /* bytes into the pattern */
    char message[128];
};

struct pattern;
/* NULL with *error filled. */
struct pattern *pattern_compile(struct arena *arena, struct span text, struct pattern_error *error);
/* The steps that it unfolded to. */
size_t pattern_size(const struct pattern *p);
bool pattern_match(const struct pattern *p, struct span value);
/* The same; adds the steps it took, for those who bound the work of many matches. */
bool pattern_match_counted(const struct pattern *p, struct span value, uint64_t *steps);

#endif
