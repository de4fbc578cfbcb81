#include "core/json.h"

#include "core/clock.h"
#include "core/number.h"
#include "core/utf8.h"
#include <math.h>

/* Bytes that stand for themselves in a JSON string without further thought. */
static bool is_plain(unsigned char byte) {
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* The same of eight bytes at once: each of the four sums has the highest bit of a byte that is not. */
static bool are_plain(const char *p) {
    const uint64_t ones = 0x0101010101010101;
    uint64_t eight;
    memcpy(&eight, p, sizeof eight);
    uint64_t low = eight - 0x20 * ones, quote = (eight ^ '"' * ones) - ones,
             backslash = (eight ^ '\\' * ones) - ones;
    return ((eight | low | quote | backslash) & 0x80 * ones) == 0;
}

static size_t plain_length(struct span s) {
    size_t i = 0;
    while (s.n - i >= sizeof(uint64_t) && are_plain(s.p + i))
        i += sizeof(uint64_t);
    while (i < s.n && is_plain((unsigned char)s.p[i]))
        i++;
    return i;
}

static void escape(struct buf *b, unsigned char byte) {
    static const char hex[] = "0123456789abcdef";
    switch (byte) {
    case '"':
        buf_add(b, "\\\"", 2);
        break;
    case '\\':
        buf_add(b, "\\\\", 2);
        break;
    case '\n':
        buf_add(b, "\\n", 2);
        break;
    case '\r':
        buf_add(b, "\\r", 2);
        break;
    case '\t':
        buf_add(b, "\\t", 2);
        break;
    default:
        buf_add(b, (char[]){'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]}, 6);
    }
}

/* Nearly every string: there is nothing to escape. */
static bool put_plain(struct buf *b, struct span s) {
    if (plain_length(s) < s.n || !buf_room(b, s.n + 2))
        return false;
    char *to = b->p + b->n;
    *to++ = '"';
    if (s.n)
        memcpy(to, s.p, s.n);
    memcpy(to + s.n, "\"", 2);
    b->n += s.n + 2;
    return true;
}

static void string(struct buf *b, struct span s, bool raw) {
    if (put_plain(b, s))
        return;
    buf_char(b, '"');
    size_t from = 0; /* everything before it is written */
    for (size_t i = 0; i < s.n;) {
        i += plain_length(span_from(s, i));
        if (i == s.n)
            break;
        unsigned char byte = (unsigned char)s.p[i];
        size_t taken = 1;
        struct span character =
            byte < 0x80 || raw ? span_of(s.p + i, 1) : utf8_mended(span_from(s, i), &taken);
        if (byte >= 0x80 && character.p == s.p + i) {
            i += taken;
            continue;
        }
        buf_add(b, s.p + from, i - from);
        if (byte >= 0x80)
            buf_span(b, character);
        else
            escape(b, byte);
        from = i += taken;
    }
    if (from < s.n)
        buf_add(b, s.p + from, s.n - from);
    buf_char(b, '"');
}

void json_put_string(struct buf *b, struct span s) {
    string(b, s, false);
}

void json_put_string_raw(struct buf *b, struct span s) {
    string(b, s, true);
}

void json_put_base64(struct buf *b, struct span s) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    buf_char(b, '"');
    for (size_t i = 0; i < s.n;) {
        char piece[1024];
        size_t n_piece = 0;
        for (; i < s.n && n_piece + 4 <= sizeof piece; i += 3) {
            size_t n = s.n - i < 3 ? s.n - i : 3;
            uint32_t three = 0;
            for (size_t k = 0; k < 3; k++)
                three = three << 8 | (k < n ? (unsigned char)s.p[i + k] : 0);
            piece[n_piece++] = digits[three >> 18];
            piece[n_piece++] = digits[three >> 12 & 63];
            piece[n_piece++] = n > 1 ? digits[three >> 6 & 63] : '=';
            piece[n_piece++] = n > 2 ? digits[three & 63] : '=';
        }
        buf_add(b, piece, n_piece);
    }
    buf_char(b, '"');
}

void json_put_number(struct buf *b, double value) {
    char text[NUMBER_SIZE];
    if (isfinite(value))
        buf_add(b, text, number_format(value, text));
    else
        buf_str(b, "null");
}

void json_put_strings(struct buf *b, size_t n, const struct span *list) {
    buf_char(b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_char(b, ',');
        json_put_string(b, list[i]);
    }
    buf_char(b, ']');
}

void json_put_time(struct buf *b, int64_t wall_ns) {
    char text[CLOCK_RFC3339_SIZE];
    clock_rfc3339(wall_ns, text);
    json_put_string(b, span_str(text));
}
