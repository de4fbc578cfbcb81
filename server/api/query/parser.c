#include "api/query/parser.h"

#include "core/number.h"
#include <math.h>

bool parser_fail(struct parser *p, const char *rule, const char *expected) {
    if (p->expected)
        return false;
    p->rule = rule;
    p->expected = expected;
    p->failed_at = p->at;
    return false;
}

void parser_blanks(struct parser *p) {
    while (p->at < p->text.n && p->text.p[p->at] && strchr(" \t\r\n", p->text.p[p->at]))
        p->at++;
}

char parser_peek(struct parser *p) {
    parser_blanks(p);
    return p->at < p->text.n ? p->text.p[p->at] : '\0';
}

bool parser_take(struct parser *p, char c) {
    parser_blanks(p);
    if (p->at >= p->text.n || p->text.p[p->at] != c)
        return false;
    p->at++;
    return true;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

struct span parser_word(struct parser *p) {
    size_t from = is_letter(parser_peek(p)) ? p->at : p->text.n;
    while (from < p->text.n && p->at < p->text.n) {
        char c = p->text.p[p->at];
        if (!is_letter(c) && !is_digit(c) && c != '_' && c != '.')
            break;
        p->at++;
    }
    return from < p->text.n ? span_of(p->text.p + from, p->at - from) : span_of(p->text.p, 0);
}

/*   12.5e-3
 *   ^ ^ ^
 *   digits, fraction, exponent */
bool parser_number(struct parser *p, double *value) {
    parser_blanks(p);
    size_t i = p->at, digits = 0;
    for (; i < p->text.n && (is_digit(p->text.p[i]) || p->text.p[i] == '.'); i++)
        digits += is_digit(p->text.p[i]);
    if (digits && i < p->text.n && (p->text.p[i] == 'e' || p->text.p[i] == 'E')) {
        size_t k = i + 1;
        if (k < p->text.n && (p->text.p[k] == '+' || p->text.p[k] == '-'))
            k++;
        if (k < p->text.n && is_digit(p->text.p[k]))
            for (i = k; i < p->text.n && is_digit(p->text.p[i]);)
                i++;
    }
    struct span text = span_of(p->text.p + p->at, i - p->at);
    if (!digits || number_parse(text, value) != NUMBER_OK || !isfinite(*value))
        return parser_fail(p, "number", "a number");
    p->at = i;
    return true;
}

bool parser_text(struct parser *p, struct span *text) {
    char quote = parser_peek(p);
    if (quote != '\'' && quote != '"') {
        *text = parser_word(p);
        return text->n > 0;
    }
    const char *from = p->text.p + p->at + 1;
    const char *end = memchr(from, quote, p->text.n - p->at - 1);
    if (!end)
        return false;
    *text = span_of(from, (size_t)(end - from));
    p->at += text->n + 2;
    return true;
}

bool parser_enter(struct parser *p) {
    return ++p->depth <= QUERY_DEPTH_MAX || parser_fail(p, "depth", "at most 64 levels of parentheses");
}

void parser_leave(struct parser *p) {
    p->depth--;
}

void *parser_alloc(struct parser *p, size_t n) {
    void *memory = arena_alloc(p->p->arena, n);
    if (!memory)
        parser_fail(p, "memory", "a shorter query");
    else
        memset(memory, 0, n);
    return memory;
}
