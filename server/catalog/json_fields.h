/* Private to catalog/: JSON objects read through tables of their fields, so that what is not in a table is an error; the way down
 * is kept, so that each error can name its line and path.
 *
 * Ownership: what is read is copied into the catalog's arena.
 * Threads: a reader belongs to one thread.
 * Errors: -1 with r->error filled; the first one wins.
 */
#ifndef CATALOG_JSON_FIELDS_H
#define CATALOG_JSON_FIELDS_H

#include "catalog/catalog.h"
#include "catalog/numbering.h"
#include <jansson.h>

#define JSON_DEPTH_MAX 8 /* levels of a catalog */

struct json_place {
    size_t ordinal;
    struct span key; /* p == NULL: an array's element */
};

struct json_reader {
    struct catalog *catalog;
    const char *file;
    struct span text;
    size_t depth;
    struct json_place way[JSON_DEPTH_MAX];
    struct catalog_error *error;
    struct numbering patterns; /* every different one, compiled once */
    size_t cap_compiled, n_steps;
    const struct pattern **compiled;
};

typedef int json_read_fn(struct json_reader *r, json_t *value, void *target);
struct json_field {
    const char *name;
    json_read_fn *read;
    size_t offset; /* of the target within the struct that is filled */
};

/* inner: bytes behind the start of the value that the way leads to. Always -1. */
int json_complain(struct json_reader *r, size_t inner, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int json_no_memory(struct json_reader *r);
/* "an object", "a text", … */
const char *json_kind_of(const json_t *v);

/* One level down, to the value that stands at `ordinal` of its object or array; and up again. */
void json_enter(struct json_reader *r, size_t ordinal, struct span key);
void json_leave(struct json_reader *r);

/* Every field of the object, each by its reader; one that is not in the table is refused, with the nearest name. */
int json_read_fields(struct json_reader *r, json_t *object, const struct json_field *fields, size_t n,
                     void *target);

/* Readers for tables; target: struct span, nothing, uint64_t above 0, double, struct catalog_range. */
int json_read_text(struct json_reader *r, json_t *v, void *target);
int json_read_nothing(struct json_reader *r, json_t *v, void *target);
int json_read_size(struct json_reader *r, json_t *v, void *target);
int json_read_number(struct json_reader *r, json_t *v, void *target);
int json_read_range(struct json_reader *r, json_t *v, void *target);
int json_read_texts(struct json_reader *r, json_t *v, struct span **list, size_t *n);

#endif
