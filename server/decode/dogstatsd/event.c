#include "core/number.h"
#include "decode/dogstatsd/line.h"

/*   _e{5,4}:title|text|d:1657100430|h:web-1|k:key|p:low|s:source|t:error|#env:ci
 */
struct header {
    uint64_t title_bytes, text_bytes;
    const char *body; /* after the ':' */
};

static bool refuse(struct dogstatsd *d, struct span line, enum reason reason, const char *at) {
    line_reject(d, reason, SPAN("event"), line, at, (struct span){NULL, 0});
    return false;
}

/* As Go's Atoi; negative lengths are none. */
static bool length_of(struct span digits, uint64_t *bytes) {
    int64_t n;
    if (number_parse_int(digits, &n) != NUMBER_OK || n < 0)
        return false;
    *bytes = (uint64_t)n;
    return true;
}

/*   _e{5,4}:
 *      ^ ^     up to the ':', at least 7 bytes, the last of them not looked at
 */
static bool read_header(struct dogstatsd *d, struct span line, struct header *header) {
    const char *end = line.p + line.n, *colon = line_find(line.p, end, ':');
    if (colon == end)
        return refuse(d, line, REASON_EVENT_NO_COLON, end);
    if (colon - line.p < 7)
        return refuse(d, line, REASON_EVENT_HEADER_INVALID, colon);
    const char *title = line.p + 3, *stop = colon - 1, *comma = line_find(title, stop, ',');
    if (comma == stop)
        return refuse(d, line, REASON_EVENT_HEADER_INVALID, stop);
    if (!length_of(line_span(title, comma), &header->title_bytes))
        return refuse(d, line, REASON_EVENT_HEADER_INVALID, title);
    if (!length_of(line_span(comma + 1, stop), &header->text_bytes))
        return refuse(d, line, REASON_EVENT_HEADER_INVALID, comma + 1);
    if (header->title_bytes == 0)
        return refuse(d, line, REASON_EVENT_EMPTY_TITLE, title);
    header->body = colon + 1;
    /* Each length is below 2^63: the sum does not overflow. */
    if (header->title_bytes + 1 + header->text_bytes > (uint64_t)(end - header->body))
        return refuse(d, line, REASON_EVENT_TOO_SHORT, end);
    if (*stop != '}')
        line_remark(d, REMARK_EVENT_HEADER, span_of(stop, 1));
    if (header->body[header->title_bytes] != '|')
        line_remark(d, REMARK_EVENT_SEPARATOR, span_of(header->body + header->title_bytes, 1));
    return true;
}

/* Backslash-n becomes a newline, nothing else changes. What is written goes to `out`, which has room for all.
 */
static struct span unescape(struct span s, char **out) {
    const char *end = s.p + s.n, *p = line_find(s.p, end, '\\');
    if (p == end)
        return s;
    char *from = *out, *to = from;
    memcpy(to, s.p, (size_t)(p - s.p));
    to += p - s.p;
    while (p < end) {
        bool newline = end - p >= 2 && p[0] == '\\' && p[1] == 'n';
        *to++ = newline ? '\n' : *p;
        p += newline ? 2 : 1;
    }
    *out = to;
    return line_span(from, to);
}

/* The word of the field when it is one of these; else the field is ignored and remarked on. */
static bool is_one_of(struct dogstatsd *d, struct span field, size_t n, const struct span *words) {
    for (size_t i = 0; i < n; i++)
        if (span_eq(span_from(field, 2), words[i]))
            return true;
    line_remark(d, REMARK_IGNORED_VALUE, field);
    return false;
}

/* Which fields of an event have been read: one more of a kind replaces it. */
struct event_fields {
    struct span timestamp, host, key, priority, source_type, alert_type; /* whole fields; p == NULL: none yet */
};

static void take_field(struct dogstatsd *d, struct span *before, struct span field) {
    if (before->p)
        line_remark(d, REMARK_REPEATED_FIELD, *before);
    *before = field;
}

/*   |d:1657100430|h:web-1|k:key|p:low|s:source|t:error|
 *    ^^^^^^^^^^^^ ^^^^^^^ ^^^^^ ^^^^^ ^^^^^^^^ ^^^^^^^    what makes no sense leaves things as they were
 */
static void read_field(struct dogstatsd *d, struct event *event, struct event_fields *seen,
                       struct line_fields *fields, struct span field) {
    struct span rest = field.n >= 2 && field.p[1] == ':' ? span_from(field, 2) : (struct span){NULL, 0};
    int64_t timestamp;
    switch (rest.p ? field.p[0] : 0) {
    case 'd':
        if (number_parse_int(rest, &timestamp) != NUMBER_OK) {
            line_remark(d, REMARK_IGNORED_VALUE, field);
            return;
        }
        take_field(d, &seen->timestamp, field);
        event->timestamp = timestamp;
        return;
    case 'h':
        take_field(d, &seen->host, field);
        return;
    case 'k':
        take_field(d, &seen->key, field);
        event->aggregation_key = rest.n ? rest : (struct span){NULL, 0};
        return;
    case 'p':
        if (!is_one_of(d, field, 2, (struct span[]){SPAN("normal"), SPAN("low")}))
            return;
        take_field(d, &seen->priority, field);
        event->priority = rest;
        return;
    case 's':
        take_field(d, &seen->source_type, field);
        event->source_type_name = rest.n ? rest : (struct span){NULL, 0};
        return;
    case 't':
        if (!is_one_of(d, field, 4,
                       (struct span[]){SPAN("error"), SPAN("warning"), SPAN("info"), SPAN("success")}))
            return;
        take_field(d, &seen->alert_type, field);
        event->alert_type = rest;
        return;
    default:
        fields_take(d, fields, field);
    }
}

/* The first field begins right after the text. It is empty, unless the text is longer than its length says. */
static void read_fields(struct dogstatsd *d, struct event *event, struct event_fields *seen,
                        struct line_fields *fields, const char *fields_at, const char *newline) {
    struct stops stops;
    stops_start(&stops, fields_at, newline);
    const char *at = fields_at - 1;
    for (char stop = '|'; stop == '|';) {
        const char *from = at + 1;
        struct span field = fields_next(d, fields, from, &stops, &stop, &at);
        size_t remarked = d->remarks.n;
        read_field(d, event, seen, fields, field);
        if (from == fields_at && field.n > 0) { /* the one remark that says what it is */
            d->remarks.n = remarked;
            line_remark(d, REMARK_EVENT_SURPLUS, field);
        }
    }
}

void event_decode(struct dogstatsd *d, struct span line, const char *newline) {
    struct header header = {0};
    if (!read_header(d, line, &header))
        return;
    const char *text_at = header.body + header.title_bytes + 1, *fields_at = text_at + header.text_bytes;
    char *out = d->text;
    struct span title = unescape(span_of(header.body, header.title_bytes), &out);
    struct span text = unescape(line_span(text_at, fields_at), &out);
    struct record record = {
        .kind = RECORD_EVENT,
        .event = {.title = title, .text = text, .priority = SPAN("normal"), .alert_type = SPAN("info")},
    };
    struct event *event = &record.event;
    struct line_fields fields = {0};
    struct event_fields seen = {0};
    read_fields(d, event, &seen, &fields, fields_at, newline);
    event->n_tags = enrich(d, &fields, &event->origin);
    event->tags = d->tags;
    enrich_host(d, seen.host, &event->origin);
    event->remarks = line_remarks(d, line);
    d->emit(d->arg, &record);
    d->remarks.n = 0;
}
