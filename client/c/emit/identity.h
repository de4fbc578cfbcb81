/* The identity of a series for aggregation: the raw strings of the call, one behind the other, neither merged
 * nor cleaned, and a hash of them.
 *
 * Two calls that are rendered differently never have one identity; calls that spell one series in two ways
 * (another order of tags) have two.
 *
 * Threads: any. scoped: there are scopes that count, and they are locked (scope_lock).
 * Limits: IDENTITY_MAX bytes; with more, overflow is set.
 */
#ifndef CLIENT_EMIT_IDENTITY_H
#define CLIENT_EMIT_IDENTITY_H

#include "emit/format.h"

#define IDENTITY_MAX   1000
#define IDENTITY_CHUNK 16 /* the hash reads in steps of this; what is behind the end is zero */

struct identity {
    struct line line; /* in bytes */
    uint64_t hash;
    char bytes[IDENTITY_MAX + IDENTITY_CHUNK];
};

/* Chooses the seed of the hash; before the first identity_make. */
void identity_prepare(void);
void identity_make(struct identity *identity, const struct sample *sample, bool scoped);
/* A hash of the key alone. */
unsigned identity_hash_key(const char *key);

#endif
