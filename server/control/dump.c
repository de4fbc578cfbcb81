/* A tree of jansson's as text. Its own json_dump looks at each value's address, in text, for a circle, which our answers have not: that was a third
 * of what answering a question took. */
#include "control/ask.h"

#include "core/json.h"

static void dump_value(struct buf *b, json_t *value);

static void dump_object(struct buf *b, json_t *object) {
    const char *key, *comma = "";
    json_t *value;
    buf_char(b, '{');
    json_object_foreach(object, key, value) {
        buf_str(b, comma);
        json_put_string(b, span_str(key));
        buf_char(b, ':');
        dump_value(b, value);
        comma = ",";
    }
    buf_char(b, '}');
}

static void dump_array(struct buf *b, json_t *array) {
    size_t i;
    json_t *value;
    buf_char(b, '[');
    json_array_foreach(array, i, value) {
        if (i > 0)
            buf_char(b, ',');
        dump_value(b, value);
    }
    buf_char(b, ']');
}

static void dump_integer(struct buf *b, json_int_t n) {
    if (n < 0)
        buf_char(b, '-');
    buf_u64(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

static void dump_real(struct buf *b, json_t *number) {
    size_t start = b->n;
    json_put_number(b, json_real_value(number));
    if (!b->failed && !strpbrk(b->p + start, ".e"))
        buf_str(b, ".0"); /* as jansson writes a real number that is whole */
}

static void dump_value(struct buf *b, json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        dump_object(b, value);
        break;
    case JSON_ARRAY:
        dump_array(b, value);
        break;
    case JSON_STRING:
        json_put_string(b, span_of(json_string_value(value), json_string_length(value)));
        break;
    case JSON_INTEGER:
        dump_integer(b, json_integer_value(value));
        break;
    case JSON_REAL:
        dump_real(b, value);
        break;
    case JSON_TRUE:
        buf_str(b, "true");
        break;
    case JSON_FALSE:
        buf_str(b, "false");
        break;
    case JSON_NULL:
        buf_str(b, "null");
        break;
    }
}

int ask_dump(struct buf *b, json_t *tree) {
    if (!tree)
        return -1;
    dump_value(b, tree);
    return b->failed ? -1 : 0;
}
