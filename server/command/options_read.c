/* What was given, held against the table: flags first, then the environment, each value checked as its kind says. */
#include "command/options.h"

#include "command/command.h"
#include "core/distance.h"
#include "core/moment.h"
#include "core/number.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

int64_t option_parse_time(const char *text) {
    return moment_parse_length(span_str(text));
}

int64_t option_parse_size(const char *text) {
    size_t n = strspn(text, "0123456789");
    int64_t value;
    if (n == 0 || number_parse_int(span_of(text, n), &value) != NUMBER_OK)
        return -1;
    const char *units = "BKMGT";
    int shift = 0;
    if (text[n]) {
        const char *unit = strchr(units, toupper((unsigned char)text[n]));
        if (!unit || !(text[n + 1] == '\0' || strcasecmp(text + n + 1, "iB") == 0 ||
                       strcasecmp(text + n + 1, "B") == 0))
            return -1;
        shift = (int)(unit - units) * 10;
    }
    return value > (INT64_MAX >> shift) ? -1 : value << shift;
}

static bool is_word(const char *text, const char *words) {
    size_t n = strlen(text);
    for (const char *at = words; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strncmp(at, text, n) == 0 && (at[n] == '|' || at[n] == '\0') && n)
            return true;
    return false;
}

static bool parse_flag(const char *text, int64_t *on) {
    static const char *const yes[] = {"1", "true", "yes", "on"}, *const no[] = {"0", "false", "no", "off"};
    for (size_t i = 0; i < 4; i++)
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *on = strcasecmp(text, yes[i]) == 0;
            return true;
        }
    return false;
}

/* "0.8" or "80%". */
static bool parse_share(const char *text, double *share) {
    size_t n = strlen(text);
    bool percent = n > 0 && text[n - 1] == '%';
    if (number_parse(span_of(text, n - percent), share) != NUMBER_OK)
        return false;
    *share /= percent ? 100 : 1;
    return *share >= 0 && *share <= 1;
}

/* Until a mark has been made of it, a moment that is none has the number -1. */
static const char *parse_moment(const struct option *option, const char *text, struct option_value *v) {
    struct moment moment;
    if (!moment_parse(span_str(text), &moment))
        return MOMENT_WANTED;
    v->number = moment.kind == MOMENT_MARK ? (int64_t)moment.mark : -1;
    return v->number == 0 && option->id == OPT_UNTIL
               ? "a moment after the first record, not the mark before it"
               : NULL;
}

/* Reads a value. On success *v is filled and the result is NULL; else the result says how such a value looks, for the error. */
static const char *parse_value(const struct option *option, const char *text, struct option_value *v) {
    bool whole =
        number_parse_int(span_str(text), &v->number) == NUMBER_OK && v->number >= 0 && text[0] != '+';
    switch (option->kind) {
    case KIND_FLAG:
        return parse_flag(text, &v->number) ? NULL : "true or false";
    case KIND_TEXT:
    case KIND_LIST:
        return NULL;
    case KIND_WORD:
        return is_word(text, option->arg) ? NULL : option->arg;
    case KIND_PORT:
        return whole && v->number <= 65535 ? NULL : "a port, 0 to 65535";
    case KIND_COUNT:
        return whole ? NULL : "a whole number";
    case KIND_COUNT_32:
        return whole && v->number <= UINT32_MAX ? NULL : "a whole number, at most 4294967295";
    case KIND_SOME:
        return whole && v->number > 0 ? NULL : "a whole number from 1";
    case KIND_SIZE:
        return (v->number = option_parse_size(text)) >= 0 ? NULL : "a size: 65536, 64K, 256M, 1G";
    case KIND_TIME:
        return (v->number = option_parse_time(text)) >= 0 ? NULL : "a time: 200ms, 5s, 10m, 2h, 7d";
    case KIND_SHARE:
        return parse_share(text, &v->share) ? NULL : "a share, 0 to 1 or 0% to 100%";
    case KIND_HOST:
        return option_is_host(text) ? NULL : "a host's name or address, without a port";
    case KIND_PORTS:
        return (v->number = option_parse_ports(text)) > 0 ? NULL : "two port numbers, as 8130-8199";
    case KIND_MOMENT:
        return parse_moment(option, text, v);
    }
    return "something else";
}

/* The HTTP and C interfaces count in milliseconds, other programs in seconds: a bare number would be either. */
static bool lacks_unit(const struct option *option, const char *text) {
    size_t n = strlen(text);
    double value;
    return option->kind == KIND_TIME && n > 0 && strspn(text, "0123456789.") == n &&
           number_parse(span_of(text, n), &value) == NUMBER_OK;
}

/* `name` is what the user wrote: a flag or a variable. */
static int set_value(struct options *o, const struct option *option, enum option_origin from,
                     const char *name, const char *text, struct err *err) {
    struct option_value v = {.from = from, .text = text};
    const char *wanted = parse_value(option, text, &v);
    if (wanted && lacks_unit(option, text))
        return err_set(err, 0, "%s needs a unit: write %.40sms or %.40ss, not '%.40s'", name, text, text,
                       text);
    if (wanted)
        return err_set(err, 0, "%s must be %s, not '%.100s'", name, wanted, text);
    bool more = option->kind == KIND_LIST && from == FROM_FLAG && o->value[option->id].from == FROM_FLAG;
    o->value[option->id] = v;
    if (option->kind != KIND_LIST)
        return 0;
    size_t n = more ? o->list[option->id].n : 0;
    if (n == OPTION_LIST_MAX)
        return err_set(err, 0, "%s is given more than %d times", name, OPTION_LIST_MAX);
    const char **texts = realloc(o->list[option->id].texts, (n + 1) * sizeof *texts);
    if (!texts)
        return err_set(err, ENOMEM, "cannot read the options");
    texts[n] = text;
    o->list[option->id].texts = texts;
    o->list[option->id].n = n + 1;
    return 0;
}

/* Commands share a variable whose flag they take with words of their own: one is for those that know its word. */
static bool is_for_another(const struct option *option, const char *text) {
    bool takes = false;
    for (size_t i = 0; i < n_option_table && option->kind == KIND_WORD; i++) {
        const struct option *other = &option_table[i];
        if (other->kind != KIND_WORD || strcmp(other->flag, option->flag) != 0 || !is_word(text, other->arg))
            continue;
        if (other == option)
            return false;
        takes = true;
    }
    return takes;
}

/* A private recorder, and that of `run`, take nothing from the environment. */
static bool reads_environment(const struct options *o, const struct option *option) {
    bool run = option_groups_have(&o->command->groups, TAKES_RUN);
    if (option->id == OPT_HELP || o->value[option->id].from == FROM_FLAG)
        return false;
    return option->id == OPT_PRIVATE ||
           !(option_on(o, OPT_PRIVATE) || (run && option_groups_have(&option->groups, RUN_BY_FLAG)));
}

static int set_from_environment(struct options *o, const struct option *option, struct err *err) {
    char env[OPTION_ENV_SIZE];
    option_env(option, env);
    const struct {
        const char *name;
        enum option_origin from;
    } places[] = {{option->dd, FROM_DD}, {env, FROM_ENV}};
    for (size_t i = 0; i < 2 && reads_environment(o, option); i++) {
        const char *text = places[i].name ? getenv(places[i].name) : NULL;
        if (text && text[0] && !is_for_another(option, text) &&
            set_value(o, option, places[i].from, places[i].name, text, err) != 0)
            return -1;
    }
    return 0;
}

static int set_defaults(struct options *o, struct err *err) {
    for (size_t i = 0; i < n_option_table; i++) {
        const struct option *option = &option_table[i];
        if (option_taken(option, o->command) && option->fallback &&
            set_value(o, option, FROM_DEFAULT, option->flag, option->fallback, err) != 0)
            return -1;
    }
    return 0;
}

static const struct option *find_flag(const struct command *command, const char *flag, size_t n) {
    for (size_t i = 0; i < n_option_table; i++)
        if (option_taken(&option_table[i], command) && strlen(option_table[i].flag) == n &&
            memcmp(option_table[i].flag, flag, n) == 0)
            return &option_table[i];
    return NULL;
}

const struct option *option_find(const struct command *command, const char *arg) {
    return strncmp(arg, "--", 2) == 0 ? find_flag(command, arg + 2, strcspn(arg + 2, "=")) : NULL;
}

static const struct option *find_letter(const struct command *command, char letter) {
    for (size_t i = 0; i < n_option_table; i++)
        if (option_taken(&option_table[i], command) && option_table[i].letter == letter)
            return &option_table[i];
    return NULL;
}

static int unknown_flag(const struct command *command, const char *arg, struct err *err) {
    const char *flags[OPT_N * 2];
    size_t n = 0;
    for (size_t i = 0; i < n_option_table && n < OPT_N * 2; i++)
        if (option_taken(&option_table[i], command))
            flags[n++] = option_table[i].flag;
    const char *near = arg[1] == '-' ? option_nearest(arg + 2, n, flags) : NULL;
    return near ? err_set(err, 0, "unknown option %.100s: did you mean --%s?", arg, near)
                : err_set(err, 0, "unknown option %.100s: see statwit %s --help", arg, command->name);
}

/* --flag, --flag=VALUE, --flag VALUE. Returns how many arguments it took, -1 with err. */
static int read_long(struct options *o, int n, char **args, struct err *err) {
    const char *flag = args[0] + 2;
    size_t length = strcspn(flag, "=");
    const char *value = flag[length] ? flag + length + 1 : NULL;
    const struct option *option = find_flag(o->command, flag, length);
    if (!option)
        return unknown_flag(o->command, args[0], err);
    char name[OPTION_ENV_SIZE];
    snprintf(name, sizeof name, "--%s", option->flag);
    if (option->kind == KIND_FLAG)
        return set_value(o, option, FROM_FLAG, name, value ? value : "true", err) == 0 ? 1 : -1;
    if (!value && n < 2)
        return err_set(err, 0, "%s needs a value: %s", name, option->arg);
    return set_value(o, option, FROM_FLAG, name, value ? value : args[1], err) == 0 ? (value ? 1 : 2) : -1;
}

/* -q, -f VALUE, -fVALUE, and flags together: -qj. */
static int read_short(struct options *o, int n, char **args, struct err *err) {
    for (const char *at = args[0] + 1; *at; at++) {
        const struct option *option = find_letter(o->command, *at);
        if (!option)
            return unknown_flag(o->command, args[0], err);
        char name[3] = {'-', *at, '\0'};
        if (option->kind == KIND_FLAG) {
            if (set_value(o, option, FROM_FLAG, name, "true", err) != 0)
                return -1;
            continue;
        }
        if (!at[1] && n < 2)
            return err_set(err, 0, "%s needs a value: %s", name, option->arg);
        return set_value(o, option, FROM_FLAG, name, at[1] ? at + 1 : args[1], err) == 0 ? (at[1] ? 1 : 2)
                                                                                         : -1;
    }
    return 1;
}

static int check_args(const struct options *o, struct err *err) {
    const struct command *c = o->command;
    if (o->n_args < c->min_args)
        return err_set(err, 0, "statwit %s needs %s", c->name, c->args);
    if (c->max_args >= 0 && o->n_args > c->max_args)
        return err_set(err, 0, "statwit %s takes no '%.100s'", c->name, o->args[c->max_args]);
    return 0;
}

static int read_args(struct options *o, int n, char **args, struct err *err) {
    bool rest = false; /* what follows is no option */
    for (int i = 0, took; i < n; i += took) {
        took = 1;
        if (!rest && strcmp(args[i], "--") == 0)
            rest = o->dashes = true;
        else if (rest || args[i][0] != '-' || !args[i][1]) {
            o->args[o->n_args++] = args[i];
            rest = rest || o->command->stops_at_arg;
        } else if ((took = args[i][1] == '-' ? read_long(o, n - i, args + i, err)
                                             : read_short(o, n - i, args + i, err)) < 0)
            return -1;
    }
    o->args[o->n_args] = NULL;
    return 0;
}

/* Flags were read before, so that a variable is looked at only where no flag was given. --private is first in the table: it
 * says whether the others are looked at. */
static int set_environment(struct options *o, struct err *err) {
    for (size_t i = 0; i < n_option_table; i++)
        if (option_taken(&option_table[i], o->command) && set_from_environment(o, &option_table[i], err) != 0)
            return -1;
    return 0;
}

/* The options that --private sets where no flag says otherwise. */
static int set_private(struct options *o, struct err *err) {
    static const struct {
        enum option_id id;
        const char *text;
    } means[] = {{OPT_DOGSTATSD_PORT, "0"},
                 {OPT_HTTP_PORT, "0"},
                 {OPT_DB, ":memory:"},
                 {OPT_QUIET, "true"},
                 {OPT_EXIT_WITH_STDIN, "true"}};
    for (size_t i = 0; i < n_option_table && option_on(o, OPT_PRIVATE); i++)
        for (size_t k = 0; k < sizeof means / sizeof means[0]; k++)
            if (option_table[i].id == means[k].id && option_taken(&option_table[i], o->command) &&
                o->value[means[k].id].from != FROM_FLAG &&
                set_value(o, &option_table[i], FROM_DEFAULT, option_table[i].flag, means[k].text, err) != 0)
                return -1;
    return 0;
}

int options_read(struct options *o, const struct command *command, int n, char **args, struct err *err) {
    *o = (struct options){.command = command};
    o->args = malloc(((size_t)n + 1) * sizeof *o->args);
    if (!o->args)
        return err_set(err, ENOMEM, "cannot read the options");
    return set_defaults(o, err) != 0 || read_args(o, n, args, err) != 0 || set_environment(o, err) != 0 ||
                   set_private(o, err) != 0
               ? -1
           : option_on(o, OPT_HELP) ? 0
                                    : check_args(o, err);
}
void options_free(struct options *o) {
    for (size_t i = 0; i < OPT_N; i++)
        free(o->list[i].texts);
    free(o->args);
}

const char *option_nearest(const char *word, size_t n, const char *const *words) {
    size_t length = strcspn(word, "="), best = length < 5 ? 2 : 4;
    const char *nearest = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t edits = distance(span_of(word, length), span_str(words[i]), best - 1);
        if (edits < best) {
            best = edits;
            nearest = words[i];
        }
    }
    return nearest;
}
