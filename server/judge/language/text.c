#include "judge/language/text.h"

#include "core/number.h"
#include "core/utf8.h"

#include <math.h>

#define WORD_MAX 65536 /* bytes of a tag in a list: all of it */

json_t *text_json(struct span s) {
    struct buf b = {0};
    if (utf8_valid(s))
        return json_stringn_nocheck(s.n ? s.p : "", s.n);
    for (size_t i = 0; i < s.n && !b.failed;) {
        size_t taken;
        buf_span(&b, utf8_mended(span_from(s, i), &taken));
        i += taken;
    }
    struct span valid = buf_view(&b);
    json_t *json = b.failed ? NULL : json_stringn_nocheck(valid.p, valid.n);
    buf_free(&b);
    return json;
}

json_t *text_json_buf(const struct buf *b) {
    return text_json(buf_view(b));
}

json_t *text_json_number(double value) {
    if (!isfinite(value))
        return json_null();
    if (value == floor(value) && fabs(value) < 1e15)
        return json_integer((json_int_t)value);
    return json_real(value);
}

/* Most of what is shown: characters of one byte that are visible. */
static size_t ascii_length(struct span s) {
    size_t n = 0;
    while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7f)
        n++;
    return n;
}

void text_put_visible(struct buf *b, struct span s, size_t max) {
    size_t start = b->n;
    for (size_t i = 0; i < s.n;) {
        size_t shown = b->n - start, ascii = ascii_length(span_from(s, i));
        if (shown >= max) {
            buf_str(b, "...");
            return;
        }
        if (ascii) {
            ascii = ascii < max - shown ? ascii : max - shown;
            buf_add(b, s.p + i, ascii);
            i += ascii;
            continue;
        }
        size_t n = utf8_length(span_from(s, i));
        bool visible = n && utf8_visible(utf8_decode(span_from(s, i), n));
        n = n ? n : 1;
        if (visible)
            buf_add(b, s.p + i, n);
        for (size_t k = 0; k < n && !visible; k++)
            buf_printf(b, "\\x%02x", (unsigned char)s.p[i + k]);
        i += n;
    }
}

void text_put_shown(struct buf *b, struct span s, bool tag, size_t max) {
    bool quoted = s.n == 0;
    for (size_t i = 0; i < s.n && !quoted; i++)
        quoted = memchr(" \"{}[],", s.p[i], tag ? 7 : 6) != NULL;
    buf_str(b, quoted ? "\"" : "");
    text_put_visible(b, s, max);
    buf_str(b, quoted ? "\"" : "");
}

void text_put_number(struct buf *b, double value) {
    char text[NUMBER_SIZE];
    buf_add(b, text, number_format(value, text));
}

const char *text_status(double status) {
    static const char *const words[] = {"ok", "warning", "critical", "unknown"};
    return status >= 0 && status <= 3 ? words[(int)status] : "unknown";
}

void text_put_tags(struct buf *b, size_t n, const struct span *tags, struct span host, struct span device) {
    const char *before = "{";
    for (size_t i = 0; i < n; i++, before = ",") {
        buf_str(b, before);
        text_put_shown(b, tags[i], true, WORD_MAX);
    }
    struct span fields[2] = {host, device};
    for (int i = 0; i < 2; i++)
        if (fields[i].p) {
            buf_printf(b, "%s%s:", before, i ? "device" : "host");
            text_put_visible(b, fields[i], WORD_MAX);
            before = ",";
        }
    if (before[0] == ',')
        buf_char(b, '}');
}

void text_put_plural(struct buf *b, uint64_t n, const char *word) {
    buf_u64(b, n);
    buf_char(b, ' ');
    buf_str(b, word);
    if (n != 1)
        buf_char(b, 's');
}

static bool is_plain(struct span word) {
    for (size_t i = 0; i < word.n; i++) {
        unsigned char byte = (unsigned char)word.p[i];
        if (byte <= ' ' || byte == 0x7f || memchr("\"'[]{}(),#<>=|!", byte, 15))
            return false;
    }
    return word.n > 0 && utf8_valid(word);
}

void text_put_word(struct buf *b, struct span word) {
    if (is_plain(word)) {
        buf_span(b, word);
        return;
    }
    buf_char(b, '"');
    for (size_t i = 0; i < word.n;) {
        struct span rest = span_from(word, i);
        size_t n = utf8_length(rest);
        uint32_t code = n ? utf8_decode(rest, n) : 0;
        i += n ? n : 1;
        if (code == '"' || code == '\\')
            buf_char(b, '\\');
        if (code < ' ' || (code >= 0x7f && code < 0xa0))
            buf_char(b, '?');
        else
            buf_add(b, rest.p, n);
    }
    buf_char(b, '"');
}

void text_put_series(struct buf *b, enum metric_type type, struct span name, size_t n,
                     const struct span *tags) {
    buf_printf(b, "%s ", metric_word(type));
    text_put_word(b, name);
    for (size_t i = 0; i < n; i++) {
        buf_char(b, i ? ',' : '{');
        text_put_word(b, tags[i]);
    }
    buf_str(b, n ? "}" : "");
}
