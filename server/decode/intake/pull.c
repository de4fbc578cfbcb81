/* DESIGN. Each function starts at a value's first blank or byte and ends right after what it read. Commas are
 * read where the next member or element is asked for, so a value needs not know what it stands in: `fresh`
 * alone tells whether a comma is due. pull_skip keeps the kinds of the containers it is in as one bit each.
 */
#include "decode/intake/pull.h"

#include "core/number.h"
#include "core/utf8.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>

void pull_start(struct pull *p, struct span body, struct arena *scratch) {
    p->body = body;
    p->at = 0;
    p->scratch = scratch;
    p->fresh = p->failed = false;
    p->error[0] = '\0';
}

static bool at_end(const struct pull *p) {
    return p->at >= p->body.n;
}

static bool fail(struct pull *p, const char *error) {
    if (!p->failed)
        snprintf(p->error, sizeof p->error, "%s", error);
    p->failed = true;
    return false;
}

/* "invalid character 'x' WHERE", or the end of the input. */
static bool fail_here(struct pull *p, const char *where) {
    if (p->failed)
        return false;
    if (at_end(p))
        return fail(p, "unexpected end of JSON input");
    unsigned char c = (unsigned char)p->body.p[p->at];
    char shown[16];
    if (c == '\'' || c == '\\')
        snprintf(shown, sizeof shown, "\\%c", c);
    else if (c == '\n' || c == '\r' || c == '\t')
        snprintf(shown, sizeof shown, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
    else if (c < 0x20 || c == 0x7f)
        snprintf(shown, sizeof shown, "\\x%02x", c);
    else if (c >= 0x80 && c < 0xa0)
        snprintf(shown, sizeof shown, "\\u%04x", c);
    else if (c >= 0x80) /* Go shows the byte as the character of that number */
        snprintf(shown, sizeof shown, "%c%c", 0xC0 | c >> 6, 0x80 | (c & 0x3F));
    else
        snprintf(shown, sizeof shown, "%c", c);
    snprintf(p->error, sizeof p->error, "invalid character '%s' %s", shown, where);
    p->failed = true;
    return false;
}

static void skip_blanks(struct pull *p) {
    while (!at_end(p)) {
        char c = p->body.p[p->at];
        if (c != ' ' && c != '\n' && c != '\t' && c != '\r')
            return;
        p->at++;
    }
}

/* The byte after blanks; '\0' at the end (a NUL byte itself is nowhere valid). */
static char next(struct pull *p) {
    skip_blanks(p);
    return at_end(p) ? '\0' : p->body.p[p->at];
}

enum pull_kind pull_kind(struct pull *p) {
    if (p->failed)
        return PULL_NOTHING;
    char c = next(p);
    if (c >= '0' && c <= '9')
        return PULL_NUMBER;
    switch (c) {
    case '{':
        return PULL_OBJECT;
    case '[':
        return PULL_ARRAY;
    case '"':
        return PULL_STRING;
    case 't':
    case 'f':
        return PULL_BOOLEAN;
    case 'n':
        return PULL_NULL;
    case '-':
    case 'N':
    case 'I':
        return PULL_NUMBER;
    default:
        fail_here(p, "looking for beginning of value");
        return PULL_NOTHING;
    }
}

void pull_enter(struct pull *p) {
    p->at++;
    p->fresh = true;
}

/* Past the comma that is due, or past the closing byte (then false). */
static bool more(struct pull *p, char close, const char *where) {
    if (p->failed)
        return false;
    char c = next(p);
    if (p->fresh) {
        p->fresh = false;
        if (at_end(p))
            return fail_here(p, where);
        if (c != close)
            return true;
    } else if (c == ',') {
        p->at++;
        return true;
    } else if (c != close) {
        return fail_here(p, where);
    }
    p->at++;
    return false;
}

bool pull_key(struct pull *p, struct span *key) {
    if (!more(p, '}', "after object key:value pair"))
        return false;
    if (next(p) != '"')
        return fail_here(p, "looking for beginning of object key string");
    if (!pull_string(p, key))
        return false;
    if (next(p) != ':')
        return fail_here(p, "after object key");
    p->at++;
    return true;
}

bool pull_element(struct pull *p) {
    return more(p, ']', "after array element");
}

/* --- strings --------------------------------------------------------------------------------------------- */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Past the string that starts at the quote, checking its escapes; *raw is what lies between the quotes. */
static bool scan_string(struct pull *p, struct span *raw, bool *plain) {
    const char *s = p->body.p;
    size_t n = p->body.n, i = p->at + 1, from = i;
    unsigned char high = 0;
    bool escaped = false;
    for (;; i++) {
        if (i >= n) {
            p->at = n;
            return fail_here(p, "");
        }
        unsigned char c = (unsigned char)s[i];
        if (c == '"')
            break;
        high |= c;
        if (c < 0x20) {
            p->at = i;
            return fail_here(p, "in string literal");
        }
        if (c != '\\')
            continue;
        escaped = true;
        i++;
        if (i < n && s[i] == 'u') {
            for (size_t digits = 0; digits < 4; digits++) {
                i++;
                p->at = i;
                if (i >= n || hex_digit(s[i]) < 0)
                    return fail_here(p, "in \\u hexadecimal character escape");
            }
        } else if (i >= n || !strchr("\"\\/bfnrt", s[i]) || !s[i]) {
            p->at = i;
            return fail_here(p, "in string escape code");
        }
    }
    *raw = span_of(s + from, i - from);
    p->at = i + 1;
    *plain = !escaped && (high < 0x80 || utf8_valid(*raw));
    return true;
}

static uint32_t hex4(const char *s) {
    uint32_t code = 0;
    for (size_t i = 0; i < 4; i++)
        code = code << 4 | (uint32_t)hex_digit(s[i]);
    return code;
}

static char *put_code(char *to, uint32_t code) {
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xC0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *to++ = (char)(0xE0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    } else {
        *to++ = (char)(0xF0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3F));
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    }
    return to;
}

#define REPLACEMENT 0xFFFD

/*   \ud83d\ude00   a pair, one character
 *   \ud83d         alone: U+FFFD
 * Returns where reading goes on; `at` is at the first hexadecimal digit. */
static size_t code_point(struct span raw, size_t at, uint32_t *code) {
    *code = hex4(raw.p + at);
    at += 4;
    if (*code < 0xD800 || *code > 0xDFFF)
        return at;
    bool pair = *code < 0xDC00 && raw.n - at >= 6 && raw.p[at] == '\\' && raw.p[at + 1] == 'u';
    uint32_t low = pair ? hex4(raw.p + at + 2) : 0;
    if (low < 0xDC00 || low > 0xDFFF) {
        *code = REPLACEMENT;
        return at;
    }
    *code = 0x10000 + ((*code & 0x3FF) << 10 | (low & 0x3FF));
    return at + 6;
}

static bool rewrite(struct pull *p, struct span raw, struct span *text) {
    char *const start = arena_alloc(p->scratch, raw.n * 3 + 1); /* a bad byte becomes three */
    if (!start)
        return fail(p, "out of memory");
    char *to = start;
    for (size_t i = 0; i < raw.n;) {
        char c = raw.p[i];
        if (c == '\\') {
            static const char from[] = "bfnrt", as[] = "\b\f\n\r\t";
            char escape = raw.p[i + 1];
            const char *named = strchr(from, escape);
            i += 2;
            if (escape == 'u') {
                uint32_t code;
                i = code_point(raw, i, &code);
                to = put_code(to, code);
            } else {
                *to++ = named ? as[named - from] : escape;
            }
            continue;
        }
        size_t length = utf8_length(span_from(raw, i));
        if (length == 0) {
            to = put_code(to, REPLACEMENT);
            i++;
            continue;
        }
        memcpy(to, raw.p + i, length);
        to += length;
        i += length;
    }
    *text = span_of(start, (size_t)(to - start));
    return true;
}

bool pull_string(struct pull *p, struct span *text) {
    if (pull_kind(p) != PULL_STRING)
        return false;
    bool plain;
    struct span raw;
    if (!scan_string(p, &raw, &plain))
        return false;
    if (!plain)
        return rewrite(p, raw, text);
    *text = raw;
    return true;
}

/* --- numbers and words ----------------------------------------------------------------------------------- */

static bool is_digit(const struct pull *p) {
    return !at_end(p) && p->body.p[p->at] >= '0' && p->body.p[p->at] <= '9';
}

static bool digits(struct pull *p, const char *where) {
    if (!is_digit(p))
        return fail_here(p, where);
    while (is_digit(p))
        p->at++;
    return true;
}

static bool word(struct pull *p, const char *text) {
    for (size_t i = 0; text[i]; i++, p->at++)
        if (at_end(p) || p->body.p[p->at] != text[i]) {
            char where[64];
            snprintf(where, sizeof where, "in literal %s (expecting '%c')", text, text[i]);
            return fail_here(p, where);
        }
    return true;
}

static bool scan_number(struct pull *p, struct span *text) {
    size_t from = p->at;
    if (p->body.p[p->at] == '-')
        p->at++;
    char c = at_end(p) ? '\0' : p->body.p[p->at];
    bool ok = true;
    if (c == 'N' || c == 'I')
        ok = word(p, c == 'N' ? "NaN" : "Infinity");
    else if (c == '0')
        p->at++;
    else
        ok = digits(p, "in numeric literal");
    if (ok && c != 'N' && c != 'I') {
        if (!at_end(p) && p->body.p[p->at] == '.') {
            p->at++;
            ok = digits(p, "after decimal point in numeric literal");
        }
        if (ok && !at_end(p) && (p->body.p[p->at] | 0x20) == 'e') {
            p->at++;
            if (!at_end(p) && (p->body.p[p->at] == '+' || p->body.p[p->at] == '-'))
                p->at++;
            ok = digits(p, "in exponent of numeric literal");
        }
    }
    *text = span_of(p->body.p + from, p->at - from);
    return ok;
}

bool pull_number(struct pull *p, double *value, struct span *text) {
    if (pull_kind(p) != PULL_NUMBER || !scan_number(p, text))
        return false;
    char last = text->p[text->n - 1];
    bool negative = text->p[0] == '-';
    if (last == 'N')
        *value = NAN;
    else if (last == 'y' || number_parse(*text, value) != NUMBER_OK)
        *value = negative ? -INFINITY : INFINITY;
    return true;
}

static bool skip_scalar(struct pull *p, enum pull_kind kind) {
    struct span unused;
    bool plain;
    switch (kind) {
    case PULL_STRING:
        return scan_string(p, &unused, &plain);
    case PULL_NUMBER:
        return scan_number(p, &unused);
    case PULL_BOOLEAN:
        return word(p, p->body.p[p->at] == 't' ? "true" : "false");
    case PULL_NULL:
        return word(p, "null");
    default:
        return false;
    }
}

bool pull_skip(struct pull *p, struct span *raw) {
    unsigned char objects[PULL_DEPTH_MAX / 8 + 1]; /* one bit for each container we are in */
    size_t depth = 0;
    enum pull_kind kind = pull_kind(p);
    size_t from = p->at;
    for (;;) {
        if (kind == PULL_OBJECT || kind == PULL_ARRAY) {
            if (depth == PULL_DEPTH_MAX)
                return fail(p, "exceeded max depth");
            unsigned char bit = (unsigned char)(1U << depth % 8);
            unsigned char others = (unsigned char)(depth % 8 ? objects[depth / 8] & ~bit : 0);
            objects[depth / 8] = (unsigned char)(others | (kind == PULL_OBJECT ? bit : 0));
            depth++;
            pull_enter(p);
        } else if (!skip_scalar(p, kind)) {
            return false;
        }
        bool another = false;
        while (depth > 0 && !another) {
            struct span key;
            bool in_object = objects[(depth - 1) / 8] >> (depth - 1) % 8 & 1;
            another = in_object ? pull_key(p, &key) : pull_element(p);
            if (p->failed)
                return false;
            depth -= !another;
        }
        if (depth == 0)
            break;
        kind = pull_kind(p);
    }
    if (raw)
        *raw = span_of(p->body.p + from, p->at - from);
    return true;
}

bool pull_finish(struct pull *p) {
    if (p->failed)
        return false;
    skip_blanks(p);
    return at_end(p) || fail_here(p, "after top-level value");
}
