/* Sessions: opening, closing, their environment, marks and reset. */
#include "emit/error.h"
#include "emit/text.h"
#include "report/recorder.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "/recorder/v1"

static void put_encoded(struct text *path, const char *string) {
    for (; *string; string++) {
        unsigned char c = (unsigned char)*string;
        if (strchr("-_.~", c) || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
            text_put(path, string, 1);
        else
            text_printf(path, "%%%02X", c);
    }
}

/* start, the session's name, end: as a request without a body. */
static json_t *ask(struct statwit_recorder *recorder, const char *method, const char *start, const char *name,
                   struct statwit_error *error) {
    struct text path = {.max = 4096};
    json_t *answer = NULL;
    text_puts(&path, start);
    put_encoded(&path, name);
    if (path.failed)
        error_set(error, STATWIT_INVALID, "a session's name is not as long as \"%.100s…\"", name);
    else
        answer = answer_get(recorder, method, path.bytes, NULL, 0, error);
    text_free(&path);
    return answer;
}

/* Steals the document. */
static struct statwit_session *session_new(struct statwit_recorder *recorder, json_t *document, bool owned,
                                           struct statwit_error *error) {
    if (!document)
        return NULL;
    struct statwit_session *session = calloc(1, sizeof *session);
    const char *name = answer_string(document, "name", NULL);
    if (!session || !name) {
        if (name)
            error_memory(error);
        else
            error_set(error, STATWIT_PROTOCOL, "%.200s answered without the session's name", recorder->url);
        json_decref(document);
        free(session);
        return NULL;
    }
    *session =
        (struct statwit_session){.recorder = recorder, .document = document, .name = name, .owned = owned};
    return session;
}

static struct statwit_session *open_session(struct statwit_recorder *recorder,
                                            const struct statwit_session_options *options,
                                            struct statwit_error *error) {
    static const struct statwit_session_options none;
    options = options ? options : &none;
    if (recorder_check(recorder, error) != 0)
        return NULL;
    json_t *body = json_object();
    int failed = !body;
    if (options->name)
        failed |= json_object_set_new(body, "name", json_string(options->name));
    if (options->unix_sockets)
        failed |= json_object_set_new(body, "unix", json_true());
    if (options->ttl_s)
        failed |= json_object_set_new(body, "ttl_s", json_integer(options->ttl_s));
    if (options->timestamps)
        failed |= json_object_set_new(body, "timestamps", json_string(options->timestamps));
    if (failed) {
        json_decref(body);
        error_set(error, STATWIT_INVALID, "the session's name or timestamps are not UTF-8, or memory is out");
        return NULL;
    }
    return session_new(recorder, answer_get(recorder, "POST", PREFIX "/sessions", body, 0, error), true,
                       error);
}

struct statwit_session *statwit_session_open(struct statwit_recorder *recorder,
                                             const struct statwit_session_options *options,
                                             struct statwit_error *error) {
    struct statwit_error why = {0};
    struct statwit_session *session = open_session(recorder, options, &why);
    if (!session)
        missing_keep(&why, error);
    return session;
}

struct statwit_session *statwit_session_attach(struct statwit_recorder *recorder, const char *name,
                                               struct statwit_error *error) {
    struct statwit_error why = {0};
    json_t *document = NULL;
    if (recorder_check(recorder, &why) == 0)
        document = ask(recorder, "GET", PREFIX "/sessions/", name ? name : "default", &why);
    struct statwit_session *session = session_new(recorder, document, false, &why);
    if (!session)
        missing_keep(&why, error);
    return session;
}

struct statwit_recorder *session_recorder(const struct statwit_session *session) {
    return session ? session->recorder : NULL;
}

/* `after`: what the path ends in. */
static void session_end(struct statwit_session *session, const char *after) {
    struct text path = {.max = 4096};
    text_puts(&path, PREFIX "/sessions/");
    put_encoded(&path, session->name);
    text_puts(&path, after);
    if (session->owned && !path.failed)
        json_decref(answer_get(session->recorder, "DELETE", path.bytes, NULL, 0, NULL));
    text_free(&path);
    json_decref(session->document);
    free(session);
}

void statwit_session_close(struct statwit_session *session) {
    if (session)
        session_end(session, "");
}

void statwit_session_close_keep(struct statwit_session *session) {
    if (session)
        session_end(session, "?keep=1");
}

const char *statwit_session_name(const struct statwit_session *session) {
    return session ? session->name : "";
}

const char *statwit_session_variable(const struct statwit_session *session, const char *variable) {
    return session ? answer_string(json_object_get(session->document, "env"), variable, NULL) : NULL;
}

int statwit_session_export(const struct statwit_session *session, struct statwit_error *error) {
    const char *name;
    json_t *value;
    if (!session)
        return missing_tell(error);
    json_object_foreach(json_object_get(session->document, "env"), name, value)
        if (json_is_string(value) && setenv(name, json_string_value(value), 1) != 0)
            return error_set(error, STATWIT_SYSTEM, "cannot set %.100s: %s", name, strerror(errno));
    return 0;
}

void statwit_session_aim(const struct statwit_session *session, struct statwit_options *options) {
    const char *port = statwit_session_variable(session, "DD_DOGSTATSD_PORT");
    options->ignore_environment = true;
    if (!session) { /* not to whoever listens on the usual port */
        options->backend = "dummy";
        return;
    }
    options->url = options->socket_path = NULL;
    options->host = statwit_session_variable(session, "DD_AGENT_HOST");
    options->port = port ? atoi(port) : 0;
    options->api_key = answer_string(session->document, "api_key", NULL);
    options->api_host = session->recorder->url;
}

int64_t statwit_mark(struct statwit_session *session, struct statwit_error *error) {
    json_t *answer = answer_get(session_recorder(session), "POST", PREFIX "/marks", json_object(), 0, error);
    const json_t *mark = json_object_get(answer, "mark");
    int64_t value = json_is_integer(mark) ? json_integer_value(mark) : -1;
    if (answer && value < 0)
        error_set(error, STATWIT_PROTOCOL, "%.200s answered without a mark", session->recorder->url);
    json_decref(answer);
    return value;
}

int statwit_reset(struct statwit_session *session, struct statwit_error *error) {
    json_t *answer = ask(session_recorder(session), "POST",
                         PREFIX "/reset?session=", statwit_session_name(session), error);
    json_decref(answer);
    return answer ? 0 : -1;
}
