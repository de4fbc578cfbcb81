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

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* "1 ", "12e", "+-3", "0x1F": nearly a number. */
static const char *cause_of_number(struct span s) {
    static const char *const empty[] = {"-", "+", ""};
    size_t digits = 0, points = 0, signs = 0;
    for (size_t i = 0; i < s.n; i++) {
        digits += is_digit(s.p[i]);
        points += s.p[i] == '.';
        signs += s.p[i] == '+' || s.p[i] == '-';
    }
    if (is_one_of(s, empty))
        return "a sign stands without a number";
    if (s.n == 0 || digits == 0)
        return NULL;
    if (is_blank(s.p[0]) || is_blank(s.p[s.n - 1]))
        return "a blank stands beside the number";
    if ((s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
        return "the number stands in quotes";
    if (span_starts(s, SPAN("0x")) || span_starts(s, SPAN("0X")))
        return "the number is hexadecimal";
    if (is_digit(s.p[0]) && digits + 1 == s.n && (s.p[s.n - 1] == 'e' || s.p[s.n - 1] == 'E'))
        return "the number has an 'e' without an exponent";
    if (points > 1 && digits + points + signs == s.n)
        return "the number has more than one decimal point";
    if (signs > 1 && digits + points + signs == s.n)
        return "the number has more than one sign";
    return NULL;
}

static const char *cause_of_value(struct span s) {
    static const char *const nothing[] = {"none", "null",  "nil",    "undefined", "n/a",
                                          "?",    "<nil>", "(null)", ""};
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
    if (s.n && (s.p[0] == '{' || s.p[0] == '[' || s.p[0] == '<'))
        return "the client sent an object or a list in the place of a number";
    const char *number = cause_of_number(s);
    if (number)
        return number;
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
    if (s.n == 0 || s.p[0] == '#' || s.p[0] == '@')
        return "the type is missing, as in NAME:VALUE|c";
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
    if (n && rest.n && rest.p[0] == ',')
        return "tags stand behind a '|#'";
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

/* cluster.outbound|443:1|c, hits 1|c, hits=1|c: what stands where the ':' is missed. */
static const char *cause_of_colon(struct span text) {
    const char *pipe = text.n ? memchr(text.p, '|', text.n) : NULL;
    if (!pipe)
        return cause_of_line(text);
    struct span head = span_of(text.p, (size_t)(pipe - text.p)), rest = span_from(text, head.n + 1);
    bool number = head.n && is_digit(head.p[head.n - 1]);
    if (holds(rest, ":"))
        return "a '|' ends the value, so no name can hold one";
    if (number && holds(head, "="))
        return "a '=' stands in the place of the ':'";
    if (number && holds(head, " "))
        return "a blank stands in the place of the ':'";
    return rest.n && is_digit(rest.p[0]) ? "a '|' stands in the place of the ':'" : NULL;
}

static const char *cause_of_rate(struct span s) {
    if (s.n == 0)
        return "the rate is missing";
    if (s.p[s.n - 1] == '%' || holds(s, "/"))
        return "a rate is a number from 0 to 1, as 0.1";
    return cause_of_locale(s);
}

static const char *cause_of_timestamp(struct span s) {
    if (s.n == 0)
        return "the timestamp is missing";
    if (holds(s, ":") || holds(s, "-"))
        return "a timestamp counts the seconds since 1970";
    return holds(s, ".") ? "seconds have no fraction here" : NULL;
}

/* _scheduler.depth:5|g, _e:x|y: read as what it was not meant for. */
static const char *cause_of_family(const struct reject *r) {
    bool check = r->reason == REASON_SC_FORMAT || r->reason == REASON_SC_EMPTY_NAME ||
                 r->reason == REASON_SC_INVALID_STATUS;
    if (check && r->text.n > 3 && span_starts(r->text, SPAN("_sc")) && r->text.p[3] != '|')
        return "every line that begins with _sc is read as a service check: no other name can begin so";
    bool metric = r->reason == REASON_INVALID_TYPE || r->reason == REASON_INVALID_VALUE ||
                  r->reason == REASON_NO_COLON || r->reason == REASON_NO_PIPE;
    return metric && (span_starts(r->text, SPAN("_e:")) || span_starts(r->text, SPAN("_e|")))
               ? "an event begins with _e{TITLE_BYTES,TEXT_BYTES}:"
               : NULL;
}

static const char *cause_of_status(struct span s) {
    static const char *const words[] = {"ok", "warning", "warn", "critical", "unknown", ""};
    return is_one_of(s, words) ? "a status is a digit: 0 ok, 1 warning, 2 critical, 3 unknown" : NULL;
}

/* Over HTTP fields have no such letters. */
static bool stands_behind(const struct reject *r, char letter) {
    return r->offset > 0 && r->offset <= r->text.n && r->text.p[r->offset - 1] == letter;
}

const char *cause_of(const struct reject *r) {
    struct span s = failed_field(r);
    const char *family = cause_of_family(r);
    if (family)
        return family;
    switch (r->reason) {
    case REASON_INVALID_VALUE:
        return r->offset ? cause_of_value(s) : NULL;
    case REASON_INVALID_SAMPLE_RATE:
        return stands_behind(r, '@') ? cause_of_rate(s) : NULL;
    case REASON_INVALID_TIMESTAMP:
        return stands_behind(r, 'T') ? cause_of_timestamp(s) : NULL;
    case REASON_NO_COLON:
        return cause_of_colon(r->text);
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
