#include "api/arguments.h"

#include "core/clock.h"
#include "core/number.h"
#include <math.h>
#include <stdio.h>
#include <strings.h>

enum argument_kind {
    ARGUMENT_TEXT,
    ARGUMENT_SECONDS, /* since 1970, whole or with a fraction */
    ARGUMENT_WHOLE,   /* min to max */
    ARGUMENT_FLAG,
    ARGUMENT_WORD, /* one of `words`, which are separated by blanks */
};

struct argument {
    const char *name;
    enum argument_kind kind;
    bool required;
    int64_t min, max;
    const char *words;
};

#define ARGUMENTS_MAX 16

struct path_arguments {
    const char *path; /* of the route */
    bool terse;       /* the words of a wrong value are Datadog's alone */
    struct argument list[ARGUMENTS_MAX];
};

#define HOURS_MAX 87600 /* ten years */

/* clang-format off */
#define TEXT(arg, needed)    {.name = (arg), .kind = ARGUMENT_TEXT, .required = (needed)}
#define SECONDS(arg, needed) {.name = (arg), .kind = ARGUMENT_SECONDS, .required = (needed)}
#define WHOLE(arg, from, to) {.name = (arg), .kind = ARGUMENT_WHOLE, .min = (from), .max = (to)}
#define FLAG(arg)            {.name = (arg), .kind = ARGUMENT_FLAG}
#define WORD(arg, list)      {.name = (arg), .kind = ARGUMENT_WORD, .words = (list)}

static const struct path_arguments paths[] = {
    {"/api/v1/query", false, {
        SECONDS("from", true), SECONDS("to", true),
        TEXT("query", true)}},
    {"/api/v1/metrics", false, {
        SECONDS("from", true), TEXT("host", false), TEXT("tag_filter", false)}},
    {"/api/v1/search", false, {TEXT("q", false)}},
    {"/api/v2/metrics", false, {
        FLAG("filter[configured]"), TEXT("filter[tags_configured]", false),
        WORD("filter[metric_type]", "gauge count rate distribution non_distribution"),
        FLAG("filter[include_percentiles]"), TEXT("filter[tags]", false),
        FLAG("filter[related_assets]"), FLAG("filter[is_configurable]"), WHOLE("window[seconds]", 1, 2592000),
        WHOLE("page[size]", 1, 10000), TEXT("page[cursor]", false)}},
    {"/api/v2/metrics/{name}/all-tags", false, {
        TEXT("filter[tags]", false), WHOLE("window[seconds]", 1, 2592000), TEXT("filter[match]", false),
        FLAG("filter[include_tag_values]"), FLAG("filter[allow_partial]"), WHOLE("page[limit]", 1, 1000000)}},
    {"/api/v2/metrics/{name}/volumes", false, {WHOLE("window[seconds]", 1, 2592000)}},
    {"/api/v2/metrics/{name}/active-configurations", false, {WHOLE("window[seconds]", 1, 2592000)}},
    {"/api/v2/metrics/{name}/estimate", false, {
        TEXT("filter[groups]", false), WHOLE("filter[hours_ago]", 0, HOURS_MAX),
        WHOLE("filter[num_aggregations]", 0, 9), FLAG("filter[pct]"), FLAG("filter[exclude_tags_mode]"),
        WHOLE("filter[timespan_h]", 1, HOURS_MAX)}},
    {"/api/v1/events", false, {
        SECONDS("start", true), SECONDS("end", true),
        WORD("priority", "normal low"), TEXT("sources", false), TEXT("tags", false),
        FLAG("unaggregated"), FLAG("exclude_aggregate"),
        WHOLE("page", 0, 1000000)}},
    {"/api/v2/events", false, {
        TEXT("filter[query]", false), TEXT("filter[from]", false), TEXT("filter[to]", false),
        WORD("sort", "timestamp -timestamp"), TEXT("page[cursor]", false),
        WHOLE("page[limit]", 1, 1000)}},
    {"/api/v1/hosts", true, {
        TEXT("filter", false), WORD("sort_field", "name host_name status apps cpu iowait load"),
        WORD("sort_dir", "asc desc"), WHOLE("start", 0, INT32_MAX),
        WHOLE("count", 1, 1000), SECONDS("from", false),
        FLAG("include_muted_hosts_data"), FLAG("include_hosts_metadata"),
        TEXT("from_", false), TEXT("sort_order", false)}} /* sent by a client; Datadog passes them over */,
    {"/api/v1/hosts/totals", true, {SECONDS("from", false)}},
    {"/api/v1/tags/hosts", false, {TEXT("source", false)}},
    {"/api/v1/tags/hosts/{host}", false, {TEXT("source", false)}},
    {"/api/v1/host/{host}/mute", false, {FLAG("override")}},
};
/* clang-format on */

static const struct path_arguments *arguments_of(const struct http_request *rq) {
    static const struct path_arguments none;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (strcmp(paths[i].path, rq->route->path) == 0)
            return &paths[i];
    return &none;
}

static bool is_terse(const struct http_request *rq) {
    return arguments_of(rq)->terse;
}

static bool is_everywhere(struct span name) {
    return span_eq(name, SPAN("api_key")) || span_eq(name, SPAN("application_key")) ||
           span_eq(name, SPAN("test_session_token"));
}

static bool is_flag(struct span text, int *value) {
    static const char *const words[] = {"false", "true", "0", "1"};
    for (int i = 0; i < 4; i++)
        if (text.n == strlen(words[i]) && strncasecmp(text.p, words[i], text.n) == 0) {
            *value = i % 2;
            return true;
        }
    return false;
}

static bool is_word(struct span text, const char *words) {
    for (const char *from = words, *end; *from; from = *end ? end + 1 : end) {
        end = from + strcspn(from, " ");
        if (span_eq(text, span_of(from, (size_t)(end - from))))
            return true;
    }
    return false;
}

#define SHOWN 64 /* bytes of a wrong value that the answer repeats */

static struct span shown(struct span text) {
    return span_of(text.p, text.n < SHOWN ? text.n : SHOWN);
}

static bool refuse_value(struct http_request *rq, const struct argument *a, struct span text,
                         const char *wanted) {
    const char *invalid = "The value provided for parameter";
    if (is_terse(rq))
        api_errors(rq, 400, "%s '%s' is invalid", invalid, a->name);
    else
        api_errors(rq, 400, "%s '%s' is invalid: it must be %s, not '%.*s'", invalid, a->name, wanted,
                   SPAN_ARG(shown(text)));
    return false;
}

static bool value_holds(struct http_request *rq, const struct argument *a, struct span text) {
    char wanted[128];
    double seconds;
    int64_t whole;
    int flag;
    switch (a->kind) {
    case ARGUMENT_SECONDS:
        if (number_parse(text, &seconds) != NUMBER_OK || !(fabs(seconds) <= ARGUMENTS_SECONDS_MAX))
            return refuse_value(rq, a, text, "seconds since 1970");
        /* the lists of hosts look back alone */
        return !is_terse(rq) || seconds <= (double)rq->received_at / NS_PER_S ||
               refuse_value(rq, a, text, "in the past");
    case ARGUMENT_WHOLE:
        if (number_parse_int(text, &whole) == NUMBER_OK && whole >= a->min && whole <= a->max)
            return true;
        snprintf(wanted, sizeof wanted, "a whole number from %lld to %lld", (long long)a->min,
                 (long long)a->max);
        return refuse_value(rq, a, text, wanted);
    case ARGUMENT_FLAG:
        return is_flag(text, &flag) || refuse_value(rq, a, text, "true or false");
    case ARGUMENT_WORD:
        if (is_word(text, a->words))
            return true;
        snprintf(wanted, sizeof wanted, "one of: %s", a->words);
        return refuse_value(rq, a, text, wanted);
    case ARGUMENT_TEXT:
        break;
    }
    return true;
}

static bool refuse_unknown(struct http_request *rq, const struct argument *list, struct span name) {
    struct buf names = {.max = 1 << 10};
    for (const struct argument *a = list; a->name; a++) {
        buf_str(&names, a > list ? ", " : "");
        buf_str(&names, a->name);
    }
    api_errors(rq, 400, "Unknown query parameter '%.*s'; %s takes %s", SPAN_ARG(shown(name)), rq->route->path,
               names.n ? buf_view(&names).p : "none");
    buf_free(&names);
    return false;
}

bool arguments_hold(struct http_request *rq) {
    const struct argument *list = arguments_of(rq)->list;
    for (size_t i = 0; i < rq->n_args; i++) {
        struct span name = rq->args[i].name;
        const struct argument *a = list;
        while (a->name && !span_eq(name, span_str(a->name)))
            a++;
        if (!a->name && !is_everywhere(name))
            return refuse_unknown(rq, list, name);
        for (size_t k = 0; k < i; k++)
            if (span_eq(rq->args[k].name, name)) {
                api_errors(rq, 400, "The parameter '%.*s' is given twice", SPAN_ARG(shown(name)));
                return false;
            }
        if (a->name && !value_holds(rq, a, rq->args[i].value))
            return false;
    }
    for (const struct argument *a = list; a->name; a++)
        if (a->required && !http_arg(rq, a->name).p) {
            api_errors(rq, 400, "The parameter '%s' is required", a->name);
            return false;
        }
    return true;
}

bool arguments_seconds(const struct http_request *rq, const char *name, double *seconds) {
    struct span text = http_arg(rq, name);
    return text.p && number_parse(text, seconds) == NUMBER_OK;
}

int64_t arguments_whole(const struct http_request *rq, const char *name, int64_t otherwise) {
    struct span text = http_arg(rq, name);
    int64_t value = otherwise;
    if (text.p && number_parse_int(text, &value) != NUMBER_OK)
        value = otherwise;
    return value;
}

int arguments_flag(const struct http_request *rq, const char *name) {
    struct span text = http_arg(rq, name);
    int value = -1;
    if (text.p)
        is_flag(text, &value);
    return value;
}
