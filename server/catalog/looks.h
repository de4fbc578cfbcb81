/* The looks of a tag value: plain, or like something that is new in every request.
 * Threads: any. */
#ifndef CATALOG_LOOKS_H
#define CATALOG_LOOKS_H

#include "core/span.h"

/* enum, what a person calls it, the pattern (pattern.h) that describes such values */
#define LOOKS(X)                                                                                             \
    X(LOOKS_PLAIN, "a plain value", "")                                                                      \
    X(LOOKS_UUID, "a UUID",                                                                                  \
      ".*[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}.*")                     \
    X(LOOKS_EMAIL, "an e-mail address", "[^@]+@[^@]+")                                                       \
    X(LOOKS_TIME, "a timestamp", "[0-9].*")                                                                  \
    X(LOOKS_NUMBER, "a long number", "-?[0-9]+")                                                             \
    X(LOOKS_HASH, "a hash", "(0x)?[0-9A-Fa-f]+")

enum looks {
#define X(id, word, pattern) id,
    LOOKS(X)
#undef X
        LOOKS_N
};

enum looks looks_like(struct span value);
const char *looks_word(enum looks looks);
const char *looks_pattern(enum looks looks);

#endif
