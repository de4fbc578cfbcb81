/* Errors of the environment: what failed and what to do about it, in one sentence for a person.
 *
 * Ownership: the caller's struct, on its stack; initialise with {0}.
 * The first error wins: a later err_set on the same struct changes nothing, so a function may report what it saw
 * and its caller may add its own fallback text without asking.
 * Bad input is not an error in this sense: see reason.h.
 */
#ifndef CORE_ERR_H
#define CORE_ERR_H

#include <stdbool.h>

struct err {
    bool set;
    int sys; /* the errno behind it, 0 when there is none */
    char text[480];
};

/* Always returns -1, so that a failing function can end with `return err_set(err, 0, "…")`.
 * sys != 0 appends ": " and the system's words for it. err may be NULL. */
int err_set(struct err *err, int sys, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Hands `why` on as it is, behind the name of what it is about unless its text has that. `of` may be NULL. Always -1. */
int err_pass(struct err *err, const struct err *why, const char *of);

#endif
