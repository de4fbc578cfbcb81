#include "api/query.h"

#include "core/number.h"

struct parser {
    struct span text;
    size_t at;
    const char *expected;
};

static void blanks(struct parser *p) {
    while (p->at < p->text.n && p->text.p[p->at] == ' ')
        p->at++;
}

static bool fail(struct parser *p, const char *expected) {
    p->expected = expected;
    return false;
}

static bool take(struct parser *p, char c) {
    blanks(p);
    if (p->at >= p->text.n || p->text.p[p->at] != c)
        return false;
    p->at++;
    return true;
}

/* Up to, not including, one of the bytes; trailing blanks cut. */
static struct span take_until(struct parser *p, const char *ends) {
    blanks(p);
    size_t from = p->at;
    while (p->at < p->text.n && !memchr(ends, p->text.p[p->at], strlen(ends)))
        p->at++;
    struct span word = span_of(p->text.p + from, p->at - from);
    while (word.n && word.p[word.n - 1] == ' ')
        word.n--;
    return word;
}

int query_aggregate_of(struct span word) {
    static const char *const words[] = {"avg", "sum", "min", "max", "count", "last"};
    for (int i = 0; i < 6; i++)
        if (span_eq(word, span_str(words[i])))
            return i;
    return -1;
}

static bool parse_scope(struct parser *p, struct query *q) {
    size_t from = p->at;
    do {
        bool negated = take(p, '!');
        struct span tag = take_until(p, ",}");
        if (tag.n == 0)
            return fail(p, "a tag or * in the braces");
        if (q->n_scope == QUERY_SCOPE_MAX)
            return fail(p, "fewer tags");
        if (negated || !span_eq(tag, SPAN("*"))) {
            q->scope[q->n_scope].tag = tag;
            q->scope[q->n_scope++].negated = negated;
        }
    } while (take(p, ','));
    q->scope_text = span_of(p->text.p + from, p->at - from);
    return take(p, '}') || fail(p, "'}'");
}

static bool parse_by(struct parser *p, struct query *q) {
    blanks(p);
    struct span rest = span_from(p->text, p->at);
    if (!span_starts(rest, SPAN("by")))
        return true;
    p->at += 2;
    if (!take(p, '{'))
        return fail(p, "'{' after by");
    do {
        struct span key = take_until(p, ",}");
        if (key.n == 0 || q->n_by == QUERY_GROUPS_MAX)
            return fail(p, "a tag key");
        q->by[q->n_by++] = key;
    } while (take(p, ','));
    return take(p, '}') || fail(p, "'}'");
}

/*   .rollup(avg, 60)  .rollup(60)
 *           ^
 */
static bool parse_rollup(struct parser *p, struct query *q) {
    for (bool more = true; more; more = take(p, ',')) {
        struct span word = take_until(p, ",)");
        int64_t seconds;
        int aggregate = query_aggregate_of(word);
        if (aggregate >= 0) {
            q->has_rollup = true;
            q->over_time = (enum aggregate)aggregate;
        } else if (number_parse_int(word, &seconds) == NUMBER_OK && seconds > 0 && seconds <= 1000000000) {
            q->rollup_s = seconds;
        } else {
            return fail(p, "avg, sum, min, max, count or a number of seconds");
        }
    }
    return take(p, ')') || fail(p, "')'");
}

static bool parse_function(struct parser *p, struct query *q) {
    struct span name = take_until(p, "(.");
    if (!take(p, '('))
        return fail(p, "'(' after the function's name");
    if (span_eq(name, SPAN("rollup")))
        return parse_rollup(p, q);
    struct span argument = take_until(p, ")");
    if (!take(p, ')'))
        return fail(p, "')'");
    if (span_eq(name, SPAN("as_count")) && argument.n == 0)
        q->as_count = true;
    else if (span_eq(name, SPAN("as_rate")) && argument.n == 0)
        q->as_rate = true;
    else if (!span_eq(name, SPAN("fill")))
        return fail(p, "one of as_count(), as_rate(), rollup(), fill() before this");
    return true;
}

static bool parse(struct parser *p, struct query *q) {
    struct span word = take_until(p, ":{");
    int aggregate = query_aggregate_of(word);
    if (aggregate < 0 || aggregate == AGGREGATE_LAST || !take(p, ':')) {
        p->at = 0;
        return fail(p, "avg:, sum:, min:, max: or count:");
    }
    q->over_series = (enum aggregate)aggregate;
    q->name = take_until(p, "{");
    if (q->name.n == 0)
        return fail(p, "a metric name");
    if (!take(p, '{'))
        return fail(p, "'{' and a scope");
    if (!parse_scope(p, q) || !parse_by(p, q))
        return false;
    while (take(p, '.'))
        if (!parse_function(p, q))
            return false;
    blanks(p);
    return p->at == p->text.n || fail(p, "the end of the query");
}

bool query_parse(struct span text, struct query *q, size_t *at, const char **expected) {
    struct parser p = {.text = text};
    *q = (struct query){.text = text};
    bool ok = parse(&p, q);
    *at = p.at;
    *expected = p.expected;
    return ok;
}
