#include "agent/private.h"

#include "core/glob.h"
#include <xxhash.h>

#define INDEX_MIN   1024
#define ALIASES_MAX 2000000 /* then they are looked for anew */

/* --- what tells one context from another -------------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

int agent_sort_tags(struct agent *a, const struct agent_sample *s, size_t *n_tags, struct err *err) {
    if (s->n_tags > a->cap_tags) {
        struct span *tags = realloc(a->tags, s->n_tags * sizeof *tags);
        if (!tags)
            return agent_no_memory(err);
        a->tags = tags;
        a->cap_tags = s->n_tags;
    }
    size_t n = 0;
    if (s->n_tags) {
        memcpy(a->tags, s->tags, s->n_tags * sizeof *s->tags);
        qsort(a->tags, s->n_tags, sizeof *a->tags, by_bytes);
    }
    for (size_t i = 0; i < s->n_tags; i++)
        if (n == 0 || !span_eq(a->tags[n - 1], a->tags[i]))
            a->tags[n++] = a->tags[i];
    *n_tags = n;
    return 0;
}

static void put_part(struct buf *key, struct span part) {
    buf_add(key, &part.n, sizeof part.n);
    buf_span(key, part);
}

/* Name, host and tags, each behind its length, in a->key. */
static int make_key(struct agent *a, const struct agent_sample *s, size_t *n_tags, struct err *err) {
    if (agent_sort_tags(a, s, n_tags, err) != 0)
        return -1;
    buf_clear(&a->key);
    put_part(&a->key, s->name);
    put_part(&a->key, s->host.p ? s->host : a->options.hostname);
    for (size_t i = 0; i < *n_tags; i++)
        put_part(&a->key, a->tags[i]);
    return a->key.failed ? agent_no_memory(err) : 0;
}

/* The part that stands at *at, which moves behind it. */
static struct span take_part(const char *key, size_t *at) {
    size_t n;
    memcpy(&n, key + *at, sizeof n);
    struct span part = span_of(key + *at + sizeof n, n);
    *at += sizeof n + n;
    return part;
}

/* --- places ------------------------------------------------------------------------------------------------------- */

static int grow_index(struct agent *a, struct err *err) {
    size_t n = a->n_index ? 2 * a->n_index : INDEX_MIN;
    if (agent_charge(a, (n - a->n_index) * sizeof *a->index, err) != 0)
        return -1;
    uint32_t *index = malloc(n * sizeof *index);
    if (!index)
        return agent_no_memory(err);
    memset(index, 0xFF, n * sizeof *index);
    for (uint32_t i = 0; i < a->n_contexts; i++) {
        struct agent_context *c = &a->contexts[i];
        if (!c->used)
            continue;
        c->next = index[c->hash & (n - 1)];
        index[c->hash & (n - 1)] = i;
    }
    free(a->index);
    a->index = index;
    a->n_index = n;
    return 0;
}

static uint32_t find_context(const struct agent *a, uint64_t hash) {
    uint32_t i = a->n_index ? a->index[hash & (a->n_index - 1)] : NO_CONTEXT;
    while (i != NO_CONTEXT) {
        const struct agent_context *c = &a->contexts[i];
        if (c->hash == hash && c->n_key == a->key.n && memcmp(c->key, a->key.p, a->key.n) == 0)
            break;
        i = c->next;
    }
    return i;
}

static int take_place(struct agent *a, uint32_t *place, struct err *err) {
    if (a->n_used == AGENT_CONTEXTS_MAX)
        return err_set(err, 0,
                       "more than %d different combinations of name, host and tags at a time: that is more "
                       "than the Agent's view holds",
                       AGENT_CONTEXTS_MAX);
    if (a->n_used >= a->n_index && grow_index(a, err) != 0)
        return -1;
    if (a->free_context != NO_CONTEXT) {
        *place = a->free_context;
        a->free_context = a->contexts[*place].next;
        return 0;
    }
    if (agent_room(a, &a->contexts, a->n_contexts, &a->cap_contexts, sizeof *a->contexts, err) != 0)
        return -1;
    *place = (uint32_t)a->n_contexts++;
    a->contexts[*place] = (struct agent_context){.serial = 0};
    return 0;
}

bool agent_is_explained(const struct agent *a, struct span name) {
    char text[1024];
    struct span glob = a->options.explain;
    bool yes = glob.p && glob_match(glob, name);
    for (size_t i = 1; glob.p && !yes && i < a->n_suffixes; i++) {
        struct span suffix = a->suffixes[i];
        if (name.n + suffix.n > sizeof text)
            continue;
        memcpy(text, name.p, name.n);
        memcpy(text + name.n, suffix.p, suffix.n);
        yes = glob_match(glob, span_of(text, name.n + suffix.n));
    }
    return yes;
}

static int new_context(struct agent *a, uint64_t hash, size_t n_tags, uint32_t *place, struct err *err) {
    size_t n_bytes = a->key.n + n_tags * sizeof(struct span);
    if (agent_charge(a, n_bytes, err) != 0 || take_place(a, place, err) != 0)
        return -1;
    struct agent_context *c = &a->contexts[*place];
    uint32_t serial = c->serial + 1;
    char *memory = malloc(n_bytes);
    *c = (struct agent_context){.hash = hash, .serial = serial, .n_key = a->key.n, .n_bytes = n_bytes};
    if (!memory) {
        c->next = a->free_context;
        a->free_context = *place;
        return agent_no_memory(err);
    }
    c->tags = (struct span *)(void *)memory; /* first, for its alignment */
    c->key = memory + n_tags * sizeof(struct span);
    memcpy(c->key, a->key.p, a->key.n);
    size_t at = 0;
    c->name = take_part(c->key, &at);
    c->host = take_part(c->key, &at);
    for (c->n_tags = 0; c->n_tags < n_tags; c->n_tags++)
        c->tags[c->n_tags] = take_part(c->key, &at);
    c->used = true;
    c->explained = agent_is_explained(a, c->name);
    c->next = a->index[hash & (a->n_index - 1)];
    a->index[hash & (a->n_index - 1)] = *place;
    a->n_used++;
    return 0;
}

void agent_context_free(struct agent *a, uint32_t place) {
    struct agent_context *c = &a->contexts[place];
    uint32_t *link = &a->index[c->hash & (a->n_index - 1)];
    while (*link != place)
        link = &a->contexts[*link].next;
    *link = c->next;
    free(c->tags);
    a->bytes -= c->n_bytes;
    a->n_used--;
    *c = (struct agent_context){.serial = c->serial, .next = a->free_context};
    a->free_context = place;
}

/* --- by series ------------------------------------------------------------------------------------------------------ */

static uint32_t find_alias(const struct agent *a, uint64_t series_id) {
    const uint32_t *at = series_id ? table_get(&a->series, series_id) : NULL;
    if (!at)
        return NO_CONTEXT;
    const struct agent_alias *alias = &a->aliases[*at];
    const struct agent_context *c = &a->contexts[alias->context];
    return c->used && c->serial == alias->serial ? alias->context : NO_CONTEXT;
}

static int note_alias(struct agent *a, uint64_t series_id, uint32_t context, struct err *err) {
    bool added;
    if (!series_id)
        return 0;
    if (a->n_aliases == ALIASES_MAX) {
        table_free(&a->series);
        a->series = (struct table){0};
        a->n_aliases = 0;
    }
    uint32_t *at = table_put(&a->series, series_id, (uint32_t)a->n_aliases, &added);
    if (!at)
        return agent_no_memory(err);
    if (added && agent_room(a, &a->aliases, a->n_aliases, &a->cap_aliases, sizeof *a->aliases, err) != 0)
        return -1;
    a->n_aliases += added;
    a->aliases[*at] = (struct agent_alias){context, a->contexts[context].serial};
    return 0;
}

int agent_track(struct agent *a, const struct agent_sample *s, uint32_t *context, struct err *err) {
    *context = find_alias(a, s->series_id);
    if (*context == NO_CONTEXT) {
        size_t n_tags;
        if (make_key(a, s, &n_tags, err) != 0)
            return -1;
        uint64_t hash = XXH3_64bits(a->key.p, a->key.n);
        *context = find_context(a, hash);
        if (*context == NO_CONTEXT && new_context(a, hash, n_tags, context, err) != 0)
            return -1;
        if (note_alias(a, s->series_id, *context, err) != 0)
            return -1;
    }
    struct agent_context *c = &a->contexts[*context];
    if (!c->tracked)
        c->type = s->type;
    c->tracked = true;
    c->last_seen_s = s->at_ns / 1000000000;
    return 0;
}

void agent_expire(struct agent *a, int64_t now_s) {
    for (uint32_t i = 0; i < a->n_contexts; i++) {
        struct agent_context *c = &a->contexts[i];
        int64_t keep_s = a->options.context_expiry_s;
        if (c->type == METRIC_COUNT)
            keep_s += a->options.counter_expiry_s;
        if (!c->used || (c->tracked && c->last_seen_s + keep_s >= now_s))
            continue;
        c->tracked = false;
        if (!c->objects && !c->sketches)
            agent_context_free(a, i);
    }
}
