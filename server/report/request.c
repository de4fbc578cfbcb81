#include "report/request.h"

#include "report/fields.h"
#include <stdlib.h>

/* --- fields ------------------------------------------------------------------------------------------------------- */

int request_complain(struct catalog_error *e, const char *message, const char *field) {
    return catalog_fail(e, NULL, 0, 0, "%s %s", field, message);
}

/* Turns the error of a reader of fields (report/fields.h) into the question's. */
static int tell_field(struct catalog_error *e, int found, const struct err *err) {
    return found < 0 ? catalog_fail(e, NULL, 0, 0, "%s", err->text) : found;
}

int request_only(const json_t *object, size_t n, const char *const *names, struct catalog_error *e) {
    struct err err = {0};
    return tell_field(e, field_only(object, "", n, names, &err), &err);
}

int request_text(struct arena *arena, const json_t *object, const char *field, struct span *text,
                 struct catalog_error *e) {
    struct err err = {0};
    struct span given;
    int found = tell_field(e, field_text(object, field, &given, &err), &err);
    if (found <= 0)
        return found;
    *text = arena_copy(arena, span_of(given.p, given.n + 1)); /* with its NUL */
    text->n = text->p ? given.n : 0;
    return text->p ? 0 : request_complain(e, "does not fit into memory", field);
}

int request_flag(const json_t *object, const char *field, bool *on, struct catalog_error *e) {
    struct err err = {0};
    return tell_field(e, field_flag(object, field, on, &err), &err) < 0 ? -1 : 0;
}

int request_share(const json_t *object, const char *field, double *share, struct catalog_error *e) {
    const json_t *value = json_object_get(object, field);
    if (!value || json_is_null(value))
        return 0;
    *share = json_number_value(value);
    return json_is_number(value) && *share > 0 && *share <= 1
               ? 0
               : request_complain(e, "must be a number above 0, 1 at most", field);
}

int request_scope(struct arena *arena, const json_t *object, struct scope *scope, struct catalog_error *e) {
    struct err err = {0};
    int found = tell_field(e, field_count(object, "since", INT64_MAX, &scope->since, &err), &err);
    if (found < 0)
        return -1;
    scope->since_given = found;
    struct span as = {NULL, 0};
    if (request_text(arena, object, "as", &as, e) != 0)
        return -1;
    if (as.p && !span_eq(as, SPAN("datadog")))
        return request_complain(e, "must be datadog", "as");
    scope->as_datadog = as.p;
    return request_text(arena, object, "session", &scope->session, e);
}

int request_list(struct arena *arena, const json_t *object, const char *field, struct span *list,
                 struct catalog_error *e) {
    const json_t *v = json_object_get(object, field), *item;
    if (!json_is_array(v))
        return request_text(arena, object, field, list, e);
    struct buf text = {0};
    size_t i;
    json_array_foreach(v, i, item) {
        if (!json_is_string(item)) {
            buf_free(&text);
            return request_complain(e, "must be a string or a list of strings", field);
        }
        buf_printf(&text, "%s%s", i ? "," : "", json_string_value(item));
    }
    *list = arena_copy(arena, buf_view(&text));
    buf_free(&text);
    return list->p ? 0 : request_complain(e, "does not fit into memory", field);
}

/* --- catalogs ----------------------------------------------------------------------------------------------------- */

struct given {
    const json_t *files;
    struct span names[CATALOG_FILES_MAX]; /* as includes lead to them: without "./" and "a/.." */
    struct arena arena;
};

/* An include leads to one of the files that came with the request. */
static char *open_given(void *arg, const char *path, size_t *n, struct err *err) {
    const struct given *given = arg;
    for (size_t i = 0; i < json_array_size(given->files); i++) {
        const json_t *text = json_object_get(json_array_get(given->files, i), "text");
        if (!span_eq(given->names[i], span_str(path)))
            continue;
        *n = json_string_length(text);
        char *copy = malloc(*n + 1);
        if (copy)
            memcpy(copy, json_string_value(text), *n + 1);
        else
            err_set(err, 0, "out of memory");
        return copy;
    }
    err_set(err, 0, "the file %s is included, but was not sent along", path);
    return NULL;
}

static int check_given(struct given *given, struct catalog_error *e) {
    const json_t *file;
    size_t i, n = json_array_size(given->files);
    if (n == 0)
        return request_complain(e, "must not be empty", "catalog");
    if (n > CATALOG_FILES_MAX)
        return catalog_fail(e, NULL, 0, 0, "a catalog has at most %d files", CATALOG_FILES_MAX);
    json_array_foreach(given->files, i, file) {
        static const char *const names[] = {"file", "text"};
        const char *name = json_string_value(json_object_get(file, "file"));
        if (request_only(file, 2, names, e))
            return -1;
        if (!name || !json_is_string(json_object_get(file, "text")))
            return request_complain(e, "needs a file and a text, both strings", "catalog[]");
        given->names[i] = catalog_path(&given->arena, NULL, span_str(name));
        if (!given->names[i].p)
            return request_complain(e, "does not fit into memory", "catalog");
    }
    return 0;
}

static struct catalog *load_files(const json_t *files, struct catalog_error *e) {
    struct given given = {.files = files};
    const char *first = json_string_value(json_object_get(json_array_get(files, 0), "file"));
    struct catalog *c = check_given(&given, e) ? NULL : catalog_load(1, &first, open_given, &given, e);
    arena_free(&given.arena);
    return c;
}

static struct catalog *load_text(struct span text, struct catalog_error *e) {
    struct catalog *c = catalog_read("", text, e);
    if (c && c->n_includes)
        catalog_fail(e, NULL, 0, 0, "a catalog that includes files must be sent as a list of files");
    if (c && !e->set && catalog_finish(c, e) == 0)
        return c;
    catalog_free(c);
    return NULL;
}

int request_catalog(const json_t *object, struct catalog **catalog, struct catalog_error *e) {
    const json_t *v = json_object_get(object, "catalog");
    if (!v || json_is_null(v))
        return 0;
    if (json_is_string(v)) {
        *catalog = load_text(span_of(json_string_value(v), json_string_length(v)), e);
    } else if (json_is_array(v)) {
        *catalog = load_files(v, e);
    } else if (json_is_object(v)) {
        char *text = json_dumps(v, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
        *catalog = text ? load_text(span_str(text), e) : NULL;
        if (!text)
            request_complain(e, "does not fit into memory", "catalog");
        free(text);
    } else {
        return request_complain(e, "must be an object, a text or a list of files", "catalog");
    }
    return *catalog ? 1 : -1;
}
