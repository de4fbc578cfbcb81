/* PUT, GET, DELETE /recorder/v1/faults. PUT replaces the whole set. */
#include "control/ask.h"
#include "control/control.h"
#include "control/stub.h"
#include "core/json.h"
#include "http/fault.h"
#include <inttypes.h>
#include <stdlib.h>

static const char *const cut_words[] = {"", "before", "during", "after"};

/* --- reading --------------------------------------------------------------------------------------------- */

static int read_number(struct http_request *rq, const json_t *object, const char *name, double min,
                       double max, double *value) {
    const json_t *field = json_object_get(object, name);
    if (!field || json_is_null(field))
        return 0;
    if (!json_is_number(field) || !(json_number_value(field) >= min && json_number_value(field) <= max)) {
        http_error(rq, 400, "%s must be a number from %g to %g", name, min, max);
        return -1;
    }
    *value = json_number_value(field);
    return 1;
}

/* The name (up to 64 bytes) and id of the session that a rule names, or the path /s/NAME; both stay empty when neither does. */
static int read_session(struct http_request *rq, const json_t *object, char text[65], uint64_t *id) {
    struct span name;
    int given = ask_string(rq, object, "session", &name);
    if (given == 0 && rq->prefix.p) {
        name = rq->prefix;
        given = 1;
    }
    if (given <= 0)
        return given;
    struct ingest_session session;
    if (ask_session(rq, name, &session) != 0)
        return -1;
    memcpy(text, session.name, 65);
    *id = session.id;
    return 0;
}

static int read_cut(struct http_request *rq, const json_t *object, enum http_cut *cut) {
    struct span word;
    int given = ask_string(rq, object, "cut", &word);
    if (given <= 0)
        return given;
    for (int i = HTTP_CUT_BEFORE; i <= HTTP_CUT_AFTER; i++)
        if (span_eq(word, span_str(cut_words[i]))) {
            *cut = (enum http_cut)i;
            return 0;
        }
    http_error(rq, 400, "cut must be before, during or after, not '%.*s'", SPAN_ARG(word));
    return -1;
}

static int read_rule(struct http_request *rq, const json_t *object, struct fault_rule *rule) {
    uint64_t status = 0, delay_ms = 0;
    struct span path = SPAN("");
    rule->probability = 1;
    rule->seed = 1;
    if (ask_fields(rq, object, "http[].",
                   ASK_NAMES("path", "session", "status", "delay_ms", "cut", "times", "probability", "seed",
                             STUB_FIELDS)) != 0 ||
        ask_string(rq, object, "path", &path) < 0 || ask_count(rq, object, "status", 599, &status) < 0 ||
        ask_count(rq, object, "delay_ms", FAULT_DELAY_MS_MAX, &delay_ms) < 0 ||
        ask_count(rq, object, "times", UINT32_MAX, &rule->times) < 0 ||
        ask_count(rq, object, "seed", UINT32_MAX, &rule->seed) < 0 ||
        read_number(rq, object, "probability", 0, 1, &rule->probability) < 0 ||
        read_cut(rq, object, &rule->cut) != 0 ||
        read_session(rq, object, rule->session, &rule->session_id) != 0 || stub_read(rq, object, rule) != 0)
        return -1;
    if (path.n >= FAULT_PATH_MAX) {
        http_error(rq, 400, "path is longer than %d bytes", FAULT_PATH_MAX - 1);
        return -1;
    }
    if (status && status < 200) {
        http_error(rq, 400, "status must be from 200 to 599");
        return -1;
    }
    memcpy(rule->path, path.p, path.n);
    rule->status = (unsigned)status;
    rule->delay_ms = (int64_t)delay_ms;
    rule->random = rule->seed * 2685821657736338717ULL + 88172645463325252ULL;
    return 0;
}

static int read_drop(struct http_request *rq, const json_t *object, struct fault_drop *drop) {
    drop->seed = 1;
    drop->rate = -1;
    if (ask_fields(rq, object, "dogstatsd[].", ASK_NAMES("drop", "session", "seed")) != 0 ||
        read_number(rq, object, "drop", 0, 1, &drop->rate) < 0 ||
        ask_count(rq, object, "seed", UINT32_MAX, &drop->seed) < 0 ||
        read_session(rq, object, drop->session, &drop->session_id) != 0)
        return -1;
    if (drop->rate >= 0)
        return 0;
    http_error(rq, 400, "a dogstatsd fault needs drop, a number from 0 to 1");
    return -1;
}

/* The list of that name, which may be missing; -1 when it is no list of objects or too long. */
static int read_list(struct http_request *rq, const json_t *body, const char *name, const json_t **list,
                     size_t *n) {
    *list = json_object_get(body, name);
    *n = *list && !json_is_null(*list) ? json_array_size(*list) : 0;
    bool good = !*list || json_is_null(*list) || json_is_array(*list);
    for (size_t i = 0; i < *n; i++)
        good = good && json_is_object(json_array_get(*list, i));
    if (good && *n <= FAULT_RULES_MAX)
        return 0;
    *n = 0;
    http_error(rq, 400, "%s must be a list of at most %d objects", name, FAULT_RULES_MAX);
    return -1;
}

static int read_faults(struct http_request *rq, const json_t *body, struct faults *f) {
    const json_t *http, *dogstatsd;
    if (read_list(rq, body, "http", &http, &f->n_rules) != 0 ||
        read_list(rq, body, "dogstatsd", &dogstatsd, &f->n_drops) != 0)
        return -1;
    for (size_t i = 0; i < f->n_rules; i++)
        if (read_rule(rq, json_array_get(http, i), &f->rules[i]) != 0)
            return -1;
    size_t n_bytes = 0;
    for (size_t i = 0; i < f->n_rules; i++)
        n_bytes += f->rules[i].content ? f->rules[i].content->body.n : 0;
    if (n_bytes > FAULT_BODIES_MAX) {
        http_error(rq, 400, "the bodies of all faults have more than %zu bytes", FAULT_BODIES_MAX);
        return -1;
    }
    for (size_t i = 0; i < f->n_drops; i++)
        if (read_drop(rq, json_array_get(dogstatsd, i), &f->drops[i]) != 0)
            return -1;
    return 0;
}

/* --- answering ------------------------------------------------------------------------------------------- */

static void put_session_name(struct buf *b, const char *name) {
    if (!name[0])
        return;
    buf_str(b, ",\"session\":");
    json_put_string(b, span_str(name));
}

static void put_rule(struct buf *b, const struct fault_rule *rule) {
    buf_printf(b, "{\"applied\":%" PRIu64, rule->n_applied);
    if (rule->path[0]) {
        buf_str(b, ",\"path\":");
        json_put_string(b, span_str(rule->path));
    }
    stub_put(b, rule);
    put_session_name(b, rule->session);
    if (rule->status)
        buf_printf(b, ",\"status\":%u", rule->status);
    if (rule->delay_ms)
        buf_printf(b, ",\"delay_ms\":%" PRId64, rule->delay_ms);
    if (rule->cut)
        buf_printf(b, ",\"cut\":\"%s\"", cut_words[rule->cut]);
    if (rule->times)
        buf_printf(b, ",\"times\":%" PRIu64, rule->times);
    buf_str(b, ",\"probability\":");
    json_put_number(b, rule->probability);
    buf_printf(b, ",\"seed\":%" PRIu64 "}", rule->seed);
}

static void put_faults(struct buf *b, struct faults *f) {
    pthread_mutex_lock(&f->lock);
    buf_str(b, "{\"http\":[");
    for (size_t i = 0; i < f->n_rules; i++) {
        buf_str(b, i ? "," : "");
        put_rule(b, &f->rules[i]);
    }
    buf_str(b, "],\"dogstatsd\":[");
    for (size_t i = 0; i < f->n_drops; i++) {
        buf_str(b, i ? ",{\"drop\":" : "{\"drop\":");
        json_put_number(b, f->drops[i].rate);
        put_session_name(b, f->drops[i].session);
        buf_printf(b, ",\"seed\":%" PRIu64 "}", f->drops[i].seed);
    }
    buf_str(b, "]}\n");
    pthread_mutex_unlock(&f->lock);
}

/* Ends the old drops and begins the new ones. */
static void change_drops(struct http_request *rq, const struct fault_drop *from, size_t n_from,
                         const struct faults *to) {
    struct ingest *in = rq->http->ingest;
    for (size_t i = 0; i < n_from; i++) {
        struct err ignored = {0}; /* its session may have ended */
        ingest_fault_drop(in, from[i].session_id, 0, 0, &ignored);
    }
    for (size_t i = 0; i < to->n_drops; i++) {
        struct err err = {0};
        if (ingest_fault_drop(in, to->drops[i].session_id, to->drops[i].rate, to->drops[i].seed, &err) != 0)
            http_error(rq, 503, "%s", err.text);
    }
}

/* Takes what `with` holds over. */
static void replace(struct http_request *rq, struct faults *with) {
    struct faults *f = rq->http->faults;
    struct fault_drop before[FAULT_RULES_MAX];
    pthread_mutex_lock(&f->lock);
    size_t n_before = f->n_drops;
    memcpy(before, f->drops, sizeof before);
    fault_clear(f);
    f->n_rules = with->n_rules;
    f->n_drops = with->n_drops;
    memcpy(f->rules, with->rules, sizeof f->rules);
    with->n_rules = 0;
    memcpy(f->drops, with->drops, sizeof f->drops);
    pthread_mutex_unlock(&f->lock);
    change_drops(rq, before, n_before, with);
    if (rq->answer.status == 200)
        put_faults(&rq->answer.body, f);
}

void control_faults_put(struct http_request *rq) {
    json_t *body = ask_only(rq, 0, NULL) == 0 ? ask_body(rq, ASK_NAMES("http", "dogstatsd")) : NULL;
    if (!body)
        return;
    struct faults *with = calloc(1, sizeof *with);
    if (!with)
        http_error(rq, 503, "out of memory");
    else if (read_faults(rq, body, with) == 0)
        replace(rq, with);
    if (with)
        fault_clear(with);
    free(with);
    json_decref(body);
}

void control_faults_get(struct http_request *rq) {
    if (ask_only(rq, 0, NULL) == 0)
        put_faults(&rq->answer.body, rq->http->faults);
}

void control_faults_delete(struct http_request *rq) {
    struct faults *none = calloc(1, sizeof *none);
    if (!none)
        http_error(rq, 503, "out of memory");
    else if (ask_only(rq, 0, NULL) == 0)
        replace(rq, none);
    free(none);
}
