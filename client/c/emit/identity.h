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

/* ---- looking whether a sample has an identity, without making it ---- */

/* What follows the string and its NUL at `at`; NULL: there is another one. Most strings are short: a call would take longer. Two bytes a turn:
 * half of what an aggregated call costs is this loop. */
static inline const char *identity_behind(const char *at, const char *string) {
    for (; *at == *string; at += 2, string += 2) {
        if (!string[0])
            return at + 1;
        if (at[1] != string[1])
            return NULL;
        if (!string[1])
            return at + 2;
    }
    return NULL;
}

static inline const char *identity_behind_tag(const char *at, const struct statwit_tag *tag) {
    at = identity_behind(at, tag->key);
    if (!at || *at != (tag->value ? '=' : '-'))
        return NULL;
    return tag->value ? identity_behind(at + 1, tag->value) : at + 1;
}

/* Whether identity_make would give these bytes, which are those of some identity, for a sample without scopes. Says no, too, to an
 * instance, a cardinality and a set. */
static inline bool identity_is(const char *bytes, size_t size, const struct sample *sample) {
    const struct statwit_call *call = sample->call;
    if (*bytes != (char)('a' + sample->type) || call->instance || call->cardinality ||
        sample->type == STATWIT_SET)
        return false;
    const char *at = identity_behind(bytes + 1, sample->key);
    if (at && sample_packs(sample))
        at = memcmp(at, &sample->rate, sizeof sample->rate) == 0 ? at + sizeof sample->rate : NULL;
    for (const struct statwit_tag *tag = call->tags; at && tag && tag->key; tag++)
        at = at < bytes + size ? identity_behind_tag(at, tag) : NULL;
    return at == bytes + size;
}

#endif
