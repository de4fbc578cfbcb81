/* Every case of fixtures/intake: what its body decodes to; and what truncated and damaged bodies do not do.
 */
#include "decode/intake/intake.h"

#include "core/json.h"
#include "scarce.h"
#include "series_memory.h"
#include "unit.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>

#define CASE_MAX ((size_t)1 << 20)

/* --- a case: request (head, blank line, body) and want.json ---------------------------------------------- */

struct test_case {
    char name[512];
    char *request;
    size_t n_request;
    struct span path, body;
    bool json, from_agent;
    json_t *want; /* {"now", "status", "records"?, "error"?} */
};

static char *read_file(const char *path, size_t *n) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    char *bytes = malloc(CASE_MAX);
    *n = fread(bytes, 1, CASE_MAX, file);
    fclose(file);
    return bytes;
}

static bool head_has(struct span head, const char *text) {
    return memmem(head.p, head.n, text, strlen(text)) != NULL;
}

static bool load(struct test_case *c) {
    char path[600];
    snprintf(path, sizeof path, "%s/request", c->name);
    c->request = read_file(path, &c->n_request);
    if (!c->request)
        return false;
    const char *blank = memmem(c->request, c->n_request, "\n\n", 2);
    struct span head = span_of(c->request, (size_t)(blank - c->request));
    c->body = span_from(span_of(c->request, c->n_request), head.n + 2);
    const char *space = memchr(head.p, ' ', head.n);
    c->path = span_of(space + 1, strcspn(space + 1, " ?\n"));
    c->json = head_has(head, "application/json") || (c->body.n && c->body.p[0] == '{');
    c->from_agent = head_has(head, "User-Agent: datadog-agent");
    snprintf(path, sizeof path, "%s/want.json", c->name);
    json_error_t error;
    c->want = json_load_file(path, JSON_ALLOW_NUL, &error);
    if (!c->want)
        fprintf(stderr, "%s: %s\n", path, error.text);
    return c->want != NULL;
}

static enum intake_format format_of(const struct test_case *c) {
    static const struct {
        const char *path;
        enum intake_format json, binary;
    } routes[] = {
        {"/api/v1/series", INTAKE_SERIES_V1, INTAKE_SERIES_V1},
        {"/api/v2/series", INTAKE_SERIES_V2_JSON, INTAKE_SERIES_V2},
        {"/api/intake/metrics/v3/series", INTAKE_SERIES_V3, INTAKE_SERIES_V3},
        {"/api/intake/metrics/v3beta/series", INTAKE_SERIES_V3, INTAKE_SERIES_V3},
        {"/api/v1/distribution_points", INTAKE_DISTRIBUTIONS, INTAKE_DISTRIBUTIONS},
        {"/api/beta/sketches", INTAKE_SKETCHES, INTAKE_SKETCHES},
        {"/api/v1/check_run", INTAKE_CHECKS, INTAKE_CHECKS},
        {"/api/v1/events", INTAKE_EVENT_V1, INTAKE_EVENT_V1},
        {"/api/v2/events", INTAKE_EVENT_V2, INTAKE_EVENT_V2},
        {"/intake", INTAKE_AGENT_EVENTS, INTAKE_AGENT_EVENTS},
        {"/intake/", INTAKE_AGENT_EVENTS, INTAKE_AGENT_EVENTS},
    };
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (span_eq(c->path, span_str(routes[i].path)))
            return c->json ? routes[i].json : routes[i].binary;
    fprintf(stderr, "%s: no format for %.*s\n", c->name, SPAN_ARG(c->path));
    abort();
}

/* --- records as JSON: absent means empty or not given ---------------------------------------------------- */

static void put_text(struct buf *b, const char *key, struct span text) {
    if (!text.p)
        return;
    buf_printf(b, ",\"%s\":", key);
    json_put_string(b, text);
}

static void put_tags(struct buf *b, size_t n, const struct span *tags) {
    if (!n)
        return;
    buf_str(b, ",\"tags\":");
    json_put_strings(b, n, tags);
}

static void put_sketch(struct buf *b, const struct sketch *s) {
    buf_printf(b, ",{\"count\":%lld,\"sum\":%.17g,\"min\":%.17g,\"max\":%.17g,\"avg\":%.17g,\"bins\":[",
               (long long)s->count, s->sum, s->min, s->max, s->avg);
    for (size_t i = 0; i < s->n_bins; i++)
        buf_printf(b, "%s[%d,%u]", i ? "," : "", s->keys[i], s->counts[i]);
    buf_str(b, "]}");
}

static void put_metric(struct buf *b, const struct metric *m) {
    buf_printf(b, "{\"metric\":\"%s\"", metric_word(m->type));
    put_text(b, "name", m->name);
    put_tags(b, m->n_tags, m->tags);
    put_text(b, "host", m->origin.host);
    put_text(b, "device", m->device);
    put_text(b, "unit", m->unit);
    put_text(b, "source_type", m->source_type);
    if (m->interval)
        buf_printf(b, ",\"interval\":%lld", (long long)m->interval);
    if (m->resources.p)
        buf_printf(b, ",\"resources\":%.*s", SPAN_ARG(m->resources));
    buf_str(b, ",\"values\":[");
    for (size_t i = 0; i < m->n_values; i++) {
        buf_printf(b, "%s[%lld,%.17g", i ? "," : "", (long long)m->values[i].timestamp, m->values[i].number);
        if (m->values[i].sketch)
            put_sketch(b, m->values[i].sketch);
        buf_char(b, ']');
    }
    buf_str(b, "]}");
}

static void put_event(struct buf *b, const struct event *e) {
    buf_printf(b, "{\"event\":%lld", (long long)e->timestamp);
    put_text(b, "title", e->title);
    put_text(b, "text", e->text);
    put_text(b, "priority", e->priority);
    put_text(b, "alert_type", e->alert_type);
    put_text(b, "aggregation_key", e->aggregation_key);
    put_text(b, "source_type_name", e->source_type_name);
    put_text(b, "host", e->origin.host);
    put_tags(b, e->n_tags, e->tags);
    buf_char(b, '}');
}

static void put_check(struct buf *b, const struct service_check *c) {
    buf_printf(b, "{\"check\":%d,\"timestamp\":%lld", c->status, (long long)c->timestamp);
    put_text(b, "name", c->name);
    put_text(b, "message", c->message);
    put_text(b, "host", c->origin.host);
    put_tags(b, c->n_tags, c->tags);
    buf_char(b, '}');
}

static void put_record(void *arg, const struct record *r) {
    struct buf *b = arg;
    if (b->n > 1)
        buf_char(b, ',');
    switch (r->kind) {
    case RECORD_METRIC:
        put_metric(b, &r->metric);
        break;
    case RECORD_EVENT:
        put_event(b, &r->event);
        break;
    case RECORD_SERVICE_CHECK:
        put_check(b, &r->check);
        break;
    case RECORD_REJECT:
        buf_printf(b, "{\"reject\":\"%s\"", reason_word(r->reject.reason));
        put_text(b, "name", r->reject.name);
        put_text(b, "text", r->reject.text);
        put_text(b, "detail", r->reject.detail);
        buf_char(b, '}');
    }
}

static enum intake_status decode(const struct test_case *c, struct span body, record_fn *emit, void *arg,
                                 struct intake_error *error) {
    struct intake_options options = {
        .now_s = json_integer_value(json_object_get(c->want, "now")),
        .from_agent = c->from_agent,
    };
    return intake_decode(format_of(c), body, &options, emit, arg, error);
}

/* --- walking the cases ----------------------------------------------------------------------------------- */

static int visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static size_t each_case(void (*fn)(struct test_case *)) {
    struct dirent **routes, **cases;
    size_t n = 0;
    int n_routes = scandir("fixtures/intake", &routes, visible, alphasort);
    for (int i = 0; i < n_routes; i++) {
        char directory[300];
        snprintf(directory, sizeof directory, "fixtures/intake/%s", routes[i]->d_name);
        int n_cases = scandir(directory, &cases, visible, alphasort);
        for (int j = 0; j < n_cases; j++) {
            struct test_case c = {0};
            snprintf(c.name, sizeof c.name, "%.250s/%.250s", directory, cases[j]->d_name);
            bool loaded = load(&c);
            CU_ASSERT(loaded);
            if (loaded)
                fn(&c);
            n += loaded;
            json_decref(c.want);
            free(c.request);
            free(cases[j]);
        }
        if (n_cases >= 0)
            free(cases);
        free(routes[i]);
    }
    if (n_routes >= 0)
        free(routes);
    return n;
}

static void check_case(struct test_case *c) {
    struct buf got = {0};
    struct intake_error error;
    buf_char(&got, '[');
    enum intake_status status = decode(c, c->body, put_record, &got, &error);
    buf_char(&got, ']');
    const char *want_error = json_string_value(json_object_get(c->want, "error"));
    if (want_error) {
        EQ_INT(status, INTAKE_BAD);
        EQ_STR(error.text, want_error);
    } else {
        if (status != INTAKE_OK)
            fprintf(stderr, "%s: %s\n", c->name, error.text);
        EQ_INT(status, INTAKE_OK);
        json_t *records = json_loads(got.p, JSON_ALLOW_NUL, NULL);
        bool equal = json_equal(records, json_object_get(c->want, "records"));
        if (!equal)
            fprintf(stderr, "%s: got %s\n", c->name, got.p);
        CU_ASSERT(equal);
        json_decref(records);
    }
    buf_free(&got);
}

static void test_cases(void) {
    CU_ASSERT(each_case(check_case) > 30);
}

/* --- series that are remembered -------------------------------------------------------------------------- */

static void put_known(void *arg, const struct record *r) {
    struct record full = *r;
    if (r->kind == RECORD_METRIC && r->metric.known) {
        full.metric = *r->metric.known;
        full.metric.n_values = r->metric.n_values;
        full.metric.values = r->metric.values;
        CU_ASSERT(full.metric.type == r->metric.type && span_eq(full.metric.name, r->metric.name));
    }
    put_record(arg, &full);
}

/* With a memory the body comes out as without: the same records, or the same words that refuse it. */
static void check_memory(enum intake_format format, const struct intake_options *plain, struct span body,
                         bool guesses) {
    struct buf want = {0}, got = {0};
    struct intake_error want_error, error;
    struct intake_options options = *plain;
    enum intake_status status = intake_decode(format, body, plain, put_record, &want, &want_error);
    options.next = guesses ? next : NULL;
    options.known = known;
    options.learn = learn;
    EQ_INT(intake_decode(format, body, &options, put_known, &got, &error), status);
    if (status == INTAKE_OK)
        CU_ASSERT(span_eq(buf_view(&want), buf_view(&got)));
    EQ_STR(error.text, want_error.text);
    EQ_INT(error.offset, want_error.offset);
    EQ_INT(error.reason, want_error.reason);
    buf_free(&want);
    buf_free(&got);
}

static void check_known(enum intake_format format, const struct intake_options *plain, struct span body) {
    check_memory(format, plain, body, false);
    check_memory(format, plain, body, true);
}

static void check_remembering(struct test_case *c) {
    static const char other[] = "0\"[]{},x\xff";
    const struct intake_options options = {
        .now_s = json_integer_value(json_object_get(c->want, "now")),
        .from_agent = c->from_agent,
    };
    enum intake_format format = format_of(c);
    char *copy = malloc(c->body.n + 1);
    struct span body = span_of(copy, c->body.n);
    memcpy(copy, c->body.p, c->body.n);
    check_known(format, &options, c->body);
    check_known(format, &options, c->body);
    for (size_t i = 0; i < c->body.n && c->body.n < 2000; i++) {
        check_known(format, &options, span_of(copy, i));
        for (size_t k = 0; other[k]; k++) {
            copy[i] = other[k];
            check_known(format, &options, body);
        }
        copy[i] = c->body.p[i];
    }
    free(copy);
    if (n_remembered > REMEMBERED / 2)
        forget_all();
}

static void test_remembered(void) {
    CU_ASSERT(each_case(check_remembering) > 30);
    CU_ASSERT(n_known > 100 && n_guessed > 100);
    forget_all();
}

/* The first has what the second would be without its escape, its long tag, its second list, or its points as a text. */
static void test_not_remembered(void) {
    n_known = 0;
    static const struct intake_options options = {.now_s = 1700000000};
    static const char *const bodies[] = {
        "{\"series\":[{\"metric\":\"a\",\"points\":[[1700000000,1]],\"type\":\"count\"}]}",
        "{\"series\":[{\"metric\":\"a\",\"points\":[[1700000000,1]],\"type\":\"count\",\"points\":[[1700000000,2]]}]}",
        "{\"series\":[{\"metric\":\"a\",\"points\":[1700000000,1],\"type\":\"count\"}]}",
        "{\"series\":[{\"metric\":\"a\",\"points\":[],\"type\":\"count\"}]}",
        "{\"series\":[{\"metric\":\"a\",\"points\":[[\"]\",1]],\"type\":\"count\"}]}",
        "{\"series\":[{\"metric\":\"a\",\"points\":[[1700000000,1],],\"type\":\"count\"}]}",
        "{\"series\":[{\"metric\":\"a\",\"tags\":[\"points\"],\"x\":{\"points\":[[1,2]]},\"points\":[[1700000000,3]]}]}",
        "{\"series\":[{\"metric\":\"\\u0061\",\"points\":[[1700000000,1e400],[1,1],[1700000000,null]]}]}",
        "{\"series\":[{\"metric\":\"a\",\"points\":[[1700000000,1}],\"type\":\"count\"}]}",
    };
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
            check_known(INTAKE_SERIES_V1, &options, span_str(bodies[i]));
    CU_ASSERT(n_known > 0);
    forget_all();
}

static void put_deep(struct buf *b, int depth) {
    buf_str(b, "{\"series\":[{\"metric\":\"a.b\",\"points\":[[1700000000,1,");
    for (int i = 0; i < depth; i++)
        buf_str(b, "[");
    for (int i = 0; i < depth; i++)
        buf_str(b, "]");
    buf_str(b, "]]}]}");
}

/* Refused points were refused twice, and the depth was counted from another place. */
static void test_remembered_and_refused(void) {
    n_known = 0;
    static const struct intake_options options = {.now_s = 1700000000};
    static const char *const distributions[] = {
        "{\"series\":[{\"metric\":\"a.b\",\"points\":[[1700000000,[1]]]}]}",
        "{\"series\":[{\"metric\":\"a.b\",\"points\":[[1700000000,[]],5]}]}",
        "{\"series\":[{\"metric\":\"a.b\",\"points\":[[1700000000,[]],[1700000000,[2]],5]}]}",
    };
    for (size_t i = 0; i < sizeof distributions / sizeof distributions[0]; i++)
        check_known(INTAKE_DISTRIBUTIONS, &options, span_str(distributions[i]));
    CU_ASSERT(n_known > 0);
    check_known(INTAKE_SERIES_V1, &options,
                SPAN("{\"series\":[{\"metric\":\"a.b\",\"points\":[[1700000000,1]]}]}"));
    for (int depth = 9990; depth < 10003; depth++) {
        struct buf body = {0};
        put_deep(&body, depth);
        check_known(INTAKE_SERIES_V1, &options, buf_view(&body));
        buf_free(&body);
    }
    forget_all();
}

/* --- damage ---------------------------------------------------------------------------------------------- */

static void count(void *arg, const struct record *record) {
    (void)record;
    ++*(size_t *)arg;
}

/* The bytes end where the allocation ends, so that a sanitizer sees an overread. */
static void decode_exactly(const struct test_case *c, struct span bytes) {
    char *copy = malloc(bytes.n ? bytes.n : 1);
    struct intake_error error;
    size_t n = 0;
    memcpy(copy, bytes.p, bytes.n);
    enum intake_status status = decode(c, span_of(copy, bytes.n), count, &n, &error);
    CU_ASSERT(status == INTAKE_OK || error.text[0]);
    free(copy);
}

static void truncate_case(struct test_case *c) {
    size_t step = 1 + c->body.n / 600;
    for (size_t n = 0; n < c->body.n; n += step)
        decode_exactly(c, span_of(c->body.p, n));
}

static void test_truncated(void) {
    each_case(truncate_case);
}

static void damage_case(struct test_case *c) {
    static const unsigned char with[] = {0x00, 0xFF, 0x80, 0x7F, '"', '{', ']', '\\'};
    size_t step = 1 + c->body.n / 300;
    for (size_t i = 0; i < c->body.n; i += step)
        for (size_t k = 0; k < sizeof with; k++) {
            char *at = c->request + (c->body.p - c->request) + i, old = *at;
            *at = (char)with[k];
            decode_exactly(c, c->body);
            *at = old;
        }
}

static void test_damaged(void) {
    each_case(damage_case);
}

#define V2_EVENT(time) "{\"data\":{\"id\":\"1\",\"attributes\":{\"title\":\"t\",\"timestamp\":\"" time "\"}}}"

/* What stands where something else belongs: the error of the body, or the record that came of it. */
static void test_odd_fields(void) {
    static const struct {
        enum intake_format format;
        const char *body, *says;
    } cases[] = {
        {INTAKE_CHECKS, "[{\"check\":\"a\",\"host_name\":\"h\",\"status\":0,\"tags\":{\"x\":1}}]",
         "tags must be a list of strings"},
        {INTAKE_CHECKS, "[{\"check\":\"a\",\"host_name\":\"h\",\"status\":0,\"timestamp\":1e30}]",
         "timestamp must be a 64-bit integer"},
        {INTAKE_EVENT_V1, "{\"title\":\"t\",\"text\":\"x\",\"date_happened\":\"soon\"}",
         "date_happened must be a number"},
        {INTAKE_EVENT_V1, "{\"title\":\"t\",\"text\":\"x\",\"tags\":null,\"host\":true}",
         "host must be a string"},
        {INTAKE_AGENT_EVENTS, "{\"events\":{\"api\":[{\"msg_title\":\"t\",\"msg_text\":\"x\",\"tags\":7}]}}",
         "tags must be a list of strings"},
        {INTAKE_SERIES_V1, "{\"series\":[{\"metric\":\"a\",\"points\":[[1700000000,true]]}]}",
         "json: cannot unmarshal bool into Go value of type float64"},
        {INTAKE_DISTRIBUTIONS, "{\"series\":[{\"metric\":\"a\",\"points\":[[{},[1]]]}]}",
         "json: cannot unmarshal object into Go value of type float64"},
        {INTAKE_SERIES_V1,
         "{\"series\":[{\"metric\":\"\\u0041\",\"points\":[[1700000000,1E+2]],\"interval\":1e300}]}",
         "interval must be a 64-bit integer"},
        {INTAKE_SERIES_V1, "{\"series\":[{\"metric\":false,\"points\":[[1700000000,1]]}]}",
         "metric must be a string"},
        {INTAKE_SERIES_V1, "{\"series\":[{\"metric\":\"a\",\"points\":null}]}", "\"reject\":\"no_points\""},
        {INTAKE_SERIES_V1,
         "{\"series\":[{\"metric\":\"a\",\"device_name\":\"sda\",\"points\":[[1700000000,1]]}]}",
         "\"device\":\"sda\""},
        {INTAKE_SERIES_V1, "{\"series\":[{\"metric\":\"a\",\"points\":[[1700000000,1],7]}]}",
         "invalid_point"},
        {INTAKE_SERIES_V2_JSON, "{\"series\":[{\"metric\":\"a\",\"type\":\"count\",\"points\":[]}]}",
         "type must be"},
        {INTAKE_SERIES_V2_JSON,
         "{\"series\":[{\"metric\":\"a\",\"resources\":null,\"points\":[{\"timestamp\":1700000000,\"value\":\"1\"}]}]}",
         "reject"},
        {INTAKE_SERIES_V1, "7", "json: cannot unmarshal number into the payload"},
        {INTAKE_SERIES_V1, "null", "empty_series"},
        {INTAKE_EVENT_V1, "{\"title\":\"t\",\"text\":\"x\",\"date_happened\":1e300}",
         "{\"event\":0,\"title\":\"t\""},
        {INTAKE_EVENT_V1, "{\"title\":\"t\",\"text\":\"x\",\"date_happened\":-1e300}",
         "Event too far in the past"},
        {INTAKE_AGENT_EVENTS, "{\"events\":{\"api\":null,\"b\":7}}", "the events of a source must be a list"},
        {INTAKE_AGENT_EVENTS,
         "{\"events\":{\"a\":[{\"msg_title\":\"t\",\"msg_text\":\"x\",\"source_type_name\":\"b\"}]}}",
         "\"source_type_name\":\"b\""},
        {INTAKE_EVENT_V2, V2_EVENT("2023-11-14T23:14:50+01:00"), "{\"event\":1700000090"},
        {INTAKE_EVENT_V2, V2_EVENT("2023-11-14T21:14:50.5-01:00"), "{\"event\":1700000090"},
        {INTAKE_EVENT_V2, V2_EVENT("2023-11-14T22:14:50"), "timestamp must be"},
        {INTAKE_EVENT_V2, V2_EVENT("2023-11-14T22:14:50+1"), "timestamp must be"},
        {INTAKE_EVENT_V2, V2_EVENT("2023-11-14T04:13:19z"), "Event too far in the past"},
        {INTAKE_SERIES_V1, "{\"series\":[{\"metric\":'a'}]}",
         "invalid character '\\'' looking for beginning of value"},
        {INTAKE_SERIES_V1, "{\"a\":\\}", "invalid character '\\\\' looking for beginning of value"},
        {INTAKE_SERIES_V1, "{\"a\":\"\t\"}", "invalid character '\\t' in string literal"},
        {INTAKE_SERIES_V1, "{\"a\":\"\n\"}", "invalid character '\\n' in string literal"},
        {INTAKE_SERIES_V1, "{\"a\":\"\r\"}", "invalid character '\\r' in string literal"},
        {INTAKE_SERIES_V1, "{\"a\":1}\r\n\t x", "invalid character 'x' after top-level value"},
        {INTAKE_SERIES_V1, "{\"a\":1e}", "in exponent of numeric literal"},
        {INTAKE_SERIES_V1, "{\"a\":\"\\u00fg\"}", "in \\u hexadecimal character escape"},
        {INTAKE_SERIES_V1,
         "{\"series\":[{\"metric\":\"\\uE000\\uD800\\u0041x\",\"points\":[[1700000000,1]]}]}",
         "\xee\x80\x80\xef\xbf\xbd"
         "Ax"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct intake_options options = {.now_s = 1700000000};
        struct intake_error error;
        struct buf got = {0};
        enum intake_status status =
            intake_decode(cases[i].format, span_str(cases[i].body), &options, put_record, &got, &error);
        const char *said = status == INTAKE_OK ? buf_view(&got).p : error.text;
        bool holds = said && strstr(said, cases[i].says);
        if (!holds)
            fprintf(stderr, "%s: %s, not '%s'\n", cases[i].body, said ? said : "nothing", cases[i].says);
        CU_ASSERT(holds);
        buf_free(&got);
    }
}

/* As many tags as there may be, and one more: of all that takes tags. */
static void test_too_many_tags(void) {
    static const struct {
        enum intake_format format;
        const char *before, *after;
    } cases[] = {
        {INTAKE_SERIES_V1, "{\"series\":[{\"metric\":\"a\",\"points\":[[1700000000,1]],", "}]}"},
        {INTAKE_CHECKS, "[{\"check\":\"a\",\"host_name\":\"h\",\"status\":0,", "}]"},
        {INTAKE_EVENT_V1, "{\"title\":\"a\",\"text\":\"x\",", "}"},
        {INTAKE_AGENT_EVENTS, "{\"events\":{\"api\":[{\"msg_title\":\"a\",\"msg_text\":\"x\",", "}]}}"},
        {INTAKE_EVENT_V2, "{\"data\":{\"attributes\":{\"title\":\"a\",", "}}}"},
    };
    struct intake_options options = {.now_s = 1700000000};
    struct intake_error error;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int n = INTAKE_TAGS_MAX; n <= INTAKE_TAGS_MAX + 1; n++) {
            struct buf body = {0}, got = {0};
            buf_printf(&body, "%s\"tags\":[", cases[i].before);
            for (int k = 0; k < n; k++) /* long ones: more than is kept of a rejected body */
                buf_printf(&body, "%s\"tag%d:%040d\"", k ? "," : "", k, 0);
            buf_printf(&body, "]%s", cases[i].after);
            EQ_INT(intake_decode(cases[i].format, buf_view(&body), &options, put_record, &got, &error),
                   INTAKE_OK);
            EQ_INT(strstr(got.p, "{\"reject\":\"too_many_tags\"") != NULL, n > INTAKE_TAGS_MAX);
            EQ_INT(strstr(got.p, ",\"tags\":[") != NULL, n <= INTAKE_TAGS_MAX);
            CU_ASSERT(got.n < 8000);
            buf_free(&body);
            buf_free(&got);
        }
}

/* A series of version 2 with so many tags of n_bytes, the last characters of two, and so many resources. */
static void put_series(struct buf *got, size_t n_tags, size_t n_bytes, size_t n_resources) {
    struct intake_options options = {.now_s = 1700000000};
    struct intake_error error;
    struct buf body = {0};
    buf_str(
        &body,
        "{\"series\":[{\"metric\":\"a\",\"type\":3,\"points\":[{\"timestamp\":1700000000,\"value\":1}],\"tags\":[");
    for (size_t i = 0; i < n_tags; i++) {
        buf_str(&body, i ? ",\"" : "\"");
        for (size_t k = 0; k + 4 < n_bytes; k++)
            buf_char(&body, 't');
        buf_str(&body, "\xc3\xa9\xc3\xa9\"");
    }
    buf_str(&body, "],\"resources\":[");
    for (size_t i = 0; i < n_resources; i++)
        buf_printf(&body, "%s{\"type\":\"t\",\"name\":\"%zu\"}", i ? "," : "", i);
    buf_str(&body, "]}]}");
    buf_clear(got);
    EQ_INT(intake_decode(INTAKE_SERIES_V2_JSON, buf_view(&body), &options, put_record, got, &error),
           INTAKE_OK);
    buf_free(&body);
}

static void test_large_series(void) {
    struct buf got = {0};
    put_series(&got, 1, INTAKE_TAG_BYTES, INTAKE_RESOURCES_MAX);
    CU_ASSERT_PTR_NULL(strstr(got.p, "reject"));
    put_series(&got, 1, 4, INTAKE_RESOURCES_MAX + 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.p, "{\"reject\":\"too_many_resources\""));
    /* a tag is cut between characters, and said to be */
    put_series(&got, 1, INTAKE_TAG_BYTES + 1, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.p, "t\xc3\xa9\"]"));
    put_series(&got, 1, INTAKE_TAG_BYTES + 2, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.p, "tt\xc3\xa9\"]"));
    put_series(&got, INTAKE_TAGS_MAX, INTAKE_TAGS_BYTES / INTAKE_TAGS_MAX, 0);
    CU_ASSERT_PTR_NULL(strstr(got.p, "tags_too_large"));
    put_series(&got, INTAKE_TAGS_MAX, INTAKE_TAGS_BYTES / INTAKE_TAGS_MAX + 1, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.p, "{\"reject\":\"tags_too_large\""));
    buf_free(&got);
}

/* Each allocation fails once: then the body is refused, with a word for why, or all of it is there. */
static void starve_case(struct test_case *c) {
    struct intake_error error;
    size_t all = 0;
    enum intake_status right = decode(c, c->body, count, &all, &error);
    bool failed = true;
    for (long at = 0; at < 1000 && failed; at++) {
        size_t n = 0;
        scarce_begin(at);
        enum intake_status status = decode(c, c->body, count, &n, &error);
        failed = scarce_end();
        bool holds = status == INTAKE_OK ? right == INTAKE_OK && n == all
                                         : error.text[0] && (failed || status == right);
        if (!holds)
            fprintf(stderr, "%s without allocation %ld: status %d, %zu of %zu records, '%s'\n", c->name, at,
                    status, n, all, error.text);
        CU_ASSERT(holds);
    }
    CU_ASSERT_FALSE(failed);
}

static void test_starved(void) {
    each_case(starve_case);
}

static void test_deep_json(void) {
    enum { DEPTH = 100000 };
    char *body = malloc(2 * DEPTH + 32);
    static const char *const openings[] = {"[", "{\"series\":[", "{\"series\":[{\"points\":", "{\"a\":"};
    static const enum intake_format formats[] = {INTAKE_SERIES_V1, INTAKE_SERIES_V2_JSON,
                                                 INTAKE_CHECKS,    INTAKE_EVENT_V1,
                                                 INTAKE_EVENT_V2,  INTAKE_AGENT_EVENTS};
    for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++)
        for (size_t k = 0; k < sizeof formats / sizeof formats[0]; k++) {
            struct intake_error error;
            struct intake_options options = {.now_s = 1700000000};
            size_t n = strlen(openings[i]), records = 0;
            memcpy(body, openings[i], n);
            memset(body + n, '[', DEPTH);
            EQ_INT(intake_decode(formats[k], span_of(body, n + DEPTH), &options, count, &records, &error),
                   INTAKE_BAD);
            EQ_STR(error.text, "exceeded max depth");
        }
    free(body);
}

static void test_many_points_come_in_pieces(void) {
    struct buf body = {0};
    struct intake_error error;
    struct intake_options options = {.now_s = 1700000000};
    size_t records = 0;
    buf_str(&body, "{\"series\":[{\"metric\":\"a\",\"points\":[");
    for (int i = 0; i < 2000; i++)
        buf_printf(&body, "%s[1700000000,%d]", i ? "," : "", i);
    buf_str(&body, "]}]}");
    EQ_INT(intake_decode(INTAKE_SERIES_V1, buf_view(&body), &options, count, &records, &error), INTAKE_OK);
    EQ_INT(records, (2000 + INTAKE_VALUES - 1) / INTAKE_VALUES);
    buf_free(&body);
}

/* A tag set that holds the one before it twice, over and over: 2^n tags if one believed it. */
static void test_tagset_bomb(void) {
    struct buf sets = {0}, body = {0};
    struct intake_error error;
    struct intake_options options = {.now_s = 1700000000};
    size_t records = 0;
    buf_add(&sets, "\x02\x02", 2); /* a set of one: tag 1 */
    for (int i = 1; i < 40; i++) {
        buf_add(&sets, "\x04", 1);
        buf_char(&sets, (char)(2 * i - 1)); /* -i */
        buf_char(&sets, 0);                 /* and again */
    }
    buf_add(&body, "\x12\x02\x01t\x1a", 5);
    buf_char(&body, (char)sets.n);
    buf_span(&body, buf_view(&sets));
    struct buf payload = {0};
    buf_char(&payload, 0x1a);
    buf_char(&payload, (char)(0x80 | (body.n & 0x7f)));
    buf_char(&payload, (char)(body.n >> 7));
    buf_span(&payload, buf_view(&body));
    EQ_INT(intake_decode(INTAKE_SERIES_V3, buf_view(&payload), &options, count, &records, &error), INTAKE_OK);
    EQ_INT(records, 0);
    buf_free(&sets);
    buf_free(&body);
    buf_free(&payload);
}

UNIT_MAIN("decode/intake", {"decodes every case", test_cases},
          {"series that are remembered", test_remembered},
          {"what looks like one that is remembered", test_not_remembered},
          {"remembered, and refused", test_remembered_and_refused}, {"truncated anywhere", test_truncated},
          {"damaged anywhere", test_damaged}, {"out of memory anywhere", test_starved},
          {"odd fields", test_odd_fields}, {"too many tags", test_too_many_tags},
          {"too many resources, tags too large", test_large_series},
          {"JSON nested 100,000 deep", test_deep_json},
          {"many points come in pieces", test_many_points_come_in_pieces},
          {"a bomb of tag sets", test_tagset_bomb})
