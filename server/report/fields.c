#include "report/fields.h"

#include "core/distance.h"
#include <inttypes.h>

static bool is_among(const char *key, size_t n, const char *const *names) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(key, names[i]) == 0)
            return true;
    return false;
}

int field_only(const json_t *object, const char *where, size_t n, const char *const *names, struct err *err) {
    const char *key;
    json_t *value;
    char hint[NEAREST_HINT_SIZE];
    if (!json_is_object(object))
        return err_set(err, 0, "expected a JSON object");
    json_object_foreach((json_t *)object, key, value)
        if (!is_among(key, n, names))
            return err_set(err, 0, "unknown field '%s%.200s'%s", where, key,
                           nearest_hint(span_str(key), n, names, hint));
    return 0;
}

/* NULL: it is missing, or null. */
static const json_t *field_of(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    return json_is_null(value) ? NULL : value;
}

int field_text(const json_t *object, const char *name, struct span *text, struct err *err) {
    const json_t *value = field_of(object, name);
    if (!value)
        return 0;
    if (!json_is_string(value))
        return err_set(err, 0, "%s must be a string", name);
    *text = span_of(json_string_value(value), json_string_length(value));
    return 1;
}

int field_flag(const json_t *object, const char *name, bool *on, struct err *err) {
    const json_t *value = field_of(object, name);
    if (!value)
        return 0;
    if (!json_is_boolean(value))
        return err_set(err, 0, "%s must be true or false", name);
    *on = json_is_true(value);
    return 1;
}

int field_count(const json_t *object, const char *name, uint64_t max, uint64_t *number, struct err *err) {
    const json_t *value = field_of(object, name);
    if (!value)
        return 0;
    double given = json_number_value(value);
    if (!json_is_number(value) || given < 0 || given > (double)max || given != (double)(uint64_t)given)
        return err_set(err, 0, "%s must be a whole number from 0 to %" PRIu64, name, max);
    *number = (uint64_t)given;
    return 1;
}
