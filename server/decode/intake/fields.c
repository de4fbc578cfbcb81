#include "decode/intake/fields.h"

#include <math.h>
#include <stdio.h>

bool fields_equal(struct span key, const char *name) {
    return span_eq(key, span_str(name));
}

void fields_wrong(struct fields *f, const char *key, const char *wanted) {
    if (!f->wrong[0])
        snprintf(f->wrong, sizeof f->wrong, "%s must be %s", key, wanted);
}

/* Whether the value at hand is of this kind; else it has been skipped. */
static bool is_a(struct fields *f, enum pull_kind wanted, const char *key, const char *words) {
    enum pull_kind kind = pull_kind(f->pull);
    if (kind == wanted)
        return true;
    if (kind != PULL_NULL)
        fields_wrong(f, key, words);
    pull_skip(f->pull, NULL);
    return false;
}

void field_string(struct fields *f, const char *key, struct span *text) {
    if (is_a(f, PULL_STRING, key, "a string"))
        pull_string(f->pull, text);
}

bool field_number(struct fields *f, const char *key, double *value) {
    struct span text;
    return is_a(f, PULL_NUMBER, key, "a number") && pull_number(f->pull, value, &text);
}

void field_integer(struct fields *f, const char *key, int64_t *value) {
    double number;
    if (!field_number(f, key, &number))
        return;
    if (fabs(number) < 0x1p63) /* false for NaN too */
        *value = (int64_t)number;
    else
        fields_wrong(f, key, "a 64-bit integer");
}

/*   "env:ci, team:x"
 *    ^^^^^^  ^^^^^^  */
static void split_tags(struct fields *f, void (*tag)(void *arg, struct span tag), void *arg) {
    struct span text;
    if (!pull_string(f->pull, &text))
        return;
    for (size_t from = 0; from < text.n;) {
        const char *comma = memchr(text.p + from, ',', text.n - from);
        size_t to = comma ? (size_t)(comma - text.p) : text.n, end = to;
        while (from < end && text.p[from] == ' ')
            from++;
        while (end > from && text.p[end - 1] == ' ')
            end--;
        if (end > from)
            tag(arg, span_of(text.p + from, end - from));
        from = to + 1;
    }
}

void field_tags(struct fields *f, const char *key, void (*tag)(void *arg, struct span tag), void *arg) {
    if (f->tags_as_text && pull_kind(f->pull) == PULL_STRING) {
        split_tags(f, tag, arg);
        return;
    }
    if (pull_kind(f->pull) == PULL_OBJECT) {
        struct span member;
        pull_enter(f->pull);
        while (pull_key(f->pull, &member)) {
            fields_wrong(f, key, "a list of strings");
            pull_skip(f->pull, NULL);
        }
        return;
    }
    if (!is_a(f, PULL_ARRAY, key, "a list of strings"))
        return;
    pull_enter(f->pull);
    while (pull_element(f->pull)) {
        struct span text = {NULL, 0};
        field_string(f, key, &text);
        if (text.p)
            tag(arg, text);
    }
}

enum intake_status fields_refuse(struct intake *in, const struct pull *p) {
    return intake_refuse(in, REASON_INVALID_BODY, p->at, "%s", p->error);
}

/* The series at hand is not kept. */
static void reject_series(struct intake *in, enum reason reason, const char *detail) {
    in->series->n_points++; /* said what is wrong: not also that there are none */
    intake_reject(in, reason, in->series->record.metric.name, in->series->raw, span_str(detail));
}

const char *fields_kind(enum pull_kind kind) {
    static const char *const words[] = {"nothing", "object", "array", "string", "number", "bool", "null"};
    return words[kind];
}

static void series_list(struct intake *in, struct pull *p, size_t *n,
                        void (*series)(struct intake *, struct pull *)) {
    pull_enter(p);
    while (pull_element(p)) {
        (*n)++;
        if (pull_kind(p) == PULL_OBJECT) {
            series(in, p);
            continue;
        }
        series_begin(in, METRIC_GAUGE);
        pull_skip(p, &in->series->raw);
        if (!p->failed)
            reject_series(in, REASON_INVALID_FIELD, "a series must be an object");
    }
}

enum intake_status fields_series(struct intake *in, struct span body,
                                 void (*series)(struct intake *, struct pull *)) {
    struct pull pull, *p = &pull;
    pull_start(p, body, &in->scratch);
    enum pull_kind kind = pull_kind(p);
    size_t n = 0;
    if (kind == PULL_OBJECT) {
        struct span key;
        pull_enter(p);
        while (pull_key(p, &key)) {
            enum pull_kind value = pull_kind(p);
            if (!fields_equal(key, "series") || value == PULL_NULL)
                pull_skip(p, NULL);
            else if (value == PULL_ARRAY)
                series_list(in, p, &n, series);
            else if (!p->failed)
                return intake_refuse(in, REASON_INVALID_BODY, p->at,
                                     "json: cannot unmarshal %s into field series", fields_kind(value));
        }
    } else {
        pull_skip(p, NULL);
    }
    if (!pull_finish(p))
        return fields_refuse(in, p);
    if (kind != PULL_OBJECT && kind != PULL_NULL)
        return intake_refuse(in, REASON_INVALID_BODY, 0, "json: cannot unmarshal %s into the payload",
                             fields_kind(kind));
    if (in->refused)
        return INTAKE_BAD;
    if (n == 0)
        intake_reject(in, REASON_EMPTY_SERIES, (struct span){NULL, 0}, body, (struct span){NULL, 0});
    return INTAKE_OK;
}

/* Whether the list was read to its end. */
static bool read_points(struct intake *in, struct pull *p, enum pull_kind kind,
                        void (*point)(struct intake *, struct pull *)) {
    enum pull_kind list = pull_kind(p);
    if (list == PULL_NULL)
        return false;
    if (list != PULL_ARRAY) {
        reject_series(in, REASON_INVALID_FIELD, "points must be a list of points");
        return false;
    }
    pull_enter(p);
    while (pull_element(p)) {
        enum pull_kind element = pull_kind(p);
        if (element == kind) {
            point(in, p);
            continue;
        }
        struct span raw;
        bool first = in->series->n_points == 0;
        if (!pull_skip(p, &raw)) /* of a known series nothing has looked at them before */
            return false;
        if (first && element == PULL_NUMBER) { /* [timestamp, value] without the list around it */
            reject_series(in, REASON_FLAT_POINTS, NULL);
            return false;
        }
        fields_reject_point(in, REASON_INVALID_POINT, raw);
    }
    return !p->failed;
}

/* --- series that are known ------------------------------------------------------------------------------- */

#define KNOWN_BEFORE ((size_t)2048) /* bytes of a series before its points; */
#define KNOWN_BEHIND ((size_t)2048) /* and behind them */
#define KNOWN_DEPTH  ((size_t)16)

static char key_kind(const struct intake *in) {
    return in->format == INTAKE_SERIES_V2_JSON ? 'J' : in->format == INTAKE_DISTRIBUTIONS ? 'D' : 'V';
}

/* Past the quote that ends the string at hand; `end`: there is none, or an escape, which nothing known needs. */
static size_t skip_string(struct span body, size_t at, size_t end) {
    for (at++; at < end && body.p[at] != '"'; at++)
        if (body.p[at] == '\\')
            return end;
    return at < end ? at + 1 : end;
}

/* Goes on until `depth` brackets are closed, or past the key "points" of the object at hand. 0: neither comes before `end`. In JSON that is
 * well formed it stops where a reader would. In other JSON it stops anywhere. */
static size_t skip_brackets(struct span body, size_t at, size_t end, size_t depth, bool *points) {
    static const char key[] = "\"points\":";
    while (at < end) {
        char c = body.p[at];
        if (c == '"') {
            size_t from = at;
            at = skip_string(body, at, end);
            if (points && depth == 1 && at - from == sizeof key - 2 && at < end &&
                memcmp(body.p + from, key, sizeof key - 1) == 0) {
                *points = true;
                return at + 1;
            }
            continue;
        }
        at++;
        if ((c == '[' || c == '{') && depth++ == KNOWN_DEPTH)
            return 0; /* a reader may refuse it */
        if ((c == ']' || c == '}') && --depth == 0)
            return at;
    }
    return 0;
}

/* Where the points of the series at hand begin, or 0. */
static size_t find_points(const struct pull *p) {
    bool found = false;
    size_t end = p->body.n - p->at > KNOWN_BEFORE ? p->at + KNOWN_BEFORE : p->body.n;
    size_t at = skip_brackets(p->body, p->at, end, 0, &found);
    return found ? at : 0;
}

/* Where the series ends whose points end there, or 0. */
static size_t find_end(struct span body, size_t behind) {
    size_t end = body.n - behind > KNOWN_BEHIND ? behind + KNOWN_BEHIND : body.n;
    return skip_brackets(body, behind, end, 1, NULL);
}

/*   {"metric":"a.b","points":[[1700000000,1.5]],"type":"gauge"}
 *   ^ p->at                  ^ points          ^ behind        ^ end
 * Where the points seem to be. Bytes before and behind that were learnt from a series make it one, with any points that can be read. */
bool fields_known_series(struct intake *in, struct pull *p, enum pull_kind kind,
                         void (*point)(struct intake *, struct pull *)) {
    if (!in->options.known || p->failed)
        return false;
    struct span body = p->body;
    struct pull list = *p;
    const struct metric *guess = series_guess(in, key_kind(in), span_from(body, p->at));
    list.at = guess ? p->at + guess->key_name.n : find_points(p);
    if (!list.at || pull_kind(&list) != PULL_ARRAY)
        return false;
    struct pull first = list;
    pull_enter(&first);
    if (!pull_element(&first) ||
        pull_kind(&first) != kind) /* what else it may be is told of the whole series */
        return false;
    size_t points = list.at, behind = skip_brackets(body, points, body.n, 0, NULL);
    if (!behind)
        return false;
    size_t end = behind + (guess ? guess->key_rest.n : 0);
    if (guess && span_starts(span_from(body, behind), guess->key_rest))
        series_again(in, guess);
    else if (!(end = find_end(body, behind)) ||
             !series_known(in, key_kind(in), span_of(body.p + p->at, points - p->at),
                           span_of(body.p + behind, end - behind)))
        return false;
    in->series->raw = span_of(body.p + p->at, end - p->at);
    bool whole = read_points(in, &list, kind, point);
    if (list.failed || (whole && list.at != behind))
        return false; /* malformed: read again as an unknown one, it refuses the body with the right words */
    p->at = end;      /* whole, or refused in words */
    series_end(in);
    return true;
}

static void learn_series(struct intake *in, const struct pull *p, size_t from, size_t points, size_t behind) {
    if (points - from <= KNOWN_BEFORE && p->at - behind <= KNOWN_BEHIND)
        series_learn(in, key_kind(in), span_of(p->body.p + from, points - from),
                     span_of(p->body.p + behind, p->at - behind));
}

void fields_end_series(const struct fields *f, struct intake *in, size_t from, bool known_type, size_t points,
                       enum pull_kind kind, void (*point)(struct intake *, struct pull *)) {
    const struct pull *p = f->pull;
    if (p->failed)
        return;
    in->series->raw = span_of(p->body.p + from, p->at - from);
    if (f->wrong[0]) {
        reject_series(in, REASON_INVALID_FIELD, f->wrong);
        return;
    }
    if (!known_type) {
        reject_series(in, REASON_UNKNOWN_TYPE, NULL);
        return;
    }
    if (!series_accepts(in))
        return;
    struct pull list = *p;
    list.at = points;
    bool whole = points && read_points(in, &list, kind, point);
    series_end(in);
    if (whole)
        learn_series(in, p, from, points, list.at);
}

void fields_reject_point(struct intake *in, enum reason reason, struct span raw) {
    in->series->n_points++;
    intake_reject(in, reason, in->series->record.metric.name, raw, (struct span){NULL, 0});
}
