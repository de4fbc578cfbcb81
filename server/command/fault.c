/* statwit fault: misbehave on purpose. The API replaces all faults at once; here they are added one by one.
 */
#include "command/commands.h"
#include "command/remote.h"
#include "command/stubs.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include <stdio.h>
#include <string.h>

#define PATH "/recorder/v1/faults"

static void set_number(json_t *rule, const char *field, const struct options *o, enum option_id id) {
    if (option_given(o, id))
        json_object_set_new(rule, field, json_integer(option_number(o, id)));
}

static void set_text(json_t *rule, const char *field, const struct options *o, enum option_id id) {
    if (option_given(o, id))
        json_object_set_new(rule, field, json_string(option_text(o, id)));
}

/* Text, or the bytes of a file. */
static int set_body(json_t *rule, const struct options *o) {
    const char *given = option_text(o, OPT_BODY);
    struct buf body = {0}, b64 = {.max = 2 * STUBS_FILE_MAX};
    struct err err = {0};
    if (!given || given[0] != '@') {
        set_text(rule, "body", o, OPT_BODY);
        return EXIT_PASS;
    }
    if (file_read(given + 1, STUBS_FILE_MAX, &body, &err) != 0) {
        log_error("%s", err.set ? err.text : "the body is too large");
        return EXIT_USAGE;
    }
    json_put_base64(&b64, buf_view(&body));
    json_object_set_new(rule, "body_b64", json_stringn(b64.p + 1, b64.n - 2));
    buf_free(&body);
    buf_free(&b64);
    return EXIT_PASS;
}

static int set_headers(json_t *rule, const struct options *o) {
    json_t *headers = json_object();
    for (size_t i = 0; i < o->list[OPT_HEADER].n; i++) {
        const char *text = o->list[OPT_HEADER].texts[i], *colon = strchr(text, ':');
        if (!colon) {
            log_error("--header takes NAME: VALUE, not '%s'", text);
            json_decref(headers);
            return EXIT_USAGE;
        }
        json_object_setn_new(headers, text, (size_t)(colon - text),
                             json_string(colon + 1 + strspn(colon + 1, " ")));
    }
    if (json_object_size(headers))
        json_object_set(rule, "headers", headers);
    json_decref(headers);
    return EXIT_PASS;
}

/* NULL once it is said what is wrong. */
static json_t *http_rule(const struct options *o) {
    json_t *rule = json_object();
    if (set_body(rule, o) != EXIT_PASS || set_headers(rule, o) != EXIT_PASS) {
        json_decref(rule);
        return NULL;
    }
    set_text(rule, "method", o, OPT_METHOD);
    set_text(rule, "endpoint", o, OPT_ENDPOINT);
    set_text(rule, "content_type", o, OPT_CONTENT_TYPE);
    if (option_on(o, OPT_KEPT))
        json_object_set_new(rule, "kept", json_true());
    set_text(rule, "path", o, OPT_PATH);
    set_text(rule, "session", o, OPT_SESSION);
    set_number(rule, "status", o, OPT_STATUS);
    if (option_given(o, OPT_DELAY))
        json_object_set_new(rule, "delay_ms", json_integer(option_number(o, OPT_DELAY) / NS_PER_MS));
    set_text(rule, "cut", o, OPT_CUT);
    set_number(rule, "times", o, OPT_TIMES);
    if (option_given(o, OPT_PROBABILITY))
        json_object_set_new(rule, "probability", json_real(o->value[OPT_PROBABILITY].share));
    set_number(rule, "seed", o, OPT_SEED);
    return rule;
}

static json_t *dogstatsd_rule(const struct options *o) {
    json_t *rule = json_object();
    json_object_set_new(rule, "drop", json_real(o->value[OPT_DROP].share));
    set_text(rule, "session", o, OPT_SESSION);
    set_number(rule, "seed", o, OPT_SEED);
    return rule;
}

/* The faults there are, as PUT takes them: without what GET adds. */
static json_t *current(struct remote *remote, int *status) {
    json_t *faults = NULL, *rule;
    size_t i;
    *status = remote_call(remote, NULL, PATH, NULL, &faults);
    if (*status != EXIT_PASS)
        return NULL;
    json_array_foreach(json_object_get(faults, "http"), i, rule)
        json_object_del(rule, "applied");
    return faults;
}

static int add_file(struct remote *remote, const char *path, json_t **answer) {
    struct err err = {0};
    int status = EXIT_USAGE;
    json_t *stubs = stubs_load(path, &err);
    if (!stubs) {
        log_error("%s", err.text);
        return status;
    }
    json_t *faults = current(remote, &status);
    if (faults) {
        json_array_extend(json_object_get(faults, "http"), json_object_get(stubs, "http"));
        json_array_extend(json_object_get(faults, "dogstatsd"), json_object_get(stubs, "dogstatsd"));
        status = remote_call(remote, "PUT", PATH, faults, answer);
    }
    json_decref(faults);
    json_decref(stubs);
    return status;
}

static int add_rule(struct remote *remote, const char *list, json_t *rule, json_t **answer) {
    int status;
    if (!rule)
        return EXIT_USAGE;
    json_t *faults = current(remote, &status);
    if (faults) {
        json_array_append(json_object_get(faults, list), rule);
        status = remote_call(remote, "PUT", PATH, faults, answer);
    }
    json_decref(faults);
    json_decref(rule);
    return status;
}

static int change(const struct options *o, struct remote *remote, json_t **answer) {
    const char *word = o->n_args ? o->args[0] : "ls";
    if (strcmp(word, "ls") == 0)
        return remote_call(remote, NULL, PATH, NULL, answer);
    if (strcmp(word, "clear") == 0)
        return remote_call(remote, "DELETE", PATH, NULL, answer);
    if (strcmp(word, "load") == 0)
        return add_file(remote, o->args[1], answer);
    if (strcmp(word, "http") == 0)
        return add_rule(remote, "http", http_rule(o), answer);
    return add_rule(remote, "dogstatsd", dogstatsd_rule(o), answer);
}

static int check(const struct options *o) {
    static const char *const words[] = {"ls", "clear", "http", "dogstatsd", "load"};
    const char *word = o->n_args ? o->args[0] : "ls";
    size_t i = 0;
    while (i < 5 && strcmp(word, words[i]) != 0)
        i++;
    if (i == 5)
        log_error("statwit fault takes ls, clear, http, dogstatsd or load, not '%s'", word);
    else if ((i == 4) != (o->n_args == 2))
        log_error(i == 4 ? "fault load needs a file" : "fault %s takes nothing behind it", word);
    else if (i == 3 && !option_given(o, OPT_DROP))
        log_error("fault dogstatsd needs --drop: the share of datagrams to drop");
    else if (i == 2 && !option_given(o, OPT_STATUS) && !option_given(o, OPT_DELAY) &&
             !option_given(o, OPT_CUT) && !option_given(o, OPT_BODY) && !o->list[OPT_HEADER].n &&
             !option_given(o, OPT_CONTENT_TYPE))
        log_error("fault http needs --status, --delay, --cut, --body, --content-type or --header");
    else
        return EXIT_PASS;
    return EXIT_USAGE;
}

static void show(const char *kind, const json_t *rules) {
    size_t i;
    json_t *rule, *value;
    const char *name;
    json_array_foreach(rules, i, rule) {
        printf("%-10s", kind);
        json_object_foreach(rule, name, value) {
            char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
            printf(" %s=%s", name, text ? text : "");
            free(text);
        }
        putchar('\n');
    }
}

int fault_command(const struct options *o) {
    struct remote remote;
    json_t *answer = NULL;
    int status = check(o);
    if (status != EXIT_PASS)
        return status;
    status = remote_open(&remote, o);
    if (status == EXIT_PASS)
        status = change(o, &remote, &answer);
    remote_close(&remote);
    if (status != EXIT_PASS)
        return status;
    if (option_on(o, OPT_JSON)) {
        json_dumpf(answer, stdout, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
        putchar('\n');
    } else if (!option_on(o, OPT_QUIET)) {
        show("http", json_object_get(answer, "http"));
        show("dogstatsd", json_object_get(answer, "dogstatsd"));
        if (json_array_size(json_object_get(answer, "http")) +
                json_array_size(json_object_get(answer, "dogstatsd")) ==
            0)
            puts("no faults");
    }
    json_decref(answer);
    return EXIT_PASS;
}
