/* POST /api/v1/events, /api/v2/events and the events of /intake. */
#include "core/number.h"
#include "decode/intake/fields.h"

#include <stdio.h>
#include <time.h>

static void take_tag(void *arg, struct span tag) {
    series_tag(arg, tag);
}

/* The members that v1 and the Agent spell the same. False: it was none of them and is still to be read. */
static bool read_common(struct fields *f, struct span key, struct series *s, struct event *event) {
    if (fields_equal(key, "priority"))
        field_string(f, "priority", &event->priority);
    else if (fields_equal(key, "tags"))
        field_tags(f, "tags", take_tag, s);
    else if (fields_equal(key, "host"))
        field_string(f, "host", &event->origin.host);
    else if (fields_equal(key, "alert_type"))
        field_string(f, "alert_type", &event->alert_type);
    else if (fields_equal(key, "aggregation_key"))
        field_string(f, "aggregation_key", &event->aggregation_key);
    else if (fields_equal(key, "source_type_name"))
        field_string(f, "source_type_name", &event->source_type_name);
    else
        return false;
    return true;
}

static bool event_is_too_old(const struct intake *in, double happened) {
    return !in->options.any_age && happened < (double)(in->options.now_s - INTAKE_EVENT_AGE_S);
}

/* The tags that had room; a reject when some had none. */
static void emit_event(struct intake *in, struct record *record) {
    struct series *s = in->series;
    record->event.tags = s->tags;
    record->event.n_tags = s->n_tags;
    if (s->n_tags > INTAKE_TAGS_MAX)
        intake_reject(in, REASON_TOO_MANY_TAGS, record->event.title, s->raw, (struct span){NULL, 0});
    else
        in->emit(in->arg, record);
}

/* The body's object and nothing else around it. */
static enum intake_status enter_body(struct intake *in, struct pull *p, struct span body) {
    pull_start(p, body, &in->scratch);
    series_begin(in, METRIC_GAUGE); /* for its list of tags */
    in->series->raw = body;
    enum pull_kind kind = pull_kind(p);
    if (kind == PULL_OBJECT) {
        pull_enter(p);
        return INTAKE_OK;
    }
    pull_skip(p, NULL);
    return p->failed ? fields_refuse(in, p)
                     : intake_refuse(in, REASON_INVALID_BODY, 0, "the payload must be a JSON object");
}

static bool is_alert_type(struct span word) {
    static const char *const words[] = {"error",    "warning",     "info",          "success",
                                        "snapshot", "user_update", "recommendation"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (fields_equal(word, words[i]))
            return true;
    return !word.n;
}

/* Datadog looks at little before it says 202: an event with a field of another kind, or an unknown alert_type, is lost later. */
static void emit_or_lose(struct intake *in, struct record *record, const struct fields *f) {
    const struct event *event = &record->event;
    bool known = is_alert_type(event->alert_type);
    if (known && !f->wrong[0])
        emit_event(in, record);
    else
        intake_reject(in, REASON_INVALID_FIELD, event->title, in->series->raw,
                      f->wrong[0] ? span_str(f->wrong)
                                  : SPAN("alert_type must be error, warning, info, success, snapshot, "
                                         "user_update or recommendation"));
}

enum intake_status event_v1_decode(struct intake *in, struct span body) {
    struct pull pull, *p = &pull;
    struct record record = {.kind = RECORD_EVENT};
    struct event *event = &record.event;
    struct fields needed = {.pull = p}, f = {.pull = p, .tags_as_text = true};
    struct span key;
    double happened = 0;
    enum intake_status status = enter_body(in, p, body);
    if (status != INTAKE_OK)
        return status;
    while (pull_key(p, &key)) {
        if (fields_equal(key, "title"))
            field_string(&needed, "title", &event->title);
        else if (fields_equal(key, "text"))
            field_string(&needed, "text", &event->text);
        else if (fields_equal(key, "date_happened"))
            field_number(&f, "date_happened", &happened);
        else if (!read_common(&f, key, in->series, event))
            pull_skip(p, NULL);
    }
    if (!pull_finish(p))
        return fields_refuse(in, p);
    if (needed.wrong[0])
        return intake_refuse(in, REASON_INVALID_FIELD, 0, "%s", needed.wrong);
    if (!event->title.n || !event->text.p)
        return intake_refuse(in, REASON_MISSING_FIELD, 0, "The event must have a '%s'",
                             event->title.n ? "text" : "title");
    if (happened != 0 && event_is_too_old(in, happened))
        return intake_refuse(in, REASON_EVENT_TOO_OLD, 0, "Event too far in the past");
    event->timestamp = happened > -0x1p62 && happened < 0x1p62 ? (int64_t)happened : 0;
    emit_or_lose(in, &record, &f);
    return INTAKE_OK;
}

/* --- /intake --------------------------------------------------------------------------------------------- */

static void read_agent_event(struct intake *in, struct pull *p, struct span source) {
    struct record record = {.kind = RECORD_EVENT};
    struct event *event = &record.event;
    struct fields f = {.pull = p};
    struct span key, raw;
    size_t from = p->at;
    in->series->n_tags = in->series->n_long_tags = 0;
    if (pull_kind(p) != PULL_OBJECT) {
        if (pull_skip(p, &raw))
            intake_reject(in, REASON_INVALID_FIELD, (struct span){NULL, 0}, raw,
                          SPAN("an event must be an object"));
        return;
    }
    pull_enter(p);
    while (pull_key(p, &key)) {
        if (fields_equal(key, "msg_title"))
            field_string(&f, "msg_title", &event->title);
        else if (fields_equal(key, "msg_text"))
            field_string(&f, "msg_text", &event->text);
        else if (fields_equal(key, "timestamp"))
            field_integer(&f, "timestamp", &event->timestamp);
        else if (!read_common(&f, key, in->series, event))
            pull_skip(p, NULL);
    }
    if (p->failed)
        return;
    in->series->raw = span_of(p->body.p + from, p->at - from);
    if (!event->source_type_name.p && !fields_equal(source, "api"))
        event->source_type_name = source;
    if (f.wrong[0])
        intake_reject(in, REASON_INVALID_FIELD, event->title, in->series->raw, span_str(f.wrong));
    else if (!event->title.n)
        intake_reject(in, REASON_EVENT_EMPTY_TITLE, event->title, in->series->raw, (struct span){NULL, 0});
    else
        emit_event(in, &record);
}

static void read_sources(struct intake *in, struct pull *p) {
    struct span source, raw;
    pull_enter(p);
    while (pull_key(p, &source)) {
        enum pull_kind kind = pull_kind(p);
        if (kind != PULL_ARRAY) {
            if (pull_skip(p, &raw) && kind != PULL_NULL)
                intake_reject(in, REASON_INVALID_FIELD, (struct span){NULL, 0}, raw,
                              SPAN("the events of a source must be a list"));
            continue;
        }
        pull_enter(p);
        while (pull_element(p))
            read_agent_event(in, p, source);
    }
}

enum intake_status agent_events_decode(struct intake *in, struct span body) {
    struct pull pull, *p = &pull;
    struct span key;
    enum intake_status status = enter_body(in, p, body);
    if (status != INTAKE_OK)
        return status;
    while (pull_key(p, &key)) {
        if (fields_equal(key, "events") && pull_kind(p) == PULL_OBJECT)
            read_sources(in, p);
        else
            pull_skip(p, NULL);
    }
    return pull_finish(p) ? INTAKE_OK : fields_refuse(in, p);
}

/* --- /api/v2/events -------------------------------------------------------------------------------------- */

static bool read_digits(struct span s, size_t at, size_t n, int *value) {
    *value = 0;
    for (size_t i = at; i < at + n; i++) {
        if (i >= s.n || s.p[i] < '0' || s.p[i] > '9')
            return false;
        *value = *value * 10 + (s.p[i] - '0');
    }
    return true;
}

/*   2026-11-22T23:11:47.123Z    or +01:00 instead of Z
 *   0    5  8  11 14 17 19
 */
static bool read_time(struct span s, int64_t *seconds) {
    struct tm t = {0};
    int hours = 0, minutes = 0;
    if (!read_digits(s, 0, 4, &t.tm_year) || !read_digits(s, 5, 2, &t.tm_mon) ||
        !read_digits(s, 8, 2, &t.tm_mday) || !read_digits(s, 11, 2, &t.tm_hour) ||
        !read_digits(s, 14, 2, &t.tm_min) || !read_digits(s, 17, 2, &t.tm_sec))
        return false;
    size_t at = 19;
    if (at < s.n && s.p[at] == '.')
        do
            at++;
        while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9');
    bool zone = at < s.n && (s.p[at] == '+' || s.p[at] == '-');
    if (zone ? !read_digits(s, at + 1, 2, &hours) || !read_digits(s, at + 4, 2, &minutes)
             : at >= s.n || (s.p[at] | 0x20) != 'z')
        return false;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    int offset = (hours * 60 + minutes) * 60;
    *seconds = timegm(&t) - (zone && s.p[at] == '-' ? -offset : offset);
    return true;
}

/* What a v2 event holds beside the event. */
struct draft_event {
    struct fields fields;
    struct span category, integration, status, priority;
};

/* The innermost "attributes" of an alert: {"status":"warn","priority":"5"}. */
static void read_details(struct draft_event *d) {
    struct pull *p = d->fields.pull;
    struct span key;
    if (pull_kind(p) != PULL_OBJECT) {
        pull_skip(p, NULL);
        return;
    }
    pull_enter(p);
    while (pull_key(p, &key)) {
        bool text = pull_kind(p) == PULL_STRING;
        if (text && fields_equal(key, "status"))
            field_string(&d->fields, "status", &d->status);
        else if (text && fields_equal(key, "priority"))
            field_string(&d->fields, "priority", &d->priority);
        else
            pull_skip(p, NULL);
    }
}

static void read_attributes(struct draft_event *d, struct series *s, struct event *event) {
    struct span key, time = {NULL, 0};
    struct fields *f = &d->fields;
    pull_enter(f->pull);
    while (pull_key(f->pull, &key)) {
        if (fields_equal(key, "title"))
            field_string(f, "title", &event->title);
        else if (fields_equal(key, "message"))
            field_string(f, "message", &event->text);
        else if (fields_equal(key, "timestamp"))
            field_string(f, "timestamp", &time);
        else if (fields_equal(key, "category"))
            field_string(f, "category", &d->category);
        else if (fields_equal(key, "integration_id"))
            field_string(f, "integration_id", &d->integration);
        else if (fields_equal(key, "attributes"))
            read_details(d);
        else if (!read_common(f, key, s, event))
            pull_skip(f->pull, NULL);
    }
    if (time.p && !read_time(time, &event->timestamp))
        fields_wrong(f, "timestamp", "an ISO 8601 time");
}

/* INTAKE_OK, or the words of Datadog's validation of JSON. `words` is the list as it writes it. */
static enum intake_status check_word(struct intake *in, const char *path, struct span word,
                                     const char *words) {
    char quoted[64];
    if (!word.p)
        return INTAKE_OK;
    int n = snprintf(quoted, sizeof quoted, "\"%.*s\"", word.n < 32 ? (int)word.n : 32, word.p);
    if (word.n < 32 && memmem(words, strlen(words), quoted, (size_t)n))
        return INTAKE_OK;
    return intake_refuse(in, REASON_INVALID_FIELD, 0,
                         "JSON validation failed at $.data.attributes.%s: value must be one of: [%s].", path,
                         words);
}

static enum intake_status check_words(struct intake *in, const struct draft_event *d) {
    enum intake_status status = check_word(in, "category", d->category, "\"alert\", \"change\"");
    if (status == INTAKE_OK)
        status = check_word(in, "integration_id", d->integration, "\"custom-events\"");
    if (status != INTAKE_OK || !fields_equal(d->category, "alert"))
        return status;
    status = check_word(in, "attributes.status", d->status, "\"warn\", \"error\", \"ok\"");
    return status != INTAKE_OK
               ? status
               : check_word(in, "attributes.priority", d->priority, "\"1\", \"2\", \"3\", \"4\", \"5\"");
}

enum intake_status event_v2_decode(struct intake *in, struct span body) {
    struct pull pull, *p = &pull;
    struct record record = {.kind = RECORD_EVENT};
    struct draft_event d = {.fields = {.pull = p}};
    struct span key;
    enum intake_status status = enter_body(in, p, body);
    if (status != INTAKE_OK)
        return status;
    while (pull_key(p, &key)) {
        if (!fields_equal(key, "data") || pull_kind(p) != PULL_OBJECT) {
            pull_skip(p, NULL);
            continue;
        }
        pull_enter(p);
        while (pull_key(p, &key)) {
            if (fields_equal(key, "attributes") && pull_kind(p) == PULL_OBJECT)
                read_attributes(&d, in->series, &record.event);
            else
                pull_skip(p, NULL);
        }
    }
    if (!pull_finish(p))
        return fields_refuse(in, p);
    if (d.fields.wrong[0])
        return intake_refuse(in, REASON_INVALID_FIELD, 0, "JSON validation failed at $.data.attributes: %s.",
                             d.fields.wrong);
    if ((status = check_words(in, &d)) != INTAKE_OK)
        return status;
    if (d.status.p)
        record.event.alert_type = d.status;
    if (d.priority.p)
        record.event.priority = d.priority;
    if (!record.event.title.n)
        return intake_refuse(in, REASON_MISSING_FIELD, 0, "The event must have a 'title'");
    if (record.event.timestamp && event_is_too_old(in, (double)record.event.timestamp))
        return intake_refuse(in, REASON_EVENT_TOO_OLD, 0, "Event too far in the past");
    emit_event(in, &record);
    return INTAKE_OK;
}
