/* Numbers as Python's str() spells them, which is what the reference clients put on the wire.
 *
 * Threads: any. Locale: no influence on the result.
 * Limits: NUMBER_SIZE bytes are always enough, with the NUL.
 */
#ifndef CLIENT_EMIT_NUMBER_H
#define CLIENT_EMIT_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#define NUMBER_SIZE 32

/* Both return the length and end the text with NUL. */
size_t number_put_integer(char *text, int64_t value);
/* The shortest decimal that reads back as the same double: 0.1, 3.0, 1e+16, 1.5e-07, nan, inf, -inf. */
size_t number_put_real(char *text, double value);

#endif
