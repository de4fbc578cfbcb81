/* Filling the caller's struct statwit_error.
 *
 * Threads: any. error may be NULL. A text that is too long is cut.
 */
#ifndef CLIENT_EMIT_ERROR_H
#define CLIENT_EMIT_ERROR_H

#include "statwit.h"

/* Always -1, so that a failing function can end with `return error_set(error, …)`. */
int error_set(struct statwit_error *error, enum statwit_error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int error_memory(struct statwit_error *error);

#endif
