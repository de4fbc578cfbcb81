/*   avg:http.time{env:ci} by {route,host}.rollup(max, 60).as_count()
 *       ^        ^        ^              ^
 *       name     scope    groups         modifiers
 */
#include "api/query/parser.h"
#include "api/query/scope.h"
#include "catalog/normalize.h"
#include "core/number.h"

#define ROLLUP_MAX_S 1000000000
#define FILL_S       300
#define FILL_MAX_S   600

int parser_aggregate(struct span word) {
    static const char *const words[] = {"avg", "sum", "min", "max", "count"};
    for (int i = 0; i < 5; i++)
        if (span_eq(word, span_str(words[i])))
            return i;
    double percentile;
    bool is_percentile = word.n >= 2 && word.p[0] == 'p' && word.p[1] >= '0' && word.p[1] <= '9' &&
                         number_parse(span_from(word, 1), &percentile) == NUMBER_OK && percentile > 0 &&
                         percentile < 100;
    return is_percentile ? QUERY_PERCENTILE : -1;
}

/* --- modifiers ----------------------------------------------------------------------------------------------- */

static bool parse_seconds(struct parser *p, int64_t max, int64_t *seconds) {
    double value;
    parser_blanks(p);
    size_t at = p->at;
    if (!parser_number(p, &value))
        return false;
    *seconds = value >= 1 && value <= (double)max ? (int64_t)value : 0;
    if (*seconds && (double)*seconds == value)
        return true;
    p->at = at;
    return false;
}

/*   .rollup(avg, 60)  .rollup(60)  .rollup('max')
 *           ^
 */
static bool parse_rollup(struct parser *p, struct query_metric *m) {
    struct span word;
    char c = parser_peek(p);
    bool is_number = c >= '0' && c <= '9';
    if (!is_number) {
        size_t at = p->at;
        int how = parser_text(p, &word) ? parser_aggregate(word) : -1;
        if (how < 0 || how == QUERY_PERCENTILE) {
            p->at = at;
            return parser_fail(p, "rollup", "avg, sum, min, max, count or a number of seconds");
        }
        m->has_rollup = true;
        m->over_time = (enum query_aggregate)how;
    }
    if ((is_number || parser_take(p, ',')) && !parse_seconds(p, ROLLUP_MAX_S, &m->rollup_s)) {
        p->expected = NULL;
        return parser_fail(p, "rollup", "a whole number of seconds from 1 to 1000000000");
    }
    return true;
}

/*   .fill(last, 300)
 *         ^
 */
static bool parse_fill(struct parser *p, struct query_metric *m) {
    static const char *const words[] = {"null", "linear", "last", "zero"};
    struct span word;
    size_t at = (parser_peek(p), p->at);
    int how = -1;
    if (parser_take(p, '0'))
        how = QUERY_FILL_ZERO;
    else if (parser_text(p, &word))
        for (int i = 0; i < 4; i++)
            if (span_eq(word, span_str(words[i])))
                how = i;
    if (how < 0) {
        p->at = at;
        return parser_fail(p, "fill", "linear, last, zero or null");
    }
    m->fill = (enum query_fill)how;
    m->fill_s = FILL_S;
    if (parser_take(p, ',') && !parse_seconds(p, FILL_MAX_S, &m->fill_s)) {
        p->expected = NULL;
        return parser_fail(p, "fill", "a whole number of seconds from 1 to 600");
    }
    return true;
}

static bool parse_modifier(struct parser *p, struct query_metric *m) {
    size_t at = p->at;
    struct span name = parser_word(p);
    if (!parser_take(p, '('))
        return parser_fail(p, "modifier", "'(' after the modifier's name");
    if (span_eq(name, SPAN("rollup"))) {
        if (!parse_rollup(p, m))
            return false;
    } else if (span_eq(name, SPAN("fill"))) {
        if (!parse_fill(p, m))
            return false;
    } else if (span_eq(name, SPAN("as_count"))) {
        m->as_count = true;
    } else if (span_eq(name, SPAN("as_rate"))) {
        m->as_rate = true;
    } else if (span_eq(name, SPAN("weighted"))) {
        m->weighted = true;
    } else {
        p->at = at;
        return parser_fail(p, "modifier", "one of as_count(), as_rate(), rollup(), fill(), weighted()");
    }
    if (!parser_take(p, ')'))
        return parser_fail(p, "modifier", "')'");
    if (m->as_count && m->as_rate)
        return parser_fail(p, "modifier", "one of as_count() and as_rate(), not both, before this");
    return true;
}

static bool check_weighted(struct parser *p, const struct query_metric *m) {
    if (!m->weighted || (m->over_series == QUERY_SUM && !(m->has_rollup && m->over_time != QUERY_AVG)))
        return true;
    return parser_fail(p, "modifier", "weighted() behind sum: and no rollup but rollup(avg)");
}

/* --- the rest ------------------------------------------------------------------------------------------------ */

static bool parse_by(struct parser *p, struct query_metric *m) {
    size_t before = (parser_peek(p), p->at);
    struct span by = parser_word(p);
    if (!span_eq(by, SPAN("by")) && !span_eq(by, SPAN("BY"))) {
        p->at = before;
        return true;
    }
    if (!parser_take(p, '{'))
        return parser_fail(p, "by", "'{' after by");
    do {
        parser_blanks(p);
        size_t from = p->at;
        while (p->at < p->text.n && p->text.p[p->at] && !strchr(" \t\r\n,{}()!*:", p->text.p[p->at]))
            p->at++;
        struct span key = span_of(p->text.p + from, p->at - from);
        if (key.n == 0 || m->n_by == QUERY_GROUPS_MAX)
            return parser_fail(p, "by", key.n ? "at most 16 tag keys" : "a tag key");
        key = query_scope_pattern(p->p->arena, key);
        if (!key.p)
            return parser_fail(p, "memory", "a shorter query");
        m->by[m->n_by++] = key;
    } while (parser_take(p, ','));
    return parser_take(p, '}') || parser_fail(p, "by", "',' or '}'");
}

static bool set_name(struct parser *p, struct query_metric *m, struct span name) {
    struct buf normal = {.max = 1 << 12};
    bool dropped = normalize_name(name, &normal) & NORMAL_DROPPED;
    if (!dropped)
        m->name = arena_copy(p->p->arena, buf_view(&normal));
    buf_free(&normal);
    return !dropped || parser_fail(p, "metric_name", "a name of at most 200 characters");
}

static bool parse_scope(struct parser *p, struct query_metric *m) {
    if (!parser_take(p, '{'))
        return parser_fail(p, "scope_expr", "'{' and a scope");
    parser_blanks(p);
    size_t from = p->at;
    m->scope = parser_scope(p, &m->scope_has_words);
    if (!m->scope)
        return false;
    size_t end = p->at;
    while (end > from && strchr(" \t\r\n", p->text.p[end - 1]))
        end--;
    m->scope_text = span_of(p->text.p + from, end - from);
    return parser_take(p, '}') || parser_fail(p, "scope_expr", "'}'");
}

struct query_metric *parser_metric(struct parser *p, struct span aggregator, struct span name) {
    struct query_metric *m = parser_alloc(p, sizeof *m);
    if (!m)
        return NULL;
    m->aggregator = aggregator;
    if (aggregator.p)
        m->over_series = (enum query_aggregate)parser_aggregate(aggregator);
    if (m->over_series == QUERY_PERCENTILE)
        number_parse(span_from(aggregator, 1), &m->percentile);
    if (!set_name(p, m, name) || !parse_scope(p, m) || !parse_by(p, m))
        return NULL;
    size_t from = (parser_peek(p), p->at);
    while (parser_take(p, '.'))
        if (!parse_modifier(p, m))
            return NULL;
    m->modifiers = span_of(p->text.p + from, p->at > from ? p->at - from : 0);
    return check_weighted(p, m) ? m : NULL;
}
