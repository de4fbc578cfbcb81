/* UTF-8 as Unicode defines it (no surrogates, nothing above U+10FFFF, shortest form). Threads: any. */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H

#include "core/span.h"
#include <stdint.h>

bool utf8_valid(struct span s);
/* The length of the character at s (1 to 4), or 0 when the first byte does not start a valid one. s.n > 0. */
size_t utf8_length(struct span s);
/* Where utf8_length is 0: how many bytes one U+FFFD stands for, as the WHATWG decoder counts them (the
 * longest beginning of a character, else one byte). */
size_t utf8_invalid_length(struct span s);
#define UTF8_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */
/* The character at s, or U+FFFD for bytes that are none; *taken: how many bytes of s that is. s.n > 0. What becomes of
 * text that the Agent or Datadog mends is another matter: decode/intake counts as Go does. */
struct span utf8_mended(struct span s, size_t *taken);
/* The code point at s, given its length. */
uint32_t utf8_decode(struct span s, size_t length);
/* Whether a line that holds this character reads as what it is: no control, and none that reorders or hides what stands around
 * it. Others must not reach a terminal, nor a report. */
bool utf8_visible(uint32_t point);

#endif
