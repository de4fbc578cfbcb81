#include "catalog/json_fields.h"

#include "catalog/position.h"
#include "core/distance.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static bool plain_key(struct span key) {
    for (size_t i = 0; i < key.n; i++)
        if (!memchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-$", key.p[i], 65))
            return false;
    return key.n > 0;
}

/* metrics."login.attempt".tags.env.values[2] */
static void way_print(const struct json_reader *r, struct buf *out) {
    for (size_t i = 0; i < r->depth; i++) {
        const struct json_place *p = &r->way[i];
        if (!p->key.p)
            buf_printf(out, "[%zu]", p->ordinal);
        else if (plain_key(p->key))
            buf_printf(out, "%s%.*s", i ? "." : "", SPAN_ARG(p->key));
        else
            buf_printf(out, "%s\"%.*s\"", i ? "." : "", SPAN_ARG(p->key));
    }
}

int json_complain(struct json_reader *r, size_t inner, const char *format, ...) {
    if (r->error->set)
        return -1;
    size_t steps[JSON_DEPTH_MAX];
    for (size_t i = 0; i < r->depth; i++)
        steps[i] = r->way[i].ordinal;
    struct position_line line = {1, 0, 0};
    size_t column = position_column(&line, r->text, position_find(r->text, r->depth, steps) + inner);
    struct buf path = {.max = sizeof r->error->path - 1};
    way_print(r, &path);
    snprintf(r->error->path, sizeof r->error->path, "%s", path.p ? path.p : "");
    buf_free(&path);
    char message[sizeof r->error->message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return catalog_fail(r->error, r->file, line.line, column, "%s", message);
}

void json_enter(struct json_reader *r, size_t ordinal, struct span key) {
    r->way[r->depth++] = (struct json_place){ordinal, key};
}

void json_leave(struct json_reader *r) {
    r->depth--;
}

const char *json_kind_of(const json_t *v) {
    static const char *const words[] = {"an object", "an array", "a text", "a whole number",
                                        "a number",  "true",     "false",  "null"};
    return words[json_typeof(v)];
}

static int unknown_field(struct json_reader *r, struct span key, const struct json_field *fields, size_t n) {
    const char *names[NEAREST_HINT_WORDS];
    char hint[NEAREST_HINT_SIZE];
    for (size_t i = 0; i < n && i < NEAREST_HINT_WORDS; i++)
        names[i] = fields[i].name;
    return json_complain(r, 0, "unknown field '%.*s'%s", SPAN_ARG(key), nearest_hint(key, n, names, hint));
}

int json_read_fields(struct json_reader *r, json_t *object, const struct json_field *fields, size_t n,
                     void *target) {
    if (!json_is_object(object))
        return json_complain(r, 0, "expected an object, found %s", json_kind_of(object));
    size_t ordinal = 0;
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
        struct span key = span_of(json_object_iter_key(it), json_object_iter_key_len(it));
        size_t i = 0;
        while (i < n && !span_eq(key, span_str(fields[i].name)))
            i++;
        json_enter(r, ordinal++, key);
        if (i == n)
            return unknown_field(r, key, fields, n);
        if (fields[i].read(r, json_object_iter_value(it), (char *)target + fields[i].offset))
            return -1;
        json_leave(r);
    }
    return 0;
}

int json_no_memory(struct json_reader *r) {
    return catalog_fail(r->error, r->file, 0, 0, "out of memory");
}

/* --- values ---------------------------------------------------------------------------------------------- */

int json_read_text(struct json_reader *r, json_t *v, void *target) {
    struct span *text = target;
    if (!json_is_string(v))
        return json_complain(r, 0, "expected a text, found %s", json_kind_of(v));
    *text = arena_copy(&r->catalog->arena, span_of(json_string_value(v), json_string_length(v)));
    return text->p ? 0 : json_no_memory(r);
}

int json_read_nothing(struct json_reader *r, json_t *v, void *target) {
    struct span ignored;
    (void)target;
    return json_read_text(r, v, &ignored);
}

int json_read_texts(struct json_reader *r, json_t *v, struct span **list, size_t *n) {
    if (!json_is_array(v))
        return json_complain(r, 0, "expected an array of texts, found %s", json_kind_of(v));
    *n = json_array_size(v);
    *list = memory_take(&r->catalog->arena, (*n + 1) * sizeof **list);
    if (!*list)
        return json_no_memory(r);
    for (size_t i = 0; i < *n; i++) {
        json_enter(r, i, (struct span){NULL, 0});
        if (json_read_text(r, json_array_get(v, i), &(*list)[i]))
            return -1;
        json_leave(r);
    }
    return 0;
}

int json_read_size(struct json_reader *r, json_t *v, void *target) {
    uint64_t *n = target;
    if (!json_is_integer(v) || json_integer_value(v) < 1)
        return json_complain(r, 0, "expected a whole number above 0");
    *n = (uint64_t)json_integer_value(v);
    return 0;
}

int json_read_number(struct json_reader *r, json_t *v, void *target) {
    if (!json_is_number(v))
        return json_complain(r, 0, "expected a number, found %s", json_kind_of(v));
    *(double *)target = json_number_value(v);
    return 0;
}

int json_read_range(struct json_reader *r, json_t *v, void *target) {
    static const struct json_field fields[] = {
        {"min", json_read_number, offsetof(struct catalog_range, min)},
        {"max", json_read_number, offsetof(struct catalog_range, max)},
    };
    struct catalog_range *range = target;
    *range = (struct catalog_range){true, -INFINITY, INFINITY};
    if (json_read_fields(r, v, fields, 2, range))
        return -1;
    return range->min <= range->max ? 0 : json_complain(r, 0, "min is above max: no value can hold");
}
