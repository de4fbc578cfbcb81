#include "catalog/looks.h"

#define LONG_DIGITS 6
#define HASH_DIGITS 16

static bool digit(char c) {
    return c >= '0' && c <= '9';
}

static bool hex(char c) {
    return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Follows a shape, in which d is a digit, x a hexadecimal one, and anything else itself. */
static bool starts_like(struct span s, const char *shape) {
    for (size_t i = 0; shape[i]; i++)
        if (i >= s.n || !(shape[i] == 'd'   ? digit(s.p[i])
                          : shape[i] == 'x' ? hex(s.p[i])
                                            : s.p[i] == shape[i]))
            return false;
    return true;
}

/* Also within a longer value: /users/123e4567-e89b-12d3-a456-426614174000. */
static bool holds_uuid(struct span s) {
    for (size_t i = 0; i + 36 <= s.n; i++)
        if (s.p[i + 8] == '-' && starts_like(span_from(s, i), "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"))
            return true;
    return false;
}

/* name@host.tld, without blanks */
static bool is_email(struct span s) {
    const char *at = s.n ? memchr(s.p, '@', s.n) : NULL;
    if (!at || at == s.p || memchr(s.p, ' ', s.n))
        return false;
    struct span host = span_from(s, (size_t)(at - s.p) + 1);
    const char *dot = host.n ? memchr(host.p, '.', host.n) : NULL;
    return dot && dot != host.p && dot + 1 < host.p + host.n && !memchr(host.p, '@', host.n);
}

enum looks looks_like(struct span s) {
    if (holds_uuid(s))
        return LOOKS_UUID;
    if (is_email(s))
        return LOOKS_EMAIL;
    if (starts_like(s, "dddd-dd-dd") && (s.n == 10 || s.p[10] == 'T' || s.p[10] == ' '))
        return LOOKS_TIME;
    struct span rest = s.n && s.p[0] == '-' ? span_from(s, 1) : s;
    size_t digits = 0;
    while (digits < rest.n && digit(rest.p[digits]))
        digits++;
    if (digits == s.n && (digits == 10 || digits == 13 || digits == 16 || digits == 19) && s.p[0] == '1')
        return LOOKS_TIME;
    if (digits == rest.n && digits >= LONG_DIGITS)
        return LOOKS_NUMBER;
    rest = span_starts(s, SPAN("0x")) ? span_from(s, 2) : s;
    size_t hexes = 0;
    while (hexes < rest.n && hex(rest.p[hexes]))
        hexes++;
    return hexes == rest.n && hexes >= HASH_DIGITS ? LOOKS_HASH : LOOKS_PLAIN;
}

const char *looks_word(enum looks looks) {
    static const char *const words[] = {
#define X(id, word, pattern) [id] = word,
        LOOKS(X)
#undef X
    };
    return words[looks];
}

const char *looks_pattern(enum looks looks) {
    static const char *const patterns[] = {
#define X(id, word, pattern) [id] = pattern,
        LOOKS(X)
#undef X
    };
    return patterns[looks];
}
