/* POST /api/v1/check_run: a list of checks, or one.
 *
 *     [{"check":"app.ok","host_name":"h1","status":0,"timestamp":1700000000,"message":null,"tags":["env:ci"]}]
 */
#include "decode/intake/fields.h"

static void take_tag(void *arg, struct span tag) {
    series_tag(arg, tag);
}

static void read_check(struct intake *in, struct pull *p) {
    series_begin(in, METRIC_GAUGE); /* for its list of tags */
    struct series *s = in->series;
    struct record record = {.kind = RECORD_SERVICE_CHECK};
    struct service_check *check = &record.check;
    struct fields f = {.pull = p};
    double status = -1;
    size_t from = p->at;
    struct span key;
    pull_enter(p);
    while (pull_key(p, &key)) {
        if (fields_equal(key, "check"))
            field_string(&f, "check", &check->name);
        else if (fields_equal(key, "host_name"))
            field_string(&f, "host_name", &check->origin.host);
        else if (fields_equal(key, "status"))
            field_number(&f, "status", &status);
        else if (fields_equal(key, "timestamp"))
            field_integer(&f, "timestamp", &check->timestamp);
        else if (fields_equal(key, "message"))
            field_string(&f, "message", &check->message);
        else if (fields_equal(key, "tags"))
            field_tags(&f, "tags", take_tag, s);
        else
            pull_skip(p, NULL);
    }
    if (p->failed)
        return;
    struct span raw = span_of(p->body.p + from, p->at - from), none = {NULL, 0};
    check->tags = s->tags;
    check->n_tags = s->n_tags;
    check->status = (int)(status >= 0 && status <= 3 ? status : -1);
    if (f.wrong[0])
        intake_reject(in, REASON_INVALID_FIELD, check->name, raw, span_str(f.wrong));
    else if (check->name.n == 0)
        intake_reject(in, REASON_SC_EMPTY_NAME, none, raw, none);
    else if (check->status < 0 || check->status != status)
        intake_reject(in, REASON_SC_INVALID_STATUS, check->name, raw, none);
    else if (s->n_tags > INTAKE_TAGS_MAX)
        intake_reject(in, REASON_TOO_MANY_TAGS, check->name, raw, none);
    else
        in->emit(in->arg, &record);
}

static void read_element(struct intake *in, struct pull *p) {
    struct span raw, none = {NULL, 0};
    if (pull_kind(p) == PULL_OBJECT)
        read_check(in, p);
    else if (pull_skip(p, &raw))
        intake_reject(in, REASON_INVALID_FIELD, none, raw, SPAN("a check must be an object"));
}

enum intake_status checks_decode(struct intake *in, struct span body) {
    struct pull pull, *p = &pull;
    pull_start(p, body, &in->scratch);
    if (pull_kind(p) == PULL_ARRAY) {
        pull_enter(p);
        while (pull_element(p))
            read_element(in, p);
    } else {
        read_element(in, p);
    }
    return pull_finish(p) ? INTAKE_OK : fields_refuse(in, p);
}
