/* statwit fault: misbehave on purpose. The API replaces all faults at once; here they are added one by one.
 */
#include "command/commands.h"
#include "command/remote.h"
#include "core/clock.h"
#include "core/log.h"
#include <stdio.h>

#define PATH "/recorder/v1/faults"

static void set_number(json_t *rule, const char *field, const struct options *o, enum option_id id) {
    if (option_given(o, id))
        json_object_set_new(rule, field, json_integer(option_number(o, id)));
}

static void set_text(json_t *rule, const char *field, const struct options *o, enum option_id id) {
    if (option_given(o, id))
        json_object_set_new(rule, field, json_string(option_text(o, id)));
}

static json_t *http_rule(const struct options *o) {
    json_t *rule = json_object();
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

static int add_rule(struct remote *remote, const char *list, json_t *rule, json_t **answer) {
    int status;
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
    if (strcmp(word, "http") == 0)
        return add_rule(remote, "http", http_rule(o), answer);
    return add_rule(remote, "dogstatsd", dogstatsd_rule(o), answer);
}

static int check(const struct options *o) {
    static const char *const words[] = {"ls", "clear", "http", "dogstatsd"};
    const char *word = o->n_args ? o->args[0] : "ls";
    size_t i = 0;
    while (i < 4 && strcmp(word, words[i]) != 0)
        i++;
    if (i == 4)
        log_error("statwit fault takes ls, clear, http or dogstatsd, not '%s'", word);
    else if (i == 3 && !option_given(o, OPT_DROP))
        log_error("fault dogstatsd needs --drop: the share of datagrams to drop");
    else if (i == 2 && !option_given(o, OPT_STATUS) && !option_given(o, OPT_DELAY) &&
             !option_given(o, OPT_CUT))
        log_error("fault http needs --status, --delay or --cut");
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
