#include "store/sqlite/vals.h"

#include "core/json.h"
#include "core/number.h"
#include "store/sqlite/vals_fast.h"
#include <math.h>
#include <stdlib.h>

static void put_number(struct buf *b, double value) {
    if (isnan(value)) {
        buf_add(b, "null", 4);
    } else if (isinf(value)) {
        buf_str(b, value > 0 ? "1e999" : "-1e999");
    } else {
        char text[NUMBER_SIZE];
        buf_add(b, text, number_format(value, text));
    }
}

static void put_int(struct buf *b, int64_t n) {
    if (n < 0)
        buf_char(b, '-');
    buf_u64(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

static void put_sketch(struct buf *b, const struct value *v) {
    const struct sketch *k = v->sketch;
    buf_str(b, "{\"ts\":");
    put_int(b, v->timestamp);
    buf_str(b, ",\"n\":");
    put_int(b, k->count);
    const char *const names[] = {",\"sum\":", ",\"min\":", ",\"max\":", ",\"avg\":"};
    const double numbers[] = {k->sum, k->min, k->max, k->avg};
    for (size_t i = 0; i < 4; i++) {
        buf_str(b, names[i]);
        put_number(b, numbers[i]);
    }
    buf_str(b, ",\"k\":[");
    for (size_t i = 0; i < k->n_bins; i++) {
        if (i)
            buf_char(b, ',');
        put_int(b, k->keys[i]);
    }
    buf_str(b, "],\"c\":[");
    for (size_t i = 0; i < k->n_bins; i++) {
        if (i)
            buf_char(b, ',');
        buf_u64(b, k->counts[i]);
    }
    buf_str(b, "]}");
}

void vals_put(struct buf *b, enum metric_type type, const struct value *v) {
    if (v->sketch) {
        put_sketch(b, v);
        return;
    }
    if (v->timestamp != 0) {
        buf_char(b, '[');
        put_int(b, v->timestamp);
        buf_char(b, ',');
    }
    if (metric_is(type, METRIC_TEXT))
        json_put_string_raw(b, v->text);
    else if (v->text.p && number_is_json(v->text))
        buf_span(b, v->text);
    else
        put_number(b, v->number);
    if (v->timestamp != 0)
        buf_char(b, ']');
}

/* --- reading ----------------------------------------------------------------------------------- */

static int hex4(struct span s) {
    int value = 0;
    if (s.n < 4)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        char c = s.p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

size_t vals_unquote(struct span text, struct buf *b) {
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    if (text.n == 0 || text.p[0] != '"')
        return 0;
    for (size_t i = 1; i < text.n;) {
        size_t plain = i;
        while (plain < text.n && text.p[plain] != '"' && text.p[plain] != '\\')
            plain++;
        buf_add(b, text.p + i, plain - i);
        if (plain + 1 >= text.n)
            return plain < text.n && text.p[plain] == '"' ? plain + 1 : 0;
        if (text.p[plain] == '"')
            return plain + 1;
        char name = text.p[plain + 1];
        const char *at = name ? strchr(names, name) : NULL;
        if (at) {
            buf_char(b, bytes[at - names]);
            i = plain + 2;
            continue;
        }
        int code = name == 'u' ? hex4(span_from(text, plain + 2)) : -1;
        if (code < 0 || code > 0x7f) /* we escape nothing above */
            return 0;
        buf_char(b, (char)code);
        i = plain + 6;
    }
    return 0;
}

static bool take_char(struct vals_reader *r, char c) {
    if (r->rest.n == 0 || r->rest.p[0] != c)
        return false;
    r->rest = span_from(r->rest, 1);
    return true;
}

static bool take_word(struct vals_reader *r, struct span word) {
    if (!span_starts(r->rest, word))
        return false;
    r->rest = span_from(r->rest, word.n);
    return true;
}

static bool take_number(struct vals_reader *r, double *value) {
    size_t n = 0;
    while (n < r->rest.n && strchr("+-.0123456789eE", r->rest.p[n]) && r->rest.p[n])
        n++;
    struct span text = span_of(r->rest.p, n);
    if (n == 0) {
        *value = NAN;
        return take_word(r, SPAN("null"));
    }
    r->rest = span_from(r->rest, n);
    switch (number_parse(text, value)) {
    case NUMBER_OK:
        return true;
    case NUMBER_OUT_OF_RANGE:
        *value = text.p[0] == '-' ? -INFINITY : INFINITY;
        return true;
    case NUMBER_INVALID:
    default:
        return false;
    }
}

static bool take_int(struct vals_reader *r, int64_t *value) {
    size_t n = r->rest.n > 0 && r->rest.p[0] == '-' ? 1 : 0;
    while (n < r->rest.n && r->rest.p[n] >= '0' && r->rest.p[n] <= '9')
        n++;
    if (number_parse_int(span_of(r->rest.p, n), value) != NUMBER_OK)
        return false;
    r->rest = span_from(r->rest, n);
    return true;
}

static bool more_bins(struct vals_reader *r) {
    size_t cap = r->cap_bins ? r->cap_bins * 2 : 64;
    int32_t *keys = realloc(r->keys, cap * sizeof *keys);
    if (!keys)
        return false;
    r->keys = keys;
    uint32_t *counts = realloc(r->counts, cap * sizeof *counts);
    if (!counts)
        return false;
    r->counts = counts;
    r->cap_bins = cap;
    return true;
}

/* [1,2,3] into keys or counts; how many. */
static bool take_bins(struct vals_reader *r, bool keys, size_t *n) {
    *n = 0;
    if (!take_char(r, '['))
        return false;
    if (take_char(r, ']'))
        return true;
    do {
        int64_t value;
        if (!take_int(r, &value) || (*n == r->cap_bins && !more_bins(r)))
            return false;
        if (keys)
            r->keys[*n] = (int32_t)value;
        else
            r->counts[*n] = (uint32_t)value;
        ++*n;
    } while (take_char(r, ','));
    return take_char(r, ']');
}

static bool take_sketch(struct vals_reader *r) {
    struct sketch *k = &r->sketch;
    size_t n_counts;
    bool ok = take_word(r, SPAN("{\"ts\":")) && take_int(r, &r->value.timestamp) &&
              take_word(r, SPAN(",\"n\":")) && take_int(r, &k->count) && take_word(r, SPAN(",\"sum\":")) &&
              take_number(r, &k->sum) && take_word(r, SPAN(",\"min\":")) && take_number(r, &k->min) &&
              take_word(r, SPAN(",\"max\":")) && take_number(r, &k->max) && take_word(r, SPAN(",\"avg\":")) &&
              take_number(r, &k->avg) && take_word(r, SPAN(",\"k\":")) && take_bins(r, true, &k->n_bins) &&
              take_word(r, SPAN(",\"c\":")) && take_bins(r, false, &n_counts) && n_counts == k->n_bins &&
              take_char(r, '}');
    k->keys = r->keys;
    k->counts = r->counts;
    r->value.sketch = k;
    r->value.number = k->avg;
    return ok;
}

static bool take_scalar(struct vals_reader *r) {
    if (r->rest.n > 0 && r->rest.p[0] == '"') {
        buf_clear(&r->text);
        size_t n = vals_unquote(r->rest, &r->text);
        r->rest = span_from(r->rest, n);
        r->value.text = buf_view(&r->text);
        return n > 0 && !r->text.failed;
    }
    return take_number(r, &r->value.number);
}

static bool take_value(struct vals_reader *r) {
    r->value = (struct value){0};
    if (r->rest.n > 0 && r->rest.p[0] == '{')
        return take_sketch(r);
    if (take_char(r, '['))
        return take_int(r, &r->value.timestamp) && take_char(r, ',') && take_scalar(r) && take_char(r, ']');
    return take_scalar(r);
}

void vals_start(struct vals_reader *r, struct span vals) {
    r->rest = vals;
    r->object = take_char(r, '{');
    r->first = true;
}

/* --- the common case (vals_fast.h) ------------------------------------------------------------- */

size_t vals_numbers(struct vals_reader *r, size_t max, double *numbers) {
    struct fast_key key = fast_key_of(1);
    const char *p = r->rest.p;
    uint64_t digits = 0;
    size_t n = 0;
    if (!r->object || r->first || r->rest.n < FAST_MOST)
        return 0;
    const char *last = p + (r->rest.n - FAST_MOST);
    while (n < max && p <= last && memcmp(p, ",\"", 2) == 0) {
        int64_t timestamp;
        uint64_t w = fast_eight(p + 2);
        if (!fast_has_key(&key, w)) {
            key = fast_key_of(fast_digits(w));
            if (key.n == 0 || key.n == 8)
                break;
        }
        const char *end = p + 2 + key.n;
        if (memcmp(end, "\":", 2) != 0)
            break;
        end += 2;
        bool stamped = *end == '[';
        if (stamped)
            end = fast_stamp(r, end + 1, &timestamp);
        end = end ? fast_number(end, &numbers[n]) : NULL;
        if (!end || (stamped && *end++ != ']') || (*end != ',' && *end != '}'))
            break;
        digits = w;
        p = end;
        n++;
    }
    if (n)
        r->offset = fast_number_in(digits, fast_digits(digits));
    r->rest = span_from(r->rest, (size_t)(p - r->rest.p));
    return n;
}

int vals_next(struct vals_reader *r) {
    if (r->object) {
        uint64_t offset;
        struct value value = {0};
        const char *end = r->rest.n < FAST_MOST
                              ? NULL
                              : fast_take(r, r->rest.p, r->first, &offset, &value.timestamp, &value.number);
        if (end && (r->first || offset > r->offset)) {
            r->value = value;
            r->rest = span_from(r->rest, (size_t)(end - r->rest.p));
            r->first = false;
            r->offset = offset;
            return 1;
        }
    }
    if (!r->object) {
        if (!r->first)
            return r->rest.n == 0 ? 0 : -1;
        r->first = false;
        r->offset = 0;
        return take_value(r) ? 1 : -1;
    }
    if (!r->first) {
        if (take_char(r, '}'))
            return r->rest.n == 0 ? 0 : -1;
        if (!take_char(r, ','))
            return -1;
    }
    uint64_t before = r->first ? 0 : r->offset + 1;
    r->first = false;
    int64_t offset;
    if (!take_char(r, '"') || !take_int(r, &offset) || !take_char(r, '"') || !take_char(r, ':') ||
        offset < 0 || (uint64_t)offset < before)
        return -1;
    r->offset = (uint64_t)offset;
    return take_value(r) ? 1 : -1;
}

void vals_free(struct vals_reader *r) {
    buf_free(&r->text);
    free(r->keys);
    free(r->counts);
    *r = (struct vals_reader){0};
}
