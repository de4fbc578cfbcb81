#include "core/cause.h"

#include <strings.h>

/* From where reading failed to the end of the field.
 *
 *     temperature:21,5|g
 *                 ^^^^
 */
static struct span failed_field(const struct reject *r) {
    struct span rest = r->offset < r->text.n ? span_from(r->text, r->offset) : SPAN("");
    const char *pipe = rest.n ? memchr(rest.p, '|', rest.n) : NULL;
    return pipe ? span_of(rest.p, (size_t)(pipe - rest.p)) : rest;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool holds(struct span s, const char *text) {
    return s.n && memmem(s.p, s.n, text, strlen(text)) != NULL;
}

/* One of the words, in whatever case; "" ends the list. */
static bool is_one_of(struct span s, const char *const *words) {
    for (; (*words)[0]; words++)
        if (s.n == strlen(*words) && strncasecmp(s.p, *words, s.n) == 0)
            return true;
    return false;
}

/* Digits on both sides of the mark. */
static bool parts_digits(struct span s, const char *mark) {
    size_t n = strlen(mark);
    for (size_t i = 1; i + n < s.n; i++)
        if (is_digit(s.p[i - 1]) && memcmp(s.p + i, mark, n) == 0 && is_digit(s.p[i + n]))
            return true;
    return false;
}

static const char *cause_of_locale(struct span s) {
    if (parts_digits(s, " ") || parts_digits(s, "'") || parts_digits(s, "_") || parts_digits(s, "\xc2\xa0") ||
        parts_digits(s, "\xe2\x80\xaf"))
        return "its digits are grouped, as some languages print numbers";
    if (parts_digits(s, ","))
        return "a comma stands for the decimal point, as some languages print numbers: only a '.' is taken";
    return NULL;
}

static const char *cause_of_value(struct span s) {
    static const char *const nothing[] = {"none", "null", "nil", "undefined", "n/a", "?", "<nil>", ""};
    static const char *const truths[] = {"true", "false", "yes", "no", ""};
    const char *locale = cause_of_locale(s);
    if (locale)
        return locale;
    if (is_one_of(s, nothing))
        return "the client had no value";
    if (is_one_of(s, truths))
        return "a truth value is sent as 1 or 0";
    if (holds(s, "\xe2\x88\x9e"))
        return "it is infinity, as some languages print it";
    if (s.n && (s.p[0] == '#' || (holds(s, ":") && holds(s, ","))))
        return "tags stand in the place of the value";
    if (holds(s, ":"))
        return "a name ends at its first ':'";
    if (s.n > 1 && is_digit(s.p[0]) && (is_letter(s.p[s.n - 1]) || s.p[s.n - 1] == '%'))
        return "a unit stands behind the number";
    return NULL;
}

static size_t type_length(struct span s) {
    if (span_starts(s, SPAN("ms")))
        return 2;
    return s.n && memchr("cghds", s.p[0], 5) ? 1 : 0;
}

static const char *cause_of_type(struct span s) {
    static const char *const upper[] = {"c", "g", "ms", "h", "d", "s", ""};
    static const char *const others[] = {"m", "kv", "r", "t", "a", "l", ""};
    static const char *const units[] = {"us", "ns", "sec", ""};
    static const char *const words[] = {"count", "counter", "gauge",     "timer",        "timing",
                                        "set",   "meter",   "histogram", "distribution", ""};
    size_t n = type_length(s);
    struct span rest = span_from(s, n);
    if (is_one_of(s, upper))
        return "types are in lower case";
    if (is_one_of(s, others))
        return "other servers know this type, an Agent does not";
    if (is_one_of(s, units))
        return "a timing is in milliseconds: ms is the only unit";
    if (is_one_of(s, words))
        return "a type is one letter, or ms";
    if (n && rest.n && rest.p[0] == '@')
        return "a '|' is missing before the '@'";
    if (n && rest.n && rest.p[0] == '#')
        return "a '|' is missing before the '#'";
    if (n && span_starts(rest, SPAN("\\n")))
        return "a backslash and an n stand where a newline was meant";
    if (n && rest.n && rest.p[0] == '\0')
        return "a NUL byte was sent with the line, as the end of a text in C";
    if (n && rest.n && (rest.p[0] == ' ' || rest.p[0] == '\t'))
        return "a blank stands behind the type";
    if (holds(s, ":"))
        return "two lines stand together without a newline between them";
    return NULL;
}

/* Whole lines of other protocols, and what is cut off. */
static const char *cause_of_line(struct span s) {
    const char *blank = s.n ? memchr(s.p, ' ', s.n) : NULL, *last = s.n ? memrchr(s.p, ' ', s.n) : NULL;
    bool number = s.n && is_digit(s.p[s.n - 1]);
    if (s.n && (s.p[0] == '{' || s.p[0] == '['))
        return "it is JSON, which DogStatsD does not take";
    if (holds(s, " HTTP/1."))
        return "it is an HTTP request";
    if (blank && holds(s, "="))
        return "it is a line of InfluxDB's protocol, or the end of another line";
    if (blank && last != blank && number)
        return "it is a line of Graphite's protocol, or the end of another line";
    if (number && holds(s, ":"))
        return "the type is missing, as in NAME:VALUE|c";
    return NULL;
}

static const char *cause_of_status(struct span s) {
    static const char *const words[] = {"ok", "warning", "warn", "critical", "unknown", ""};
    return is_one_of(s, words) ? "a status is a digit: 0 ok, 1 warning, 2 critical, 3 unknown" : NULL;
}

const char *cause_of(const struct reject *r) {
    struct span s = failed_field(r);
    switch (r->reason) {
    case REASON_INVALID_VALUE:
        return r->offset ? cause_of_value(s) : NULL;
    case REASON_INVALID_SAMPLE_RATE:
        return s.n && s.p[s.n - 1] == '%' ? "a rate is a number from 0 to 1" : cause_of_locale(s);
    case REASON_INVALID_TYPE:
        return cause_of_type(s);
    case REASON_NO_PIPE:
        return cause_of_line(r->text);
    case REASON_SC_INVALID_STATUS:
        return cause_of_status(s);
    case REASON_EVENT_TOO_SHORT:
        return "a newline in a title or a text ends the line: it is sent as \\n";
    default:
        return NULL;
    }
}
