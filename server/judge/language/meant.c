/* What is often written for a word of the language, by those who come from another tool or think in English. */
#include "core/distance.h"
#include "judge/language/parse.h"

static const struct {
    struct span written, meant;
} known[] = {
#define X(written, meant) {{written, sizeof written - 1}, {meant, sizeof meant - 1}},
    /* clang-format off */
    /* types */
    X("increment", "incr") X("inc", "incr") X("counter", "count") X("counts", "count") X("timer", "timing")
    X("time", "timing") X("duration", "timing") X("hist", "histogram") X("dist", "distribution")
    X("metric", "any") X("metrics", "any") X("all", "any") X("service_check", "check") X("sc", "check")
    X("servicecheck", "check") X("histo", "histogram") X("rejected", "reject") X("refused", "reject") X("not", "no") X("never", "no") X("without", "no")
    X("none", "no")
    /* stats */
    X("total", "sum") X("mean", "avg") X("average", "avg") X("times", "samples") X("calls", "samples")
    X("number", "samples") X("n", "samples") X("once", "samples") X("twice", "samples") X("exactly", "samples") X("unique", "distinct") X("uniques", "distinct")
    X("cardinality", "series") X("maximum", "max") X("minimum", "min") X("latest", "last")
    X("newest", "last") X("oldest", "first") X("sample_rate", "rate") X("duplicates", "per_series")
    /* fields */
    X("hostname", "host") X("msg", "message") X("body", "text") X("type", "alert_type")
    X("level", "alert_type") X("key", "aggregation_key") X("source_type", "source_type_name")
    X("ts", "timestamp") X("time", "timestamp") X("date", "timestamp") X("state", "status")
    X("line", "text") X("why", "reason") X("member", "value") X("message", "text") X("text", "message")
    X("ip", "host") X("server", "host") X("val", "value") X("time_stamp", "timestamp")
    /* near to a word only by its letters: no guess is better than a wrong one */
    X("not", "") X("and", "") X("name", "") X("tags", "") X("tag", "") X("sum", "") X("last", "") X("max", "")
    X("is", "") X("has", "") X("title", "")
/* clang-format on */
#undef X
};

#define WORD_MAX 32

static bool is_one_of(struct span word, size_t n, const struct span *words) {
    for (size_t i = 0; i < n; i++)
        if (span_eq(word, words[i]))
            return true;
    return false;
}

struct span word_meant(struct span word, size_t n, const struct span *words) {
    char lower[WORD_MAX];
    if (word.n == 0 || word.n > WORD_MAX)
        return (struct span){NULL, 0};
    for (size_t i = 0; i < word.n; i++)
        lower[i] = word.p[i] >= 'A' && word.p[i] <= 'Z' ? (char)(word.p[i] - 'A' + 'a') : word.p[i];
    struct span small = span_of(lower, word.n);
    for (size_t i = 0; i < n; i++)
        if (span_eq(small, words[i]))
            return words[i];
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (span_eq(small, known[i].written) && (!known[i].meant.n || is_one_of(known[i].meant, n, words)))
            return known[i].meant.n ? known[i].meant : (struct span){NULL, 0};
    return nearest_word(small, n, words);
}
