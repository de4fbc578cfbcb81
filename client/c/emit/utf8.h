/* UTF-8 as RFC 3629 has it: shortest forms only, no surrogates, up to U+10FFFF.
 *
 * Threads: any.
 */
#ifndef CLIENT_EMIT_UTF8_H
#define CLIENT_EMIT_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the character that starts at text, 1 to 4; 0 when it is not UTF-8 (or size is 0). */
size_t utf8_bytes(const char *text, size_t size);
/* The character of n bytes (as utf8_bytes told). */
uint32_t utf8_char(const char *text, size_t n);

#endif
