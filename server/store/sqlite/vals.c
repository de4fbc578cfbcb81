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

void vals_start(struct vals_reader *r, struct span vals, int64_t step) {
    bool known = step >= 0 && step <= UINT32_MAX; /* so that no offset comes near 2^64 */
    r->rest = known ? vals : span_of("", 0);
    r->step = known ? (uint64_t)step : 0;
    r->first = true;
    r->padded = false;
    r->object = take_char(r, '{');
    if (r->step && !r->object)
        r->rest = span_of("", 0);
}

bool vals_start_copy(struct vals_reader *r, struct span vals, int64_t step, struct buf *copy) {
    buf_clear(copy);
    if (!buf_room(copy, vals.n + VALS_PADDING))
        return false;
    buf_span(copy, vals);
    memset(copy->p + copy->n, 0, VALS_PADDING);
    vals_start(r, buf_view(copy), step);
    r->padded = r->rest.n > 0;
    return true;
}

/* --- the common case (vals_fast.h) ------------------------------------------------------------- */

/* So that FAST_MOST bytes may be read from where the rest begins: the last bytes of a text are read in a copy. */
static inline void make_room(struct vals_reader *r) {
    if (r->rest.n >= FAST_MOST || r->padded)
        return;
    if (r->rest.n)
        memcpy(r->tail, r->rest.p, r->rest.n);
    memset(r->tail + r->rest.n, 0, FAST_MOST);
    r->rest.p = r->tail;
    r->padded = true;
}

/* Behind the last byte that FAST_MOST may be read from. */
static inline const char *end_of_room(const struct vals_reader *r) {
    return r->rest.p + r->rest.n - (r->padded ? 0 : FAST_MOST - 1);
}

static size_t numbers_of_keys(struct vals_reader *r, size_t max, double *numbers) {
    struct fast_key key = fast_key_of(1);
    const char *p = r->rest.p, *const room = end_of_room(r);
    uint64_t digits = 0;
    int64_t timestamp;
    size_t n = 0;
    while (n < max && p < room && memcmp(p, ",\"", 2) == 0) {
        uint64_t w = fast_eight(p + 2);
        if (!fast_has_key(&key, w)) {
            key = fast_key_of(fast_digits(w));
            if (key.n == 0 || key.n == 8)
                break;
        }
        const char *end = p + 2 + key.n;
        if (memcmp(end, "\":", 2) != 0 || !(end = fast_value(r, end + 2, '}', &timestamp, &numbers[n])))
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

static size_t numbers_of_runs(struct vals_reader *r, size_t max, double *numbers) {
    const char *p = r->rest.p, *const room = end_of_room(r);
    uint64_t offset = r->offset;
    int64_t timestamp;
    size_t n = 0;
    while (n < max && p < room) {
        uint64_t next = offset + r->step;
        const char *end = *p == ',' ? p + 1 : fast_run(p, &next);
        end = end ? fast_value(r, end, ']', &timestamp, &numbers[n]) : NULL;
        if (!end)
            break;
        offset = next;
        p = end;
        n++;
    }
    r->offset = offset;
    r->rest = span_from(r->rest, (size_t)(p - r->rest.p));
    return n;
}

size_t vals_numbers(struct vals_reader *r, size_t max, double *numbers) {
    if (!r->object || r->first)
        return 0;
    make_room(r);
    return r->step ? numbers_of_runs(r, max, numbers) : numbers_of_keys(r, max, numbers);
}

/* --- one by one -------------------------------------------------------------------------------- */

static int next_alone(struct vals_reader *r) {
    if (!r->first)
        return r->rest.n == 0 ? 0 : -1;
    r->first = false;
    r->offset = 0;
    return take_value(r) ? 1 : -1;
}

static bool take_key(struct vals_reader *r, bool first) {
    uint64_t least = first ? 0 : r->offset + 1;
    int64_t offset;
    if (!take_char(r, '"') || !take_int(r, &offset) || !take_char(r, '"') || !take_char(r, ':') ||
        offset < 0 || (uint64_t)offset < least)
        return false;
    r->offset = (uint64_t)offset;
    return true;
}

/* To the next value, past its key: 1, 0: there is none, -1. */
static int next_key(struct vals_reader *r, bool first) {
    if (!first && !take_char(r, ','))
        return take_char(r, '}') && r->rest.n == 0 ? 0 : -1;
    return take_key(r, first) ? 1 : -1;
}

static int next_in_runs(struct vals_reader *r, bool first) {
    if (!first && take_char(r, ',')) {
        r->offset += r->step;
        return 1;
    }
    if (!first && !take_char(r, ']'))
        return -1;
    int got = next_key(r, first);
    return got == 1 && !take_char(r, '[') ? -1 : got;
}

/* The next value in the common case; NULL: it is another one, and nothing has been taken. */
static inline const char *look(struct vals_reader *r, uint64_t *offset, int64_t *timestamp, double *number) {
    const char *p = r->rest.p;
    if (r->step) {
        *offset = r->offset + r->step;
        p = r->first ? NULL : *p == ',' ? p + 1 : fast_run(p, offset);
        return p ? fast_value(r, p, ']', timestamp, number) : NULL;
    }
    if (!r->first && *p++ != ',')
        return NULL;
    p = fast_offset(p, offset);
    return p && (r->first || *offset > r->offset) ? fast_value(r, p, '}', timestamp, number) : NULL;
}

int vals_next(struct vals_reader *r) {
    if (!r->object)
        return next_alone(r);
    make_room(r);
    uint64_t offset;
    struct value value = {0};
    const char *end = look(r, &offset, &value.timestamp, &value.number);
    bool first = r->first;
    r->first = false;
    if (end) {
        r->value = value;
        r->rest = span_from(r->rest, (size_t)(end - r->rest.p));
        r->offset = offset;
        return 1;
    }
    int got = r->step ? next_in_runs(r, first) : next_key(r, first);
    return got == 1 && !take_value(r) ? -1 : got;
}

void vals_free(struct vals_reader *r) {
    buf_free(&r->text);
    free(r->keys);
    free(r->counts);
    *r = (struct vals_reader){0};
}
