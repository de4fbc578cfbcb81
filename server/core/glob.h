/* Globs: `*` any bytes, `?` one UTF-8 character (or one byte that is not UTF-8), everything else itself. No escapes.
 *
 * Linear in practice and bounded by construction: a match takes at most pattern.n * text.n steps, no recursion.
 * Threads: any.
 */
#ifndef CORE_GLOB_H
#define CORE_GLOB_H

#include "core/span.h"
#include <stdint.h>

bool glob_match(struct span pattern, struct span text);
/* The same; adds the steps it took, for those who bound the work of many matches. */
bool glob_match_counted(struct span pattern, struct span text, uint64_t *steps);
/* Whether the pattern holds a wildcard at all. */
bool glob_is_pattern(struct span pattern);

#endif
