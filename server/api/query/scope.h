/* Private to api/query: which series are meant, the braces of a query.
 *
 *     {*}   {env:ci,!host:b*}   {env:ci AND (zone:a OR NOT zone IN (b, c*))}
 *
 * Words in any case. `!` and `,` don't go together with the words: a query with both is refused as Datadog does.
 * Source: schema/protocol/datadog-http.md section 15.2.
 */
#ifndef API_QUERY_SCOPE_H
#define API_QUERY_SCOPE_H

#include "core/arena.h"
#include "core/reader.h"

struct query_scope;

/* A series with its name and tags as Datadog spells them. */
struct query_series {
    struct span name;
    size_t n_tags;
    const struct span *tags; /* host and device among them */
};

/* NULL: everything. */
bool query_scope_holds(const struct query_scope *scope, const struct query_series *series);

/* Reads a scope that stands alone, as `tag_filter` has it: env:ci AND NOT host:b*. Its nodes live in the arena. -1: error->text says
 * what was expected where. */
struct query_error;
int query_scope_read(struct arena *arena, struct span text, const struct query_scope **scope,
                     struct query_error *error);

/* Normalizes into the arena, which must not fail before. false: out of memory. */
bool query_scope_series(struct arena *arena, const struct series_row *row, struct query_series *series);
/* A tag of a query, normalized but for its wildcards. */
struct span query_scope_pattern(struct arena *arena, struct span tag);

#endif
