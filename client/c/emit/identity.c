#include "emit/identity.h"

#include "emit/health.h"
#include <sys/random.h>

/* ---- hash ---- */

/* Unknown to whoever chooses the strings, so that nobody can choose some that collide. */
static uint64_t seed;
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void make_seed(void) {
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (long)sizeof seed)
        seed = (uint64_t)clock_monotonic_ns();
}

void identity_prepare(void) {
    pthread_once(&seed_once, make_seed);
}

/* Both halves of the product, one over the other: every bit of the result depends on every bit of a and b. */
static inline uint64_t fold(uint64_t a, uint64_t b) {
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_chunks(const char *bytes, size_t size) {
    uint64_t hash = seed ^ size, words[2];
    for (size_t i = 0; i < size; i += sizeof words) {
        memcpy(words, bytes + i, sizeof words);
        hash = fold(words[0] ^ hash, words[1] ^ 0x9e3779b97f4a7c15u);
    }
    return hash;
}

unsigned identity_hash_key(const char *key) {
    unsigned hash = 2166136261u;
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 16777619u;
    return hash ^ hash >> 15;
}

/* ---- identity ---- */

/* With its NUL. */
static inline void put_string(struct line *line, const char *string) {
    size_t size = strlen(string) + 1;
    if (size > (size_t)(line->end - line->at)) {
        line->overflow = true;
        return;
    }
    line_copy(line->at, string, size);
    line->at += size;
}

static void put_tags(void *context, const struct statwit_tag *tags) {
    struct line *line = context;
    for (; tags && tags->key; tags++) {
        put_string(line, tags->key);
        line_char(line, tags->value ? '=' : '-');
        if (tags->value)
            put_string(line, tags->value);
    }
}

/* Every string is followed by its NUL and preceded by what it is, or, for a tag's key, followed by '=' or
 * '-'. */
void identity_make(struct identity *identity, const struct sample *sample, bool scoped) {
    const struct statwit_call *call = sample->call;
    struct line line = line_in(identity->bytes, IDENTITY_MAX);
    line_char(&line, (char)('a' + sample->type));
    put_string(&line, sample->key);
    if (sample_packs(sample))
        line_put(&line, (const char *)&sample->rate, sizeof sample->rate);
    if (scoped)
        scope_walk(put_tags, &line);
    put_tags(&line, call->tags);
    if (call->instance) {
        line_char(&line, '\2');
        put_string(&line, call->instance);
    }
    if (call->cardinality) {
        line_char(&line, '\3');
        put_string(&line, call->cardinality);
    }
    if (sample->type == STATWIT_SET) {
        line_char(&line, '\4');
        format_value(&line, sample);
    }
    memset(line.at, 0, IDENTITY_CHUNK);
    identity->hash = hash_chunks(identity->bytes, line_size(&line));
    identity->line = line;
}
