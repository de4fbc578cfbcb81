/* DESIGN. A recursive descent over
 *
 *     queries = sum { "," sum }
 *     sum     = product { ("+" | "-") product }
 *     product = factor { ("*" | "/") factor }
 *     factor  = "-" factor | number | "(" sum ")" | call | metric | name
 *     call    = function "(" sum { "," argument } ")"
 *     metric  = [ aggregator ":" ] name "{" scope "}" [ "by" "{" keys "}" ] { "." modifier }      (metric.c)
 *
 * Depth and steps are counted, so neither the stack here nor the one of evaluate.c grows with the text. Operations of two
 * numbers are done at once. */
#include "api/query/functions.h"
#include "api/query/parser.h"

#include <math.h>

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static struct query_node *new_node(struct parser *p, enum query_kind kind) {
    if (++p->steps > QUERY_STEPS_MAX) {
        parser_fail(p, "length", "at most 512 operators, functions and metrics");
        return NULL;
    }
    struct query_node *node = parser_alloc(p, sizeof *node);
    if (node)
        node->kind = kind;
    return node;
}

/* --- expressions ------------------------------------------------------------------------------------------- */

static struct query_node *parse_sum(struct parser *p);

static double calculate(char op, double a, double b) {
    return op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : a / b;
}

static struct query_node *new_binary(struct parser *p, char op, struct query_node *left,
                                     struct query_node *right) {
    if (left->kind == QUERY_NUMBER && right->kind == QUERY_NUMBER) {
        left->number = calculate(op, left->number, right->number);
        p->steps--;
        if (isfinite(left->number))
            return left;
        parser_fail(p, "expr", "numbers whose result is a number");
        return NULL;
    }
    struct query_node *node = new_node(p, QUERY_BINARY);
    if (!node)
        return NULL;
    node->op = op;
    node->left = left;
    node->right = right;
    return node;
}

/*   top(avg:x{*} by {host}, 5, 'mean', 'desc')
 *                           ^  ^       ^
 */
static bool parse_arguments(struct parser *p, struct query_node *call) {
    const char *kinds = call->function->kinds;
    while (parser_take(p, ',')) {
        if (call->n_args == strlen(kinds))
            return parser_fail(p, "arguments", "')': the function takes no further argument");
        struct query_argument *arg = &call->args[call->n_args];
        if (kinds[call->n_args] == 't') {
            if (!parser_text(p, &arg->word))
                return parser_fail(p, "arguments", "a word or a text in quotes");
        } else {
            bool negative = parser_take(p, '-');
            if (!parser_number(p, &arg->number))
                return false;
            if (negative)
                arg->number = -arg->number;
        }
        call->n_args++;
    }
    if (!parser_take(p, ')'))
        return parser_fail(p, "arguments", "',' or ')'");
    if (call->n_args < call->function->n_min)
        return parser_fail(p, "arguments", "more arguments before ')'");
    const char *wrong = function_check(call->function, call->args, call->n_args);
    return !wrong || parser_fail(p, "arguments", wrong);
}

static struct query_node *parse_call(struct parser *p, struct span name, size_t at) {
    const struct query_function *function = function_find(name);
    if (p->p->mode == QUERY_ONE_METRIC) {
        p->words = "Functions are not supported in metrics data source field. Use the formulas payload.";
        return NULL;
    }
    if (!function) {
        p->at = at;
        parser_fail(p, "function", "a function that statwit evaluates (its README lists them)");
        return NULL;
    }
    struct query_node *call = new_node(p, QUERY_CALL);
    p->at++; /* the parenthesis */
    if (!call || !parser_enter(p))
        return NULL;
    call->function = function;
    call->left = parse_sum(p);
    if (!call->left)
        return NULL;
    if (call->left->kind == QUERY_NUMBER) {
        parser_fail(p, "arguments", "a query as the first argument");
        return NULL;
    }
    if (!parse_arguments(p, call))
        return NULL;
    parser_leave(p);
    return call;
}

static struct query_node *parse_name(struct parser *p, struct span word, size_t at) {
    for (size_t i = 0; i < p->p->n_names; i++) {
        if (!span_eq(p->p->names[i], word))
            continue;
        struct query_node *node = new_node(p, QUERY_METRIC);
        if (!node)
            return NULL;
        node->metric = p->p->nodes[i]->metric;
        node->name = word;
        node->index = i;
        return node;
    }
    p->at = at;
    parser_fail(p, "name", "the name of one of the queries, a number or a function");
    return NULL;
}

/* A term that begins with a word: a call, a metric, or a name in a formula. */
static struct query_node *parse_words(struct parser *p) {
    parser_blanks(p);
    size_t at = p->at;
    struct span word = parser_word(p);
    if (parser_peek(p) == '(')
        return parse_call(p, word, at);
    if (p->p->mode == QUERY_FORMULA)
        return parse_name(p, word, at);
    struct span aggregator = {NULL, 0};
    if (parser_peek(p) == ':') {
        aggregator = word;
        if (parser_aggregate(aggregator) < 0) {
            p->at = at;
            parser_fail(p, "aggregator", "avg:, sum:, min:, max:, count: or a percentile such as p95:");
            return NULL;
        }
        p->at++;
        word = parser_word(p);
    }
    if (word.n == 0) {
        parser_fail(p, "metric_name", "a metric name");
        return NULL;
    }
    if (++p->p->n_metrics > QUERY_METRICS_MAX) {
        parser_fail(p, "length", "at most 512 metrics in one request");
        return NULL;
    }
    struct query_node *node = new_node(p, QUERY_METRIC);
    if (node)
        node->metric = parser_metric(p, aggregator, word);
    return node && node->metric ? node : NULL;
}

static struct query_node *parse_factor(struct parser *p) {
    char c = parser_peek(p);
    struct query_node *node = NULL;
    if (is_digit(c) || c == '.') {
        node = new_node(p, QUERY_NUMBER);
        return node && parser_number(p, &node->number) ? node : NULL;
    }
    if (c == '-' || c == '(') {
        p->at++;
        if (!parser_enter(p))
            return NULL;
        node = c == '-' ? parse_factor(p) : parse_sum(p);
        if (node && c == '(' && !parser_take(p, ')')) {
            parser_fail(p, "expr", "')'");
            return NULL;
        }
        struct query_node *minus = node && c == '-' ? new_node(p, QUERY_NUMBER) : NULL;
        if (minus) {
            minus->number = -1;
            node = new_binary(p, '*', minus, node);
        } else if (c == '-') {
            return NULL;
        }
        parser_leave(p);
        return node;
    }
    if (is_letter(c))
        return parse_words(p);
    parser_fail(p, "expr", "a metric, a number, a function or '('");
    return NULL;
}

static struct query_node *parse_product(struct parser *p) {
    struct query_node *node = parse_factor(p);
    for (char c; node && ((c = parser_peek(p)) == '*' || c == '/');) {
        p->at++;
        struct query_node *right = parse_factor(p);
        node = right ? new_binary(p, c, node, right) : NULL;
    }
    return node;
}

static struct query_node *parse_sum(struct parser *p) {
    struct query_node *node = parse_product(p);
    for (char c; node && ((c = parser_peek(p)) == '+' || c == '-');) {
        p->at++;
        struct query_node *right = parse_product(p);
        node = right ? new_binary(p, c, node, right) : NULL;
    }
    return node;
}

/* --- whole texts ------------------------------------------------------------------------------------------- */

static const struct query_node *parse_one(struct parser *p, struct span *text) {
    parser_blanks(p);
    size_t from = p->at;
    p->steps = 0;
    const struct query_node *node = parse_sum(p);
    if (!node)
        return NULL;
    size_t end = p->at;
    while (end > from && strchr(" \t\r\n", p->text.p[end - 1]))
        end--;
    *text = span_of(p->text.p + from, end - from);
    if (p->p->mode == QUERY_ONE_METRIC && node->kind != QUERY_METRIC)
        p->words = "Functions are not supported in metrics data source field. Use the formulas payload.";
    else if (node->kind == QUERY_NUMBER)
        parser_fail(p, "expr", "a metric beside the numbers");
    return p->words || p->expected ? NULL : node;
}

static int tell(const struct parser *p, struct query_error *error) {
    if (p->words)
        return query_refuse(error, "%s", p->words);
    size_t line = 1, column = 1;
    for (size_t i = 0; i < p->failed_at; i++, column++)
        if (p->text.p[i] == '\n') {
            line++;
            column = 0;
        }
    int n = p->text.n > 160 ? 160 : (int)p->text.n;
    struct span rest = span_from(p->text, p->failed_at);
    int n_rest = rest.n > 20 ? 20 : (int)rest.n;
    return query_refuse(
        error,
        "Error parsing query: \nunable to parse %.*s%s: Rule '%s' didn't match at '%.*s' (line %zu, column %zu)."
        " statwit expected %s",
        n, p->text.p, p->text.n > 160 ? "..." : "", p->rule, n_rest, rest.p, line, column, p->expected);
}

int query_parse(struct query_parse *request, struct span text, size_t cap, const struct query_node **nodes,
                struct span *texts, size_t *n, struct query_error *error) {
    struct parser p = {.p = request, .text = text};
    *n = 0;
    if (text.n > QUERY_TEXT_MAX)
        return query_refuse(error, "Error parsing query: statwit reads at most %d bytes, this has %zu",
                            QUERY_TEXT_MAX, text.n);
    do {
        if (*n == cap)
            return query_refuse(error, "At most %zu queries in one request", cap);
        nodes[*n] = parse_one(&p, &texts[*n]);
        if (!nodes[*n])
            return tell(&p, error);
        ++*n;
    } while (request->mode == QUERY_ANY && parser_take(&p, ','));
    if (parser_peek(&p) == '\0' && p.at == p.text.n)
        return 0;
    if (request->mode == QUERY_ONE_METRIC && strchr("+-*/", parser_peek(&p)))
        p.words = "Functions are not supported in metrics data source field. Use the formulas payload.";
    parser_fail(&p, "expr", "an operator or the end of the query");
    return tell(&p, error);
}
